import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Vault } from '../sdk/vault/src/index.ts';
import { openTestDatabase } from './harness/databases.ts';
import {
  type Answer,
  events,
  failure,
  json,
  message,
  same,
  sent,
  sized,
  streamed,
  thenReset,
  typed,
} from './harness/odd-answers.ts';
import { askRaw, type RawAnswer } from './harness/raw-answer.ts';
import { startTestServer, type TestServer } from './harness/server.ts';
import { delta } from './harness/streams.ts';
import { chunk, type RawUpstream, startRawUpstream } from './harness/upstream.ts';

/** Bun waits for ten seconds unless it is told otherwise. */
const silenceMs = 11_000;

/** Of those that KeyPass lets pass, what is made by the message's way and not by its sender. */
const ofTheWay = new Set(['content-length', 'transfer-encoding', 'trailer', 'connection', 'link']);

describe('direct and through KeyPass', () => {
  let upstream: RawUpstream;
  let server: TestServer;
  let vault: Vault;
  let token: string;
  let connectionId: string;
  let respond: Answer = sent();

  beforeAll(async () => {
    upstream = await startRawUpstream((exchange) => respond(exchange));
    const settings = { KEYPASS_OPENAI_BASE_URL: upstream.origin };
    server = await startTestServer({ database: await openTestDatabase('embedded'), settings });
    ({ vault } = await Vault.register({ baseUrl: server.url, email: 'ada@example.com', password: 'a long password' }));
    await vault.keys.add({ provider: 'openai', secret: 'k'.repeat(40) });
    const made = await vault.connections.create({ name: 'app', providers: ['openai'], budgetCents: 100_000 });
    [token, connectionId] = [made.accessToken, made.id];
  });

  afterAll(async () => {
    await server.stop();
    await server.database.close();
    await upstream.stop();
  });

  function ask(origin: string, path: string, user = 'ada'): Promise<RawAnswer> {
    const stream = { stream: true, stream_options: { include_usage: true } };
    const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 50, user, ...stream };
    const { host } = new URL(server.url);
    const head = [`host: ${host}`, `authorization: Bearer ${token}`, typed];
    return askRaw(origin, [`POST ${path} HTTP/1.1`, ...head], JSON.stringify(body));
  }

  const direct = () => ask(upstream.origin, '/v1/chat/completions');
  const through = (user?: string) => ask(server.url, '/openai/v1/chat/completions', user);

  async function booked(): Promise<string> {
    await server.settled();
    const { items } = await vault.calls({ connectionId, limit: 1 });
    return items[0]?.quality ?? 'no receipt';
  }

  test.each(Object.entries(same))('%s', async (_, [answer, quality]) => {
    respond = answer;
    const expected = await direct();
    const before = upstream.exchanges.length;
    const got = await through();
    expect(upstream.exchanges.length - before).toBe(1);
    expect([got.status, got.end, got.body.length]).toEqual([expected.status, expected.end, expected.body.length]);
    expect(got.body.equals(expected.body)).toBe(true);
    const headers = new Headers(got.headers.map(([name, value]): [string, string] => [name, value]));
    for (const name of new Set(expected.headers.map(([each]) => each))) {
      const values = expected.headers.filter(([each]) => each === name).map(([, value]) => value);
      if (!ofTheWay.has(name)) expect([name, headers.get(name)]).toEqual([name, values.join(', ')]);
    }
    expect(headers.get('set-cookie')).toBeNull();
    expect(headers.get('x-keypass-error')).toBeNull();
    expect(await booked()).toBe(quality);
  });

  const pack = {
    gzip: gzipSync,
    'x-gzip': gzipSync,
    br: brotliCompressSync,
    deflate: deflateSync,
    zstd: zstdCompressSync,
  };

  test.each(Object.entries(pack))(
    'what was packed unasked (%s) comes unpacked, and is measured',
    async (coding, packed) => {
      const head = [typed, `content-encoding: ${coding}`];
      respond = sized('200 OK', head, packed(Buffer.from(json)));
      const whole = await through();
      expect([whole.body.toString(), new Map(whole.headers).get('content-encoding')]).toEqual([json, undefined]);
      expect(await booked()).toBe('measured');
      respond = sent(
        message('200 OK', [...streamed, `content-encoding: ${coding}`]),
        chunk(packed(Buffer.from(events))),
        chunk(''),
      );
      expect((await through()).body.toString()).toBe(events);
      expect(await booked()).toBe('measured');
      respond = sized('429 Slow down', head, packed(Buffer.from(failure)));
      expect((await through()).body.toString()).toBe(failure);
    },
  );

  const broken: Readonly<Record<string, Answer>> = {
    'headers, and then nothing': thenReset(message('200 OK', streamed)),
    'not even packed as it says': sized('200 OK', [typed, 'content-encoding: gzip'], json),
    'half of what was packed': sized('200 OK', [typed, 'content-encoding: gzip'], gzipSync(json).subarray(0, 30)),
    'a long answer that stops': thenReset(message('200 OK', [typed, 'content-length: 500000'])),
  };

  test.each(Object.entries(broken))('%s: the headers come, the end never does', async (_, answer) => {
    respond = answer;
    const got = await through();
    // A client that gets no status takes the call for one that it may repeat.
    expect([got.status, got.end]).toEqual([200, 'torn']);
    expect(got.body.toString().trim()).toBe('');
    expect(await booked()).toBe('unknown');
  });

  const refused: readonly (readonly [name: string, answer: Answer, told: string, booked: string])[] = [
    [
      'a short answer that stops',
      thenReset(message('200 OK', [typed, 'content-length: 500'], json)),
      '502 provider_unreachable',
      'unknown',
    ],
    [
      'two lengths',
      sent(message('200 OK', [typed, 'content-length: 1', 'content-length: 2'], '{}')),
      '502 provider_unreachable',
      'unknown',
    ],
    ['no answer', (exchange) => exchange.end(), '502 provider_unreachable', 'unknown'],
    [
      'another protocol',
      sent(message('101 Switching Protocols', ['upgrade: websocket', 'connection: upgrade'])),
      '502 provider_unreachable',
      'unknown',
    ],
    ['a status that is none', sized('600 What', [typed], failure), '502 provider_error', 'measured'],
    [
      'a redirect',
      sized('307 There', [typed, 'location: https://example.com/'], failure),
      '502 provider_redirected',
      'measured',
    ],
  ];

  test.each(refused)('%s: told as KeyPass’s own failure, sent once', async (_, answer, told, quality) => {
    respond = answer;
    const before = upstream.exchanges.length;
    const got = await through();
    expect(`${got.status} ${new Map(got.headers).get('x-keypass-error')}`).toBe(told);
    expect(upstream.exchanges.length - before).toBe(1);
    expect(await booked()).toBe(quality);
  });

  test('what follows an answer unasked is no answer to the next call', async () => {
    const forged = message('200 OK', [typed, 'content-length: 6'], 'FORGED');
    respond = sent(message('200 OK', [typed, 'content-length: 2'], '{}'), forged);
    expect((await through()).body.toString()).toBe('{}');
    respond = sized('200 OK', [typed], json);
    expect((await through()).body.toString()).toBe(json);
  });

  test('a connection that the provider has closed is not used again', async () => {
    for (const close of ['end', 'reset'] as const) {
      respond = sized('200 OK', [typed], json);
      await through();
      const used = upstream.exchanges.at(-1);
      used?.[close]();
      await used?.closed;
      expect((await through()).body.toString()).toBe(json);
    }
  });

  test('silence of longer than Bun allows by itself, in any part of an answer', async () => {
    const parts: Readonly<Record<string, readonly Uint8Array[]>> = {
      'before the headers': [Buffer.alloc(0), Buffer.concat([message('200 OK', streamed), chunk(events), chunk('')])],
      'after the headers': [message('200 OK', streamed), Buffer.concat([chunk(events), chunk('')])],
      'between events': [
        Buffer.concat([message('200 OK', streamed), chunk(delta('x'))]),
        Buffer.concat([chunk(events), chunk('')]),
      ],
      'within a short answer': [message('200 OK', [typed, 'content-length: 4'], '{}'), Buffer.from('  ')],
    };
    respond = async (exchange) => {
      const [before = '', after = ''] = Object.entries(parts).find(([name]) => exchange.body.includes(name))?.[1] ?? [];
      await exchange.write(before);
      await Bun.sleep(silenceMs);
      await exchange.write(after);
    };
    const answers = await Promise.all(Object.keys(parts).map((name) => through(name)));
    expect(answers.map(({ status, end }) => `${status} ${end}`)).toEqual(Object.keys(parts).map(() => '200 whole'));
  }, 40_000);

  const sockets = [
    '/v1/realtime?model=gpt-realtime',
    '/openai/v1/realtime',
    '/v1/proxy/passthrough/openai/v1/realtime',
  ];

  test.each(sockets)('a WebSocket is refused by name: %s', async (path) => {
    const { host } = new URL(server.url);
    const upgrade = [
      'connection: Upgrade',
      'upgrade: WebSocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${btoa('x'.repeat(16))}`,
    ];
    const before = upstream.exchanges.length;
    const got = await askRaw(server.url, [`GET ${path} HTTP/1.1`, `host: ${host}`, ...upgrade]);
    const headers = new Map(got.headers);
    expect([got.status, headers.get('x-keypass-error')]).toEqual([501, 'websocket_unsupported']);
    expect(headers.get('x-should-retry')).toBe('false');
    expect(upstream.exchanges.length).toBe(before);
  });
});
