import { afterEach, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { startUnified, type UnifiedOptions } from '../../../test/harness/unified.ts';
import { startRecorder } from '../../../test/harness/upstream.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

const keyId = '00000000-0000-4000-8000-000000000001';
const ids = ['anthropic', 'google', 'mistral', 'openai'];
const policy = { providers: ids.map((id) => ({ id, keyId, models: null })) };

function start(answer: () => Response, options: Partial<UnifiedOptions> = {}) {
  const recorder = startRecorder(answer);
  const unified = startUnified({ policy, ...options, origin: recorder.origin });
  running.push(unified, recorder);
  const { token } = unified.keypass;
  const client = new OpenAI({ baseURL: `${unified.url}/openai/v1`, apiKey: token, maxRetries: 0 });
  const ask = (body: object) =>
    fetch(`${unified.url}/openai/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const sent = (index = 0): unknown => JSON.parse(recorder.requests[index]?.body ?? '');
  return { recorder, unified, client, ask, sent };
}

const gemini = 'google/gemini-embedding-001';
/** https://ai.google.dev/api/embeddings#BatchEmbedContentsResponse */
const googleSays = () =>
  Response.json({
    embeddings: [{ values: [0.5, -0.25] }, { values: [1, 2] }],
    usageMetadata: { promptTokenCount: 4, promptTokenDetails: [{ modality: 'TEXT', tokenCount: 4 }] },
  });
const mistralSays = () =>
  Response.json({
    id: 'emb_1',
    object: 'list',
    model: 'mistral-embed',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }],
    usage: { prompt_tokens: 3, total_tokens: 3, completion_tokens: 0 },
  });

describe("OpenAI's client embeds", () => {
  test('with Google, several texts at once', async () => {
    const { recorder, unified, client, sent } = start(googleSays);
    const answer = await client.embeddings.create({ model: gemini, input: ['one', 'two'], dimensions: 256 });
    expect(answer).toMatchObject({
      object: 'list',
      model: 'gemini-embedding-001',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -0.25] },
        { object: 'embedding', index: 1, embedding: [1, 2] },
      ],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
    expect(recorder.requests[0]?.path).toBe('/v1beta/models/gemini-embedding-001:batchEmbedContents');
    const common = { model: 'models/gemini-embedding-001', outputDimensionality: 256 };
    expect(sent()).toEqual({
      requests: ['one', 'two'].map((text) => ({ ...common, content: { parts: [{ text }] } })),
    });
    await unified.keypass.proxy.settled();
    // 4 × $0.15 a million.
    expect(unified.keypass.ledger.settlements).toMatchObject([{ cost: 600_000n, quality: 'measured', flags: [] }]);
  });

  test('with Mistral, under its own names', async () => {
    const { recorder, unified, client, sent } = start(mistralSays);
    const answer = await client.embeddings.create({ model: 'mistral/mistral-embed', input: 'one', dimensions: 2 });
    expect(answer).toMatchObject({
      model: 'mistral-embed',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
    expect(recorder.requests[0]?.path).toBe('/v1/embeddings');
    expect(sent()).toEqual({ model: 'mistral-embed', input: 'one', output_dimension: 2 });
    await unified.keypass.proxy.settled();
    expect(unified.keypass.ledger.settlements).toMatchObject([{ quality: 'measured', flags: [] }]);
  });

  test('with OpenAI, byte for byte', async () => {
    const text = '{ "object":"list", "data":[],"usage":{"prompt_tokens":1,"total_tokens":1}}';
    const { recorder, ask } = start(() => new Response(text, { headers: { 'content-type': 'application/json' } }));
    const body = { model: 'text-embedding-3-small', input: 'one', encoding_format: 'base64' };
    expect(await (await ask(body)).text()).toBe(text);
    expect(recorder.requests[0]?.body).toBe(JSON.stringify(body));
    await ask({ ...body, model: 'openai/text-embedding-3-small' });
    expect(recorder.requests[1]?.body).toBe(JSON.stringify(body));
  });
});

test.each([
  ['float', [0.5, -0.25]],
  [undefined, [0.5, -0.25]],
  // 0x3f000000 and 0xbe800000, the lowest byte first.
  ['base64', 'AAAAPwAAgL4='],
])('a vector comes as %p', async (format, embedding) => {
  const { ask } = start(googleSays);
  const response = await ask({ model: gemini, input: ['one', 'two'], encoding_format: format });
  expect(await response.json()).toMatchObject({ data: [{ embedding }, {}] });
});

test('usage that Google does not state is not made up', async () => {
  const { ask } = start(() => Response.json({ embeddings: [{ values: [1] }] }));
  expect(await (await ask({ model: gemini, input: 'one' })).json()).not.toHaveProperty('usage');
});

describe('is refused by name and reaches no provider', () => {
  test.each([
    [{ input: [1, 2] }, 'unsupported_parameter', 'input'],
    [{ input: [[1], [2]] }, 'unsupported_parameter', 'input'],
    [{ input: [] }, 'invalid_request', 'input'],
    [{ input: { text: 'x' } }, 'invalid_request', 'input'],
    [{ user: 'u' }, 'unsupported_parameter', 'user'],
    [{ encoding_format: 'int8' }, 'invalid_request', 'encoding_format'],
    [{ dimensions: 0 }, 'invalid_request', 'dimensions'],
    [{ dimensions: '5' }, 'invalid_request', 'dimensions'],
    [{ model: 'google/a/../b' }, 'invalid_request', 'model'],
    [{ model: 'google/embedding-of-tomorrow' }, 'price_unknown', 'model'],
    [{ model: 'anthropic/claude-opus-4-8' }, 'unsupported_parameter', 'model'],
    [{ model: 'mistral/mistral-embed', encoding_format: 'int8' }, 'invalid_request', 'encoding_format'],
  ])('%j', async (body, code, param) => {
    const { recorder, unified, ask } = start(googleSays);
    const response = await ask({ model: gemini, input: 'one', ...body });
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(response.headers.get('x-keypass-error')).toBe(code);
    expect(recorder.requests).toEqual([]);
    expect(unified.keypass.ledger.held).toBe(0n);
  });

  test('without the scope, or the model', async () => {
    const unscoped = start(googleSays, { policy: { ...policy, scopes: ['chat'] } });
    expect(await (await unscoped.ask({ model: gemini, input: 'one' })).json()).toMatchObject({
      error: { code: 'scope_not_granted' },
    });
    const other = start(googleSays, { policy: { providers: [{ id: 'google', keyId, models: ['gemini-2.5-flash'] }] } });
    expect(await (await other.ask({ model: gemini, input: 'one' })).json()).toMatchObject({
      error: { code: 'model_not_allowed' },
    });
  });
});

describe('an answer that is none is a failure', () => {
  test.each([
    [gemini, { embeddings: [] }],
    [gemini, { embeddings: [{ values: ['x'] }] }],
    ['mistral/mistral-embed', { data: 'none' }],
    ['mistral/mistral-embed', { data: [{ embedding: 'AAAAPw==' }] }],
  ])('of %s: %j', async (model, answer) => {
    const { ask } = start(() => Response.json(answer));
    const response = await ask({ model, input: 'one' });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'provider_error' } });
  });

  test("a provider's refusal comes in OpenAI's shape with its status", async () => {
    const { ask } = start(() =>
      Response.json({ error: { message: 'Too long.', status: 'INVALID_ARGUMENT' } }, { status: 400 }),
    );
    const response = await ask({ model: gemini, input: 'one' });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-keypass-error')).toBeNull();
    expect(await response.json()).toMatchObject({
      error: { type: 'provider_error', message: expect.stringContaining('Too long.') },
    });
  });
});
