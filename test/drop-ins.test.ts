import { afterAll, beforeAll, expect, test } from 'bun:test';
import OpenAI, { APIError, AuthenticationError } from 'openai';
import type { Vault } from '../sdk/vault/src/index.ts';
import { eachDatabase } from './harness/databases.ts';
import { call, linkApp, openVault, outcome, recordOf, registerApp, type TestApp } from './harness/people.ts';
import { startTestServer, type TestServer } from './harness/server.ts';
import { type Recorder, type RecordedRequest, startRecorder } from './harness/upstream.ts';

const ids = ['openai', 'google', 'mistral', 'openrouter', 'perplexity'] as const;
const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const question = { messages: [{ role: 'user' as const, content: 'What is 2 + 2?' }], max_tokens: 100 };
const models = {
  openrouter: 'openrouter/openai/gpt-4o-mini',
  mistral: 'mistral/mistral-small-latest',
  perplexity: 'perplexity/sonar-pro',
};

const events = (...data: object[]) => data.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
const choice = (delta: object, reason: string | null = null) => [{ index: 0, delta, finish_reason: reason }];

/** How their streams differ from OpenAI's, as each of them documents it. */
const streams: Record<string, string> = {
  // https://openrouter.ai/docs/api-reference/streaming#additional-information
  '/api/v1/chat/completions': `: OPENROUTER PROCESSING\n\n${events(
    { id: 'g', choices: choice({ role: 'assistant', content: 'Four', reasoning: '2 and 2' }) },
    { id: 'g', choices: choice({ content: '.' }, 'stop') },
    { id: 'g', choices: choice({}), usage },
  )}: OPENROUTER PROCESSING\n\ndata: [DONE]\n\n`,
  // https://docs.mistral.ai/capabilities/reasoning
  '/v1/chat/completions': `${events(
    { id: 'm', choices: choice({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: '2 and 2' }] }] }) },
    { id: 'm', choices: choice({ content: 'Four.' }) },
    { id: 'm', choices: choice({ content: '' }, 'stop'), usage },
  )}data: [DONE]\n\n`,
};

function answer({ path, headers, body }: RecordedRequest): Response {
  if (path.endsWith('/models') && !path.startsWith('/v1beta')) {
    const isOurs = headers.get('authorization')?.includes('openai') === true;
    return Response.json({ data: [{ id: isOurs ? 'gpt-4o-mini' : 'mistral-small-latest' }, { id: 'not-priced' }] });
  }
  if (path.startsWith('/v1beta/models?')) return Response.json({ models: [{ name: 'models/gemini-embedding-001' }] });
  if (path.includes(':batchEmbedContents')) {
    return Response.json({ embeddings: [{ values: [0.5] }], usageMetadata: { promptTokenCount: 2 } });
  }
  const stream = streams[path];
  if (stream !== undefined && recordOf(JSON.parse(body))['stream'] === true) {
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  }
  const message = { role: 'assistant', content: 'Four.', reasoning: '2 and 2' };
  return Response.json({
    id: 'x',
    choices: [{ index: 0, message, delta: { content: '' }, finish_reason: 'stop' }],
    usage,
    citations: ['https://example.com/'],
  });
}

