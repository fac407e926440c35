import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { linkApp, openVault, registerApp, type TestApp } from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import type { Vault } from '../../sdk/vault/src/index.ts';
import type { Database } from '../database/connect.ts';

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let vault: Vault;
  let app: TestApp;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database, clock });
    const owner = await openVault(server);
    ({ vault } = owner);
    await vault.keys.add({ provider: 'openai', secret: 'sk-' + 'x'.repeat(44) });
    app = await registerApp(server, owner.token);
  });

  afterAll(() => server.stop());

  async function blobsOf(connectionId: string) {
    const [row] = await database.sql`
      select ck_public is not null as ck_public, exchange_reply is not null as reply, epoch from link_sessions
      where connection_id = ${connectionId}`;
    return row;
  }

  test('the reply of an exchange lasts a minute', async () => {
    const { connectionId } = await linkApp(vault, app);
    await server.sweep();
    expect(await blobsOf(connectionId)).toMatchObject({ ckPublic: false, reply: true });
    clock.advance(61_000);
    await server.sweep();
    expect(await blobsOf(connectionId)).toMatchObject({ ckPublic: false, reply: false, epoch: null });
  });

  test('an approval that nobody exchanges is shredded after ten minutes, and its connection is gone soon after', async () => {
    const linkToken = await app.linkToken();
    const { connectionId } = await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 100 });
    clock.advance(9 * 60_000);
    await server.sweep();
    expect(await blobsOf(connectionId)).toMatchObject({ ckPublic: true });
    clock.advance(2 * 60_000);
    await server.sweep();
    expect(await blobsOf(connectionId)).toMatchObject({ ckPublic: false, epoch: null });
    clock.advance(5 * 60_000);
    await server.sweep();
    expect(await database.sql`select id from connections where id = ${connectionId}`).toHaveLength(0);
  });

  test('an ended session leaves nothing', async () => {
    clock.advance(8 * 24 * 3_600_000);
    await server.sweep();
    expect(await database.sql`select id from sessions`).toHaveLength(0);
    expect(await database.sql`select id from link_sessions`).toHaveLength(0);
  });
});
