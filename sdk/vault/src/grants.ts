/** The data keys of provider keys, sealed for connections: what lets a connection use a key, under one policy. */
import {
  encodePolicy,
  newUuid,
  open,
  type Policy,
  policyHash,
  randomBytes,
  seal,
  sealingKey,
  sha256,
  toBase64Url,
  zero,
} from '../../../src/crypto/index.ts';
import type { ConnectionDetail } from './connection-rows.ts';
import { VaultError, VaultTamperedError } from './errors.ts';
import { type KeyRow, openDek } from './key-rows.ts';
import type { Keyring } from './keyring.ts';
import type { ConnectionEntry } from './manifest.ts';

/** A connection whose key this vault holds and whose policy is proved. */
export interface OpenConnection {
  id: string;
  app: string | null;
  policy: Policy;
  policyHash: Uint8Array;
  /** The connection key, CK. */
  key: CryptoKey;
}

/** A grant as it stands in a request. */
export type SealedGrant = { readonly keyId: string; readonly version: number; readonly grant: string };

/**
 * Opens a connection's key and proves its policy: every grant that it has must open under the hash of exactly that
 * policy (the manifest named that hash before). Throws VaultTamperedError; `connection_revoked` if its key is shredded.
 */
export async function openConnection(keyring: Keyring, row: ConnectionDetail): Promise<OpenConnection> {
  if (row.ckVault === null) throw new VaultError('connection_revoked', 'This connection is revoked.');
  const { user, key: vaultKey } = keyring;
  const { id, policy } = row;
  try {
    const fields = { user, connection: id, app: policy.app };
    const connectionKey = await open('ck-vault', vaultKey, fields, row.ckVault);
    const key = await sealingKey(connectionKey);
    zero(connectionKey);
    for (const { keyId, version, provider, grant } of row.grants) {
      if (!policy.providers.some((allowed) => allowed.keyId === keyId && allowed.id === provider)) {
        throw new Error('a grant for a key that the policy does not name');
      }
      const bound = { ...fields, key: keyId, version, policyHash: row.policyHash };
      zero(await open('grant', key, bound, grant));
    }
    return { id, app: policy.app, policy, policyHash: row.policyHash, key };
  } catch (cause) {
    const message = 'A connection is not as its owner approved it: the server changed its key, its policy or a grant.';
    throw new VaultTamperedError('connection', message, [id], cause);
  }
}

/** One data key for one connection. `hash` is of a policy just shown for approval, or proved by openConnection. */
export async function sealGrant(
  { user }: Keyring,
  connection: Pick<OpenConnection, 'id' | 'app' | 'key'>,
  hash: Uint8Array,
  key: Pick<KeyRow, 'id' | 'version'>,
  dek: Uint8Array,
): Promise<SealedGrant> {
  const fields = {
    user,
    connection: connection.id,
    app: connection.app,
    key: key.id,
    version: key.version,
    policyHash: hash,
  };
  return { keyId: key.id, version: key.version, grant: toBase64Url(await seal('grant', connection.key, fields, dek)) };
}

/** The grants of every key that a policy names, and what the manifest says of it. */
export interface SealedPolicy {
  grants: SealedGrant[];
  entry: Pick<ConnectionEntry, 'revision' | 'policyHash'>;
}

/**
 * Seals what a policy allows: one grant for each of its providers. Throws `key_not_found` if the vault no longer has a
 * key that it names: the owner then chooses another.
 */
export async function sealPolicy(
  keyring: Keyring,
  connection: Pick<OpenConnection, 'id' | 'app' | 'key'>,
  policy: Policy,
  keys: readonly KeyRow[],
): Promise<SealedPolicy> {
  const hash = await policyHash(encodePolicy(policy));
  const grants = await Promise.all(
    policy.providers.map(async ({ id, keyId }) => {
      const key = keys.find((candidate) => candidate.id === keyId && candidate.provider === id);
      if (key === undefined) {
        const message = `The connection's key of ${id} is no longer in the vault: choose another.`;
        throw new VaultError('key_not_found', message, { param: 'providers' });
      }
      const dek = await openDek(keyring, key);
      try {
        return await sealGrant(keyring, connection, hash, key, dek);
      } finally {
        zero(dek);
      }
    }),
  );
  return { grants, entry: { revision: policy.revision, policyHash: toBase64Url(hash) } };
}

/** What a new connection is made of, for the request that creates it. */
export interface SealedConnection {
  id: string;
  ckVault: string;
  grants: SealedGrant[];
  entry: Omit<ConnectionEntry, 'name'>;
}

/** Makes a connection for a policy; its key's bytes are given to `use`, which seals them to a token, while it runs. */
export async function sealConnection<T>(
  keyring: Keyring,
  policy: Policy,
  keys: readonly KeyRow[],
  use: (connection: SealedConnection, secret: Uint8Array) => Promise<T>,
): Promise<T> {
  const id = newUuid();
  const secret = randomBytes(32);
  try {
    const { app } = policy;
    const ckVault = await seal('ck-vault', keyring.key, { user: keyring.user, connection: id, app }, secret);
    const key = await sealingKey(secret);
    const { grants, entry } = await sealPolicy(keyring, { id, app, key }, policy, keys);
    const hash = toBase64Url(await sha256(ckVault));
    return await use({ id, ckVault: toBase64Url(ckVault), grants, entry: { id, ...entry, hash } }, secret);
  } finally {
    zero(secret);
  }
}
