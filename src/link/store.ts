import type { Sql, Tx } from '../database/connect.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface LinkSessionRow {
  id: string;
  appId: string;
  status: 'pending' | 'approved' | 'exchanged' | 'denied';
  requestedProviders: string[];
  /** Sorted; null if the app named none. */
  requestedScopes: string[] | null;
  budgetSuggestionCents: bigint | null;
  models: string[] | null;
  clientUserIdHash: Bytes | null;
  origin: string | null;
  redirectUri: string | null;
  updateOf: string | null;
  connectionId: string | null;
  ckPublic: Bytes | null;
  exchangeReply: Bytes | null;
  epoch: number | null;
  createdAt: Date;
  expiresAt: Date;
  approvedAt: Date | null;
  exchangedAt: Date | null;
}

const columns = (sql: Sql | Tx) => sql`
  id, app_id, status, requested_providers, requested_scopes, budget_suggestion_cents, models, client_user_id_hash,
  origin, redirect_uri, update_of, connection_id, ck_public, exchange_reply, epoch, created_at, expires_at, approved_at,
  exchanged_at`;

export type NewLinkSessionRow = Pick<
  LinkSessionRow,
  | 'id'
  | 'appId'
  | 'requestedProviders'
  | 'requestedScopes'
  | 'models'
  | 'origin'
  | 'redirectUri'
  | 'updateOf'
  | 'createdAt'
  | 'expiresAt'
> & { lookup: Uint8Array; budgetSuggestionCents: number | null; clientUserIdHash: Uint8Array | null };

export async function insertLinkSession(tx: Tx, row: NewLinkSessionRow): Promise<void> {
  await tx`
    insert into link_sessions (id, app_id, lookup, status, requested_providers, requested_scopes, budget_suggestion_cents,
      models, client_user_id_hash, origin, redirect_uri, update_of, created_at, expires_at)
    values (${row.id}, ${row.appId}, ${row.lookup}, 'pending', ${row.requestedProviders}::text[],
      ${row.requestedScopes}::text[], ${row.budgetSuggestionCents}, ${row.models}::text[], ${row.clientUserIdHash},
      ${row.origin}, ${row.redirectUri}, ${row.updateOf}, ${row.createdAt}, ${row.expiresAt})`;
}

export async function findLinkSession(sql: Sql | Tx, lookup: Uint8Array): Promise<LinkSessionRow | undefined> {
  const [row] = await sql<LinkSessionRow[]>`select ${columns(sql)} from link_sessions where lookup = ${lookup}`;
  return row;
}

export async function findLinkSessionForUpdate(tx: Tx, lookup: Uint8Array): Promise<LinkSessionRow | undefined> {
  const [row] = await tx<LinkSessionRow[]>`
    select ${columns(tx)} from link_sessions where lookup = ${lookup} for update`;
  return row;
}

export async function findByPublicTokenForUpdate(tx: Tx, lookup: Uint8Array): Promise<LinkSessionRow | undefined> {
  const [row] = await tx<LinkSessionRow[]>`
    select ${columns(tx)} from link_sessions where public_lookup = ${lookup} for update`;
  return row;
}

export async function updateApproved(
  tx: Tx,
  approval: {
    id: string;
    connectionId: string;
    publicLookup: Uint8Array;
    ckPublic: Uint8Array;
    epoch: number;
    approvedAt: Date;
  },
): Promise<void> {
  await tx`
    update link_sessions set status = 'approved', connection_id = ${approval.connectionId},
      public_lookup = ${approval.publicLookup}, ck_public = ${approval.ckPublic}, epoch = ${approval.epoch},
      approved_at = ${approval.approvedAt}
    where id = ${approval.id}`;
}

/** A session of update mode ends with its approval: its connection's token stays. */
export async function updateFinished(tx: Tx, id: string, connectionId: string, now: Date): Promise<void> {
  await tx`
    update link_sessions set status = 'exchanged', connection_id = ${connectionId}, approved_at = ${now},
      exchanged_at = ${now}
    where id = ${id}`;
}

export async function updateExchanged(
  tx: Tx,
  exchange: { id: string; exchangeReply: Uint8Array; epoch: number; exchangedAt: Date },
): Promise<void> {
  await tx`
    update link_sessions set status = 'exchanged', ck_public = null, exchange_reply = ${exchange.exchangeReply},
      epoch = ${exchange.epoch}, exchanged_at = ${exchange.exchangedAt}
    where id = ${exchange.id}`;
}

export async function updateDenied(sql: Sql | Tx, id: string): Promise<boolean> {
  const rows = await sql`
    update link_sessions set status = 'denied' where id = ${id} and status = 'pending' returning id`;
  return rows.length === 1;
}

/** Destroys replies that may no longer be repeated and wraps that can no longer be exchanged. */
export async function shredExpired(sql: Sql | Tx, replyBefore: Date, approvedBefore: Date): Promise<void> {
  await sql`update link_sessions set exchange_reply = null where exchange_reply is not null and exchanged_at < ${replyBefore}`;
  await sql`update link_sessions set ck_public = null where ck_public is not null and approved_at < ${approvedBefore}`;
  await sql`update link_sessions set epoch = null where epoch is not null and ck_public is null and exchange_reply is null`;
}

/** Forgets old sessions; they are kept for a while, so that a late replay of a public token is recognised. */
export async function deleteOldLinkSessions(sql: Sql | Tx, before: Date): Promise<void> {
  await sql`delete from link_sessions where created_at < ${before}`;
}
