import type { Sql, Tx } from '../database/connect.ts';
import type { PageRequest } from '../http/pages.ts';
import { connectionSeal, keySeal } from '../money/seal-store.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export type ConnectionStatus = 'pending' | 'active' | 'paused' | 'revoked';

export interface ConnectionRow {
  id: string;
  userId: string;
  appId: string | null;
  appName: string | null;
  kind: 'app' | 'personal' | 'site';
  origin: string | null;
  status: ConnectionStatus;
  revision: bigint;
  generation: bigint;
  policy: Bytes;
  policyHash: Bytes;
  capCents: bigint | null;
  ckVault: Bytes | null;
  ckToken: Bytes | null;
  tokenVault: Bytes | null;
  epoch: number | null;
  createdAt: Date;
}

export interface GrantRow {
  connectionId: string;
  provider: string;
  keyId: string;
  version: bigint;
  sealedDek: Bytes;
}

const columns = (sql: Sql | Tx) => sql`
  connections.id, connections.user_id, app_id, apps.name as app_name, kind, origin, status, revision, generation, policy,
  policy_hash, cap_cents, ck_vault, ck_token, token_vault, epoch, connections.created_at`;

export async function listConnections(sql: Sql | Tx, userId: string, { limit, after }: PageRequest) {
  return sql<ConnectionRow[]>`
    select ${columns(sql)} from connections left join apps on apps.id = app_id
    where connections.user_id = ${userId}
      and (${after === null} or
        (connections.created_at, connections.id) > (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by connections.created_at, connections.id limit ${limit + 1}`;
}

export async function findConnection(sql: Sql | Tx, id: string): Promise<ConnectionRow | undefined> {
  const [row] = await sql<ConnectionRow[]>`
    select ${columns(sql)} from connections left join apps on apps.id = app_id where connections.id = ${id}`;
  return row;
}

/** A user's connection, locked until the transaction ends. */
export async function findConnectionForUpdate(tx: Tx, id: string): Promise<ConnectionRow | undefined> {
  const [row] = await tx<ConnectionRow[]>`
    select ${columns(tx)} from connections left join apps on apps.id = app_id
    where connections.id = ${id} for update of connections`;
  return row;
}

/** A connection with the digest of all that opening it rests on. */
export interface OpenableRow extends ConnectionRow {
  seal: string;
}

export async function findConnectionByToken(sql: Sql | Tx, lookup: Uint8Array): Promise<OpenableRow | undefined> {
  const [row] = await sql<OpenableRow[]>`
    select ${columns(sql)}, ${connectionSeal(sql)} as seal from connections left join apps on apps.id = app_id where token_lookup = ${lookup}`;
  return row;
}

export interface NewConnectionRow {
  id: string;
  userId: string;
  appId: string | null;
  kind: ConnectionRow['kind'];
  origin: string | null;
  status: ConnectionStatus;
  policy: Uint8Array;
  policyHash: Uint8Array;
  ckVault: Uint8Array;
  createdAt: Date;
}

export async function insertConnection(tx: Tx, row: NewConnectionRow): Promise<void> {
  await tx`
    insert into connections (id, user_id, app_id, kind, origin, status, revision, generation, policy, policy_hash,
      ck_vault, created_at)
    values (${row.id}, ${row.userId}, ${row.appId}, ${row.kind}, ${row.origin}, ${row.status}, 1, 0, ${row.policy},
      ${row.policyHash}, ${row.ckVault}, ${row.createdAt})`;
}

/** Gives the connection its access token: from here on the token's holder can open it. */
export async function updateToken(
  tx: Tx,
  id: string,
  token: {
    tokenLookup: Uint8Array;
    ckToken: Uint8Array;
    epoch: number;
    generation: number;
    tokenVault: Uint8Array | null;
  },
): Promise<boolean> {
  const rows = await tx`
    update connections set status = 'active', token_lookup = ${token.tokenLookup}, ck_token = ${token.ckToken},
      token_vault = ${token.tokenVault}, epoch = ${token.epoch}, generation = ${token.generation}
    where id = ${id} and status = 'pending' returning id`;
  return rows.length === 1;
}

/** The next access token in place of the last, which opens nothing from here on; by compare-and-set on the generation. */
export async function updateRotatedToken(
  sql: Sql | Tx,
  id: string,
  token: { tokenLookup: Uint8Array; ckToken: Uint8Array; epoch: number; generation: number },
): Promise<boolean> {
  const rows = await sql`
    update connections set token_lookup = ${token.tokenLookup}, ck_token = ${token.ckToken}, epoch = ${token.epoch},
      generation = ${token.generation}, token_vault = null
    where id = ${id} and generation = ${token.generation - 1} and status in ('active', 'paused') returning id`;
  return rows.length === 1;
}

export async function updatePolicy(
  tx: Tx,
  id: string,
  baseRevision: number,
  policy: { bytes: Uint8Array; hash: Uint8Array },
): Promise<boolean> {
  const rows = await tx`
    update connections set revision = revision + 1, policy = ${policy.bytes}, policy_hash = ${policy.hash}
    where id = ${id} and revision = ${baseRevision} and status in ('active', 'paused') returning id`;
  return rows.length === 1;
}

export async function updatePaused(sql: Sql | Tx, id: string, isPaused: boolean): Promise<boolean> {
  const rows = await sql`
    update connections set status = ${isPaused ? 'paused' : 'active'}
    where id = ${id} and status in ('active', 'paused') returning id`;
  return rows.length === 1;
}

export async function updateCap(sql: Sql | Tx, id: string, capCents: number | null): Promise<boolean> {
  const rows = await sql`
    update connections set cap_cents = ${capCents} where id = ${id} and status in ('active', 'paused') returning id`;
  return rows.length === 1;
}

