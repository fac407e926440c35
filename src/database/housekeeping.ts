import type { Sql } from './connect.ts';

const everyMilliseconds = 10_000;
const vacuumEvery = 60;
/** What recovery after a crash has to read again, about a second for 100 MiB, and what the log may grow to on disk. */
const maxLogBytes = 16 * 1024 * 1024;
/** PostgreSQL's own default of `autovacuum_freeze_max_age`. */
const maxAge = 200_000_000;

/**
 * Does for the embedded database what a server's background processes do, which it lacks: without checkpoints its
 * write-ahead log grows for ever, and without vacuum its tables do. Call the result to stop.
 */
export function keepHouse(sql: Sql): () => Promise<void> {
  let round = 0;
  let work = Promise.resolve();
  const timer = setInterval(() => {
    round++;
    const vacuumIsDue = round % vacuumEvery === 0;
    // A failure here will meet the next statement of someone who can report it.
    work = work.then(() => tidy(sql, vacuumIsDue)).catch(() => {});
  }, everyMilliseconds);
  return async () => {
    clearInterval(timer);
    await work;
  };
}

/** One round: a checkpoint when the log has grown, and where wanted a vacuum of the tables that have changed much. */
export async function tidy(sql: Sql, vacuumIsDue: boolean): Promise<void> {
  if (vacuumIsDue) {
    for (const table of await listTablesToVacuum(sql)) await sql`vacuum (analyze) ${sql(table)}`;
  }
  const [log] = await sql<{ bytes: bigint }[]>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint as bytes from pg_control_checkpoint()`;
  if (log !== undefined && log.bytes > maxLogBytes) await sql`checkpoint`;
}

/** By the rule and the defaults of https://www.postgresql.org/docs/15/routine-vacuuming.html#AUTOVACUUM. */
async function listTablesToVacuum(sql: Sql): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select s.relname as name
    from pg_stat_user_tables s join pg_class c on c.oid = s.relid
    where s.n_dead_tup > 50 + 0.2 * s.n_live_tup
       or s.n_mod_since_analyze > 50 + 0.1 * s.n_live_tup
       or age(c.relfrozenxid) > ${maxAge}
    order by s.relname`;
  return tables.map(({ name }) => name);
}
