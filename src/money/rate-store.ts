import type { Sql, Tx } from '../database/connect.ts';

/** The owner's limits of a connection; null for none. */
interface Limits {
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly parallel: number | null;
}

export function isLimited({ rpm, tpm, parallel }: Limits): boolean {
  return (rpm ?? tpm ?? parallel) !== null;
}

/** The parts of the statement that takes holds which have to do with limits, where no call of its batch has any. */
export function withoutLimits(sql: Sql | Tx) {
  return {
    locked: sql``,
    ranks: sql``,
    join: sql``,
    allow: sql``,
    counted: sql``,
    waits: sql`0::float8 as requests_wait, 0::float8 as tokens_wait, 0::float8 as parallel_wait`,
  };
}

/**
 * The same parts with limits. Those per minute are buckets that refill continuously, each kept as the time at which it is
 * full again: a call moves it on by its share of a minute, and passes if it is not more than a minute away then.
 */
export function withLimits(sql: Sql | Tx) {
  const minute = sql`interval '1 minute'`;
  /** What the batch has granted of a column to calls of the same connection. */
  const granted = (column: ReturnType<typeof sql>) =>
    sql`coalesce((select ${column} from granted as other where other."connectionId" = wanted."connectionId"), 0)`;
  const calls = granted(sql`count(*)`);
  const tokens = granted(sql`sum(tokens)`);
  const secondsUntil = (full: ReturnType<typeof sql>) =>
    sql`coalesce(extract(epoch from ${full} - ranked.deadline), 0)::float8`;
  return {
    locked: sql`limited as materialized (
      select connection_id, running, tokens_per_minute,
        greatest(requests_full_at, statement_timestamp()) as requests_full_at,
        greatest(tokens_full_at, statement_timestamp()) as tokens_full_at,
        statement_timestamp() + ${minute} as deadline
      from rates
      where connection_id in (select "connectionId" from checked join locked on connection_id = "connectionId"
        where is_same and is_limited)
      order by connection_id for update
    ),`,
    // What is still to be worked off was counted at the speed of the limit before this one.
    ranks: sql`running, requests_full_at, deadline,
      statement_timestamp() + (tokens_full_at - statement_timestamp()) * coalesce(tokens_per_minute::float8 / tpm, 1)
        as tokens_full_at,
      count(*) over (partition by "connectionId" order by place) as nth,
      sum(tokens) over (partition by "connectionId" order by place) as all_tokens,`,
    join: sql`left join limited on limited.connection_id = "connectionId"
      where limited.connection_id is not null or not is_limited`,
    allow: sql`and (rpm is null or requests_full_at + nth * ${minute} / rpm <= deadline)
      and (tpm is null or tokens_full_at + all_tokens * ${minute} / tpm <= deadline)
      and (parallel is null or running + nth <= parallel)`,
    counted: sql`counted as (
      update rates set running = rates.running + total.calls, tokens_per_minute = total.tpm,
        requests_full_at = total.requests_full_at + coalesce(calls * ${minute} / total.rpm, interval '0'),
        tokens_full_at = total.tokens_full_at + coalesce(total.tokens * ${minute} / total.tpm, interval '0')
      from (select "connectionId", count(*)::integer as calls, sum(tokens) as tokens, max(rpm) as rpm, max(tpm) as tpm,
          max(requests_full_at) as requests_full_at, max(tokens_full_at) as tokens_full_at
        from granted where is_limited group by 1) as total
      where connection_id = "connectionId"
    ),`,
    waits: sql`
      ${secondsUntil(sql`(ranked.requests_full_at + (${calls} + 1) * ${minute} / ranked.rpm)`)} as requests_wait,
      ${secondsUntil(sql`(ranked.tokens_full_at + (${tokens} + ranked.tokens) * ${minute} / ranked.tpm)`)} as tokens_wait,
      coalesce(ranked.running + ${calls} >= ranked.parallel, false)::integer::float8 as parallel_wait`,
  };
}
