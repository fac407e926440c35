import type { Sql, Tx } from '../database/connect.ts';
import type { Pico } from './amount.ts';
import { jsonLines, plainArray, textArray } from './columns.ts';
import type { CostLine } from './cost.ts';
import type { PriceSource } from './prices.ts';
import type { Usage } from './usage.ts';

/** How a call ended, as its receipt keeps it; the rest is known from its hold. */
export interface ReceiptRow {
  callId: string;
  status: number | null;
  servedModel: string | null;
  serviceTier: string | null;
  quality: 'measured' | 'estimated' | 'unknown';
  flags: readonly string[];
  /** Null where nothing is known. */
  usage: Usage | null;
  lines: readonly CostLine[];
  price: PriceSource | null;
  cost: Pico;
  /** What counts against the connection's limit; null where that is not known, which leaves what was held. */
  tokens: number | null;
  ttfbMs: number | null;
  durationMs: number;
}

/** The end of a hold. A release is the end of a call that never left: there is nothing to book. */
export interface HoldEnd extends ReceiptRow {
  isRelease: boolean;
}

/**
 * Books calls, of which none is there twice, at their cost and returns the rest of their holds; the deletion of a hold
 * makes it happen once. Answers with the calls whose holds were not there any more. Where what is spent passes 50, 80 or
 * 100 % of the budget in force, the app is told, once each until the budget is raised.
 *
 * The table of holds is small whenever the database looks at it, and may be large when it is read: the ids as an array and
 * the full join leave no plan that compares each end with every hold.
 */
export async function settleHolds(sql: Sql | Tx, ends: readonly HoldEnd[]): Promise<Set<string>> {
  const rows = await sql<{ callId: string }[]>`
    with ended as materialized (select * from ${unnested(sql, ends)}), held as materialized (
      select connection_id, window_start from holds where call_id = any(array(select "callId" from ended))
    ), locked as materialized (
      select connection_id, window_start, budget, told from budgets
      where connection_id = any(array(select connection_id from held))
        and window_start = any(array(select window_start from held))
      order by connection_id, window_start for update
    ), removed as (
      delete from holds where call_id = any(array(select "callId" from ended))
        and connection_id = any(array(select connection_id from locked))
      returning call_id, connection_id, window_start, amount, tokens as counted, provider, model, endpoint, key_id,
        created_at
    ), outcome as materialized (
      select * from ended full join removed on call_id = "callId"
    ), settled as not materialized (
      select * from outcome where call_id is not null
    ), total as (
      select connection_id, window_start, sum(amount)::bigint as amount,
        coalesce(sum(cost) filter (where not "isRelease"), 0)::bigint as cost
      from settled group by 1, 2
    ), booked as (
      update budgets set held = held - amount, spent = spent + cost, told = case
          when in_force = 0 then 0
          when spent + cost >= in_force then 100
          when spent + cost >= in_force * 0.8 then 80
          when spent + cost >= in_force * 0.5 then 50
          else 0 end
      from total
      left join connections on id = connection_id
      join locked using (connection_id, window_start)
      cross join lateral (select least(locked.budget, cap_cents * 10000000000) as in_force) as budget
      where budgets.connection_id = total.connection_id and budgets.window_start = total.window_start
      returning budgets.connection_id, budgets.window_start, app_id, spent, in_force, budgets.told,
        budgets.told > locked.told as is_news
    ), uncounted as (
      update rates set running = running - calls,
        tokens_full_at = tokens_full_at + coalesce(unused * interval '1 minute' / tokens_per_minute, interval '0')
      from (select connection_id, count(*)::integer as calls, sum(tokens - counted) as unused
        from settled where counted is not null group by 1) as returned
      where rates.connection_id = returned.connection_id
    ), announced as (
      insert into events (id, app_id, connection_id, type, data, created_at)
      select gen_random_uuid(), app_id, connection_id, 'budget.threshold', jsonb_build_object('threshold', booked.told,
          'spent', trim_scale(spent * 0.000000000001)::text, 'budgetCents', in_force / 10000000000,
          'resetsAt', case when window_start > '1970-01-01'
            then to_char(window_start + interval '1 month', 'YYYY-MM-DD"T00:00:00.000Z"') end),
        statement_timestamp()
      from booked join apps on apps.id = app_id
      where is_news and webhook_url is not null
    ), receipted as (
      insert into receipts (call_id, connection_id, window_start, provider, model, served_model, service_tier, endpoint,
        key_id, status, quality, flags, usage, lines, price, cost, started_at, ttfb_ms, duration_ms)
      select "callId", connection_id, window_start, provider, model, "servedModel", "serviceTier", endpoint, key_id,
        status, quality, flags::text[], usage::json, lines::json, price::json, cost, created_at, "ttfbMs", "durationMs"
      from settled where not "isRelease"
    )
    select "callId" from outcome where call_id is null`;
  return new Set(rows.map(({ callId }) => callId));
}

