import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { openTestDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene, type LedgerScene } from '../../test/harness/ledger.ts';
import { hasPostgres } from '../../test/harness/postgres.ts';
import { connectPostgres, type Database } from '../database/connect.ts';

/** Whoever waits for a lock waits in a queue: these need several sessions, so a server. */
describe.skipIf(!hasPostgres && process.env['CI'] === undefined)('postgres', () => {
  let scene: LedgerScene;
  const others: Database[] = [];

  beforeAll(async () => {
    scene = await openLedgerScene(() => openTestDatabase('postgres'));
  });

  afterAll(async () => {
    await Promise.all(others.map((database) => database.close()));
    await scene.database.close();
  });

  test('whoever stands still in an edit of one connection holds up no other for long, and is ended', async () => {
    const [locked, free] = [await scene.permission(), await scene.permission()];
    const isThere = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const edit = scene.database.begin(async (tx) => {
      await tx`select id from connections where id = ${locked.connectionId} for update`;
      isThere.resolve();
      await end.promise;
    });
    const ended = edit.then(
      () => 'committed',
      () => 'ended by the database',
    );
    await isThere.promise;
    const waiting = [locked, free].map((grantee) => codeOf(scene.hold(grantee, cent)));
    expect(await Promise.all(waiting)).toEqual(['database_unavailable', 'granted']);
    expect(await codeOf(scene.hold(locked, cent))).toBe('granted');
    end.resolve();
    expect(await ended).toBe('ended by the database');
  }, 60_000);

  test('a revocation comes through a flood of calls on several instances', async () => {
    const grantee = await scene.permission();
    const [place] = await scene.database.sql<{ name: string; port: number }[]>`
      select current_database() as name, inet_server_port() as port`;
    const url = `postgres://postgres@127.0.0.1:${place?.port}/${place?.name}`;
    const isOver = new AbortController();
    const flood = async (): Promise<void> => {
      const database = connectPostgres(url, { max: 2 });
      others.push(database);
      const ledger = scene.newLedger({ database });
      const call = async (): Promise<void> => {
        while (!isOver.signal.aborted) await ledger.release(await ledger.hold(scene.request(grantee, 1n)));
      };
      await Promise.allSettled(Array.from({ length: 32 }, call));
    };
    const floods = Promise.all(Array.from({ length: 6 }, flood));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await scene.setStatus(grantee, 'paused');
    expect(await codeOf(scene.hold(grantee, 1n))).toBe('connection_paused');
    isOver.abort();
    await floods;
    expect((await scene.state(grantee)).held).toBe(0n);
  }, 60_000);
});
