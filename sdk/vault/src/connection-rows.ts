/** The rows of `GET /v1/connections`, checked against the manifest. */
import { checkPolicy, encodePolicy, type Policy, policyHash, sha256, toBase64Url } from '../../../src/crypto/index.ts';
import {
  bytes,
  type Fields,
  fieldsOf,
  integer,
  integerOrNull,
  listOf,
  text,
  textOrNull,
  textsOrNull,
} from './answer.ts';
import { VaultError } from './errors.ts';
import type { Keyring } from './keyring.ts';
import type { Manifest } from './manifest.ts';
import type { Transport } from './transport.ts';

export interface ConnectionRow {
  id: string;
  app: { id: string; name: string } | null;
  /** `revoked` for ever; otherwise as the server says: `pending`, `active`, `paused`. */
  status: string;
  generation: number;
  policy: Policy;
  /** SHA-256 of the policy's bytes. */
  policyHash: Uint8Array;
  capCents: number | null;
  /** US dollars, decimal. */
  spent: string;
  held: string;
  /** RFC 3339, UTC; null for a budget without an end. */
  resetsAt: string | null;
  /** Providers whose key is gone: their calls wait until the owner chooses another. */
  missingKeys: string[];
  createdAt: string;
}

export interface ConnectionDetail extends ConnectionRow {
  /** null once the connection is revoked: revoking shreds it. */
  ckVault: Uint8Array | null;
  tokenVault: Uint8Array | null;
  grants: StoredGrant[];
}

interface StoredGrant {
  keyId: string;
  provider: string;
  version: number;
  grant: Uint8Array;
}

/** All connections as the server tells them, unchecked: for a vault that is locked. */
export async function fetchConnections(transport: Transport): Promise<ConnectionRow[]> {
  return Promise.all((await transport.all('/v1/connections')).map(rowOf));
}

/** One connection with its sealed parts, unchecked. */
export async function fetchConnection(transport: Transport, id: string): Promise<ConnectionDetail> {
  const fields = await transport.fields('GET', `/v1/connections/${encodeURIComponent(id)}`);
  if (text(fields, 'id') !== id) throw new VaultError('invalid_answer', 'The server answers for another connection.');
  return {
    ...(await rowOf(fields)),
    ckVault: textOrNull(fields, 'ckVault') === null ? null : bytes(fields, 'ckVault'),
    tokenVault: textOrNull(fields, 'tokenVault') === null ? null : bytes(fields, 'tokenVault'),
    grants: listOf(fields['grants'], 'grants').map((grant) => ({
      keyId: text(grant, 'keyId'),
      provider: text(grant, 'provider'),
      version: integer(grant, 'version'),
      grant: bytes(grant, 'grant'),
    })),
  };
}

/** All connections. Throws VaultTamperedError if the server changed a policy or made a connection of its own. */
export async function loadConnections(keyring: Keyring): Promise<ConnectionRow[]> {
  const rows = await keyring.verified('connection', () => fetchConnections(keyring.transport), faultsOf);
  // Revoking is possible without the vault key, by an app too: what is over no longer needs an entry. One that is only
  // missing keeps it: an approval may have come between the rows and here.
  keyring.forget(rows.filter(({ status }) => status === 'revoked').map(({ id }) => id));
  return rows;
}

/** One connection with its sealed parts, checked as a list is, and its ck-vault besides. */
export async function loadConnection(keyring: Keyring, id: string): Promise<ConnectionDetail> {
  const load = async () => {
    const row = await fetchConnection(keyring.transport, id);
    return { row, hash: row.ckVault === null ? null : toBase64Url(await sha256(row.ckVault)) };
  };
  const { row } = await keyring.verified('connection', load, (read, manifest) => {
    const entry = manifest.connections.find((candidate) => candidate.id === id);
    const exchanged = read.row.status !== 'revoked' && entry?.hash !== read.hash;
    return exchanged ? [id] : faultsOf([read.row], manifest);
  });
  return row;
}

/**
 * The ids of connections that the owner never approved, or under another policy. A connection that is missing or
 * revoked is none of these: apps let go by themselves, and an owner revokes without unlocking.
 */
function faultsOf(rows: readonly ConnectionRow[], { connections }: Manifest): string[] {
  const wrong = rows.filter(({ id, status, policy, policyHash: hash }) => {
    const entry = connections.find((candidate) => candidate.id === id);
    if (entry === undefined) return status !== 'revoked';
    return entry.revision !== policy.revision || entry.policyHash !== toBase64Url(hash);
  });
  return wrong.map(({ id }) => id);
}

async function rowOf(fields: Fields): Promise<ConnectionRow> {
  const policy = policyOf(fields['policy']);
  const app = fields['app'] === undefined || fields['app'] === null ? null : fieldsOf(fields['app'], 'app');
  return {
    id: text(fields, 'id'),
    app: app === null ? null : { id: text(app, 'id'), name: text(app, 'name') },
    status: text(fields, 'status'),
    generation: integer(fields, 'generation'),
    policy,
    policyHash: await policyHash(encodePolicy(policy)),
    capCents: integerOrNull(fields, 'capCents'),
    spent: text(fields, 'spent'),
    held: text(fields, 'held'),
    resetsAt: textOrNull(fields, 'resetsAt'),
    missingKeys: textsOrNull(fields, 'missingKeys') ?? [],
    createdAt: text(fields, 'createdAt'),
  };
}

function policyOf(value: unknown): Policy {
  try {
    return checkPolicy(value);
  } catch (cause) {
    throw new VaultError('invalid_answer', 'The server sends a policy that is none.', { cause });
  }
}
