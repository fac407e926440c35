import { afterEach, describe, expect, test } from 'bun:test';
import { providerKey, startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startRecorder, type RecordedRequest, type Recorder } from '../../test/harness/upstream.ts';
import type { Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
};
const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 50 };

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

interface Setup {
  answer?: (request: RecordedRequest) => Response;
  policy?: Partial<Policy>;
  budget?: bigint;
}

function start(setup: Setup = {}): { upstream: Recorder; keypass: ProxyHarness } {
  const upstream = startRecorder(setup.answer ?? (() => Response.json(completion)));
  const { answer: _, ...options } = setup;
  const keypass = startProxy({ ...options, origin: upstream.origin });
  running.push(keypass, upstream);
  return { upstream, keypass };
}

function post(keypass: ProxyHarness, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(keypass.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${keypass.token}`, 'content-type': 'application/json', ...headers },
  });
}

async function refusal(response: Response): Promise<string | null> {
  await response.arrayBuffer();
  return response.headers.get('x-keypass-error');
}

const openaiChat = '/v1/proxy/passthrough/openai/v1/chat/completions';

describe('a call that is allowed', () => {
  test('reaches the provider with the key and comes back untouched, settled as measured', async () => {
    const text = `{ "odd" :  "spacing", "usage": ${JSON.stringify(completion.usage)}, "model":"gpt-4o-mini-2024-07-18" }`;
    const answer = () => new Response(text, { headers: { 'content-type': 'application/json', 'x-ratelimit-limit-tokens': '9' } });
    const { upstream, keypass } = start({ answer });
    const response = await post(keypass, openaiChat, chat, { cookie: 'a=b', 'x-forwarded-for': '1.2.3.4' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(text);
    expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('9');
    expect(response.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
    expect(response.headers.get('x-keypass-error')).toBeNull();

    const [request] = upstream.requests;
    expect(request?.path).toBe('/v1/chat/completions');
    expect(request?.headers.get('authorization')).toBe(`Bearer ${providerKey}-openai`);
    expect([...(request?.headers.values() ?? [])].join()).not.toContain(keypass.token);
    expect(request?.headers.has('cookie')).toBe(false);
    expect(request?.headers.has('x-forwarded-for')).toBe(false);
    expect(keypass.access.handedOut.every((secret) => secret.every((byte) => byte === 0))).toBe(true);

    await keypass.proxy.settled();
    expect(keypass.ledger.requests).toHaveLength(1);
    expect(keypass.ledger.requests[0]).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o-mini',
      endpoint: 'POST /v1/chat/completions',
    });
    expect(keypass.ledger.settlements).toHaveLength(1);
    // gpt-4o-mini: 9 × $0.15 and 3 × $0.60 for a million tokens.
    expect(keypass.ledger.settlements[0]).toMatchObject({ status: 200, quality: 'measured', cost: 3_150_000n, flags: [] });
    expect(keypass.ledger.held).toBe(0n);
    expect(keypass.access.listeners).toBe(0);
  });

  test('sends the very bytes of the app where nothing had to be changed', async () => {
    const { upstream, keypass } = start();
    const text = '{"model" : "llama-3.3-70b-versatile",\n "messages":[{"role":"user","content":"gr\\u00fc\u00df"}],"max_tokens":9}';
    expect((await post(keypass, '/groq/openai/v1/chat/completions', text)).status).toBe(200);
    expect(upstream.requests[0]?.body).toBe(text);
  });

  test('the lists cost nothing and are held and settled all the same', async () => {
    const { upstream, keypass } = start({ answer: () => Response.json({ data: [] }) });
    const authorization = `Bearer ${keypass.token}`;
    expect((await fetch(`${keypass.url}/openai/v1/models`, { headers: { authorization } })).status).toBe(200);
    expect(upstream.requests[0]).toMatchObject({ method: 'GET', path: '/v1/models', body: '' });
    await keypass.proxy.settled();
    expect(keypass.ledger.requests[0]).toMatchObject({ amount: 0n, endpoint: 'GET /v1/models', model: null });
    expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n, quality: 'measured', status: 200 }]);
  });

  test("a response is not stored unless the owner's scopes say so", async () => {
    const body = { model: 'gpt-4o-mini', input: 'Hi', max_output_tokens: 50 };
    const without = start({ answer: () => Response.json({ usage: { input_tokens: 1, output_tokens: 1 } }) });
    expect((await post(without.keypass, '/openai/v1/responses', body)).status).toBe(200);
    expect(JSON.parse(without.upstream.requests[0]?.body ?? '')).toMatchObject({ ...body, store: false });

    const granted = start({ policy: { scopes: ['chat', 'stateful'] } });
    expect((await post(granted.keypass, '/openai/v1/responses', { ...body, store: true })).status).toBe(200);
    expect(JSON.parse(granted.upstream.requests[0]?.body ?? '')).toMatchObject({ store: true });
  });
});

describe('a call that is refused reaches no provider and leaves no hold', () => {
  const refusals: [string, string, unknown, string, Setup?][] = [
    ['an endpoint that is not listed', '/openai/v1/files', chat, 'endpoint_not_allowed'],
    ['a provider that is not known', '/v1/proxy/passthrough/nobody/v1/chat/completions', chat, 'provider_unknown'],
    ['a provider that is no part of the connection', '/groq/openai/v1/chat/completions', chat, 'provider_not_connected', { policy: { providers: [] } }],
    ['a scope that was not granted', '/openai/v1/embeddings', { model: 'text-embedding-3-small', input: 'a' }, 'scope_not_granted', { policy: { scopes: ['chat'] } }],
    ['a model that was not allowed', openaiChat, { ...chat, model: 'gpt-4o' }, 'model_not_allowed', { policy: { providers: [{ id: 'openai', keyId: 'k', models: ['gpt-4o-mini'] }] } }],
    ['a model without a price', openaiChat, { ...chat, model: 'no-such-model' }, 'price_unknown'],
    ['a model that is none', openaiChat, { ...chat, model: 7 }, 'invalid_request'],
    ['two models', openaiChat, '{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}', 'duplicate_member'],
    ['another model in the body than in the path', '/google/v1beta/models/gemini-2.5-flash:generateContent', { model: 'models/gemini-2.5-pro', contents: [] }, 'model_not_allowed'],
    ['another model in a tool', '/anthropic/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [], tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-4-1' }] }, 'model_not_allowed'],
    ['a token count for another model', '/google/v1beta/models/gemini-2.5-flash:countTokens', { generateContentRequest: { model: 'models/gemini-2.5-pro' } }, 'model_not_allowed'],
    ['a stored completion', openaiChat, { ...chat, store: true }, 'scope_not_granted'],
    ['a file of the account', openaiChat, { ...chat, messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }, 'scope_not_granted'],
    ['a stored response', '/openai/v1/responses', { model: 'gpt-4o-mini', input: 'x', previous_response_id: 'r' }, 'scope_not_granted'],
    ['a conversation', '/openai/v1/responses', { model: 'gpt-4o-mini', input: 'x', conversation: 'c' }, 'scope_not_granted'],
    ['a stored item', '/openai/v1/responses', { model: 'gpt-4o-mini', input: [{ id: 'msg_1' }] }, 'scope_not_granted'],
    ['a vector store', '/openai/v1/responses', { model: 'gpt-4o-mini', input: 'x', max_tool_calls: 1, tools: [{ type: 'file_search', vector_store_ids: ['v'] }] }, 'scope_not_granted'],
    ['an answer in the background', '/openai/v1/responses', { model: 'gpt-4o-mini', input: 'x', background: true }, 'unbounded_cost'],
    ['a stored prompt', '/openai/v1/responses', { model: 'gpt-4o-mini', prompt: { id: 'p' } }, 'unbounded_cost'],
    ['cached content', '/google/v1beta/models/gemini-2.5-flash:generateContent', { cachedContent: 'c', contents: [] }, 'scope_not_granted'],
    ['cached content by its other name', '/google/v1beta/models/gemini-2.5-flash:generateContent', { cached_content: 'c', contents: [] }, 'scope_not_granted'],
    ['an uploaded file', '/google/v1beta/models/gemini-2.5-flash:generateContent', { contents: [{ parts: [{ file_data: { file_uri: 'https://generativelanguage.googleapis.com/v1beta/files/a' } }] }] }, 'scope_not_granted'],
    ['an uploaded file in a message', '/anthropic/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }] }, 'scope_not_granted'],
    ['a container', '/anthropic/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [], container: 'c' }, 'scope_not_granted'],
    ['what is no object', openaiChat, '[]', 'invalid_request'],
    ['what is no JSON', openaiChat, '{', 'invalid_json'],
    ['a used budget', openaiChat, chat, 'budget_exceeded', { budget: 0n }],
    ['a sandbox', openaiChat, chat, 'endpoint_not_allowed', { policy: { sandbox: true } }],
  ];

  test.each(refusals)('%s', async (_, path, body, code, setup = {}) => {
    const { upstream, keypass } = start(setup);
    const response = await post(keypass, path, body);
    expect(await refusal(response)).toBe(code);
    expect(upstream.requests).toHaveLength(0);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toHaveLength(0);
    expect(keypass.ledger.held).toBe(0n);
    expect(keypass.access.listeners).toBe(0);
    expect(keypass.faults).toEqual([]);
  });

  const wrappings: [string, RequestInit, string][] = [
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 'unsupported_media_type'],
    ['a packed body', { headers: { 'content-encoding': 'gzip' } }, 'unsupported_encoding'],
    ['a body that is too large', { body: `{"model":"${'x'.repeat(1_000_001)}"}` }, 'body_too_large'],
    ['a token that is not known', { headers: { authorization: 'Bearer kp_at_x' } }, 'access_token_invalid'],
    ['a real key', { headers: { authorization: `Bearer sk-${'x'.repeat(48)}` } }, 'not_a_keypass_token'],
  ];
  test.each(wrappings)('%s', async (_, init, code) => {
    const { upstream, keypass } = start();
    const headers = { authorization: `Bearer ${keypass.token}`, 'content-type': 'application/json', ...(init.headers as object) };
    const response = await fetch(keypass.url + openaiChat, { method: 'POST', body: JSON.stringify(chat), ...init, headers });
    expect(await refusal(response)).toBe(code);
    expect(upstream.requests).toHaveLength(0);
    expect(keypass.ledger.requests).toHaveLength(0);
  });

  test('a key in the query is named as such, with or without a token', async () => {
    const { upstream, keypass } = start();
    const path = '/google/v1beta/models?key=abc';
    expect(await refusal(await fetch(keypass.url + path))).toBe('token_in_url');
    expect(await refusal(await fetch(keypass.url + path, { headers: { 'x-goog-api-key': keypass.token } }))).toBe('token_in_url');
    expect(upstream.requests).toHaveLength(0);
  });

  test('a connection that is cut while its key is opened', async () => {
    const { upstream, keypass } = start();
    keypass.access.beforeOpening = () => keypass.access.cut(new KeyPassError('connection_revoked', 'Revoked.'));
    expect(await refusal(await post(keypass, openaiChat, chat))).toBe('connection_revoked');
    expect(upstream.requests).toHaveLength(0);
    expect(keypass.ledger.released).toBe(1);
  });

  test('a key that cannot be opened', async () => {
    const { upstream, keypass } = start();
    keypass.access.beforeOpening = () => Promise.reject(new KeyPassError('key_missing', 'The key is gone.'));
    expect(await refusal(await post(keypass, openaiChat, chat))).toBe('key_missing');
    expect(upstream.requests).toHaveLength(0);
    expect(keypass.ledger.released).toBe(1);
  });
});

describe("KeyPass's own errors", () => {
  const shapes: [string, unknown][] = [
    ['/openai/v1/nothing', { error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
    ['/groq/nothing', { error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
    ['/anthropic/nothing', { type: 'error', error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
    ['/google/nothing', { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'endpoint_not_allowed' }] } }],
    ['/v1/proxy/passthrough/openai/nothing', { success: false, error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
  ];
  test.each(shapes)('under %s have the shape that its client reads', async (path, shape) => {
    const { keypass } = start();
    const response = await post(keypass, path, {});
    expect(response.status).toBe(403);
    expect(response.headers.get('x-keypass-error')).toBe('endpoint_not_allowed');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toMatchObject(shape as object);
  });
});

describe("the provider's own errors", () => {
  test.each([400, 401, 404, 429, 500, 529])('%d comes back untouched and costs nothing', async (status) => {
    const text = '{"error":{"message":"theirs","usage":{"total_tokens":5}}}';
    const answer = () => new Response(text, { status, headers: { 'retry-after': '7', 'content-type': 'application/json' } });
    const { keypass } = start({ answer });
    const response = await post(keypass, openaiChat, chat);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(text);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.has('x-keypass-error')).toBe(false);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ status, cost: 0n, quality: 'measured' }]);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%d) is an error and takes the key nowhere', async (status) => {
    const sink = startRecorder(() => Response.json({}));
    running.push(sink);
    const answer = () => new Response(null, { status, headers: { location: `${sink.origin}/v1/messages` } });
    const { keypass } = start({ answer });
    const body = { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [] };
    const response = await post(keypass, '/anthropic/v1/messages', body);
    expect(response.status).toBe(502);
    expect(await refusal(response)).toBe('provider_redirected');
    expect(response.headers.has('location')).toBe(false);
    expect(sink.requests).toHaveLength(0);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ status, cost: 0n }]);
  });

  test('an answer without usage is estimated, an answer that cannot be read costs what was held', async () => {
    const silent = start({ answer: () => Response.json({ choices: [] }) });
    await (await post(silent.keypass, openaiChat, chat)).text();
    await silent.keypass.proxy.settled();
    expect(silent.keypass.ledger.settlements).toMatchObject([{ quality: 'estimated', flags: ['usage_missing'] }]);
    expect(silent.keypass.ledger.spent).toBeGreaterThan(0n);

    const garbled = start({ answer: () => new Response('not JSON') });
    await (await post(garbled.keypass, openaiChat, chat)).text();
    await garbled.keypass.proxy.settled();
    const [request] = garbled.keypass.ledger.requests;
    expect(garbled.keypass.ledger.settlements).toMatchObject([{ quality: 'unknown', cost: request?.amount }]);
  });
});

describe('a budget that is nearly used up', () => {
  // gpt-4o-mini's output: $0.60 for a million tokens, so this is good for some 1,300 of them.
  const budget = 1_000_000_000n;
  const long = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 16_000 };

  test('lowers the output to what fits, and says so', async () => {
    const { upstream, keypass } = start({ budget });
    const response = await post(keypass, openaiChat, long);
    expect(response.status).toBe(200);
    const sent = JSON.parse(upstream.requests[0]?.body ?? '') as { max_tokens: number };
    expect(sent.max_tokens).toBeWithin(1024, 1_667);
    expect(response.headers.get('x-keypass-max-tokens')).toBe(String(sent.max_tokens));
    expect(keypass.ledger.requests.at(-1)?.amount).toBeLessThanOrEqual(budget);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toHaveLength(1);
  });

  test('unless the app wants the call exactly so', async () => {
    const { upstream, keypass } = start({ budget });
    const response = await post(keypass, openaiChat, long, { 'x-keypass-exact': 'true' });
    expect(response.status).toBe(402);
    expect(await refusal(response)).toBe('budget_exceeded');
    expect(upstream.requests).toHaveLength(0);
  });
});

test('nothing of a prompt, a token or a key is logged', async () => {
  const { keypass } = start({ answer: () => new Response(null, { status: 302, headers: { location: 'x' } }) });
  await post(keypass, openaiChat, { ...chat, messages: [{ role: 'user', content: 'canary-prompt' }] });
  keypass.access.beforeOpening = () => Promise.reject(new Error('canary-fault'));
  const response = await post(keypass, openaiChat, chat);
  expect(await refusal(response)).toBe('internal_error');
  expect(keypass.log.length).toBeGreaterThan(0);
  expect(keypass.log.join('\n')).not.toMatch(/canary/);
  expect(keypass.log.join('\n')).not.toContain(keypass.token);
});
