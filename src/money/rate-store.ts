import type { Sql, Tx } from '../database/connect.ts';
import { plainArray } from './columns.ts';

/** The owner's limits of a connection; null for none. */
interface Limits {
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly parallel: number | null;
}

interface LimitedCall extends Limits {
  readonly connectionId: string;
  readonly tokens: number | null;
}

export function isLimited({ rpm, tpm, parallel }: Limits): boolean {
  return (rpm ?? tpm ?? parallel) !== null;
}

/** The parts of the statement that takes holds which have to do with limits, where no call of its batch has any. */
export function withoutLimits(sql: Sql | Tx) {
  return {
    columns: sql``,
    names: sql``,
    locked: sql``,
    state: sql``,
    hasRows: sql``,
    join: sql``,
    refuse: sql``,
    counted: sql``,
    tokens: sql`null`,
    waits: sql`0::float8 as requests_wait, 0::float8 as tokens_wait, 0::float8 as parallel_wait`,
  };
}

/**
 * The same parts with limits. Those per minute are buckets that refill continuously, each kept as the time at which it is
 * full again: a call moves it on by its share of a minute, and passes if it is not more than a minute away then.
 */
export function withLimits(sql: Sql | Tx, calls: readonly LimitedCall[]) {
  const minute = sql`interval '1 minute'`;
  /** What the batch has granted of a column to calls of the same connection. */
  const granted = (column: ReturnType<typeof sql>) =>
    sql`coalesce((select ${column} from decided as other
      where other."connectionId" = decided."connectionId" and given is not null), 0)`;
  const grantedCalls = granted(sql`count(*)`);
  const grantedTokens = granted(sql`sum(tokens)`);
  const secondsUntil = (full: ReturnType<typeof sql>) =>
    sql`coalesce(extract(epoch from ${full} - deadline), 0)::float8`;
  return {
    columns: limitColumns(sql, calls),
    names: sql`rpm, tpm, parallel, tokens, nth, all_tokens,`,
    locked: sql`limited as materialized (
      select connection_id, running, tokens_per_minute,
        greatest(requests_full_at, statement_timestamp()) as requests_full_at,
        greatest(tokens_full_at, statement_timestamp()) as tokens_full_at,
        statement_timestamp() + ${minute} as deadline
      from rates
      where connection_id in (select "connectionId" from wanted join locked on connection_id = "connectionId"
        where coalesce(rpm, tpm, parallel) is not null)
      order by connection_id for update
    ),`,
    // What is still to be worked off was counted at the speed of the limit before this one.
    state: sql`running, requests_full_at, deadline, coalesce(rpm, tpm, parallel) is not null as is_limited,
      statement_timestamp() + (tokens_full_at - statement_timestamp()) * coalesce(tokens_per_minute::float8 / tpm, 1)
        as tokens_full_at,`,
    hasRows: sql`(coalesce(rpm, tpm, parallel) is null or running is not null) and`,
    join: sql`left join limited on limited.connection_id = "connectionId"`,
    refuse: sql`or requests_full_at + nth * ${minute} / rpm > deadline
      or tokens_full_at + all_tokens * ${minute} / tpm > deadline or running + nth > parallel`,
    counted: sql`counted as (
      update rates set running = rates.running + total.calls, tokens_per_minute = total.tpm,
        requests_full_at = total.requests_full_at + coalesce(calls * ${minute} / total.rpm, interval '0'),
        tokens_full_at = total.tokens_full_at + coalesce(total.tokens * ${minute} / total.tpm, interval '0')
      from (select "connectionId", count(*)::integer as calls, sum(tokens) as tokens, max(rpm) as rpm, max(tpm) as tpm,
          max(requests_full_at) as requests_full_at, max(tokens_full_at) as tokens_full_at
        from decided where is_limited and given is not null group by 1) as total
      where connection_id = "connectionId"
    ),`,
    tokens: sql`case when is_limited then tokens end`,
    waits: sql`
      ${secondsUntil(sql`(requests_full_at + (${grantedCalls} + 1) * ${minute} / rpm)`)} as requests_wait,
      ${secondsUntil(sql`(tokens_full_at + (${grantedTokens} + tokens) * ${minute} / tpm)`)} as tokens_wait,
      coalesce(running + ${grantedCalls} >= parallel, false)::integer::float8 as parallel_wait`,
  };
}

/** With the count of calls of the same connection up to each one, and the sum of their tokens. */
function limitColumns(sql: Sql | Tx, calls: readonly LimitedCall[]) {
  const sums = new Map<string, { calls: number; tokens: number }>();
  const ranks = calls.map(({ connectionId, tokens }) => {
    const before = sums.get(connectionId) ?? { calls: 0, tokens: 0 };
    const rank = { calls: before.calls + 1, tokens: before.tokens + (tokens ?? 0) };
    sums.set(connectionId, rank);
    return rank;
  });
  return sql`,
    ${plainArray(calls.map((call) => call.rpm))}::text::integer[],
    ${plainArray(calls.map((call) => call.tpm))}::text::integer[],
    ${plainArray(calls.map((call) => call.parallel))}::text::integer[],
    ${plainArray(calls.map((call) => call.tokens))}::text::bigint[],
    ${plainArray(ranks.map((rank) => rank.calls))}::text::bigint[],
    ${plainArray(ranks.map((rank) => rank.tokens))}::text::bigint[]`;
}
