import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { call, outcome, recordOf, register, registerApp, type Account } from '../../test/harness/people.ts';
import { connect, insertReceipt, insertReceipts } from '../../test/harness/receipts.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import type { Database } from '../database/connect.ts';
import { operationNotes } from '../http/openapi-operations.ts';

const callsHead =
  'id,startedAt,connectionId,appId,appName,provider,model,servedModel,serviceTier,endpoint,status,quality,flags,cost,ttfbMs,durationMs,uncachedInput,cacheRead,cacheWrite5m,cacheWrite1h,audioInput,output,audioOutput,reasoning,audioCacheRead,imageInput,imageCacheRead,imageOutput,videoInput,videoOutput,seconds,characters,images,imageSize,imageQuality,webSearch,fileSearch,otherTools';

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  let connection: string;
  let appConnection: string;
  let appId: string;

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database });
    ada = await register(server);
    [connection, appConnection] = [await connect(ada), await connect(ada)];
    appId = (await registerApp(server, ada.token, { name: '=HYPERLINK("http://x";"Notes, "&A1)' })).id;
    await database.sql`update connections set app_id = ${appId} where id = ${appConnection}`;
  });

  afterAll(() => server.stop());

  const file = (path: string, who = ada) => who.call('GET', `/v1/usage${path}`);

  test('totals as CSV and NDJSON', async () => {
    await insertReceipt(database, connection, '2026-10-01T10:00:00Z', { cost: 1_234_000_000n, model: '-gpt' });
    await insertReceipt(database, appConnection, '2026-10-02T10:00:00Z', { cost: 5n, model: null, quality: 'unknown' });
    const span = 'from=2026-10-01&to=2026-11-01';
    const csv = await file(`?${span}&format=csv&by=model`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(csv.headers.get('content-disposition')).toBe(
      'attachment; filename="keypass-usage-by-model-from-2026-10-01-to-2026-11-01.csv"',
    );
    expect(csv.headers.get('cache-control')).toBe('no-store');
    expect(csv.headers.get('x-content-type-options')).toBe('nosniff');
    expect(csv.text).toBe("key,split,name,calls,cost,estimated\r\n'-gpt,,,1,0.001234,0\r\n,,,1,0.000000000005,1\r\n");
    const byApp = await file(`?${span}&format=csv&by=day&split=app`);
    expect(byApp.text.split('\r\n')[2]).toBe(
      `2026-10-02T00:00:00Z,${appId},"'=HYPERLINK(""http://x"";""Notes, ""&A1)",1,0.000000000005,1`,
    );
    const ndjson = await file(`?${span}&format=ndjson&by=model`);
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson');
    expect(
      ndjson.text
        .trim()
        .split('\n')
        .map((line) => recordOf(JSON.parse(line))),
    ).toEqual([
      { key: '-gpt', calls: 1, cost: '0.001234', estimated: 0 },
      { key: null, calls: 1, cost: '0.000000000005', estimated: 1 },
    ]);
    expect((await file('?from=2020-01-01&to=2020-02-01&format=csv')).text).toBe(
      'key,split,name,calls,cost,estimated\r\n',
    );
    expect((await file('?from=2020-01-01&to=2020-02-01&format=ndjson')).text).toBe('');
  });

  test('receipts as CSV: every column, and nothing that a spreadsheet would run', async () => {
    const usage = JSON.stringify({ uncachedInput: 9, cacheRead: 1, output: 2, reasoning: 0, raw: { x: 1 } });
    const facts = { cost: 20_000_000_000_000_001n, flags: ['overrun', 'usage_missing'], model: '@sum', usage };
    const id = await insertReceipt(database, appConnection, '2026-09-01T10:00:00.123Z', facts);
    const { text, headers } = await file('/calls?from=2026-09-01&to=2026-10-01T00:00:00Z&format=csv');
    expect(headers.get('content-disposition')).toBe(
      'attachment; filename="keypass-calls-from-2026-09-01-to-2026-10-01.csv"',
    );
    const name = `"'=HYPERLINK(""http://x"";""Notes, ""&A1)"`;
    const row = `${id},2026-09-01T10:00:00.123Z,${appConnection},${appId},${name},openai,'@sum,,,POST /x,200,measured,overrun usage_missing,20000.000000000001,1,2,9,1,,,,2,,0${','.repeat(14)}`;
    expect(text).toBe(`${callsHead}\r\n${row}\r\n`);
  });

  test('the API document shows the same columns', () => {
    expect(operationNotes['GET /v1/usage/calls']?.csv).toStartWith(`${callsHead}\r\n`);
    const [names = '', cells = ''] = operationNotes['GET /v1/usage/calls']?.csv?.split('\r\n') ?? [];
    expect(cells.split(',')).toHaveLength(names.split(',').length);
    expect(operationNotes['GET /v1/usage']?.csv).toStartWith('key,split,name,calls,cost,estimated\r\n');
  });

  test('what is billed by another unit than the token has its columns', async () => {
    const used = {
      uncachedInput: 0,
      imageInput: 258,
      seconds: 125.5,
      characters: 40,
      images: { count: 2, size: '=1+1', quality: null },
      fees: { webSearch: 3 },
    };
    await insertReceipt(database, connection, '2026-08-01T10:00:00Z', { usage: JSON.stringify(used) });
    const { text } = await file('/calls?from=2026-08-01&to=2026-09-01&format=csv');
    const [names = [], cells = []] = text.split('\r\n').map((line) => line.split(','));
    const filled = names.map((name, index) => [name, cells[index]]).filter(([, cell]) => cell !== '');
    expect(filled.slice(-7)).toEqual([
      ['uncachedInput', '0'],
      ['imageInput', '258'],
      ['seconds', '125.5'],
      ['characters', '40'],
      ['images', '2'],
      ['imageSize', "'=1+1"],
      ['webSearch', '3'],
    ]);
  });

  test('receipts as NDJSON are those of the list, in its order', async () => {
    const { data } = await file('/calls?limit=200');
    const { text, headers } = await file('/calls?format=ndjson');
    expect(headers.get('content-disposition')).toBe('attachment; filename="keypass-calls.ndjson"');
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => recordOf(JSON.parse(line))),
    ).toEqual(Object(data['items']));
    expect((await file('/calls?format=csv&from=2030-01-01')).text).toBe(`${callsHead}\r\n`);
  });

  test('many pages, each receipt once, while others are booked', async () => {
    const who = await register(server);
    // Three at each moment, so that pages end between calls of one moment.
    const own = [await connect(who), await connect(who), await connect(who)];
    for (const id of own) await insertReceipts(database, id, '2026-09-01T00:00:00Z', { count: 600, seconds: 1 });
    const response = await fetch(`${server.url}/v1/usage/calls?format=ndjson`, {
      headers: { authorization: `Bearer ${who.token}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader?.read())?.value ?? '';
    // Nothing of the database is held by an export that waits for its reader.
    await insertReceipt(database, own[0] ?? '', '2026-12-01T00:00:00Z');
    expect((await file('/calls?limit=1')).status).toBe(200);
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value;
    const rows = text
      .trim()
      .split('\n')
      .map((line) => recordOf(JSON.parse(line)));
    expect(rows).toHaveLength(1800);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1800);
    const times = rows.map(({ startedAt }) => String(startedAt));
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test('what fails on the way tears the answer, and is logged without what it was about', async () => {
    const who = await register(server);
    // More than the buffers between here and there take.
    await insertReceipts(database, await connect(who), '2026-01-01T00:00:00Z', { count: 30_000, seconds: 1 });
    const response = await fetch(`${server.url}/v1/usage/calls?format=ndjson`, {
      headers: { authorization: `Bearer ${who.token}` },
    });
    await database.sql`alter table receipts rename to elsewhere`;
    const end = await response.text().then(
      () => 'whole',
      () => 'torn',
    );
    await database.sql`alter table elsewhere rename to receipts`;
    expect([response.status, end]).toEqual([200, 'torn']);
    const faults = server.lines.filter((line) => line.includes('export_failed'));
    expect(faults).toHaveLength(1);
    expect(faults.join()).not.toContain(who.userId);
  });

  test('whoever logs out meanwhile gets no more, and another session all of it', async () => {
    const who = await register(server);
    await insertReceipts(database, await connect(who), '2026-01-01T00:00:00Z', { count: 30_000, seconds: 1 });
    const login = await call(server, 'POST', '/v1/auth/login', { body: { email: who.email, authKey: who.authKey } });
    const tokens = [who.token, String(recordOf(login.data['session'])['token'])];
    const responses = tokens.map((token) =>
      fetch(`${server.url}/v1/usage/calls?format=ndjson`, { headers: { authorization: `Bearer ${token}` } }),
    );
    const begun = await Promise.all(responses);
    expect(outcome(await who.call('POST', '/v1/auth/logout'))).toBe('200');
    const faults = server.lines.filter((line) => line.includes('export_failed')).length;
    const ends = await Promise.all(
      begun.map((response) =>
        response.text().then(
          (text) => text.split('\n').length - 1,
          () => 'torn',
        ),
      ),
    );
    expect(ends).toEqual(['torn', 30_000]);
    expect(server.lines.filter((line) => line.includes('export_failed'))).toHaveLength(faults);
  });

  test('a file is whole, so it has no pages; and it is the owner’s alone', async () => {
    for (const query of ['limit=1', 'cursor=x']) {
      expect(outcome(await file(`/calls?format=csv&${query}`))).toBe('400 invalid_request');
    }
    expect(outcome(await file('/calls?format=csv&from=2026-02-30'))).toBe('400 invalid_request');
    const bob = await register(server);
    expect((await file(`/calls?format=ndjson&connectionId=${connection}`, bob)).text).toBe('');
  });

  test('a link on a page of KeyPass may fetch it with the cookie, another page’s may not', async () => {
    const { email, authKey } = ada;
    const origin = { origin: server.url };
    const body = { email, authKey, transport: 'cookie' };
    const login = await call(server, 'POST', '/v1/auth/login', { headers: origin, body });
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const follow = (site: string) =>
      call(server, 'GET', '/v1/usage/calls?format=csv', { headers: { cookie, 'sec-fetch-site': site } });
    expect((await follow('same-origin')).text).toStartWith(callsHead);
    for (const site of ['cross-site', 'same-site', 'none']) {
      expect(outcome(await follow(site))).toBe('403 origin_not_allowed');
    }
  });
});
