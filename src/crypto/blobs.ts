/**
 * Every sealed blob of KeyPass: its label and the fields that bind it to its row. A blob opens only with the key, the
 * label and all the fields that it was sealed with, so no blob can take another's place.
 *
 * The context of an envelope is `keypass/v1/<label>`, then the fields in the order written here; every part, the label's
 * too, is preceded by its length as u16 big-endian.
 */
import { concat, ownBytes, utf8, type Bytes } from './bytes.ts';
import { openEnvelope, sealEnvelope, unlockEnvelope } from './envelope.ts';
import { CryptoError } from './errors.ts';
import { isUuid, uuidToBytes } from './uuid.ts';

/**
 * How a field is written: a UUID as 16 raw bytes (`app?`: 16 zero bytes for no app), an integer as u64 big-endian,
 * text as UTF-8, byte strings as they are.
 */
interface Kinds {
  uuid: string;
  'app?': string | null;
  int: number;
  text: string;
  bytes: Uint8Array;
  bytes16: Uint8Array;
  bytes32: Uint8Array;
}

/**
 * The table. Beside each row: the key that seals it, and what is inside. `P(e, …)` is a key of the pepper's epoch; a
 * blob named `…-outer` holds the blob of the row above it.
 */
export const blobFields = {
  // A user's vault key (UVK) and what proves a password or a recovery code
  'uvk-password': { user: 'uuid', kdfId: 'int', salt: 'bytes16' }, // password/wrap: UVK
  'uvk-password-outer': { user: 'uuid', epoch: 'int' }, // P(e, uvk)
  'verifier-password': { user: 'uuid', epoch: 'int' }, // P(e, verifier): SHA-256 of AK
  'uvk-recovery': { user: 'uuid', recoveryId: 'uuid' }, // recovery/wrap: UVK
  'verifier-recovery': { user: 'uuid', recoveryId: 'uuid', epoch: 'int' }, // P(e, verifier): SHA-256 of RAK
  'uvk-passkey': { user: 'uuid', credentialId: 'bytes' }, // passkey/wrap: UVK
  'uvk-device': { user: 'uuid', session: 'uuid' }, // device/wrap: UVK
  'device-share': { session: 'uuid', epoch: 'int' }, // P(e, share): the server's half of the device's secret

  // The vault
  manifest: { user: 'uuid', revision: 'int' }, // UVK: ids, versions and hashes of all rows
  item: { user: 'uuid', key: 'uuid', provider: 'text', origin: 'text', version: 'int' }, // DEK: the provider's key
  'dek-vault': { user: 'uuid', key: 'uuid', version: 'int' }, // UVK: DEK

  // Connections
  'ck-vault': { user: 'uuid', connection: 'uuid', app: 'app?' }, // UVK: CK
  grant: { user: 'uuid', connection: 'uuid', app: 'app?', key: 'uuid', version: 'int', policyHash: 'bytes32' }, // CK: DEK
  'ck-public': { user: 'uuid', connection: 'uuid', app: 'uuid', linkSession: 'uuid' }, // public/wrap: CK
  'ck-public-outer': { connection: 'uuid', linkSession: 'uuid', epoch: 'int' }, // P(e, connection)
  'ck-token': { user: 'uuid', connection: 'uuid', app: 'app?', generation: 'int' }, // access/wrap: CK
  'ck-token-outer': { connection: 'uuid', generation: 'int', epoch: 'int' }, // P(e, connection)
  // The two layers share one row of the design: the outer one takes that row's fields and, as all outer ones, the epoch.
  'exchange-reply': { user: 'uuid', connection: 'uuid', app: 'uuid', linkSession: 'uuid' }, // public/reply: access token
  'exchange-reply-outer': { user: 'uuid', connection: 'uuid', app: 'uuid', linkSession: 'uuid', epoch: 'int' }, // P(e, reply)
  'token-vault': { user: 'uuid', connection: 'uuid', generation: 'int' }, // UVK: access token

  // Secrets of the server's own
  totp: { user: 'uuid', epoch: 'int' }, // P(e, totp)
  webhook: { app: 'uuid', secretId: 'uuid', epoch: 'int' }, // P(e, webhook)
} as const satisfies Record<string, Record<string, keyof Kinds>>;

export type Label = keyof typeof blobFields;

/** The fields of a label: UUIDs and text as strings, integers as numbers, `app: null` where there is no app. */
export type BlobFields<L extends Label> = {
  readonly [F in keyof (typeof blobFields)[L]]: (typeof blobFields)[L][F] extends keyof Kinds
    ? Kinds[(typeof blobFields)[L][F]]
    : never;
};

/** Seals a plaintext for one row. Throws CryptoError, naming the field, if a field has not the form of its kind. */
export async function seal<L extends Label>(
  label: L,
  key: CryptoKey,
  fields: BlobFields<L>,
  plaintext: Uint8Array,
): Promise<Bytes> {
  return sealEnvelope(key, contextOf(label, fields), plaintext);
}

/** Opens a row's blob. Throws CryptoError, with one message for every reason that lies in the key or the blob. */
export async function open<L extends Label>(
  label: L,
  key: CryptoKey,
  fields: BlobFields<L>,
  blob: Uint8Array,
): Promise<Bytes> {
  return openEnvelope(key, contextOf(label, fields), blob);
}

/** What opens a row's blob as often as it is called, holding no plaintext. Throws as `open` does. */
export async function unlock<L extends Label>(
  label: L,
  key: CryptoKey,
  fields: BlobFields<L>,
  blob: Uint8Array,
): Promise<() => Promise<Bytes>> {
  return unlockEnvelope(key, contextOf(label, fields), blob);
}

/** The context bytes of a label and its fields. */
export function contextOf<L extends Label>(label: L, fields: BlobFields<L>): Bytes {
  const parts = [withLength(utf8(`keypass/v1/${label}`))];
  for (const [name, kind] of Object.entries<keyof Kinds>(blobFields[label])) {
    const value: unknown = Reflect.get(fields, name);
    const bytes = fieldBytes(kind, value);
    if (bytes === undefined || bytes.length > 0xffff) throw new CryptoError(`${label}: ${name} is malformed`);
    parts.push(withLength(bytes));
  }
  return concat(...parts);
}

function fieldBytes(kind: keyof Kinds, value: unknown): Bytes | undefined {
  if (kind === 'app?' && value === null) return new Uint8Array(16);
  if (kind === 'uuid' || kind === 'app?') return isUuid(value) ? uuidToBytes(value) : undefined;
  if (kind === 'text') return typeof value === 'string' && value.isWellFormed() ? utf8(value) : undefined;
  if (kind === 'int') return typeof value === 'number' ? u64(value) : undefined;
  if (!(value instanceof Uint8Array)) return undefined;
  if (kind === 'bytes16' && value.length !== 16) return undefined;
  if (kind === 'bytes32' && value.length !== 32) return undefined;
  return ownBytes(value);
}

function u64(value: number): Bytes | undefined {
  if (!Number.isSafeInteger(value) || value < 0) return undefined;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function withLength(part: Bytes): Bytes {
  return concat(Uint8Array.of(part.length >> 8, part.length & 0xff), part);
}
