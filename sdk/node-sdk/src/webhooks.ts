import { isRecord, WebhookError } from './errors.ts';
import type { WebhookEvent } from './webhook-events.ts';

export interface VerifyWebhookOptions {
  /** The body as it came, before anything parsed it: a signature is over bytes. */
  payload: string | Uint8Array | ArrayBuffer;
  /** The request's `KeyPass-Signature`, as your server gives headers. */
  header: string | readonly string[] | null | undefined;
  /** Of the app's webhook, from the console; while one is replaced by another, both. */
  secret: string | readonly string[] | undefined;
  /** How far the signature's time may be from now; 300 unless given. */
  toleranceSeconds?: number | undefined;
  now?: Date | undefined;
}

export interface TestHeaderOptions {
  payload: string | Uint8Array | ArrayBuffer;
  secret: string;
  /** When it claims to be signed; now unless given. */
  now?: Date | undefined;
}

const algorithm = { name: 'HMAC', hash: 'SHA-256' };
/** More than a server ever sends; whoever sends more wants us to compute. */
const mostSignatures = 8;

/**
 * The event of a webhook request, once it is proved to come from your KeyPass and to be sent just now. Rejects with a
 * {@link WebhookError}: answer 400 then, and do nothing.
 */
async function verify(options: VerifyWebhookOptions): Promise<WebhookEvent> {
  const { toleranceSeconds = 300, now = new Date() } = options;
  const secrets = [options.secret ?? []].flat().filter((secret) => secret !== '');
  if (secrets.length === 0) throw new WebhookError('secret_missing', 'No webhook secret is given.');
  const bytes = bytesOf(options.payload);
  const { time, signatures } = parseHeader(options.header);
  const message = messageOf(time, bytes);
  if (!(await isSigned(message, signatures, secrets)))
    throw new WebhookError('signature_wrong', 'No signature fits this body and these secrets.');
  if (!(Math.abs(now.getTime() / 1000 - Number(time)) <= toleranceSeconds))
    throw new WebhookError('timestamp_outside', 'This was signed too long ago, or the clocks differ.');
  return parseEvent(bytes);
}

/** The `KeyPass-Signature` that a KeyPass with this secret would send, for tests of your own endpoint. */
async function testHeader({ payload, secret, now = new Date() }: TestHeaderOptions): Promise<string> {
  const time = String(Math.floor(now.getTime() / 1000));
  const key = await importSecret(secret, 'sign');
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, messageOf(time, bytesOf(payload))));
  return `t=${time},v1=${Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export const webhooks = { verify, testHeader } as const;

function bytesOf(payload: string | Uint8Array | ArrayBuffer): Uint8Array {
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  if (payload instanceof Uint8Array || payload instanceof ArrayBuffer) return new Uint8Array(payload);
  throw new WebhookError(
    'payload_malformed',
    'The payload is not the raw body. Give the bytes before they are parsed.',
  );
}

function messageOf(time: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = new TextEncoder().encode(`${time}.`);
  const message = new Uint8Array(prefix.length + body.length);
  message.set(prefix);
  message.set(body, prefix.length);
  return message;
}

/** `t=<seconds>,v1=<hex>,…`; what else a newer server may write is passed over. */
function parseHeader(header: VerifyWebhookOptions['header']): {
  time: string;
  signatures: Uint8Array<ArrayBuffer>[];
} {
  const parts = [header ?? []].flat().flatMap((line) => line.split(',').map((part) => part.trim()));
  const times = parts.filter((part) => part.startsWith('t=')).map((part) => part.slice(2));
  const signatures = parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3));
  const [time] = times;
  const isWhole = times.length === 1 && signatures.length > 0 && signatures.length <= mostSignatures;
  if (time === undefined || !isWhole || !/^\d{1,12}$/.test(time) || !signatures.every(isHex))
    throw new WebhookError('signature_malformed', 'KeyPass-Signature is missing or is none: t=…,v1=… was expected.');
  return { time, signatures: signatures.map(fromHex) };
}

function isHex(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16));
}

/** By Web Crypto's own comparison, which takes the same time whichever byte differs. */
async function isSigned(
  message: Uint8Array<ArrayBuffer>,
  signatures: readonly Uint8Array<ArrayBuffer>[],
  secrets: readonly string[],
): Promise<boolean> {
  const keys = await Promise.all(secrets.map((secret) => importSecret(secret, 'verify')));
  const checks = keys.flatMap((key) =>
    signatures.map((signature) => crypto.subtle.verify('HMAC', key, signature, message)),
  );
  return (await Promise.all(checks)).includes(true);
}

function importSecret(secret: string, use: 'sign' | 'verify'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, [use]);
}

function parseEvent(bytes: Uint8Array): WebhookEvent {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Said below, as for any other body that is none of ours.
  }
  if (isEvent(value)) return value;
  throw new WebhookError('payload_malformed', 'The body is signed, but is no event that this version understands.');
}

/** Not every member: a newer server may say more. */
function isEvent(value: unknown): value is WebhookEvent {
  return (
    isRecord(value) &&
    [value['id'], value['type'], value['createdAt']].every((member) => typeof member === 'string') &&
    isRecord(value['data'])
  );
}
