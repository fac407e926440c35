import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  call,
  newConnection,
  outcome,
  recordOf,
  register,
  registerApp,
  type Account,
} from '../../test/harness/people.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import type { Database } from '../database/connect.ts';

const items = (data: Record<string, unknown>) => (Array.isArray(data['items']) ? data['items'] : []).map(recordOf);

async function connect(who: Account): Promise<string> {
  const body = newConnection(await who.addKey());
  expect(outcome(await who.call('POST', '/v1/connections', body))).toBe('200');
  return body.id;
}

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  let bob: Account;
  let connection: string;
  let appConnection: string;
  let appId: string;

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database });
    [ada, bob] = [await register(server), await register(server)];
    connection = await connect(ada);
    appConnection = await connect(ada);
    const app = await registerApp(server, bob.token, { name: 'Notes' });
    appId = app.id;
    await database.sql`update connections set app_id = ${appId} where id = ${appConnection}`;
    await receipt(connection, '2026-10-31T23:59:59.999Z', 1n);
    await receipt(connection, '2026-11-01T00:00:00Z', 20_000_000_000_000_001n);
    await receipt(connection, '2026-11-01T00:30:00Z', 3n, { quality: 'unknown' });
    await receipt(appConnection, '2026-11-02T10:00:00Z', 4n, { provider: 'groq', model: 'llama' });
    await receipt(await connect(bob), '2026-11-02T10:00:00Z', 500n);
  });

  afterAll(() => server.stop());

  async function receipt(
    connectionId: string,
    startedAt: string,
    cost: bigint,
    { provider = 'openai', model = 'gpt-4o-mini', quality = 'measured' } = {},
  ) {
    await database.sql`
      insert into receipts (call_id, connection_id, window_start, provider, model, endpoint, key_id, status, quality,
        flags, usage, lines, cost, started_at, ttfb_ms, duration_ms)
      values (${crypto.randomUUID()}, ${connectionId}, ${startedAt.slice(0, 10)}, ${provider}, ${model}, 'POST /x',
        ${crypto.randomUUID()}, 200, ${quality}, '{}', null, '[]', ${cost}, ${startedAt}, 1, 2)`;
  }

  const totals = async (query: string) => (await ada.call('GET', `/v1/usage?${query}`)).data;
  const november = 'from=2026-11-01&to=2026-12-01';

  describe('totals', () => {
    test('are exact, of the owner’s calls alone, from the first moment to before the last', async () => {
      expect(await totals(november)).toMatchObject({
        from: '2026-11-01T00:00:00.000Z',
        to: '2026-12-01T00:00:00.000Z',
        calls: 3,
        cost: '20000.000000000008',
      });
      expect(await totals('from=2026-10-31&to=2026-11-01')).toMatchObject({ calls: 1, cost: '0.000000000001' });
    });

    test('by time', async () => {
      const byDay = await totals(`${november}&by=day`);
      expect(items(byDay)).toEqual([
        { key: '2026-11-01T00:00:00Z', calls: 2, cost: '20000.000000000004', estimated: 1 },
        { key: '2026-11-02T00:00:00Z', calls: 1, cost: '0.000000000004', estimated: 0 },
      ]);
      const byMonth = await totals('from=2026-10-01&to=2026-12-01&by=month');
      expect(items(byMonth).map(({ key, calls }) => [key, calls])).toEqual([
        ['2026-10-01T00:00:00Z', 1],
        ['2026-11-01T00:00:00Z', 3],
      ]);
      expect(items(await totals(`${november}&by=hour`))).toHaveLength(2);
    });

    test('by app, provider and model, the dearest first', async () => {
      const [first, second] = items(await totals(`${november}&by=app`));
      expect(first).toMatchObject({ key: connection, calls: 2 });
      expect(second).toEqual({ key: appId, name: 'Notes', calls: 1, cost: '0.000000000004', estimated: 0 });
      expect(items(await totals(`${november}&by=provider`)).map(({ key }) => key)).toEqual(['openai', 'groq']);
      expect(items(await totals(`${november}&by=model`)).map(({ key }) => key)).toEqual(['gpt-4o-mini', 'llama']);
    });

    test('without a span: of this month', async () => {
      const { from } = await totals('');
      expect(String(from)).toMatch(/^\d{4}-\d\d-01T00:00:00.000Z$/);
    });

    test.each([
      'from=2026-12-01&to=2026-11-01',
      'from=2026-11-01&to=2026-11-01',
      'from=2026-02-31T00:00:00Zx',
      'from=2026-13-01',
      'from=0000-01-01',
      'from=now',
      'by=connection',
      'nosuch=1',
    ])('refuses %s', async (query) => {
      expect((await ada.call('GET', `/v1/usage?${query}`)).status).toBe(400);
    });
  });

  describe('receipts', () => {
    test('newest first, page by page, of the owner’s connections alone', async () => {
      const first = await ada.call('GET', '/v1/usage/calls?limit=3');
      const second = await ada.call('GET', `/v1/usage/calls?limit=3&cursor=${String(first.data['nextCursor'])}`);
      const all = [...items(first.data), ...items(second.data)];
      expect(all.map(({ startedAt }) => startedAt)).toEqual([
        '2026-11-02T10:00:00.000Z',
        '2026-11-01T00:30:00.000Z',
        '2026-11-01T00:00:00.000Z',
        '2026-10-31T23:59:59.999Z',
      ]);
      expect(second.data['nextCursor']).toBeNull();
      expect(all[0]).toMatchObject({ appName: 'Notes', provider: 'groq', cost: '0.000000000004', quality: 'measured' });
    });

    test('of one connection; of another owner’s none', async () => {
      const own = await ada.call('GET', `/v1/usage/calls?connectionId=${connection}`);
      expect(items(own.data)).toHaveLength(3);
      const foreign = await bob.call('GET', `/v1/usage/calls?connectionId=${connection}`);
      expect(items(foreign.data)).toEqual([]);
      expect((await ada.call('GET', '/v1/usage/calls?connectionId=x')).error).toMatchObject({ param: 'connectionId' });
      expect((await ada.call('GET', '/v1/usage/calls?cursor=x')).error).toMatchObject({ param: 'cursor' });
    });
  });

  test('without a session there is nothing', async () => {
    for (const path of ['/v1/usage', '/v1/usage/calls']) {
      expect(outcome(await call(server, 'GET', path))).toBe('401 credentials_missing');
    }
  });
});