/** One parameter for each column: the statement stays the same for any number of rows and is planned once. */
function unnested(sql: Sql | Tx, ends: readonly HoldEnd[]) {
  return sql`
    unnest(
      ${plainArray(ends.map((end) => end.callId))}::text::uuid[],
      ${plainArray(ends.map((end) => end.isRelease))}::text::boolean[],
      ${plainArray(ends.map((end) => end.status))}::text::integer[],
      ${textArray(ends.map((end) => end.servedModel))}::text::text[],
      ${textArray(ends.map((end) => end.serviceTier))}::text::text[],
      ${plainArray(ends.map((end) => end.quality))}::text::text[],
      ${textArray(ends.map((end) => textArray(end.flags)))}::text::text[],
      string_to_array(${jsonLines(ends.map((end) => end.usage))}, E'\n', 'null'),
      string_to_array(${jsonLines(ends.map((end) => end.lines))}, E'\n'),
      string_to_array(${jsonLines(ends.map((end) => end.price))}, E'\n', 'null'),
      ${plainArray(ends.map((end) => end.cost))}::text::bigint[],
      ${plainArray(ends.map((end) => end.tokens))}::text::bigint[],
      ${plainArray(ends.map((end) => end.ttfbMs))}::text::integer[],
      ${plainArray(ends.map((end) => end.durationMs))}::text::integer[]
    ) as ended ("callId", "isRelease", status, "servedModel", "serviceTier", quality, flags, usage, lines, price, cost,
      tokens, "ttfbMs", "durationMs")`;
}

/** Of these calls, those that other instances have charged because this one seemed lost. */
export async function listLostCharges(sql: Sql | Tx, callIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ callId: string }[]>`
    select call_id from receipts where call_id = any(${[...callIds]}::uuid[]) and 'instance_lost' = any(flags)`;
  return new Set(rows.map(({ callId }) => callId));
}

/** Puts what a call really cost in the place of what was charged when its instance seemed lost; once, by the flag. */
export async function replaceLostCharge(sql: Sql | Tx, receipt: ReceiptRow): Promise<void> {
  await sql`
    with lost as (
      select call_id, connection_id, window_start, cost from receipts
      where call_id = ${receipt.callId} and 'instance_lost' = any(flags) for update
    ), replaced as (
      update receipts set served_model = ${receipt.servedModel}, service_tier = ${receipt.serviceTier},
        status = ${receipt.status}, quality = ${receipt.quality}, flags = ${[...receipt.flags]}::text[],
        usage = ${jsonOf(receipt.usage)}::text::json, lines = ${jsonOf(receipt.lines)}::text::json,
        price = ${jsonOf(receipt.price)}::text::json, cost = ${receipt.cost}::bigint,
        ttfb_ms = ${receipt.ttfbMs}, duration_ms = ${receipt.durationMs}
      from lost where receipts.call_id = lost.call_id
    )
    update budgets set spent = spent - lost.cost + ${receipt.cost}::bigint from lost
    where budgets.connection_id = lost.connection_id and budgets.window_start = lost.window_start`;
}

function jsonOf(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
