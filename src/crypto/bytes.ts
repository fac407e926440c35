import { CryptoError } from './errors.ts';

/** Bytes in memory of their own: what Web Crypto takes. Views of shared memory are not. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The same bytes, typed for Web Crypto: copied only if they lie in shared memory. */
export function ownBytes(bytes: Uint8Array): Bytes {
  return isOwn(bytes) ? bytes : new Uint8Array(bytes);
}

function isOwn(bytes: Uint8Array): bytes is Bytes {
  return bytes.buffer instanceof ArrayBuffer;
}

/** All parts in a row, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Whether two byte strings are equal; the time taken depends on their lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** Overwrites a secret. The runtime may have made copies of its own: this shortens a life, it does not promise its end. */
export function zero(bytes: Uint8Array): void {
  bytes.fill(0);
}

/** `length` bytes from the system's random source; at most 65,536 at once. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', ownBytes(bytes)));
}

const encoder = new TextEncoder();
// A byte order mark is text like any other: dropping it would give two byte strings one meaning.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * UTF-8. A lone surrogate is refused (CryptoError): the encoder would write U+FFFD for each of them, and two different
 * texts would become the same bytes.
 */
export function utf8(text: string): Bytes {
  if (!text.isWellFormed()) throw new CryptoError('not well-formed Unicode');
  return encoder.encode(text);
}

/** Text from UTF-8; malformed bytes are refused (CryptoError), never replaced. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(ownBytes(bytes));
  } catch {
    throw new CryptoError('not UTF-8');
  }
}
