/**
 * The owner's own list of what the vault holds, sealed under the vault key: a row that the server dropped, exchanged or
 * put back does not match it. A revision counts every change, so a client that has seen a newer one notices an old one.
 */
import { canonicalJson, fromUtf8, open, seal, utf8 } from '../../../src/crypto/index.ts';
import { fieldsOf, integer, listOf, text, textOrNull } from './answer.ts';
import { VaultError, VaultTamperedError } from './errors.ts';

export interface Manifest {
  v: 1;
  keys: readonly KeyEntry[];
  connections: readonly ConnectionEntry[];
}

export interface KeyEntry {
  id: string;
  provider: string;
  version: number;
  /** base64url of SHA-256 of the sealed item. */
  hash: string;
}

export interface ConnectionEntry {
  id: string;
  /** What the owner calls it, or the app's name as the owner saw it when approving. */
  name: string | null;
  /** The policy's revision. */
  revision: number;
  /** base64url of SHA-256 of the policy's bytes. */
  policyHash: string;
  /** base64url of SHA-256 of the sealed connection key (ck-vault). */
  hash: string;
}

export const emptyManifest: Manifest = { v: 1, keys: [], connections: [] };

/** The manifest with an entry added, or in place of the one with its id. */
export function withKey(manifest: Manifest, entry: KeyEntry): Manifest {
  return { ...manifest, keys: [...manifest.keys.filter(({ id }) => id !== entry.id), entry] };
}

/** The manifest without one key, or without all keys of a provider. */
export function withoutKeys(manifest: Manifest, provider: string, id?: string): Manifest {
  const keys = manifest.keys.filter((key) => key.provider !== provider || (id !== undefined && key.id !== id));
  return { ...manifest, keys };
}

export function withConnection(manifest: Manifest, entry: ConnectionEntry): Manifest {
  return { ...manifest, connections: [...manifest.connections.filter(({ id }) => id !== entry.id), entry] };
}

/** The manifest after a policy was edited. */
export function withPolicy(
  manifest: Manifest,
  id: string,
  changes: Partial<Pick<ConnectionEntry, 'name' | 'revision' | 'policyHash'>>,
): Manifest {
  const connections = manifest.connections.map((entry) => (entry.id === id ? { ...entry, ...changes } : entry));
  return { ...manifest, connections };
}

export function withoutConnections(manifest: Manifest, ids: ReadonlySet<string>): Manifest {
  return { ...manifest, connections: manifest.connections.filter(({ id }) => !ids.has(id)) };
}

export async function sealManifest(
  key: CryptoKey,
  user: string,
  revision: number,
  manifest: Manifest,
): Promise<Uint8Array> {
  return seal('manifest', key, { user, revision }, utf8(canonicalJson(manifest)));
}

/** Throws {@link VaultTamperedError} if it was not sealed by the owner for this revision. */
export async function openManifest(
  key: CryptoKey,
  user: string,
  revision: number,
  blob: Uint8Array,
): Promise<Manifest> {
  const plaintext = await open('manifest', key, { user, revision }, blob).catch((cause: unknown) => {
    throw new VaultTamperedError('manifest', "The vault's manifest does not open.", [], cause);
  });
  const content = fieldsOf(JSON.parse(fromUtf8(plaintext)), 'manifest');
  if (content['v'] !== 1) {
    throw new VaultError('manifest_unknown', 'A newer client has written this vault. Update this one.');
  }
  return {
    v: 1,
    keys: listOf(content['keys'], 'keys').map((entry) => ({
      id: text(entry, 'id'),
      provider: text(entry, 'provider'),
      version: integer(entry, 'version'),
      hash: text(entry, 'hash'),
    })),
    connections: listOf(content['connections'], 'connections').map((entry) => ({
      id: text(entry, 'id'),
      name: textOrNull(entry, 'name'),
      revision: integer(entry, 'revision'),
      policyHash: text(entry, 'policyHash'),
      hash: text(entry, 'hash'),
    })),
  };
}
