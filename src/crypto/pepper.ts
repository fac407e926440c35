/**
 * The server's own secrets, kept in a file apart from the database: a pepper for each epoch, the outermost layer of every
 * blob that the server stores, and two secrets that never rotate. Pure: reading and writing the file is the runtime's.
 *
 *     { "v": 1, "current": 1, "epochs": { "1": "…" }, "unknownEmailSalt": "…", "auditChain": "…" }
 *
 * Each secret is 32 random bytes in base64url.
 *
 * Rotation: `addEpoch` on every instance, `makeCurrent`, re-seal the rows of the old epoch, `dropEpoch`. Dropping makes
 * whatever was sealed under that epoch, old backups too, unreadable.
 */
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { ownBytes, randomBytes, utf8, type Bytes } from './bytes.ts';
import { isPlainObject } from './canonical.ts';
import { deriveKey, hkdf } from './derive.ts';
import type { KdfId } from './kdf.ts';

/** A pepper file that must not be used, or an epoch that is not in it. Says what is wrong, never a secret. */
export class PepperError extends Error {
  override readonly name = 'PepperError';
}

/** One for each purpose, so that no blob of one can be shown as another's. */
export type PepperKind = 'uvk' | 'verifier' | 'share' | 'connection' | 'reply' | 'totp' | 'webhook';

interface PepperContent {
  readonly current: number;
  readonly epochs: ReadonlyMap<number, Bytes>;
  readonly unknownEmailSalt: Bytes;
  readonly auditChain: Bytes;
}

/** The contents stay outside the objects: neither inspecting nor serialising a Pepper can show them. */
const contents = new WeakMap<Pepper, PepperContent>();

/** The pepper in use. Made by `createPepper`, `parsePepper` and the three steps of a rotation. */
export class Pepper {
  /** The epoch under which new blobs are sealed. */
  readonly current: number;
  /** All epochs that can be opened, ascending. */
  readonly epochs: readonly number[];
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  /** Throws PepperError if the current epoch is missing or a secret cannot have been drawn at random. */
  constructor(content: PepperContent) {
    const secrets = [...content.epochs.values(), content.unknownEmailSalt, content.auditChain];
    if (!content.epochs.has(content.current)) throw new PepperError('current: not one of the epochs');
    if (!secrets.every(looksRandom)) throw new PepperError('a secret is not 32 random bytes');
    if (new Set(secrets.map(toBase64Url)).size !== secrets.length) throw new PepperError('two secrets are the same');
    this.current = content.current;
    this.epochs = [...content.epochs.keys()].toSorted((a, b) => a - b);
    contents.set(this, content);
  }

  /** P(epoch, kind): the sealing key of an outermost layer; cached. Throws PepperError for an epoch that is not here. */
  async key(epoch: number, kind: PepperKind): Promise<CryptoKey> {
    const name = `${epoch} ${kind}`;
    const key = this.#keys.get(name) ?? deriveKey(secretOf(this, epoch), `pepper/${kind}`);
    this.#keys.set(name, key);
    return key;
  }

  /**
   * 32 bytes by which a database can tell that this is the pepper of its epoch. They reveal nothing of it.
   * Throws PepperError for an epoch that is not here.
   */
  async checkValue(epoch: number): Promise<Bytes> {
    return hkdf(secretOf(this, epoch), 'pepper/check');
  }

  /**
   * What an account with this e-mail would answer before login if there were one: always the same for one e-mail.
   * @param email in the form by which accounts are found
   * @param secondKdfShare the part of real accounts that use kdfId 2, from 0 to 1
   */
  async unknownSalt(email: string, secondKdfShare = 0): Promise<{ kdfId: KdfId; salt16: Bytes }> {
    const digest = await mac(contentOf(this).unknownEmailSalt, utf8(email));
    const point = new DataView(digest.buffer).getUint32(16) / 2 ** 32;
    return { kdfId: point < secondKdfShare ? 2 : 1, salt16: digest.slice(0, 16) };
  }

  /** One link of the audit chain: HMAC-SHA-256 under its secret, 32 bytes. */
  async auditDigest(entry: Uint8Array): Promise<Bytes> {
    return mac(contentOf(this).auditChain, entry);
  }
}

