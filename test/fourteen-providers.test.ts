import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Database } from '../src/database/connect.ts';
import { providers } from '../src/providers/index.ts';
import { openTestDatabase } from './harness/databases.ts';
import { openVault, outcome, call, recordOf } from './harness/people.ts';
import { startTestServer, type TestServer } from './harness/server.ts';
import { type RecordedRequest, type Recorder, startRecorder } from './harness/upstream.ts';

/** One model of each whose price is known; the chat of each is the path that unified chat takes, but of Perplexity Sonar's. */
const models: Readonly<Record<string, string>> = {
  mistral: 'mistral-large-2512',
  openrouter: 'anthropic/claude-sonnet-4.5',
  xai: 'grok-4.6',
  deepseek: 'deepseek-flash',
  together: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  fireworks: 'accounts/fireworks/models/kimi-k2p6',
  cohere: 'command-a-03-2025',
  perplexity: 'sonar',
  cerebras: 'gpt-oss-120b',
  huggingface: 'openai/gpt-oss-120b:groq',
};
const ids = Object.keys(models);
const secretOf = (id: string) => `${id}-secret-${'k'.repeat(30)}`;

const messages = [{ role: 'user', content: 'Hi' }];
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

function chatOf(id: string) {
  if (id === 'perplexity') return '/chat/completions';
  const found = providers.find((provider) => provider.id === id);
  if (found?.chat.shape !== 'openai') throw new Error(`${id} speaks OpenAI's chat`);
  return found.chat.path;
}

/** Answers as such a provider does, with headers of which some are to be seen by the app. */
function answer({ body }: RecordedRequest): Response {
  const { model } = recordOf(body === '' ? {} : JSON.parse(body));
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }];
  const headers = { 'x-ratelimit-remaining-tokens': '9', 'x-request-id': 'theirs', 'set-cookie': 'a=b', server: 'x' };
  return Response.json({ id: 'c', object: 'chat.completion', created: 1, model, choices, usage }, { headers });
}

let upstream: Recorder;
let server: TestServer;
let database: Database;
let accessToken: string;
let limitedToken: string;
let poorToken: string;

beforeAll(async () => {
  upstream = startRecorder(answer);
  const settings = Object.fromEntries(ids.map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, upstream.origin]));
  database = await openTestDatabase('embedded');
  server = await startTestServer({ database, settings });
  const { vault } = await openVault(server);
  for (const provider of ids) await vault.keys.add({ provider, secret: secretOf(provider) });
  const usual = { name: 'Ten', providers: ids, budgetCents: 100_000 };
  ({ accessToken } = await vault.connections.create({ ...usual, scopes: ['chat', 'embeddings'] }));
  ({ accessToken: poorToken } = await vault.connections.create({ ...usual, scopes: ['chat'], budgetCents: 3 }));
  ({ accessToken: limitedToken } = await vault.connections.create({ ...usual, scopes: ['chat'] }));
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
  await database.close();
});

const send = (id: string, path: string, body: object | undefined, token = accessToken) =>
  call(server, body === undefined ? 'GET' : 'POST', `/v1/proxy/passthrough/${id}${path}`, {
    token,
    ...(body === undefined ? {} : { body }),
  });

