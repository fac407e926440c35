/**
 * From what a person types to keys. Argon2id itself runs on clients only (`MK = Argon2id v1.3(NFKC(password), salt,
 * parameters)`, RFC 9106); here are its parameters and what is derived from its output.
 */
import type { Bytes } from './bytes.ts';
import { deriveKey, hkdf } from './derive.ts';

/**
 * The compiled-in parameters, by id. The server stores and sends an id, never numbers: it could otherwise talk a client
 * into a cheap derivation. An id keeps its meaning for ever; both have a 16-byte salt and a 32-byte output.
 */
export const kdfs = {
  1: { memoryKiB: 64 * 1024, passes: 3, lanes: 4 },
  2: { memoryKiB: 32 * 1024, passes: 6, lanes: 4 },
} as const;

export type KdfId = keyof typeof kdfs;

export function isKdfId(value: unknown): value is KdfId {
  return value === 1 || value === 2;
}

/** AK: sent at login as proof of the password; the server keeps only a sealed hash of it. */
export function authKeyOf(masterKey: Uint8Array): Promise<Bytes> {
  return hkdf(masterKey, 'password/auth');
}

/** PWK: seals `uvk-password`; never leaves the client. */
export function wrapKeyOf(masterKey: Uint8Array): Promise<CryptoKey> {
  return deriveKey(masterKey, 'password/wrap');
}

/** RAK: sent as proof of the recovery code, given as its 20 bytes. */
export function recoveryAuthOf(code: Uint8Array): Promise<Bytes> {
  return hkdf(code, 'recovery/auth');
}

/** Seals `uvk-recovery`; from the 20 bytes of the recovery code. */
export function recoveryWrapOf(code: Uint8Array): Promise<CryptoKey> {
  return deriveKey(code, 'recovery/wrap');
}
