import { argon2id } from 'hash-wasm';
import { authKeyOf, isKdfId, kdfs, wrapKeyOf, zero } from '../../../src/crypto/index.ts';
import { VaultError } from './errors.ts';

/** For new passwords: Argon2id with 64 MiB, 3 passes, 4 lanes. */
export const defaultKdfId = 1;
export const saltLength = 16;

/** What a password is worth: one half proves it to the server, the other wraps the vault key and stays here. */
export interface PasswordKeys {
  kdfId: number;
  salt: Uint8Array;
  /** 32 bytes, sent at login. */
  authKey: Uint8Array;
  /** Never leaves the client. */
  wrapKey: CryptoKey;
}

/**
 * Argon2id v1.3 (RFC 9106) of the NFKC form of a password. `kdfId` chooses from the compiled-in list: a server can never
 * ask for cheaper parameters. Throws `kdf_unknown` for anything else.
 */
export async function masterKey(password: string, salt: Uint8Array, kdfId: number): Promise<Uint8Array> {
  if (!isKdfId(kdfId) || salt.length !== saltLength) {
    throw new VaultError('kdf_unknown', 'The server names a password derivation that this client does not know.');
  }
  const kdf = kdfs[kdfId];
  return argon2id({
    password: password.normalize('NFKC'),
    salt,
    memorySize: kdf.memoryKiB,
    iterations: kdf.passes,
    parallelism: kdf.lanes,
    hashLength: 32,
    outputType: 'binary',
  });
}

export async function passwordKeys(password: string, salt: Uint8Array, kdfId: number): Promise<PasswordKeys> {
  if (password === '') throw new VaultError('invalid_request', 'The password is empty.', { param: 'password' });
  const secret = await masterKey(password, salt, kdfId);
  try {
    const [authKey, wrapKey] = await Promise.all([authKeyOf(secret), wrapKeyOf(secret)]);
    return { kdfId, salt, authKey, wrapKey };
  } finally {
    zero(secret);
  }
}
