import type { Sql, Tx } from '../database/connect.ts';
import type { Pico } from './amount.ts';
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

/** One parameter for any number of rows: the statement stays the same and is planned once. */
function asJson(rows: readonly HoldRow[]): string {
  return JSON.stringify(
    rows.map((row, place) => {
      const [budget, amount, minimum] = [String(row.budget), String(row.amount), String(row.minimum)];
      return { ...row, place, budget, amount, minimum };
    }),
  );
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
  const limits = holds.some(isLimited) ? withLimits(sql) : withoutLimits(sql);
  // Most calls get what they want: only of the others there is something to say.
  const others = await sql<(HoldOutcome & { place: number })[]>`
    with wanted as materialized (
      select * from json_to_recordset(${asJson(holds)}::text::json) as wanted (place integer, "callId" uuid,
        "connectionId" uuid, seal text, "keySeal" text, "windowStart" date, budget bigint, amount bigint,
        minimum bigint, rpm integer, tpm integer, parallel integer, tokens bigint, "instanceId" uuid, provider text,
        model text, endpoint text, "keyId" uuid, "createdAt" timestamptz)
    ), standing as materialized (
      select id, status, cap_cents, ${connectionSeal(sql)} as seal from connections
      where id in (select "connectionId" from wanted) order by id for no key update ${skipsLocked ? sql`skip locked` : sql``}
    ), checked as materialized (
      select wanted.*, status, least(wanted.budget, cap_cents * 10000000000) as in_force,
        status = 'active' and standing.seal = wanted.seal and ("keySeal" is null
          or "keySeal" = (select ${keySeal(sql)} from provider_keys where provider_keys.id = "keyId")) as is_same,
        coalesce(rpm, tpm, parallel) is not null as is_limited
      from wanted join standing on id = "connectionId"
    ), locked as materialized (
      select connection_id, window_start, spent, held from budgets
      where (connection_id, window_start) in (select "connectionId", "windowStart" from checked where is_same)
      order by connection_id, window_start for update
    ), ${limits.locked} ranked as materialized (
      select checked.*, spent, held, ${limits.ranks}
        sum(amount) over (partition by "connectionId", "windowStart" order by place) as amounts
      from checked
      join locked on locked.connection_id = "connectionId" and window_start = "windowStart"
      ${limits.join}
    ), granted as materialized (
      select *, case when amount = 0 then 0 else least(amount, in_force - spent - held - (amounts - amount)) end::bigint
        as given
      from ranked
      where (amount = 0 or in_force - spent - held - (amounts - amount) >= minimum) ${limits.allow}
    ), reserved as (
      update budgets set held = held + given, budget = total.budget
      from (select "connectionId", "windowStart", sum(given)::bigint as given, max(granted.budget) as budget
        from granted where amount > 0 group by 1, 2) as total
      where connection_id = "connectionId" and window_start = "windowStart"
    ), ${limits.counted} inserted as (
      insert into holds (call_id, connection_id, window_start, amount, instance_id, tokens, provider, model, endpoint,
        key_id, created_at)
      select "callId", "connectionId", "windowStart", given, "instanceId", case when is_limited then tokens end,
        provider, model, endpoint, "keyId", "createdAt"
      from granted
    )
    select wanted.place, granted.given as granted, standing.status, coalesce(checked.is_same, false) as is_same,
      ranked.place is not null as has_rows, coalesce(checked.in_force, 0) as budget, coalesce(ranked.spent, 0) as spent,
      (coalesce(ranked.held, 0) + coalesce((select sum(given) from granted as other
        where other."connectionId" = wanted."connectionId" and other."windowStart" = wanted."windowStart"), 0))::bigint
        as held,
      ${limits.waits}
    from wanted
    left join standing on standing.id = wanted."connectionId"
    left join checked on checked.place = wanted.place
    left join ranked on ranked.place = wanted.place
    left join granted on granted.place = wanted.place
    where granted.given is distinct from wanted.amount`;
  const byPlace = new Map(others.map((outcome) => [outcome.place, outcome]));
  return holds.map(({ amount }, place) => byPlace.get(place) ?? { granted: amount });
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
