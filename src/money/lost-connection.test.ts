import { afterEach, describe, expect, test } from 'bun:test';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { openTestDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene } from '../../test/harness/ledger.ts';
import { hasPostgres } from '../../test/harness/postgres.ts';
import { connectPostgres, type Database } from '../database/connect.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A way to the database that can lose all its connections: the server hears nothing of it while it waits for a lock. */
async function openWay(port: number) {
  const sockets = new Set<Socket>();
  const way: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    sockets.add(near);
    near.on('error', () => {}).on('data', (data) => far.write(data));
    far.on('error', () => {}).on('data', (data) => near.write(data));
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  ends.push(() => way.close());
  const address = way.address();
  return {
    port: address === null || typeof address === 'string' ? 0 : address.port,
    lose: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe.skipIf(!hasPostgres)('postgres', () => {
  test('a hold that is carried out after its connection was lost does not stay', async () => {
    const scene = await openLedgerScene(() => openTestDatabase('postgres'));
    ends.push(() => scene.database.close());
    const { sql } = scene.database;
    const [place] = await sql<{ name: string; port: number }[]>`
      select current_database() as name, inet_server_port() as port`;
    const way = await openWay(place?.port ?? 0);
    const database: Database = connectPostgres(`postgres://postgres@127.0.0.1:${way.port}/${place?.name}`);
    ends.unshift(() => database.close());
    const ledger = scene.newLedger({ database, onFault: () => undefined });
    const stop = await ledger.start();
    const grantee = await scene.permission();
    await scene.hold(grantee, 0n);
    const isWaiting = async () => {
      const rows = await sql`
        select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length > 0;
    };
    const { edit, release } = await new Promise<{ edit: Promise<void>; release: () => void }>((resolve) => {
      const done = Promise.withResolvers<void>();
      const running = scene.database.begin(async (tx) => {
        await tx`select id from connections where id = ${grantee.connectionId} for update`;
        resolve({ edit: running, release: () => done.resolve() });
        await done.promise;
      });
    });
    const outcome = codeOf(ledger.hold(scene.request(grantee, cent)));
    await until(isWaiting);
    way.lose();
    expect(await outcome).not.toBe('granted');
    // Its next heartbeat gives back what it may have taken; only then does the lock come free.
    await ledger.resolveOrphans();
    await stop();
    release();
    await edit;
    await until(async () => !(await isWaiting()));
    const again = await ledger.start();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect((await scene.state(grantee)).held).toBe(0n);
    await again();
  }, 60_000);
});
