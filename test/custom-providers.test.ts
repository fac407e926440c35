import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vault } from '../sdk/vault/src/index.ts';
import { readConfig } from '../src/config.ts';
import type { Database } from '../src/database/connect.ts';
import { eachDatabase } from './harness/databases.ts';
import { call, linkApp, openVault, outcome, recordOf, registerApp, type Answer } from './harness/people.ts';
import { startTestServer, type TestServer } from './harness/server.ts';
import { type Recorder, type RecordedRequest, startRecorder } from './harness/upstream.ts';

const litellmKey = `sk-litellm-${'k'.repeat(20)}`;
const passthrough = '/v1/proxy/passthrough';
const chat = { model: 'llama3.2:3b', messages: [{ role: 'user', content: 'Hi' }] };
const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };

/** What every OpenAI-compatible server does: chats, streamed or not, embeddings, completions and a list of models. */
function answer({ path, body }: RecordedRequest): Response {
  if (path.endsWith('/models'))
    return Response.json({ object: 'list', data: [{ id: 'llama3.2:3b', object: 'model' }] });
  const { model, stream } = recordOf(JSON.parse(body));
  if (path.endsWith('/embeddings')) {
    const data = [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }];
    return Response.json({ object: 'list', model, data, usage: { prompt_tokens: 2, total_tokens: 2 } });
  }
  const completion = { id: 'chatcmpl-7', created: 1795392000, model };
  if (stream !== true) {
    const message = { role: 'assistant', content: 'Hello there.' };
    const choices = [{ index: 0, message, text: 'Hello there.', finish_reason: 'stop' }];
    return Response.json({ ...completion, object: 'chat.completion', choices, usage });
  }
  const chunk = { ...completion, object: 'chat.completion.chunk' };
  const events = [
    { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: { content: ' there.' }, finish_reason: 'stop' }] },
    { ...chunk, choices: [], usage },
  ];
  const text = [...events.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

test.each(['configuration', 'self-hosting'])('what docs/%s.md shows is taken', async (page) => {
  const text = await Bun.file(join(import.meta.dir, `../docs/${page}.md`)).text();
  const examples = Array.from(text.matchAll(/```toml\n(\[providers\.[^`]*)```/g), ([, toml = '']) => toml);
  expect(examples).toHaveLength(1);
  for (const toml of examples) {
    const ollama = readConfig({}, toml).providers.get('ollama');
    expect(ollama).toMatchObject({ origin: 'http://127.0.0.1:11434', keyHeader: null, custom: { isFree: true } });
  }
});

eachDatabase((_kind, openDatabase) => {
  let database: Database;
  let ollama: Recorder;
  let litellm: Recorder;
  /** Where nothing may ever arrive. */
  let sink: Recorder;
  let folder: string;
  let server: TestServer;
  let vault: Vault;
  let token: string;
  let accessToken: string;
  let redirectsTo: string | undefined;

  const settingsFor = (ollamaOrigin: string) => ({
    KEYPASS_PROVIDERS: JSON.stringify({
      ollama: { name: 'Ollama', base_url: `${ollamaOrigin}/v1`, needs_key: false, free: true, context: 8192 },
      // An id of the public price list: its prices are of another house.
      azure: { name: 'LiteLLM', base_url: `${litellm.origin}/proxy/v1`, context: 100_000, output: 4096 },
    }),
    KEYPASS_PRICES_FILE: join(folder, 'prices.toml'),
  });

  beforeAll(async () => {
    database = await openDatabase();
    folder = mkdtempSync(join(tmpdir(), 'keypass-'));
    const rates = 'input_mtok = "100"\noutput_mtok = "1000"';
    writeFileSync(join(folder, 'prices.toml'), `[[price]]\nprovider = "azure"\nmodels = ["house-model"]\n${rates}\n`);
    ollama = startRecorder((request) =>
      redirectsTo === undefined ? answer(request) : Response.redirect(redirectsTo, 307),
    );
    litellm = startRecorder(answer);
    sink = startRecorder(() => new Response('not here'));
    server = await startTestServer({ database, settings: settingsFor(ollama.origin) });
    ({ vault, token } = await openVault(server));
    await vault.keys.add({ provider: 'ollama', secret: 'no-key' });
    await vault.keys.add({ provider: 'azure', secret: litellmKey });
    const app = await registerApp(server, token);
    ({ accessToken } = await linkApp(vault, app, { providers: ['azure', 'ollama'], budgetCents: 100 }));
  });

  afterEach(() => {
    redirectsTo = undefined;
    expect(sink.requests).toEqual([]);
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
    await Promise.all([ollama, litellm, sink].map((recorder) => recorder.stop()));
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    call(server, 'POST', path, { token: accessToken, body, headers });

  async function lastReceipt(): Promise<Record<string, unknown>> {
    await server.settled();
    const calls = await call(server, 'GET', '/v1/usage/calls?limit=1', { token });
    const items = calls.data['items'];
    return recordOf(Array.isArray(items) ? items[0] : undefined);
  }

  test('stand in the catalogue after the others, where the operator put them', async () => {
    const listed: unknown[] = (await (await fetch(`${server.url}/v1/providers`)).json()).data;
    const common = { keyPatterns: [], keyPage: null };
    expect(listed.slice(-2)).toEqual([
      { id: 'ollama', name: 'Ollama', origin: ollama.origin, needsKey: false, ...common },
      { id: 'azure', name: 'LiteLLM', origin: litellm.origin, needsKey: true, ...common },
    ]);
    expect(recordOf(listed[0])).toMatchObject({ id: 'openai', needsKey: true });
  });

  describe('are called', () => {
    test('on the passthrough, by their own full path, and without the key that they do not take', async () => {
      const answered = await post(`${passthrough}/ollama/v1/chat/completions`, chat);
      expect(outcome(answered)).toBe('200');
      expect(JSON.parse(answered.text)).toMatchObject({ model: 'llama3.2:3b', usage });
      const arrived = ollama.requests.at(-1);
      expect(arrived).toMatchObject({ method: 'POST', path: '/v1/chat/completions', body: JSON.stringify(chat) });
      expect(arrived?.headers.get('authorization')).toBeNull();
      expect(JSON.stringify([...(arrived?.headers ?? [])])).not.toContain('no-key');
    });

    test('on the passthrough as a stream, whose usage is asked for and taken out again', async () => {
      const answered = await post(`${passthrough}/ollama/v1/chat/completions`, { ...chat, stream: true });
      expect(answered.text).toContain(' there.');
      expect(answered.text).toEndWith('data: [DONE]\n\n');
      expect(answered.text).not.toContain('prompt_tokens');
      expect(recordOf(JSON.parse(ollama.requests.at(-1)?.body ?? ''))['stream_options']).toEqual({
        include_usage: true,
      });
      expect(await lastReceipt()).toMatchObject({ provider: 'ollama', model: 'llama3.2:3b', quality: 'measured' });
    });

    test('in unified chat, whole and streamed', async () => {
      const whole = await post('/v1/proxy/chat/completions', { provider: 'ollama', ...chat, max_tokens: 50 });
      expect(outcome(whole)).toBe('200');
      expect(JSON.stringify(whole.data)).toContain('Hello there.');
      expect(recordOf(JSON.parse(ollama.requests.at(-1)?.body ?? ''))).toMatchObject({ max_tokens: 50, ...chat });
      const streamed = await post('/v1/proxy/chat/completions', { provider: 'ollama', ...chat, stream: true });
      expect(streamed.text).toContain('Hello');
      expect(streamed.text).toContain('[DONE]');
    });

    test("by their names on OpenAI's own base URL", async () => {
      const answered = await post('/openai/v1/chat/completions', { ...chat, model: 'ollama/llama3.2:3b' });
      expect(outcome(answered)).toBe('200');
      expect(recordOf(JSON.parse(ollama.requests.at(-1)?.body ?? ''))['model']).toBe('llama3.2:3b');
    });

    test("by OpenAI's clients also for embeddings, and they are on the list of models", async () => {
      const embedded = await post('/openai/v1/embeddings', { model: 'ollama/nomic-embed-text', input: 'Hi' });
      expect(outcome(embedded)).toBe('200');
      expect(ollama.requests.at(-1)?.path).toBe('/v1/embeddings');
      const listed = await call(server, 'GET', '/openai/v1/models', { token: accessToken });
      expect(JSON.parse(listed.text)).toMatchObject({ data: [{ id: 'ollama/llama3.2:3b' }] });
    });

    test('for embeddings, completions and lists', async () => {
      const embedded = await post(`${passthrough}/ollama/v1/embeddings`, { model: 'nomic-embed-text', input: 'Hi' });
      expect(JSON.parse(embedded.text)).toMatchObject({ data: [{ embedding: [0.5, 0.25] }] });
      const completed = await post(`${passthrough}/ollama/v1/completions`, { model: 'llama3.2:3b', prompt: 'Hi' });
      expect(outcome(completed)).toBe('200');
      const listed = await call(server, 'GET', `${passthrough}/ollama/v1/models`, { token: accessToken });
      expect(JSON.parse(listed.text)).toMatchObject({ data: [{ id: 'llama3.2:3b' }] });
      expect(await lastReceipt()).toMatchObject({ provider: 'ollama', endpoint: 'GET /v1/models', cost: '0' });
    });

    test('under a longer path, with the key', async () => {
      const answered = await post(`${passthrough}/azure/proxy/v1/chat/completions`, {
        ...chat,
        model: 'house-model',
        max_tokens: 100,
      });
      expect(outcome(answered)).toBe('200');
      const arrived = litellm.requests.at(-1);
      expect(arrived?.path).toBe('/proxy/v1/chat/completions');
      expect(arrived?.headers.get('authorization')).toBe(`Bearer ${litellmKey}`);
    });
  });

  describe('are paid for', () => {
    test('not at all where the operator says so, and the receipt says who said it', async () => {
      await post(`${passthrough}/ollama/v1/chat/completions`, chat);
      expect(await lastReceipt()).toMatchObject({
        provider: 'ollama',
        cost: '0',
        quality: 'measured',
        price: { list: 'configuration', version: 'free', entry: '*', match: 'pattern' },
      });
    });

    test('by the price file alone: of a public list with the same id nothing is known here', async () => {
      const body = { ...chat, model: 'house-model', max_tokens: 100 };
      await post(`${passthrough}/azure/proxy/v1/chat/completions`, body);
      // 12 tokens at $100 and 3 at $1,000 for a million.
      expect(await lastReceipt()).toMatchObject({ provider: 'azure', cost: '0.0042', price: { list: 'file' } });
      const before = litellm.requests.length;
      const unknown = await post(`${passthrough}/azure/proxy/v1/chat/completions`, { ...chat, model: 'o1' });
      expect(outcome(unknown)).toBe('403 price_unknown');
      expect(litellm.requests).toHaveLength(before);
    });

    test('never beyond the budget: what a call may cost is bounded by the limits that the operator states', async () => {
      const before = litellm.requests.length;
      const body = { ...chat, model: 'house-model' };
      const exact = await post(`${passthrough}/azure/proxy/v1/chat/completions`, body, { 'x-keypass-exact': 'true' });
      // 4,096 tokens of output at $1,000 for a million are more than the dollar of the budget.
      expect(outcome(exact)).toBe('402 budget_exceeded');
      expect(litellm.requests).toHaveLength(before);
    });

    test('and their calls are counted with the others', async () => {
      await server.settled();
      const totals = await call(server, 'GET', '/v1/usage?by=provider', { token });
      const spent = totals.data['items'];
      const keys = (Array.isArray(spent) ? spent : []).map((item) => recordOf(item)['key']);
      expect(new Set(keys)).toEqual(new Set(['azure', 'ollama']));
      const free = await call(server, 'GET', '/v1/usage/calls?free=true', { token });
      const listed = free.data['items'];
      const endpoints = (Array.isArray(listed) ? listed : []).map((item) => recordOf(item)['endpoint']);
      expect(new Set(endpoints)).toEqual(new Set(['GET /v1/models', 'GET /proxy/v1/models']));
    });
  });

  describe('are all that can be reached', () => {
    const elsewhere: [path: string, expected: string][] = [
      // Ollama's own API, which can load, copy and delete models.
      ['/ollama/api/chat', '403 endpoint_not_allowed'],
      ['/ollama/api/delete', '403 endpoint_not_allowed'],
      ['/ollama/v1/../api/delete', '403 endpoint_not_allowed'],
      ['/ollama/v1/%2f%2e%2e/api/delete', '400 invalid_path'],
      ['/ollama//v1/chat/completions', '400 invalid_path'],
      ['/ollama/chat/completions', '403 endpoint_not_allowed'],
      ['/ollama/v1/v1/chat/completions', '403 endpoint_not_allowed'],
      ['/azure/v1/chat/completions', '403 endpoint_not_allowed'],
      ['/azure/proxy/v1/key/generate', '403 endpoint_not_allowed'],
      ['/azure/proxy.v1/chat/completions', '403 endpoint_not_allowed'],
      ['/ollama:{sink}/v1/chat/completions', '400 provider_unknown'],
      ['/ollama@127.0.0.1:{sink}/v1/chat/completions', '400 provider_unknown'],
      ['/127.0.0.1:{sink}/v1/chat/completions', '400 provider_unknown'],
      ['/http://127.0.0.1:{sink}/v1/chat/completions', '400 provider_unknown'],
      ['//127.0.0.1:{sink}/v1/chat/completions', '404 not_found'],
      ['/ollama/v1/chat/completions@127.0.0.1:{sink}', '403 endpoint_not_allowed'],
      ['/ollama/@127.0.0.1:{sink}/v1/chat/completions', '403 endpoint_not_allowed'],
      ['/ollama/v1/chat/completions?base_url=http://127.0.0.1:{sink}', '400 unsupported_parameter'],
      ['/OLLAMA/v1/chat/completions', '400 provider_unknown'],
    ];

    test.each(elsewhere)('%s', async (path, expected) => {
      const before = ollama.requests.length + litellm.requests.length;
      const answered = await post(passthrough + path.replace('{sink}', new URL(sink.origin).port), chat);
      expect(outcome(answered)).toBe(expected);
      expect(ollama.requests.length + litellm.requests.length).toBe(before);
    });

    test('no header names another place', async () => {
      const { host } = new URL(sink.origin);
      const headers = { 'x-forwarded-host': host, 'x-base-url': sink.origin, 'x-keypass-origin': sink.origin };
      const answered = await post(`${passthrough}/ollama/v1/chat/completions`, chat, headers);
      expect(outcome(answered)).toBe('200');
      expect(JSON.stringify([...(ollama.requests.at(-1)?.headers ?? [])])).not.toContain(host);
    });

    test.each(['api_base', 'base_url', 'api_key', 'fallbacks', 'custom_llm_provider', 'mock_response'])(
      'no gateway is told another one by `%s`',
      async (member) => {
        const body = { ...chat, model: 'house-model', max_tokens: 10, [member]: sink.origin };
        for (const [path, sent] of [
          [`${passthrough}/azure/proxy/v1/chat/completions`, body],
          ['/v1/proxy/chat/completions', { provider: 'azure', ...body }],
        ] as const) {
          const before = litellm.requests.length;
          const answered = await post(path, sent);
          expect([400, 403]).toContain(answered.status);
          expect(answered.error['param']).toBe(member);
          expect(litellm.requests).toHaveLength(before);
        }
      },
    );

    test('nothing is fetched for an app from within', async () => {
      const before = ollama.requests.length;
      const content = [{ type: 'image_url', image_url: { url: `${sink.origin}/a.png` } }];
      const answered = await post(`${passthrough}/ollama/v1/chat/completions`, {
        ...chat,
        messages: [{ role: 'user', content }],
      });
      expect(outcome(answered)).toBe('400 unsupported_parameter');
      expect(answered.error['param']).toBe('messages.*.content.*.image_url.url');
      expect(ollama.requests).toHaveLength(before);
    });

    test('no redirect is followed', async () => {
      redirectsTo = `${sink.origin}/v1/chat/completions`;
      const answered = await post(`${passthrough}/ollama/v1/chat/completions`, chat);
      expect(outcome(answered)).toBe('502 provider_redirected');
    });

    test('a key goes to the address that it was stored for and to no other', async () => {
      const moved = await startTestServer({
        database,
        pepper: server.pepper,
        settings: settingsFor(sink.origin),
        isIdle: true,
      });
      try {
        const sent = { token: accessToken, body: chat };
        const answered = await call(moved, 'POST', `${passthrough}/ollama/v1/chat/completions`, sent);
        expect(outcome(answered)).toBe('403 key_origin_changed');
      } finally {
        await moved.stop();
      }
    });

    test('a provider that is gone from the configuration is not called', async () => {
      const without = await startTestServer({ database, pepper: server.pepper, isIdle: true });
      try {
        const sent = { token: accessToken, body: chat };
        const answered = await call(without, 'POST', `${passthrough}/ollama/v1/chat/completions`, sent);
        expect(outcome(answered)).toBe('400 provider_unknown');
      } finally {
        await without.stop();
      }
    });
  });

  test('what was said and the keys are in no log', () => {
    const log = server.lines.join('\n');
    expect(log).not.toContain(litellmKey);
    expect(log).not.toContain(accessToken);
  });
});
