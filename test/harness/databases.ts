import { afterAll, describe, test } from 'bun:test';
import { buildDataDirectory } from '../../scripts/data-directory.ts';
import { connectEmbedded, connectPostgres, type Database } from '../../src/database/connect.ts';
import { migrations } from '../../src/database/migration-files.ts';
import { migrate } from '../../src/database/migrations.ts';
import { openInMemory } from '../../src/runtime/embedded.ts';
import { serveEngine } from '../../src/runtime/engine.ts';
import { createPostgresDatabase, hasPostgres, postgresHint } from './postgres.ts';

export type DatabaseKind = Database['kind'];

/** Gives a fresh database with the current schema; it is closed, and dropped, when the tests around have ended. */
export type OpenDatabase = () => Promise<Database>;

/**
 * Defines the same tests for the embedded database and for a real PostgreSQL. `open` may be called more than once, in
 * `beforeAll` or in a test, and each time gives a database of its own.
 */
export function eachDatabase(define: (kind: DatabaseKind, open: OpenDatabase) => void): void {
  defineFor('embedded', define);
  if (hasPostgres) return defineFor('postgres', define);
  if (process.env['CI'] !== undefined) {
    test('postgres', () => {
      throw new Error(`In CI nothing is skipped, but there is no PostgreSQL: ${postgresHint}`);
    });
    return;
  }
  describe.skip(`postgres (${postgresHint})`, () => define('postgres', () => openTestDatabase('postgres')));
}

function defineFor(kind: DatabaseKind, define: (kind: DatabaseKind, open: OpenDatabase) => void): void {
  describe(kind, () => {
    const opened: Database[] = [];
    define(kind, async () => {
      const database = await openTestDatabase(kind);
      opened.push(database);
      return database;
    });
    afterAll(async () => {
      await Promise.all(opened.map((database) => database.close()));
    });
  });
}

/** A fresh database with the current schema. Whoever opens it closes it, which drops it. */
export async function openTestDatabase(kind: DatabaseKind): Promise<Database> {
  if (kind === 'embedded') return connectEmbedded(serveEngine(await openInMemory(await migratedSnapshot())));
  const database = await openEmptyDatabase(kind);
  await migrate(database, migrations);
  return database;
}

/** The same without a schema. */
export async function openEmptyDatabase(kind: DatabaseKind): Promise<Database> {
  if (kind === 'embedded') {
    await buildDataDirectory();
    return connectEmbedded(serveEngine(await openInMemory()));
  }
  const { url, drop } = await createPostgresDatabase();
  const database = connectPostgres(url);
  return {
    ...database,
    close: async () => {
      await database.close();
      await drop();
    },
  };
}

let snapshot: Promise<Blob> | undefined;

/** Migrating once and copying is several times faster than migrating each. */
function migratedSnapshot(): Promise<Blob> {
  snapshot ??= makeSnapshot();
  return snapshot;
}

async function makeSnapshot(): Promise<Blob> {
  await buildDataDirectory();
  const pglite = await openInMemory();
  const database = connectEmbedded(serveEngine(pglite));
  await migrate(database, migrations);
  await database.sql`checkpoint`;
  const tar = await pglite.dumpDataDir('none');
  await database.close();
  return tar;
}
