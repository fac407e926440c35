import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  call,
  chat,
  linkApp,
  openVault,
  registerApp,
  startChatProvider,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import type { Recorder } from '../../test/harness/upstream.ts';
import type { Vault } from '../../sdk/vault/src/index.ts';

eachDatabase((_kind, open) => {
  let server: TestServer;
  let provider: Recorder;
  let vault: Vault;
  let app: TestApp;
  const clock = new TestClock();

  beforeAll(async () => {
    provider = startChatProvider();
    const settings = { KEYPASS_OPENAI_BASE_URL: provider.origin };
    server = await startTestServer({ database: await open(), clock, settings });
    const opened = await openVault(server);
    ({ vault } = opened);
    await vault.keys.add({ provider: 'openai', secret: 'sk-' + 'x'.repeat(44), origin: provider.origin });
    app = await registerApp(server, opened.token);
  });

  afterAll(async () => {
    await server.stop();
    await provider.stop();
  });

  const own = async (token: string) => (await call(server, 'GET', '/v1/connection', { token })).data;
  /** The first of next month, UTC: when a budget by the month starts anew. */
  const nextMonth = () => new Date(Date.UTC(clock.now().getUTCFullYear(), clock.now().getUTCMonth() + 1, 1));

  test('an app sees all that it may do, what is spent, and when that starts anew', async () => {
    const { accessToken, connectionId } = await linkApp(vault, app, { budgetCents: 250, models: ['gpt-4o-mini'] });
    expect(await own(accessToken)).toEqual({
      id: connectionId,
      status: 'active',
      providers: [{ id: 'openai', models: ['gpt-4o-mini'] }],
      scopes: expect.arrayContaining(['chat']),
      budgetCents: 250,
      perModelCents: null,
      period: 'month',
      spent: '0',
      held: '0',
      resetsAt: nextMonth().toISOString(),
      limits: { rpm: null, tpm: null, parallel: null },
      expiresAt: null,
    });
    expect((await chat(server, accessToken)).status).toBe(200);
    await server.settled();
    // 9 × $0.15 and 2 × $0.60 a million
    expect(await own(accessToken)).toMatchObject({ spent: '0.00000255', held: '0' });
    await vault.connections.update(connectionId, { capCents: 100 });
    expect(await own(accessToken)).toMatchObject({ budgetCents: 100 });
    await vault.connections.update(connectionId, { paused: true });
    expect(await own(accessToken)).toMatchObject({ status: 'paused', spent: '0.00000255' });
  });

  test('in the next month nothing is spent; past its end it is expired', async () => {
    const expiresAt = new Date(nextMonth().getTime() + 24 * 3600 * 1000).toISOString().slice(0, 19) + 'Z';
    const { accessToken, connectionId } = await linkApp(vault, app);
    await vault.connections.update(connectionId, { expiresAt });
    expect((await chat(server, accessToken)).status).toBe(200);
    await server.settled();
    clock.advance(nextMonth().getTime() - clock.now().getTime() + 1000);
    expect(await own(accessToken)).toMatchObject({
      status: 'active',
      spent: '0',
      resetsAt: nextMonth().toISOString(),
      expiresAt,
    });
    clock.advance(24 * 3600 * 1000);
    expect(await own(accessToken)).toMatchObject({ status: 'expired' });
  });
});