/** Destroys every wrap of the connection's key: what was sealed under it is noise from here on. */
export async function shredConnection(tx: Tx, id: string, now: Date): Promise<boolean> {
  const rows = await tx`
    update connections set status = 'revoked', ck_vault = null, ck_token = null, token_lookup = null, token_vault = null,
      epoch = null, revoked_at = ${now}
    where id = ${id} and status <> 'revoked' returning id`;
  await tx`delete from grants where connection_id = ${id}`;
  await tx`
    update link_sessions set ck_public = null, exchange_reply = null, epoch = null where connection_id = ${id}`;
  return rows.length === 1;
}

export async function listLiveConnectionsOfApp(tx: Tx, appId: string) {
  return tx<{ id: string }[]>`
    select id from connections where app_id = ${appId} and status <> 'revoked' order by id for update`;
}

/** Connections whose token's wrap is not sealed under this epoch, a batch at a time. */
export async function listTokensOfOtherEpochs(sql: Sql | Tx, epoch: number, limit: number) {
  return sql<{ id: string; generation: bigint; epoch: number; ckToken: Bytes }[]>`
    select id, generation, epoch, ck_token from connections
    where ck_token is not null and epoch <> ${epoch} order by id limit ${limit}`;
}

export async function updateTokenSeal(
  sql: Sql | Tx,
  token: { id: string; epoch: number; ckToken: Uint8Array; oldCkToken: Uint8Array },
): Promise<void> {
  await sql`
    update connections set ck_token = ${token.ckToken}, epoch = ${token.epoch}
    where id = ${token.id} and ck_token = ${token.oldCkToken}`;
}

/** Approvals that were never exchanged in time. */
export async function deletePendingConnections(sql: Sql | Tx, before: Date): Promise<void> {
  await sql`delete from connections where status = 'pending' and created_at < ${before}`;
}

export async function listGrants(sql: Sql | Tx, connectionIds: readonly string[]): Promise<GrantRow[]> {
  return sql<GrantRow[]>`
    select connection_id, provider, key_id, version, sealed_dek from grants
    where connection_id = any(${[...connectionIds]}::uuid[]) order by connection_id, provider`;
}

export async function insertGrants(
  tx: Tx,
  grants: readonly (Omit<GrantRow, 'sealedDek' | 'version'> & { sealedDek: Uint8Array; version: number })[],
) {
  for (const grant of grants) {
    await tx`
      insert into grants (connection_id, provider, key_id, version, sealed_dek)
      values (${grant.connectionId}, ${grant.provider}, ${grant.keyId}, ${grant.version}, ${grant.sealedDek})`;
  }
}

export async function deleteGrants(tx: Tx, connectionId: string): Promise<void> {
  await tx`delete from grants where connection_id = ${connectionId}`;
}

/** The connections that use a key, locked until the transaction ends. */
export async function listConnectionsOfKeyForUpdate(tx: Tx, keyId: string) {
  return tx<{ id: string; revision: bigint }[]>`
    select connections.id, revision from connections join grants on connection_id = connections.id
    where key_id = ${keyId} order by connections.id for update of connections`;
}

export async function updateGrant(
  tx: Tx,
  connectionId: string,
  keyId: string,
  version: number,
  sealedDek: Uint8Array,
): Promise<void> {
  await tx`
    update grants set version = ${version}, sealed_dek = ${sealedDek}
    where connection_id = ${connectionId} and key_id = ${keyId}`;
}

/** Says on their own rows that the grants of these connections have changed: a hold that waited for that sees it. */
export async function updateGrantsRevision(tx: Tx, connectionIds: readonly string[]): Promise<void> {
  await tx`update connections set grants_revision = grants_revision + 1 where id = any(${[...connectionIds]}::uuid[])`;
}

export async function deleteGrantsOfKey(tx: Tx, connectionIds: readonly string[], keyId: string): Promise<void> {
  await tx`
    delete from grants where key_id = ${keyId} and connection_id = any(${[...connectionIds]}::uuid[])`;
}

export interface SealedKeyRow {
  keyId: string;
  keyVersion: bigint;
  grantVersion: bigint;
  origin: string;
  item: Bytes;
  sealedDek: Bytes;
  seal: string;
}

/** The grant for a provider and the item that it opens, if that is still the owner's. */
export async function findSealedKey(
  sql: Sql | Tx,
  { connectionId, userId }: { connectionId: string; userId: string },
  provider: string,
): Promise<SealedKeyRow | undefined> {
  const [row] = await sql<SealedKeyRow[]>`
    select key_id, provider_keys.version as key_version, grants.version as grant_version, origin, item, sealed_dek,
      ${keySeal(sql)} as seal
    from grants join provider_keys on provider_keys.id = key_id
    where connection_id = ${connectionId} and user_id = ${userId} and grants.provider = ${provider}
      and provider_keys.provider = ${provider}`;
  return row;
}

export async function updateKeyLastUsed(sql: Sql | Tx, keyId: string, now: Date): Promise<void> {
  await sql`
    update provider_keys set last_used_at = ${now}
    where id = ${keyId} and (last_used_at is null or last_used_at < ${now}::timestamptz - interval '1 minute')`;
}

export interface StandingRow {
  id: string;
  status: ConnectionStatus;
  policy: Bytes;
  /** Of the provider keys that it may use. */
  keyIds: string[];
}

/** How connections stand now, for calls that run. */
export async function listStandings(sql: Sql | Tx, ids: readonly string[]): Promise<StandingRow[]> {
  return sql<StandingRow[]>`
    select id, status, policy, array(select key_id::text from grants where connection_id = connections.id) as key_ids
    from connections where id = any(${[...ids]}::uuid[])`;
}