eachDatabase((_kind, open) => {
  let provider: Recorder;
  let server: TestServer;
  let vault: Vault;
  let app: TestApp;
  let token: string;
  let accessToken: string;
  let client: OpenAI;

  const clientWith = (apiKey: string) => new OpenAI({ baseURL: `${server.url}/openai/v1`, apiKey, maxRetries: 0 });

  beforeAll(async () => {
    provider = startRecorder(answer);
    const settings = Object.fromEntries(ids.map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, provider.origin]));
    server = await startTestServer({ database: await open(), settings });
    ({ vault, token } = await openVault(server));
    for (const id of ids) await vault.keys.add({ provider: id, secret: `key-of-${id}`, origin: provider.origin });
    app = await registerApp(server, token);
    ({ accessToken } = await linkApp(vault, app, { providers: [...ids], budgetCents: 500 }));
    client = clientWith(accessToken);
  });

  afterAll(async () => {
    await server.stop();
    await provider.stop();
  });

  async function lastReceipt(): Promise<Record<string, unknown>> {
    await server.settled();
    const { data } = await call(server, 'GET', '/v1/usage/calls?limit=1', { token });
    const { items } = data;
    return recordOf(Array.isArray(items) ? items[0] : undefined);
  }

  test("OpenAI's client sees the models of all providers, and asks for one by its name", async () => {
    const listed = (await client.models.list()).data.map(({ id }) => id);
    expect(listed).toEqual(expect.arrayContaining(['gpt-4o-mini', 'google/gemini-embedding-001', models.mistral]));
    expect(listed.filter((id) => id.includes('not-priced'))).toEqual([]);
    expect(await client.models.retrieve(models.mistral)).toMatchObject({ id: models.mistral, owned_by: 'mistral' });
    expect(await lastReceipt()).toMatchObject({ cost: '0', endpoint: expect.stringMatching(/^GET .*models$/) });
  });

  test.each(Object.entries(models))('it gets OpenAI’s shape from %s', async (_, model) => {
    const whole = await client.chat.completions.create({ model, ...question });
    expect(whole).toMatchObject({
      object: 'chat.completion',
      model: model.slice(model.indexOf('/') + 1),
      choices: [{ index: 0, message: { content: 'Four.', reasoning_content: '2 and 2' }, finish_reason: 'stop' }],
      usage,
      citations: ['https://example.com/'],
    });
    expect(whole.choices[0]).not.toHaveProperty('delta');
    expect(await lastReceipt()).toMatchObject({ quality: 'measured', flags: [] });
  });

  test.each([models.openrouter, models.mistral])('and streams of it: %s', async (model) => {
    const stream = client.chat.completions.stream({ model, ...question, stream_options: { include_usage: true } });
    const deltas: object[] = [];
    for await (const { choices } of stream) deltas.push(...choices.map(({ delta }) => delta));
    const whole = await stream.finalChatCompletion();
    expect(whole.choices).toMatchObject([{ message: { content: 'Four.' }, finish_reason: 'stop' }]);
    expect(whole.usage).toEqual(usage);
    expect(deltas[0]).toMatchObject({ role: 'assistant', reasoning_content: '2 and 2' });
    expect(await lastReceipt()).toMatchObject({ quality: 'measured', flags: [] });
  });

  test('what a provider would not heed is refused by name', async () => {
    const asked = client.chat.completions.create({ model: models.mistral, ...question, logprobs: true });
    const error = await asked.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'logprobs' });
  });

  test('it embeds with Google, and the receipt says for how much', async () => {
    const { data, usage: used } = await client.embeddings.create({ model: 'google/gemini-embedding-001', input: 'Hi' });
    expect(data[0]?.embedding).toEqual([0.5]);
    expect(used).toEqual({ prompt_tokens: 2, total_tokens: 2 });
    expect(await lastReceipt()).toMatchObject({
      provider: 'google',
      model: 'gemini-embedding-001',
      cost: '0.0000003',
      quality: 'measured',
    });
  });

  test('a unified call that was answered a moment ago is made, not running', async () => {
    const body = { provider: 'mistral', model: 'mistral-small-latest', ...question };
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const send = () => call(server, 'POST', '/v1/proxy/chat/completions', { token: accessToken, headers, body });
    expect(outcome(await send())).toBe('200');
    expect(outcome(await send())).toBe('409 call_already_made');
  });

  test('the list ends with the connection, though it is remembered', async () => {
    const { accessToken: other, connectionId } = await linkApp(vault, app, { providers: ['openai'], budgetCents: 100 });
    const revoked = clientWith(other);
    expect((await revoked.models.list()).data).toHaveLength(1);
    await vault.connections.revoke(connectionId);
    expect(await revoked.models.list().catch((error: unknown) => error)).toBeInstanceOf(AuthenticationError);
  });
});
