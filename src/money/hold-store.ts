import type { Sql, Tx } from '../database/connect.ts';
import type { Pico } from './amount.ts';
import { plainArray, textArray } from './columns.ts';
import { isLimited, withLimits, withoutLimits } from './rate-store.ts';
import { connectionSeal, keySeal } from './seal-store.ts';

/** A call that wants to be dispatched, and what it was checked against. */
export interface HoldRow {
  callId: string;
  connectionId: string;
  /** What the connection was opened from; and the key, where it was opened before. */
  seal: string;
  keySeal: string | null;
  windowStart: string;
  /** The budget of the policy; the connection's own cap can lower it. */
  budget: Pico;
  /** What the call wants, and the least that is of use to it. */
  amount: Pico;
  minimum: Pico;
  /** The connection's limits; the tokens that a call may take count as soon as it is held. */
  rpm: number | null;
  tpm: number | null;
  parallel: number | null;
  tokens: number | null;
  instanceId: string;
  provider: string;
  model: string | null;
  endpoint: string;
  keyId: string;
  createdAt: Date;
}

/** What a batch decided of one call. */
export type HoldOutcome = { readonly granted: Pico } | Refused;

/** Nothing was set aside; and the state that the batch left behind: whether the call would fit by itself now. */
export interface Refused {
  granted: null;
  /** Null where there is no such connection, `locked` where somebody keeps it locked. */
  status: string | null;
  isSame: boolean;
  /** The window has its row, and the connection that of its limits. */
  hasRows: boolean;
  budget: Pico;
  spent: Pico;
  held: Pico;
  /** Seconds until each limit would let the call pass. */
  requestsWait: number;
  tokensWait: number;
  parallelWait: number;
}

/**
 * Takes holds in the order given, as far as connections are as they were checked, limits allow and budgets cover them:
 * this statement is the authority on all of it. Rows are locked in the order connections, budgets, rates, each by id, so
 * that instances wait for each other and never in a circle. A connection is locked as its owner's edit locks it: with a
 * shared lock, an unbroken row of batches would keep a revocation waiting for ever. With `skipsLocked` nobody waits for
 * a connection: the calls of one that is locked have no status.
 */
export async function insertHolds(
  sql: Sql | Tx,
  holds: readonly HoldRow[],
  { skipsLocked = false } = {},
): Promise<HoldOutcome[]> {
  // Most connections have no limits, and what is not in a statement costs it nothing.
  const limits = holds.some(isLimited) ? withLimits(sql, holds) : withoutLimits(sql);
  const keyIds = holds.filter((hold) => hold.keySeal !== null).map((hold) => hold.keyId);
  // Most calls get what they want: only of the others there is something to say.
  const others = await sql<(HoldOutcome & { place: number })[]>`
    with wanted as materialized (
      select * from unnest(${wantedColumns(sql, holds)} ${limits.columns}) with ordinality as wanted ("callId",
        "connectionId", seal, "keySeal", "windowStart", budget, amount, minimum, before, "instanceId", provider, model,
        endpoint, "keyId", "createdAt", ${limits.names} place)
    ), standing as materialized (
      select id, status, cap_cents, ${connectionSeal(sql)} as seal from connections
      where id = any((select ${distinct(holds.map((hold) => hold.connectionId))}::text::uuid[])::uuid[])
      order by id for no key update ${skipsLocked ? sql`skip locked` : sql``}
    ), current_keys as materialized (
      select id, ${keySeal(sql)} as seal from provider_keys where id = any((select ${distinct(keyIds)}::text::uuid[])::uuid[])
    ), locked as materialized (
      select connection_id, window_start, spent, held from budgets
      where (connection_id, window_start) in
        (select "connectionId", "windowStart" from wanted join standing on id = "connectionId" where status = 'active')
      order by connection_id, window_start for update
    ), ${limits.locked} checked as materialized (
      select wanted.*, status, least(budget, cap_cents * 10000000000) as in_force, spent, held, ${limits.state}
        ${limits.hasRows} spent is not null as has_rows,
        coalesce(status = 'active' and standing.seal = wanted.seal
          and ("keySeal" is null or current_keys.seal = "keySeal"), false) as is_same
      from wanted
      left join standing on standing.id = "connectionId"
      left join current_keys on current_keys.id = "keyId"
      left join locked on locked.connection_id = "connectionId" and window_start = "windowStart"
      ${limits.join}
    ), decided as materialized (
      select *, case
          when not is_same or not has_rows ${limits.refuse} then null
          when amount = 0 then 0
          when in_force - spent - held - before >= minimum then least(amount, in_force - spent - held - before)
        end as given
      from checked
    ), reserved as (
      update budgets set held = held + total.given, budget = total.budget
      from (select "connectionId", "windowStart", sum(given)::bigint as given, max(budget) as budget
        from decided where given > 0 group by 1, 2) as total
      where connection_id = "connectionId" and window_start = "windowStart"
    ), ${limits.counted} inserted as (
      insert into holds (call_id, connection_id, window_start, amount, instance_id, tokens, provider, model, endpoint,
        key_id, created_at)
      select "callId", "connectionId", "windowStart", given, "instanceId", ${limits.tokens}, provider, model, endpoint,
        "keyId", "createdAt"
      from decided where given is not null
    )
    select place::integer, given as granted, status, is_same, has_rows, in_force as budget, coalesce(spent, 0) as spent,
      (coalesce(held, 0) + coalesce((select sum(given) from decided as other
        where other."connectionId" = decided."connectionId" and other."windowStart" = decided."windowStart"), 0))::bigint
        as held,
      ${limits.waits}
    from decided where given is distinct from amount`;
  const byPlace = new Map(others.map((outcome) => [outcome.place, outcome]));
  return holds.map(({ amount }, index) => byPlace.get(index + 1) ?? { granted: amount });
}

