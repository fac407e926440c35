import { concat, ownBytes, utf8, zero, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

const noSalt = new Uint8Array(0);
const shortestSecret = 16;

/**
 * 32 bytes for one use of a secret: HKDF-SHA-256 (RFC 5869) with an empty salt and the info `keypass/v1/<use>`.
 * The secret is at least 16 bytes of full entropy, or Argon2id's output.
 */
export async function hkdf(secret: Uint8Array, use: string): Promise<Bytes> {
  // An empty or missing secret would give everybody the same key.
  if (secret.length < shortestSecret) throw new CryptoError('a secret has at least 16 bytes');
  const key = await crypto.subtle.importKey('raw', ownBytes(secret), 'HKDF', false, ['deriveBits']);
  const info = utf8(`keypass/v1/${use}`);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: noSalt, info }, key, 256),
  );
}

/**
 * A key that seals and opens, from 32 bytes: the non-extractable HMAC-SHA-512 key on which the envelope runs
 * HKDF-Expand. It can be cached; the bytes can be zeroed.
 */
export async function sealingKey(bytes: Uint8Array): Promise<CryptoKey> {
  if (bytes.length !== 32) throw new CryptoError('a sealing key has 32 bytes');
  return crypto.subtle.importKey('raw', ownBytes(bytes), { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
}

/** The sealing key for one use of a secret: `sealingKey(hkdf(secret, use))`, leaving no bytes behind. */
export async function deriveKey(secret: Uint8Array, use: string): Promise<CryptoKey> {
  const bytes = await hkdf(secret, use);
  try {
    return await sealingKey(bytes);
  } finally {
    zero(bytes);
  }
}

/**
 * HKDF-Expand-SHA-512 (RFC 5869, section 2.3) to two blocks, 128 bytes, on a sealing key. Web Crypto has no Expand
 * without Extract, so its two steps are written out: T(1) = HMAC(info ‖ 1), T(2) = HMAC(T(1) ‖ info ‖ 2).
 */
export async function expand(key: CryptoKey, info: Uint8Array): Promise<Bytes> {
  const first = new Uint8Array(await crypto.subtle.sign('HMAC', key, concat(info, Uint8Array.of(1))));
  const second = new Uint8Array(await crypto.subtle.sign('HMAC', key, concat(first, info, Uint8Array.of(2))));
  const output = concat(first, second);
  zero(first);
  zero(second);
  return output;
}
