import type { Sql } from '../database/connect.ts';
import type { PageRequest } from '../http/pages.ts';
import type { Pico } from '../money/amount.ts';
import type { Grouping } from './model.ts';

export interface TotalRow {
  key: string | null;
  name: string | null;
  calls: bigint;
  cost: string;
  estimated: bigint;
}

/** Totals of an owner's calls, by one dimension; a sum of bigints is numeric, which arrives as text. */
export async function listTotals(sql: Sql, userId: string, from: Date, to: Date, by: Grouping): Promise<TotalRow[]> {
  return sql<TotalRow[]>`
    select ${dimension(sql, by)} as key, ${by === 'app' ? sql`max(apps.name)` : sql`null::text`} as name,
      count(*) as calls, sum(cost)::text as cost, count(*) filter (where quality <> 'measured') as estimated
    from receipts
    join connections on connections.id = receipts.connection_id
    left join apps on apps.id = connections.app_id
    where connections.user_id = ${userId} and started_at >= ${from} and started_at < ${to}
    group by 1 order by ${isTime(by) ? sql`1` : sql`sum(cost) desc, 1`}`;
}

function isTime(by: Grouping): boolean {
  return by === 'hour' || by === 'day' || by === 'month';
}

/** An app's calls are counted under the app; those of a personal connection under the connection. */
function dimension(sql: Sql, by: Grouping) {
  if (by === 'app') return sql`coalesce(connections.app_id, connections.id)::text`;
  if (by === 'provider') return sql`receipts.provider`;
  if (by === 'model') return sql`receipts.model`;
  return sql`to_char(date_trunc(${by}, started_at at time zone 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}

export interface ReceiptRow {
  callId: string;
  connectionId: string;
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
  ttfbMs: number | null;
  durationMs: number;
}

/** Receipts, newest first. */
export async function listReceipts(
  sql: Sql,
  userId: string,
  connectionId: string | null,
  { limit, after }: PageRequest,
) {
  return sql<ReceiptRow[]>`
    select call_id, connection_id, apps.name as app_name, provider, model, served_model, service_tier, endpoint,
      receipts.status, quality, flags, usage, lines, price, cost, started_at, ttfb_ms, duration_ms
    from receipts
    join connections on connections.id = receipts.connection_id
    left join apps on apps.id = connections.app_id
    where connections.user_id = ${userId} and (${connectionId}::uuid is null or connection_id = ${connectionId}::uuid)
      and (${after === null} or (started_at, call_id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by started_at desc, call_id desc limit ${limit + 1}`;
}