/** One parameter for each column: the statement stays the same for any number of rows and is planned once. */
function wantedColumns(sql: Sql | Tx, holds: readonly HoldRow[]) {
  return sql`
    ${plainArray(holds.map((hold) => hold.callId))}::text::uuid[],
    ${plainArray(holds.map((hold) => hold.connectionId))}::text::uuid[],
    ${plainArray(holds.map((hold) => hold.seal))}::text::text[],
    ${plainArray(holds.map((hold) => hold.keySeal))}::text::text[],
    ${plainArray(holds.map((hold) => hold.windowStart))}::text::date[],
    ${plainArray(holds.map((hold) => hold.budget))}::text::bigint[],
    ${plainArray(holds.map((hold) => hold.amount))}::text::bigint[],
    ${plainArray(holds.map((hold) => hold.minimum))}::text::bigint[],
    ${plainArray(amountsBefore(holds))}::text::bigint[],
    ${plainArray(holds.map((hold) => hold.instanceId))}::text::uuid[],
    ${textArray(holds.map((hold) => hold.provider))}::text::text[],
    ${textArray(holds.map((hold) => hold.model))}::text::text[],
    ${textArray(holds.map((hold) => hold.endpoint))}::text::text[],
    ${plainArray(holds.map((hold) => hold.keyId))}::text::uuid[],
    ${plainArray(holds.map((hold) => hold.createdAt.toISOString()))}::text::timestamptz[]`;
}

/** Beyond every budget, and far from where a sum would leave its type. */
const mostBefore = 2n ** 61n;

/** What the calls before each one want of the same budget. */
function amountsBefore(holds: readonly HoldRow[]): Pico[] {
  const sums = new Map<string, Pico>();
  return holds.map(({ connectionId, windowStart, amount }) => {
    const budget = connectionId + windowStart;
    const before = sums.get(budget) ?? 0n;
    sums.set(budget, before + amount < mostBefore ? before + amount : mostBefore);
    return before;
  });
}

function distinct(ids: readonly string[]): string {
  return plainArray([...new Set(ids)]);
}

/**
 * The rows that holds are counted in: of the window, and of the connection's limits. A row made in a statement can't be
 * updated in it again, so they are made by statements of their own.
 */
export async function insertBudgets(sql: Sql | Tx, holds: readonly HoldRow[]): Promise<void> {
  const windows = sql`
    select distinct id, window_start::date
    from unnest(${holds.map((hold) => hold.connectionId)}::uuid[], ${holds.map((hold) => hold.windowStart)}::text[])
      as wanted (connection_id, window_start)
    join connections on id = connection_id and status = 'active'
    order by id, window_start::date`;
  await sql`insert into budgets (connection_id, window_start) ${windows} on conflict do nothing`;
  const limited = holds.filter(isLimited);
  if (limited.length === 0) return;
  await sql`
    insert into rates (connection_id)
    select id from connections where id = any(${limited.map((hold) => hold.connectionId)}::uuid[]) and status = 'active'
    order by id on conflict do nothing`;
}
