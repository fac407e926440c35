import { t, type TSchema } from 'elysia';
import { Type, type TProperties } from '@sinclair/typebox';
import { fromBase64Url, toBase64Url } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

/** An object whose members are all known: anything else in it is refused by name. */
export function object<T extends TProperties>(properties: T, options: { description?: string } = {}) {
  return t.Object(properties, { additionalProperties: false, ...options });
}

/** `{ success: true, data }` around an answer's schema. */
export function success<T extends TSchema>(data: T) {
  return object({ success: t.Literal(true), data });
}

/** A page of a list; `nextCursor` is null on the last. */
export function page<T extends TSchema>(item: T) {
  return object({ items: t.Array(item), nextCursor: t.Union([t.String(), t.Null()]) });
}

export const Failure = object(
  {
    success: t.Literal(false),
    error: object({
      type: t.String(),
      code: t.String(),
      message: t.String(),
      param: t.Optional(t.String()),
      docUrl: t.String(),
      requestId: t.String(),
      details: t.Optional(t.Record(t.String(), t.Unknown())),
    }),
  },
  { description: 'A refusal or failure; `code` is stable, see /docs/errors.' },
);

export const Uuid = t.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  description: 'a UUIDv4 in lower case',
});

/** A JSON number without a fraction, at most 2⁵³ − 1. Elysia's own integer takes text for a number as well. */
export function integer(options: { minimum?: number; maximum?: number; description?: string } = {}) {
  return Type.Integer({ maximum: Number.MAX_SAFE_INTEGER, ...options });
}

/** A sealed blob or other bytes: base64url without padding (RFC 4648, 5). */
export function bytes(most: number, least = 1) {
  const pattern = least === most ? `^[A-Za-z0-9_-]{${Math.ceil((least * 4) / 3)}}$` : '^[A-Za-z0-9_-]+$';
  return t.String({ pattern, maxLength: Math.ceil((most * 4) / 3), description: 'base64url without padding' });
}

/** The least that an envelope is: version, salt, commitment and the tag of one empty chunk. */
const leastEnvelope = 1 + 24 + 32 + 16;

/** An envelope of the kernel, by its first byte and least length: a broken client must not store anything else. */
function envelope(most: number) {
  return t.String({
    pattern: '^A[Q-Za-f][A-Za-z0-9_-]+$',
    minLength: Math.ceil((leastEnvelope * 4) / 3),
    maxLength: Math.ceil((most * 4) / 3),
    description: 'a sealed blob, base64url without padding',
  });
}

/** A sealed blob of ordinary size. */
export const Blob = envelope(64 * 1024);
export const ManifestBlob = envelope(1024 * 1024);
export const Timestamp = t.String({ description: 'RFC 3339, UTC' });
export const Usd = t.String({ description: 'USD as an exact decimal' });
export const Cents = integer({ minimum: 0, maximum: 100_000_000, description: 'US cents' });
export const ManifestRevision = integer({
  minimum: 1,
  description: 'The revision that the manifest was sealed under; one more than the last. Absent: taken to be that.',
});

type Decoded<T, K extends keyof T> = Omit<T, K> & {
  [P in K]: undefined extends T[P] ? Uint8Array<ArrayBuffer> | undefined : Uint8Array<ArrayBuffer>;
};

/** The body with the named base64url members as bytes; throws `invalid_request` naming one that is not canonical. */
export function decodeBlobs<T extends object, const K extends keyof T & string>(
  body: T,
  names: readonly K[],
): Decoded<T, K>;
export function decodeBlobs(body: object, names: readonly string[]): object {
  const wanted = new Set(names);
  const decoded = Object.entries(body).map(([name, value]: [string, unknown]) => [
    name,
    wanted.has(name) && typeof value === 'string' ? decodeBlob(value, name) : value,
  ]);
  return Object.fromEntries(decoded);
}

export function decodeBlob(text: string, param: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64Url(text);
  } catch {
    throw new KeyPassError('invalid_request', 'Expected base64url without padding, in its one canonical form.', {
      param,
    });
  }
}

type Encoded<T, K extends keyof T> = Omit<T, K> & Record<K, string>;

/** The value with the named bytes as base64url, for the wire. */
export function encodeBlobs<const K extends string, T extends { readonly [P in K]: Uint8Array }>(
  value: T,
  names: readonly K[],
): Encoded<T, K>;
export function encodeBlobs(value: object, names: readonly string[]): object {
  const wanted = new Set(names);
  const encoded = Object.entries(value).map(([name, part]: [string, unknown]) => [
    name,
    wanted.has(name) && part instanceof Uint8Array ? toBase64Url(part) : part,
  ]);
  return Object.fromEntries(encoded);
}
