import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { call, outcome, register, type Account } from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import type { Database } from '../database/connect.ts';
import { providerIds } from '../providers/index.ts';

const canary = 'canary' + 'k'.repeat(34);

const lists = (): Response => Response.json({ data: [] });

eachDatabase((_, open) => {
  let database: Database;
  let provider: Recorder;
  let sink: Recorder;
  let server: TestServer;
  let ada: Account;
  const clock = new TestClock();
  let answer = lists;

  beforeAll(async () => {
    database = await open();
    sink = startRecorder(() => Response.json({}));
    provider = startRecorder(() => answer());
    const origins = providerIds.map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, provider.origin]);
    const own = {
      azure: { name: 'Azure', base_url: `${provider.origin}/proxy/v1`, context: 8192 },
      ollama: { name: 'Ollama', base_url: `${provider.origin}/v1`, needs_key: false, free: true, context: 8192 },
    };
    const away = { KEYPASS_GROQ_BASE_URL: 'http://127.0.0.1:9' };
    const settings = { ...Object.fromEntries(origins), ...away, KEYPASS_PROVIDERS: JSON.stringify(own) };
    server = await startTestServer({ database, clock, settings });
    ada = await register(server);
  });

  afterAll(async () => {
    await server.stop();
    await Promise.all([provider.stop(), sink.stop()]);
  });

  let asked = 0;

  /** What the provider was asked since the last check began. */
  const requests = () => provider.requests.slice(asked);

  /** Long after the last one, so that only the limits' own test meets them. */
  async function check(body: Record<string, unknown>) {
    clock.advance(3_600_000);
    asked = provider.requests.length;
    return ada.call('POST', '/v1/keys/check', body);
  }

  const told = async (body: Record<string, unknown>) => {
    const answered = await check(body);
    return answered.status === 200 ? answered.data['verdict'] : outcome(answered);
  };

  describe('the check of a key', () => {
    test.each([
      ['openai', 'GET /v1/models', 'authorization'],
      ['anthropic', 'GET /v1/models', 'x-api-key'],
      ['google', 'GET /v1beta/models', 'x-goog-api-key'],
      ['cohere', 'POST /v1/check-api-key', 'authorization'],
      ['huggingface', 'GET /api/whoami-v2', 'authorization'],
      ['xai', 'GET /v1/api-key', 'authorization'],
      ['azure', 'GET /proxy/v1/models', 'authorization'],
    ])('goes to %s as its data says, with the key in its header alone', async (id, call_, header) => {
      answer = lists;
      expect(await told({ provider: id, secret: canary })).toBe('works');
      const [request, ...others] = requests();
      expect(others).toEqual([]);
      expect(`${request?.method} ${request?.path}`).toBe(call_);
      expect(request?.headers.get(header)).toBe(header === 'authorization' ? `Bearer ${canary}` : canary);
      const rest = [...(request?.headers ?? [])].filter(([name]) => name !== header);
      expect(JSON.stringify([rest, request?.path, request?.body])).not.toContain('canary');
      expect(rest.some(([name]) => ['cookie', 'origin', 'referer'].includes(name))).toBe(false);
    });

    test.each([
      [200, { data: [] }, 'works'],
      [401, { error: { message: `Incorrect API key provided: ${canary}` } }, 'rejected'],
      [401, { error: { message: 'Missing scopes: api.model.read.' } }, 'restricted'],
      [402, {}, 'rejected'],
      [403, {}, 'restricted'],
      [429, {}, 'unknown'],
      [404, {}, 'unknown'],
      [500, {}, 'unknown'],
    ])('%d %j', async (status, body, verdict) => {
      answer = () => Response.json(body, { status });
      const answered = await check({ provider: 'openai', secret: canary });
      expect(answered.data).toEqual({ verdict });
      expect(JSON.stringify([...answered.headers])).not.toContain('canary');
    });

    test('a redirect takes the key nowhere', async () => {
      for (const status of [301, 302, 307, 308]) {
        answer = () => new Response(null, { status, headers: { location: `${sink.origin}/v1/models` } });
        expect(await told({ provider: 'anthropic', secret: canary })).toBe('unknown');
      }
      expect(sink.requests).toEqual([]);
    });

    test('an answer without an end is left, and one that is long says what its status says', async () => {
      const left = Promise.withResolvers<undefined>();
      const endless = () =>
        new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
          cancel: () => left.resolve(undefined),
        });
      answer = () => new Response(endless(), { status: 401 });
      expect(await told({ provider: 'openai', secret: canary })).toBe('rejected');
      await left.promise;
    });

    test('a provider that is not there says nothing', async () => {
      expect(await told({ provider: 'groq', secret: canary })).toBe('unknown');
    });

    test('what belongs to the key goes along, and nothing else', async () => {
      answer = lists;
      const headers = {
        'OpenAI-Organization': 'org-1',
        host: 'evil.example',
        cookie: 'a=b',
        'x-forwarded-for': '1.2.3.4',
      };
      expect(await told({ provider: 'openai', secret: canary, headers })).toBe('works');
      const [request] = requests();
      expect(request?.headers.get('openai-organization')).toBe('org-1');
      expect(request?.headers.get('host')).toBe(new URL(provider.origin).host);
      expect(request?.headers.get('cookie')).toBeNull();
      expect(request?.headers.get('x-forwarded-for')).toBeNull();
    });

    test('no client names a place', async () => {
      const bodies: Record<string, unknown>[] = [
        { provider: sink.origin },
        { provider: `openai@${new URL(sink.origin).host}` },
        { provider: '../openai' },
        { provider: 'openai', origin: sink.origin },
        { provider: 'openai', path: '//evil.example' },
        { provider: 'openai', check: { path: '/' } },
        { provider: 'nosuch' },
        { provider: 'toString' },
        { provider: 'ollama' },
        { provider: ['openai'] },
      ];
      for (const body of bodies) {
        const answered = await check({ secret: canary, ...body });
        expect(answered.status).toBe(400);
        expect(answered.text).not.toContain('canary');
        expect(requests()).toEqual([]);
      }
      expect(sink.requests).toEqual([]);
    });

    test.each([
      ['a line break', `${canary}\r\nx-evil: 1`],
      ['a space', `${canary} x`],
      ['nothing', ''],
      ['what is no ASCII', `${canary}é`],
      ['what is too long', canary.repeat(200)],
      ['an admin key', ['sk', 'admin', canary].join('-')],
      ['a token of KeyPass', `kp_at_${canary}`],
      ['a sign-in token', `ya29.${canary}`],
    ])('%s in the place of a key is sent nowhere and not repeated', async (_what, secret) => {
      const answered = await check({ provider: 'openai', secret });
      expect(outcome(answered)).toBe('400 invalid_request');
      expect(answered.error['param']).toBe('secret');
      expect(answered.text).not.toContain('canary');
      expect(requests()).toEqual([]);
    });

    test('is for people with a session, and for none with a token of an app', async () => {
      const body = { provider: 'openai', secret: canary };
      for (const token of [undefined, `kp_ss_${'0'.repeat(49)}`, `kp_at_${'0'.repeat(49)}`]) {
        const sent = token === undefined ? { body } : { body, token };
        expect((await call(server, 'POST', '/v1/keys/check', sent)).status).toBe(401);
      }
      const fromElsewhere = { body, headers: { origin: 'https://evil.example', cookie: `keypass=${ada.token}` } };
      expect([401, 403]).toContain((await call(server, 'POST', '/v1/keys/check', fromElsewhere)).status);
    });

    test('nobody tries out a list of keys here, with one account or with many', async () => {
      answer = () => Response.json({}, { status: 401 });
      clock.advance(3_600_000);
      asked = provider.requests.length;
      const one = { provider: 'openai', secret: canary };
      const codes: string[] = [];
      for (let attempt = 0; attempt < 12; attempt++) codes.push(outcome(await ada.call('POST', '/v1/keys/check', one)));
      expect(codes).toEqual([
        ...Array.from({ length: 10 }, () => '200'),
        ...['', ''].map(() => '429 too_many_attempts'),
      ]);
      const bob = await register(server);
      const answered = await bob.call('POST', '/v1/keys/check', one);
      expect(outcome(answered)).toBe('429 too_many_attempts');
      expect(Number(answered.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(requests()).toHaveLength(10);
    });

    test('leaves the key nowhere: not in the log, nor in any table', async () => {
      expect(server.lines.length).toBeGreaterThan(0);
      expect(server.lines.filter((line) => line.includes('canary'))).toEqual([]);
      const tables = await database.sql<{ name: string }[]>`
        select table_name as name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'`;
      expect(tables.length).toBeGreaterThan(10);
      for (const { name } of tables) {
        const rows = await database.sql`select t::text as row from ${database.sql(name)} t`;
        expect(rows.filter(({ row }) => String(row).includes('canary'))).toEqual([]);
      }
    });
  });
});
