import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { call, outcome, recordOf, register, registerApp, type Account } from '../../test/harness/people.ts';
import { connect, insertReceipt, insertReceipts } from '../../test/harness/receipts.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import type { Database } from '../database/connect.ts';
import { momentForm } from './model.ts';

const items = (data: Record<string, unknown>) => (Array.isArray(data['items']) ? data['items'] : []).map(recordOf);

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
    await insertReceipt(database, connection, '2026-11-01T00:00:00Z', { cost: 20_000_000_000_000_001n });
    await insertReceipt(database, connection, '2026-11-01T00:30:00Z', {
      cost: 3n,
      quality: 'unknown',
      flags: ['overrun'],
    });
    await insertReceipt(database, appConnection, '2026-11-02T10:00:00Z', {
      cost: 4n,
      provider: 'groq',
      model: 'llama',
    });
    await insertReceipt(database, await connect(bob), '2026-11-02T10:00:00Z', { cost: 500n });
  });

  afterAll(() => server.stop());

  const totals = async (query: string, who = ada) => (await who.call('GET', `/v1/usage?${query}`)).data;
  const november = 'from=2026-11-01&to=2026-12-01';

  test('are exact, of the owner’s calls alone, from the first moment to before the last', async () => {
    expect(await totals(november)).toMatchObject({
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-12-01T00:00:00.000Z',
      calls: 3,
      cost: '20000.000000000008',
    });
    expect(await totals('from=2026-10-31&to=2026-11-01')).toMatchObject({ calls: 1, cost: '0.000000000001' });
  });

  test('by time, in UTC; a span without a call is left out', async () => {
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
    expect(items(await totals(`${november}&by=hour`)).map(({ key }) => key)).toEqual([
      '2026-11-01T00:00:00Z',
      '2026-11-02T10:00:00Z',
    ]);
    expect(await totals('from=2020-01-01&to=2021-01-01')).toMatchObject({ items: [], calls: 0, cost: '0' });
  });

  test('a moment may be given in another zone', async () => {
    const span = 'from=2026-11-01T01:00:00%2B01:00&to=2026-10-31T19:30:00.000001-05:00';
    expect(await totals(span)).toMatchObject({
      from: '2026-11-01T00:00:00.000Z',
      calls: 1,
      cost: '20000.000000000001',
    });
  });

  test('by app, provider and model, the dearest first', async () => {
    const [first, second] = items(await totals(`${november}&by=app`));
    expect(first).toMatchObject({ key: connection, calls: 2 });
    expect(second).toEqual({ key: appId, name: 'Notes', calls: 1, cost: '0.000000000004', estimated: 0 });
    expect(items(await totals(`${november}&by=provider`)).map(({ key }) => key)).toEqual(['openai', 'groq']);
    expect(items(await totals(`${november}&by=model`)).map(({ key }) => key)).toEqual(['gpt-4o-mini', 'llama']);
  });

  test('by two dimensions at once', async () => {
    expect(items(await totals(`${november}&by=day&split=app`))).toEqual([
      { key: '2026-11-01T00:00:00Z', split: connection, calls: 2, cost: '20000.000000000004', estimated: 1 },
      { key: '2026-11-02T00:00:00Z', split: appId, name: 'Notes', calls: 1, cost: '0.000000000004', estimated: 0 },
    ]);
    const byModel = items(await totals(`${november}&by=provider&split=model`));
    expect(byModel.map(({ key, split }) => [key, split])).toEqual([
      ['openai', 'gpt-4o-mini'],
      ['groq', 'llama'],
    ]);
  });

  test.each([
    ['provider=groq', 1],
    ['model=gpt-4o-mini', 2],
    ['quality=unmeasured', 1],
    ['quality=unknown&flag=overrun', 1],
    ['quality=estimated', 0],
    ['flag=instance_lost', 0],
    ['provider=groq&model=gpt-4o-mini', 0],
  ])('of some calls: %s', async (filter, calls) => {
    expect(await totals(`${november}&${filter}`)).toMatchObject({ calls });
  });

  test('of one connection or app, and never of another owner’s', async () => {
    expect(await totals(`${november}&connectionId=${connection}`)).toMatchObject({ calls: 2 });
    expect(await totals(`${november}&appId=${appId}`)).toMatchObject({ calls: 1 });
    expect(await totals(`${november}&connectionId=${connection}`, bob)).toMatchObject({ calls: 0 });
    expect(await totals(`${november}&appId=${appId}`, bob)).toMatchObject({ calls: 0 });
  });

  test('a call without a model is counted, and a removed app keeps its name', async () => {
    const who = await register(server);
    const [own, linked] = [await connect(who), await connect(who)];
    const gone = (await registerApp(server, bob.token, { name: 'Gone' })).id;
    await database.sql`update connections set app_id = ${gone} where id = ${linked}`;
    await insertReceipt(database, own, '2026-11-05T00:00:00Z', { model: null });
    await insertReceipt(database, linked, '2026-11-05T00:00:00Z', { cost: 2n });
    expect((await bob.call('DELETE', `/v1/apps/${gone}`)).status).toBe(200);
    const byModel = items(await totals(`${november}&by=model`, who)).map(({ key }) => key);
    expect(byModel).toEqual(['gpt-4o-mini', null]);
    expect(items(await totals(`${november}&by=app`, who))[0]).toMatchObject({ key: gone, name: 'Gone' });
    const { data } = await who.call('GET', '/v1/usage/calls');
    expect(new Set(items(data).map(({ appName }) => appName))).toEqual(new Set(['Gone', null]));
  });

  test('sums go beyond what a bigint of the database holds', async () => {
    const who = await register(server);
    const own = await connect(who);
    const most = 2n ** 63n - 1n;
    for (const day of ['01', '02', '03']) await insertReceipt(database, own, `2026-11-${day}`, { cost: most });
    expect(await totals(`${november}&by=month`, who)).toMatchObject({ cost: '27670116.110564327421' });
  });

  test('are never more than 10,000 rows', async () => {
    const who = await register(server);
    await insertReceipts(database, await connect(who), '2024-01-01T00:00:00Z', { count: 10_001, seconds: 3600 });
    const span = 'from=2024-01-01&to=2026-01-01';
    const refused = await who.call('GET', `/v1/usage?${span}&by=hour`);
    expect(refused.error).toMatchObject({ code: 'invalid_request', param: 'by' });
    const taken = await totals(`from=2024-01-01T01:00:00Z&to=2026-01-01&by=hour`, who);
    expect(items(taken)).toHaveLength(10_000);
    expect(await totals(`${span}&by=day`, who)).toMatchObject({ calls: 10_001 });
  });

  test('without a span: of this month up to now', async () => {
    const { from, to } = await totals('');
    expect(String(from)).toMatch(/^\d{4}-\d\d-01T00:00:00.000Z$/);
    expect(Math.abs(Date.parse(String(to)) - Date.now())).toBeLessThan(60_000);
  });

  test.each([
    'from=2026-12-01&to=2026-11-01',
    'from=2026-11-01&to=2026-11-01',
    'from=2026-02-31',
    'from=2026-02-29T00:00:00Z',
    'from=2026-11-01T25:00:00Z',
    'from=2026-11-01T00:00:00',
    'from=2026-11-01T00:00:00+01:00',
    'from=2026-02-31T00:00:00Zx',
    'from=2026-13-01',
    'from=0000-01-01',
    'from=9999-01-01',
    'from=now',
    'from=',
    'to=2000-01-01',
    'by=connection',
    'by=day&split=day',
    'by=app&split=app',
    'split=hour',
    'provider=%00',
    'provider=Open%20AI',
    'model=%00',
    'model=a%20b',
    `model=${'x'.repeat(401)}`,
    'quality=perfect',
    "flag=')--",
    'connectionId=x',
    'appId=x',
    'format=xml',
    'cursor=x',
    'nosuch=1',
  ])('refuses %s', async (query) => {
    const answer = await ada.call('GET', `/v1/usage?${query}`);
    expect(outcome(answer)).toMatch(/^400 (invalid_request|unknown_member)$/);
  });

  test.each([
    ['by=week', 'by', 'The query does not fit: expected one of hour, day, month, app, provider, model.'],
    ['from=2026-11-01T00:00:00+01:00', 'from', `The query does not fit: expected ${momentForm}.`],
    ['from=2026-02-31', 'from', `Expected ${momentForm}.`],
  ])('says what is expected of %s', async (query, param, message) => {
    expect((await ada.call('GET', `/v1/usage?${query}`)).error).toMatchObject({ param, message });
  });

  test('without a session there is nothing', async () => {
    for (const path of ['/v1/usage', '/v1/usage/calls', '/v1/usage?format=csv', '/v1/usage/calls?format=ndjson']) {
      expect(outcome(await call(server, 'GET', path))).toBe('401 credentials_missing');
    }
  });
});