/** A new pepper with one epoch, 1. */
export function createPepper(): Pepper {
  const epochs = new Map([[1, randomBytes(32)]]);
  return new Pepper({ current: 1, epochs, unknownEmailSalt: randomBytes(32), auditChain: randomBytes(32) });
}

/** The pepper of a file's text. Throws PepperError, naming the member at fault, for anything but `formatPepper`'s form. */
export function parsePepper(text: string): Pepper {
  const file = parseJson(text);
  const names = ['v', 'current', 'epochs', 'unknownEmailSalt', 'auditChain'];
  if (!isPlainObject(file) || !isPlainObject(file['epochs'])) throw new PepperError('not a pepper file');
  if (Object.keys(file).some((name) => !names.includes(name))) throw new PepperError('unknown member');
  if (file['v'] !== 1) throw new PepperError('v: 1 was expected');
  if (!isEpoch(file['current'])) throw new PepperError('current: an epoch was expected');
  const epochs = Object.entries(file['epochs']).map(([name, secret]): [number, Bytes] => {
    const epoch = Number(name);
    if (!isEpoch(epoch) || String(epoch) !== name) throw new PepperError('epochs: counted from 1');
    return [epoch, parseSecret(`epochs.${name}`, secret)];
  });
  return new Pepper({
    current: file['current'],
    epochs: new Map(epochs),
    unknownEmailSalt: parseSecret('unknownEmailSalt', file['unknownEmailSalt']),
    auditChain: parseSecret('auditChain', file['auditChain']),
  });
}

/** The text to keep in the pepper file. It holds every secret of the server. */
export function formatPepper(pepper: Pepper): string {
  const { current, epochs, unknownEmailSalt, auditChain } = contentOf(pepper);
  const file = {
    v: 1,
    current,
    epochs: Object.fromEntries([...epochs].map(([epoch, secret]) => [epoch, toBase64Url(secret)])),
    unknownEmailSalt: toBase64Url(unknownEmailSalt),
    auditChain: toBase64Url(auditChain),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The same pepper with one more epoch, numbered after the last; the current one stays. */
export function addEpoch(pepper: Pepper): Pepper {
  const content = contentOf(pepper);
  const epoch = Math.max(...content.epochs.keys()) + 1;
  return new Pepper({ ...content, epochs: new Map([...content.epochs, [epoch, randomBytes(32)]]) });
}

/** The same pepper, sealing under another of its epochs. Throws PepperError for an epoch that is not in it. */
export function makeCurrent(pepper: Pepper, epoch: number): Pepper {
  return new Pepper({ ...contentOf(pepper), current: epoch });
}

/** The same pepper without an epoch. Throws PepperError for the current epoch and for one that is not in it. */
export function dropEpoch(pepper: Pepper, epoch: number): Pepper {
  const content = contentOf(pepper);
  secretOf(pepper, epoch);
  if (epoch === content.current) throw new PepperError('the current epoch cannot be dropped');
  return new Pepper({ ...content, epochs: new Map([...content.epochs].filter(([other]) => other !== epoch)) });
}

function contentOf(pepper: Pepper): PepperContent {
  const content = contents.get(pepper);
  if (content === undefined) throw new PepperError('not a pepper');
  return content;
}

function secretOf(pepper: Pepper, epoch: number): Bytes {
  const secret = contentOf(pepper).epochs.get(epoch);
  if (secret === undefined) throw new PepperError('the pepper file lacks this epoch');
  return secret;
}

function isEpoch(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= 0x7fffffff;
}

function parseSecret(name: string, value: unknown): Bytes {
  try {
    if (typeof value === 'string') return fromBase64Url(value);
  } catch {
    // Said below, in the same words as for any other malformed secret.
  }
  throw new PepperError(`${name}: base64url of 32 bytes was expected`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new PepperError('not JSON');
  }
}

/**
 * Refuses what a person types or a template holds: zeros, a repeated byte or word, a counter. Of 32 random bytes fewer
 * than 16 differ with a chance below 2⁻⁵⁰, and never do all neighbours differ by the same step.
 */
function looksRandom(secret: Bytes): boolean {
  const steps = new Set(secret.slice(1).map((byte, index) => byte - (secret[index] ?? 0)));
  return secret.length === 32 && new Set(secret).size >= 16 && steps.size > 1;
}

async function mac(secret: Bytes, message: Uint8Array): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, ownBytes(message)));
}