describe.each(ids)('%s', (id) => {
  const model = models[id] ?? '';
  const chat = { model, messages, max_tokens: 50 };

  test('is called at its own path with its own key', async () => {
    const { status, headers } = await send(id, chatOf(id), chat);
    expect(status).toBe(200);
    const sent = upstream.requests.at(-1);
    expect([sent?.method, sent?.path, sent?.headers.get('authorization')]).toEqual([
      'POST',
      chatOf(id),
      `Bearer ${secretOf(id)}`,
    ]);
    expect(sent?.body).not.toContain(accessToken);
    expect(headers.get('x-ratelimit-remaining-tokens')).toBe('9');
    expect(headers.get('x-provider-request-id')).toBe('theirs');
    expect([headers.get('set-cookie'), headers.get('server')]).toEqual([null, null]);
  });

  test('lists its models, and nothing of the account', async () => {
    const { check, modelList } = providers.find((provider) => provider.id === id) ?? {};
    expect((await send(id, modelList?.path ?? '', undefined)).status).toBe(200);
    if (check === undefined || check.path.endsWith('/models')) return;
    const before = upstream.requests.length;
    expect(outcome(await send(id, check.path, check.method === 'GET' ? undefined : {}))).toBe(
      '403 endpoint_not_allowed',
    );
    expect(upstream.requests).toHaveLength(before);
  });

  test.each([
    ['a model without a price', { model: 'nobody/knows-it' }, '403 price_unknown'],
    ['a tool of the provider', { tools: [{ type: 'web_search' }] }, '403 unbounded_cost'],
    ['a search', { search_parameters: { mode: 'on' } }, '403 unbounded_cost'],
    ['another model that checks', { safety_model: 'dear/guard' }, '403 unbounded_cost'],
    ['no model', { model: undefined }, '400 invalid_request'],
    ['a list of models as the model', { model: [model, 'dear/model'] }, '400 invalid_request'],
    ['a dearer tier', { service_tier: 'priority' }, '403'],
    ['two answers in one body', { stream: 'true' }, '400 invalid_request'],
  ])('refuses %s, and nobody hears of it', async (_, change, expected) => {
    const before = upstream.requests.length;
    expect(outcome(await send(id, chatOf(id), { ...chat, ...change }))).toStartWith(expected);
    expect(upstream.requests).toHaveLength(before);
  });

  test('embeds only what the owner allowed', async () => {
    const { embeddings } = providers.find((provider) => provider.id === id) ?? {};
    if (embeddings?.shape !== 'openai') return;
    expect(outcome(await send(id, embeddings.path, { model, input: 'Hi' }, limitedToken))).toBe(
      '403 scope_not_granted',
    );
  });
});

test.each(['mistral', 'openrouter', 'xai', 'fireworks', 'cohere'])(
  '%s is asked for as much as the budget has left',
  async (id) => {
    const { status, headers } = await send(id, chatOf(id), { model: models[id], messages }, poorToken);
    expect(status).toBe(200);
    const { max_tokens: limit } = recordOf(JSON.parse(upstream.requests.at(-1)?.body ?? ''));
    expect(String(limit)).toBe(headers.get('x-keypass-max-tokens') ?? '');
    expect(Number(limit)).toBeGreaterThanOrEqual(1024);
    // What the call did not need goes back before the next one.
    await server.settled();
  },
);

describe("OpenRouter's other models", () => {
  const model = 'anthropic/claude-sonnet-4.5';
  const path = '/api/v1/chat/completions';

  test.each([
    [{ models: ['openai/gpt-5'] }],
    [{ models: [model, 'openai/gpt-5'] }],
    [{ models: 'openai/gpt-5' }],
    [{ models: [{ id: 'openai/gpt-5' }] }],
  ])('%j', async (hidden) => {
    const before = upstream.requests.length;
    const refused = await send('openrouter', path, { model, messages, max_tokens: 50, ...hidden });
    expect(outcome(refused)).toBe('403 model_not_allowed');
    expect(upstream.requests).toHaveLength(before);
  });

  test('the same one passes, with the price that was held as the most that it may cost', async () => {
    const body = { model, models: [model], route: 'fallback', messages, max_tokens: 50, provider: { order: ['a'] } };
    expect((await send('openrouter', path, body)).status).toBe(200);
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({
      ...body,
      provider: { order: ['a'], max_price: { prompt: 3, completion: 15, request: 0 } },
    });
  });
});

describe("xAI's responses", () => {
  const body = { model: 'grok-4.6', input: 'Hi', max_output_tokens: 50 };

  test('are not stored for an app that may keep no state', async () => {
    await send('xai', '/v1/responses', body);
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ ...body, store: false });
  });

  test.each([
    [{ store: true }],
    [{ previous_response_id: 'resp_1' }],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }],
    [{ input: [{ id: 'msg_1' }] }],
  ])('and none of another app is reached: %j', async (change) => {
    const before = upstream.requests.length;
    expect(outcome(await send('xai', '/v1/responses', { ...body, ...change }))).toBe('403 scope_not_granted');
    expect(upstream.requests).toHaveLength(before);
  });
});
