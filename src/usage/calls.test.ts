import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { outcome, recordOf, register, registerApp, type Account } from '../../test/harness/people.ts';
import { connect, insertReceipt } from '../../test/harness/receipts.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import { toBase64Url, utf8 } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';

const items = (data: Record<string, unknown>) => (Array.isArray(data['items']) ? data['items'] : []).map(recordOf);

const cursor = (text: string) => `cursor=${toBase64Url(utf8(text))}`;

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
    appId = (await registerApp(server, bob.token, { name: 'Notes' })).id;
    await database.sql`update connections set app_id = ${appId} where id = ${appConnection}`;
    await insertReceipt(database, connection, '2026-10-31T23:59:59.999Z');
    await insertReceipt(database, connection, '2026-11-01T00:00:00Z', {
      quality: 'estimated',
      flags: ['usage_missing'],
    });
    await insertReceipt(database, connection, '2026-11-01T00:30:00Z', { quality: 'unknown', flags: ['instance_lost'] });
    await insertReceipt(database, appConnection, '2026-11-02T10:00:00Z', {
      cost: 4n,
      provider: 'groq',
      model: 'llama',
    });
    await insertReceipt(database, await connect(bob), '2026-11-02T10:00:00Z');
  });

  afterAll(() => server.stop());

  const calls = async (query: string, who = ada) => (await who.call('GET', `/v1/usage/calls?${query}`)).data;

  /** Every id, page by page. */
  async function walk(who: Account, limit: number, between: () => Promise<unknown> = async () => {}) {
    const ids: string[] = [];
    let place = '';
    for (;;) {
      const page = await calls(`limit=${limit}${place}`, who);
      ids.push(...items(page).map(({ id }) => String(id)));
      const { nextCursor } = page;
      if (typeof nextCursor !== 'string') return ids;
      place = `&cursor=${nextCursor}`;
      await between();
    }
  }

  test('newest first, page by page, of the owner’s connections alone', async () => {
    const first = await calls('limit=3');
    const second = await calls(`limit=3&cursor=${String(first['nextCursor'])}`);
    const all = [...items(first), ...items(second)];
    expect(all.map(({ startedAt }) => startedAt)).toEqual([
      '2026-11-02T10:00:00.000Z',
      '2026-11-01T00:30:00.000Z',
      '2026-11-01T00:00:00.000Z',
      '2026-10-31T23:59:59.999Z',
    ]);
    expect(second['nextCursor']).toBeNull();
    expect(all[0]).toMatchObject({ appId, appName: 'Notes', provider: 'groq', cost: '0.000000000004' });
    expect(all[0]).not.toHaveProperty('at');
    expect(all[1]).toMatchObject({ appId: null, appName: null });
  });

  test('calls of one microsecond, one millisecond and other connections are each told once', async () => {
    const who = await register(server);
    const own = [await connect(who), await connect(who), await connect(who)];
    const ids: string[] = [];
    for (const time of ['.123456', '.123456', '.123457', '.1234', '.123', '.1239', '.124', '.123456']) {
      for (const id of own) ids.push(await insertReceipt(database, id, `2026-11-01T00:00:00${time}Z`));
    }
    for (const limit of [1, 2, 5, 24]) {
      const told = await walk(who, limit);
      expect(told).toHaveLength(ids.length);
      expect(told.toSorted()).toEqual(ids.toSorted());
    }
  });

  test('what arrives while somebody pages neither repeats nor hides what was there', async () => {
    const who = await register(server);
    const own = await connect(who);
    const ids: string[] = [];
    for (let second = 10; second < 20; second++)
      ids.push(await insertReceipt(database, own, `2026-11-01T00:00:${second}Z`));
    const told = await walk(who, 3, () => insertReceipt(database, own, '2026-11-01T00:00:30Z'));
    expect(told).toEqual(ids.toReversed());
  });

  test.each([
    ['from=2026-11-01', 3],
    ['to=2026-11-01', 1],
    ['from=2026-11-01T00:00:00Z&to=2026-11-01T00:30:00Z', 1],
    ['provider=groq', 1],
    ['model=llama', 1],
    ['model=gpt-4o-mini', 3],
    ['quality=measured', 2],
    ['quality=unmeasured', 2],
    ['quality=estimated', 1],
    ['flag=instance_lost', 1],
    ['flag=overrun', 0],
    ['from=2030-01-01', 0],
  ])('only some: %s', async (query, count) => {
    expect(items(await calls(query))).toHaveLength(count);
  });

  test('of one connection or app; of another owner’s none', async () => {
    expect(items(await calls(`connectionId=${connection}`))).toHaveLength(3);
    expect(items(await calls(`appId=${appId}`))).toHaveLength(1);
    expect(items(await calls(`connectionId=${connection}`, bob))).toEqual([]);
    expect(items(await calls(`appId=${appId}`, bob))).toEqual([]);
  });

  test('free calls alone, or without them', async () => {
    const who = await register(server);
    const own = await connect(who);
    const free = { cost: 0n, model: null };
    for (const [provider, endpoint] of [
      ['openai', 'GET /v1/models'],
      ['anthropic', 'POST /v1/messages/count_tokens'],
      ['google', 'POST /v1beta/models/{model}:countTokens'],
    ] as const) {
      await insertReceipt(database, own, '2026-11-01', { ...free, provider, endpoint });
    }
    // One that failed cost nothing, and is none of these; nor is a path that is free at another provider.
    await insertReceipt(database, own, '2026-11-01', { ...free, endpoint: 'POST /v1/chat/completions', status: 429 });
    await insertReceipt(database, own, '2026-11-01', { ...free, provider: 'groq', endpoint: 'GET /v1/models' });
    expect(items(await calls('free=true', who))).toHaveLength(3);
    expect(items(await calls('free=false', who)).map(({ endpoint }) => endpoint)).toEqual(
      expect.arrayContaining(['POST /v1/chat/completions', 'GET /v1/models']),
    );
    expect(items(await calls('free=false', who))).toHaveLength(2);
    expect(items(await calls('', who))).toHaveLength(5);
    expect((await who.call('GET', '/v1/usage?from=2026-11-01&free=true')).data).toMatchObject({ calls: 3 });
  });

  test('the longest name that a model can have fits the index', async () => {
    const who = await register(server);
    const model = '\u{1F600}'.repeat(200);
    await insertReceipt(database, await connect(who), '2026-11-01', { model });
    expect(items(await calls(`model=${encodeURIComponent(model)}`, who))).toMatchObject([{ model }]);
  });

  const id = '7d9f4c1e-3b52-4f0a-9c5d-2a8e61b04f37';
  test.each([
    'connectionId=x',
    'limit=0',
    'limit=201',
    'cursor=x',
    cursor(`2026-11-01T00:00:00.000Z ${id}`),
    cursor(`2026-02-31T00:00:00.000000Z ${id}`),
    cursor(`0000-01-01T00:00:00.000000Z ${id}`),
    cursor(`2026-11-01T24:00:00.000000Z ${id}`),
    cursor(`2026-11-01T00:00:00.000000Z ${id} x`),
    cursor(`2026-11-01T00:00:00.000000Z ' or 1=1`),
    'from=2026-11-02&to=2026-11-01',
    'from=2026-02-30',
    'quality=',
    'free=',
    'free=1',
    'split=app',
  ])('refuses %s', async (query) => {
    expect(outcome(await ada.call('GET', `/v1/usage/calls?${query}`))).toMatch(
      /^400 (invalid_request|unknown_member)$/,
    );
  });
});
