import { expect, test } from 'bun:test';
import { openTestDatabase } from '../../test/harness/databases.ts';
import type { Sql } from './connect.ts';
import { tidy } from './housekeeping.ts';

test('the log is cut when it has grown, and only then', async () => {
  const database = await openTestDatabase('embedded');
  const { sql } = database;
  await sql`checkpoint`;
  await sql`create table filler as select repeat('x', 1000) as text from generate_series(1, 1000)`;
  const small = await logBytes(sql);
  await tidy(sql, false);
  expect(await logBytes(sql)).toBeGreaterThanOrEqual(small);
  await sql`insert into filler select repeat('x', 1000) from generate_series(1, 20000)`;
  expect(await logBytes(sql)).toBeGreaterThan(16n * 1024n * 1024n);
  await tidy(sql, false);
  expect(await logBytes(sql)).toBeLessThan(small);
  await database.close();
});

test('a table that has changed much is vacuumed, one that has not is left alone', async () => {
  const database = await openTestDatabase('embedded');
  const { sql } = database;
  await sql`create table "Busy Table" (id int)`;
  await sql`create table quiet (id int)`;
  await sql`insert into "Busy Table" select generate_series(1, 1000)`;
  await sql`insert into quiet values (1)`;
  await sql`delete from "Busy Table"`;
  // Counts are handed in when a transaction has ended a second ago; a test does not wait.
  await sql`select pg_stat_force_next_flush()`;
  await tidy(sql, true);
  const tables = await sql`
    select relname as name, vacuum_count > 0 as vacuumed, n_dead_tup as dead from pg_stat_user_tables
    where relname in ('Busy Table', 'quiet') order by relname`;
  expect(tables).toMatchObject([
    { name: 'Busy Table', vacuumed: true, dead: 0n },
    { name: 'quiet', vacuumed: false },
  ]);
  await database.close();
});

async function logBytes(sql: Sql): Promise<bigint> {
  const [row] = await sql<{ bytes: bigint }[]>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint as bytes from pg_control_checkpoint()`;
  return row?.bytes ?? 0n;
}
