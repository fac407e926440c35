import type { Database, Sql } from './connect.ts';

/** One file of `sql/`: its name, `0001_….sql` and on without a hole, and its text, which may hold many statements. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

interface Applied {
  name: string;
  /** SHA-256 of the text, in hex. */
  checksum: string;
}

/** Any number that nothing else locks by; it spells "keypass" in ASCII. */
const advisoryLock = 0x6b657970617373n;

const undefinedTable = '42P01';

/**
 * Brings the schema up to the last migration, each in its own transaction. Instances that start at once take turns, and
 * each one finds the work of the one before done. When nothing is to do, it is one select.
 *
 * It refuses, and changes nothing, when the database was made by a newer program, when an applied file has been edited
 * since, or when one is missing in between.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  const known = await withChecksums(migrations);
  const applied = await listAppliedOrNone(database.sql);
  refuseDifference(applied, known);
  for (let next = applied.length; next < known.length;) next = await applyNext(database, known);
}

/** Applies the first migration that the database lacks, and gives the number that it then has. */
async function applyNext(database: Database, known: readonly (Migration & Applied)[]): Promise<number> {
  return await database.begin(async (tx) => {
    // A migration takes as long as it takes, and so does waiting for another instance's.
    await tx`select set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)`;
    await tx`select pg_advisory_xact_lock(${advisoryLock})`;
    await tx`
      create table if not exists migrations (
        name text primary key,
        checksum text not null,
        applied_at timestamptz not null default clock_timestamp()
      )`;
    const applied = await listApplied(tx);
    refuseDifference(applied, known);
    const migration = known[applied.length];
    if (migration === undefined) return applied.length;
    await tx.unsafe(migration.sql);
    await tx`insert into migrations (name, checksum) values (${migration.name}, ${migration.checksum})`;
    return applied.length + 1;
  });
}

async function listApplied(sql: Sql): Promise<Applied[]> {
  return await sql<Applied[]>`select name, checksum from migrations order by name`;
}

async function listAppliedOrNone(sql: Sql): Promise<Applied[]> {
  try {
    return await listApplied(sql);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === undefinedTable) return [];
    throw error;
  }
}

function refuseDifference(applied: readonly Applied[], known: readonly Applied[]): void {
  for (const [index, { name, checksum }] of applied.entries()) {
    const expected = known[index];
    if (expected === undefined) {
      throw new Error(
        `The database is newer than this program: it has migration ${name}, of which this version knows nothing. ` +
          'Start the version that made it, or a later one.',
      );
    }
    if (name !== expected.name) {
      throw new Error(
        `The database lacks migration ${expected.name}, though a later one (${name}) has been applied. ` +
          'Restore the database from a backup that this program made.',
      );
    }
    if (checksum !== expected.checksum) {
      throw new Error(
        `Migration ${name} was changed after it had been applied. Migrations never change: ` +
          'restore the file and put the change into a new one.',
      );
    }
  }
}

async function withChecksums(migrations: readonly Migration[]): Promise<(Migration & Applied)[]> {
  return await Promise.all(
    migrations.map(async ({ name, sql }, index) => {
      const number = String(index + 1).padStart(4, '0');
      if (!name.startsWith(`${number}_`)) throw new Error(`Migration ${name} is out of order: it should be ${number}.`);
      return { name, sql, checksum: await sha256Hex(sql) };
    }),
  );
}

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
