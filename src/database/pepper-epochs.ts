import { equalBytes, type Pepper } from '../crypto/index.ts';
import type { Database, Sql, Tx } from './connect.ts';

/** A pepper that does not belong to this database: starting with it would lock everybody out, or worse. */
export class PepperMismatchError extends Error {
  override readonly name = 'PepperMismatchError';
}

/** Whether the database has ever been sealed under a pepper. */
export async function hasEpochs(sql: Sql): Promise<boolean> {
  const rows = await sql`select epoch from pepper_epochs limit 1`;
  return rows.length > 0;
}

/**
 * Holds the pepper against the database's check values, and notes the epochs that are new. Throws
 * {@link PepperMismatchError} if an epoch in use is missing from the file or is another one.
 */
export async function reconcileEpochs(database: Database, pepper: Pepper, now: Date): Promise<void> {
  await database.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(7230564)`;
    const rows = await tx<{ epoch: number; checkValue: Uint8Array }[]>`select epoch, check_value from pepper_epochs`;
    for (const { epoch, checkValue } of rows) {
      if (!pepper.epochs.includes(epoch)) throw missing(epoch);
      if (!equalBytes(await pepper.checkValue(epoch), checkValue)) throw other(epoch);
    }
    const known = new Set(rows.map((row) => row.epoch));
    for (const epoch of pepper.epochs.filter((candidate) => !known.has(candidate))) {
      await insertEpoch(tx, epoch, await pepper.checkValue(epoch), now);
    }
  });
}

/** How many rows are sealed under each epoch; link sessions among them pass by themselves within minutes. */
export async function countEpochUses(sql: Sql): Promise<{ epoch: number; rows: bigint }[]> {
  return sql<{ epoch: number; rows: bigint }[]>`
    select epoch, sum(rows)::int8 as rows from (
      select epoch, count(*) as rows from users group by 1
      union all select epoch, count(*) from connections where epoch is not null group by 1
      union all select epoch, count(*) from link_sessions where epoch is not null group by 1
      union all select epoch, count(*) from webhook_secrets group by 1
      union all select epoch, 0 from pepper_epochs
    ) as uses group by epoch order by epoch`;
}

/** Forgets an epoch; the foreign keys refuse one that is in use. */
export async function deleteEpoch(sql: Sql, epoch: number): Promise<void> {
  await sql`delete from pepper_epochs where epoch = ${epoch}`;
}

async function insertEpoch(tx: Tx, epoch: number, checkValue: Uint8Array, now: Date): Promise<void> {
  await tx`insert into pepper_epochs (epoch, check_value, created_at) values (${epoch}, ${checkValue}, ${now})`;
}

function missing(epoch: number): PepperMismatchError {
  return new PepperMismatchError(
    `The pepper file lacks epoch ${epoch}, under which this database has sealed data. Restore the file that belongs to it.`,
  );
}

function other(epoch: number): PepperMismatchError {
  return new PepperMismatchError(
    `The pepper file's epoch ${epoch} is not the one of this database. Restore the file that belongs to it, or name it by KEYPASS_PEPPER_FILE.`,
  );
}
