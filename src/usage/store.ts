import type { Sql } from '../database/connect.ts';
import type { Pico } from '../money/amount.ts';
import type { Place } from './cursor.ts';
import type { Filters, Grouping, Splitting, TimeUnit } from './model.ts';

/** Whose calls, and which. */
export interface Wanted extends Omit<Filters, 'from' | 'to'> {
  readonly userId: string;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** What costs nothing at its provider, as `provider method path`. */
  readonly freeCalls: readonly string[];
}

export interface TotalRow {
  key: string | null;
  split: string | null;
  name: string | null;
  calls: bigint;
  cost: string;
  estimated: bigint;
}

/**
 * Totals by one dimension or two, at most `limit` rows: times in order, names by cost. A sum of bigints is numeric, which
 * arrives as text.
 */
export async function listTotals(
  sql: Sql,
  wanted: Wanted,
  { by, split, limit }: { by: Grouping; split: Splitting | undefined; limit: number },
): Promise<TotalRow[]> {
  return sql<TotalRow[]>`
    select ${isTime(by) ? sql`to_char(key, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')` : sql`key`} as key, split, name, calls,
      cost::text as cost, estimated
    from (
      select ${dimension(sql, by)} as key, ${split === undefined ? sql`null::text` : dimension(sql, split)} as split,
        ${by === 'app' || split === 'app' ? sql`max(apps.name)` : sql`null::text`} as name,
        count(*) as calls, sum(cost) as cost, count(*) filter (where quality <> 'measured') as estimated
      from connections
      join receipts on receipts.connection_id = connections.id
      left join apps on apps.id = connections.app_id
      where ${ownConnections(sql, wanted)} ${matching(sql, wanted)}
      group by 1, 2
    ) sums
    order by ${isTime(by) ? sql`sums.key,` : sql``} sums.cost desc, sums.key, sums.split limit ${limit}`;
}

function isTime(by: Grouping): by is TimeUnit {
  return by === 'hour' || by === 'day' || by === 'month';
}

/** An app's calls are counted under the app; those of a personal connection under the connection. */
function dimension(sql: Sql, by: Grouping) {
  if (by === 'app') return sql`coalesce(connections.app_id, connections.id)::text`;
  if (by === 'provider') return sql`receipts.provider`;
  if (by === 'model') return sql`receipts.model`;
  return sql`date_trunc(${by}, started_at at time zone 'UTC')`;
}

function ownConnections(sql: Sql, { userId, connectionId, appId }: Wanted) {
  return sql`connections.user_id = ${userId}
    ${connectionId === undefined ? sql`` : sql`and connections.id = ${connectionId}`}
    ${appId === undefined ? sql`` : sql`and connections.app_id = ${appId}`}`;
}

/** A condition that is not asked for is not in the statement, so that each gets a plan of its own. */
function matching(sql: Sql, { from, to, provider, model, quality, flag, free, freeCalls }: Wanted) {
  return sql`
    ${from === undefined ? sql`` : sql`and started_at >= ${from}`} ${to === undefined ? sql`` : sql`and started_at < ${to}`}
    ${provider === undefined ? sql`` : sql`and provider = ${provider}`}
    ${model === undefined ? sql`` : sql`and model = ${model}`}
    ${quality === undefined ? sql`` : quality === 'unmeasured' ? sql`and quality <> 'measured'` : sql`and quality = ${quality}`}
    ${flag === undefined ? sql`` : sql`and ${flag} = any(flags)`}
    ${free === undefined ? sql`` : sql`and (provider || ' ' || endpoint = any(${[...freeCalls]}::text[])) = ${free === 'true'}`}`;
}

export interface ReceiptRow {
  callId: string;
  connectionId: string;
  appId: string | null;
  appName: string | null;
  provider: string;
  model: string | null;
  servedModel: string | null;
  serviceTier: string | null;
  endpoint: string;
  status: number | null;
  quality: string;
  flags: string[];
  usage: unknown;
  lines: unknown;
  price: unknown;
  cost: Pico;
  startedAt: Date;
  /** `startedAt` to the microsecond. */
  at: string;
  ttfbMs: number | null;
  durationMs: number;
}

/**
 * Receipts, newest first. The newest of each connection are found in the index, merged, and only those that are left are
 * read as a whole: a page costs the same however many receipts there are.
 */
export async function listReceipts(sql: Sql, wanted: Wanted, { limit, after }: { limit: number; after: Place | null }) {
  const rest =
    after === null ? sql`` : sql`and (started_at, call_id) < (${after.at}::text::timestamptz, ${after.id}::uuid)`;
  return sql<ReceiptRow[]>`
    select call_id, connection_id, app_id, apps.name as app_name, provider, model, served_model, service_tier, endpoint,
      status, quality, flags, usage, lines, price, cost, started_at,
      to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, ttfb_ms, duration_ms
    from (
      select newest.call_id as newest_id, connections.app_id
      from connections
      cross join lateral (
        select call_id, started_at from receipts
        where connection_id = connections.id ${matching(sql, wanted)} ${rest}
        order by started_at desc, call_id desc limit ${limit}
      ) newest
      where ${ownConnections(sql, wanted)}
      order by newest.started_at desc, newest.call_id desc limit ${limit}
    ) page
    join receipts on call_id = newest_id
    left join apps on apps.id = app_id
    order by started_at desc, call_id desc`;
}

/** Deletes at most `limit` receipts of calls that started before `deadline`; returns how many. */
export async function deleteReceipts(sql: Sql, deadline: Date, limit: number): Promise<number> {
  const { count } = await sql`
    delete from receipts where call_id in (
      select old.call_id
      from connections
      cross join lateral (
        select call_id from receipts where connection_id = connections.id and started_at < ${deadline}
        order by started_at, call_id limit ${limit}
      ) old
      limit ${limit}
    )`;
  return count;
}
