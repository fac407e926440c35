import { afterEach, describe, expect, test } from 'bun:test';
import { post, startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
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

async function refusal(response: Response): Promise<string | null> {
  await response.arrayBuffer();
  return response.headers.get('x-keypass-error');
}

const openaiChat = '/v1/proxy/passthrough/openai/v1/chat/completions';

describe('a call that is refused reaches no provider and leaves no hold', () => {
  const refusals: [string, string, unknown, string, Setup?][] = [
    ['an endpoint that is not listed', '/openai/v1/fine_tuning/jobs', chat, 'endpoint_not_allowed'],
    ['a provider that is not known', '/v1/proxy/passthrough/nobody/v1/chat/completions', chat, 'provider_unknown'],
    [
      'a provider that is no part of the connection',
      '/groq/openai/v1/chat/completions',
      chat,
      'provider_not_connected',
      { policy: { providers: [] } },
    ],
    [
      'a scope that was not granted',
      '/openai/v1/embeddings',
      { model: 'text-embedding-3-small', input: 'a' },
      'scope_not_granted',
      { policy: { scopes: ['chat'] } },
    ],
    [
      'a model that was not allowed',
      openaiChat,
      { ...chat, model: 'gpt-4o' },
      'model_not_allowed',
      { policy: { providers: [{ id: 'openai', keyId: 'k', models: ['gpt-4o-mini'] }] } },
    ],
    ['a model without a price', openaiChat, { ...chat, model: 'no-such-model' }, 'price_unknown'],
    ...['priority', 'flex', 'scale', 7].map((service_tier): [string, string, unknown, string] => [
      `the service tier ${service_tier}, which no list prices`,
      openaiChat,
      { ...chat, service_tier },
      'price_unknown',
    ]),
    ['a stream that is nearly asked for', openaiChat, { ...chat, stream: 'true' }, 'invalid_request'],
    ...['reasoning', 'image_generation_call', 'file_search_call'].map((type): [string, string, unknown, string] => [
      `a stored ${type} by its id`,
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', max_output_tokens: 20, input: [{ type, id: 'x_1', summary: [] }] },
      'scope_not_granted',
    ]),
    ['a model that is none', openaiChat, { ...chat, model: 7 }, 'invalid_request'],
    ['a model with a NUL', openaiChat, { ...chat, model: 'gpt-4o\u0000' }, 'invalid_request'],
    ['a model with half a surrogate pair', openaiChat, { ...chat, model: 'ft:gpt-4o:\ud800' }, 'invalid_request'],
    ['a model with white space', openaiChat, { ...chat, model: 'gpt-4o mini' }, 'invalid_request'],
    ['a model that nobody can read', openaiChat, { ...chat, model: `ft:gpt-4o:${'x'.repeat(200)}` }, 'invalid_request'],
    [
      'a free call with a NUL in its model',
      '/anthropic/v1/messages/count_tokens',
      { model: 'a\u0000' },
      'invalid_request',
    ],
    ['two models', openaiChat, '{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}', 'duplicate_member'],
    [
      'another model in the body than in the path',
      '/google/v1beta/models/gemini-2.5-flash:generateContent',
      { model: 'models/gemini-2.5-pro', contents: [] },
      'model_not_allowed',
    ],
    [
      'another model in a tool',
      '/anthropic/v1/messages',
      {
        model: 'claude-sonnet-4-5',
        max_tokens: 9,
        messages: [],
        tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-4-1' }],
      },
      'model_not_allowed',
    ],
    [
      'a token count for another model',
      '/google/v1beta/models/gemini-2.5-flash:countTokens',
      { generateContentRequest: { model: 'models/gemini-2.5-pro' } },
      'model_not_allowed',
    ],
    ['a stored completion', openaiChat, { ...chat, store: true }, 'scope_not_granted'],
    ...[1, 'true', 'false', {}, [true]].flatMap((store): [string, string, unknown, string][] => {
      const gemini = '/google/v1beta/models/gemini-2.5-flash:generateContent';
      return [
        [
          `what may be a stored completion (${JSON.stringify(store)})`,
          openaiChat,
          { ...chat, store },
          'scope_not_granted',
        ],
        [
          `what may be a stored response (${JSON.stringify(store)})`,
          '/openai/v1/responses',
          { model: 'gpt-4o-mini', input: 'x', store },
          'scope_not_granted',
        ],
        [
          `what Groq may store (${JSON.stringify(store)})`,
          '/groq/openai/v1/chat/completions',
          { ...chat, store },
          'scope_not_granted',
        ],
        [`what Google may store (${JSON.stringify(store)})`, gemini, { contents: [], store }, 'scope_not_granted'],
      ];
    }),
    [
      'a file of the account',
      openaiChat,
      { ...chat, messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
      'scope_not_granted',
    ],
    [
      'a stored response',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', previous_response_id: 'r' },
      'scope_not_granted',
    ],
    [
      'a conversation',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', conversation: 'c' },
      'scope_not_granted',
    ],
    ['a stored item', '/openai/v1/responses', { model: 'gpt-4o-mini', input: [{ id: 'msg_1' }] }, 'scope_not_granted'],
    [
      'a vector store',
      '/openai/v1/responses',
      {
        model: 'gpt-4o-mini',
        input: 'x',
        max_tool_calls: 1,
        tools: [{ type: 'file_search', vector_store_ids: ['v'] }],
      },
      'scope_not_granted',
    ],
    [
      'an answer in the background',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', background: true },
      'unbounded_cost',
    ],
    ['a stored prompt', '/openai/v1/responses', { model: 'gpt-4o-mini', prompt: { id: 'p' } }, 'unbounded_cost'],
    [
      'cached content',
      '/google/v1beta/models/gemini-2.5-flash:generateContent',
      { cachedContent: 'c', contents: [] },
      'scope_not_granted',
    ],
    [
      'cached content by its other name',
      '/google/v1beta/models/gemini-2.5-flash:generateContent',
      { cached_content: 'c', contents: [] },
      'scope_not_granted',
    ],
    [
      'an uploaded file',
      '/google/v1beta/models/gemini-2.5-flash:generateContent',
      {
        contents: [
          { parts: [{ file_data: { file_uri: 'https://generativelanguage.googleapis.com/v1beta/files/a' } }] },
        ],
      },
      'scope_not_granted',
    ],
    [
      'an uploaded file in a message',
      '/anthropic/v1/messages',
      {
        model: 'claude-sonnet-4-5',
        max_tokens: 9,
        messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }],
      },
      'scope_not_granted',
    ],
    [
      'a container',
      '/anthropic/v1/messages',
      { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [], container: 'c' },
      'scope_not_granted',
    ],
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

  test.each([
    ['/anthropic/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [] }, 'anthropic-beta'],
    ['/anthropic/v1/messages/count_tokens', { model: 'claude-sonnet-4-5', messages: [] }, 'anthropic-beta'],
    [openaiChat, chat, 'openai-beta'],
  ])('a beta that could lift a limit: %s', async (path, body, header) => {
    const { upstream, keypass } = start();
    const response = await post(keypass, path, body, { [header]: 'context-1m-2025-08-07' });
    expect(await refusal(response)).toBe('unsupported_parameter');
    expect(upstream.requests).toHaveLength(0);
    expect(keypass.ledger.requests).toHaveLength(0);
  });

  test('a bound that no 64 bits hold is more than any budget', async () => {
    const { upstream, keypass } = start();
    // 128 answers of 2³¹ − 1 tokens, each at $60 for a million.
    const body = { ...chat, model: 'gpt-4', n: 128, max_tokens: 2 ** 31 - 1 };
    const response = await post(keypass, openaiChat, body, { 'x-keypass-exact': 'true' });
    expect(response.status).toBe(402);
    expect(await refusal(response)).toBe('budget_exceeded');
    expect(upstream.requests).toHaveLength(0);
    const mostBudget = 10n ** 18n;
    const amount = keypass.ledger.requests[0]?.amount ?? 0n;
    expect(amount).toBeGreaterThan(mostBudget);
    expect(amount + 2n * mostBudget).toBeLessThan(2n ** 63n);
  });

  const oversized = `{"model":"${'x'.repeat(1_000_001)}"}`;
  const wrappings: [string, unknown, Record<string, string>, string][] = [
    ['another content type', chat, { 'content-type': 'text/plain' }, 'unsupported_media_type'],
    ['a packed body', chat, { 'content-encoding': 'gzip' }, 'unsupported_encoding'],
    ['a body that is too large', oversized, {}, 'body_too_large'],
    ['a token that is not known', chat, { authorization: 'Bearer kp_at_x' }, 'access_token_invalid'],
    ['a real key', chat, { authorization: `Bearer sk-${'x'.repeat(48)}` }, 'not_a_keypass_token'],
  ];
  test.each(wrappings)('%s', async (_, body, headers, code) => {
    const { upstream, keypass } = start();
    expect(await refusal(await post(keypass, openaiChat, body, headers))).toBe(code);
    expect(upstream.requests).toHaveLength(0);
    expect(keypass.ledger.requests).toHaveLength(0);
  });

  test('a key in the query is named as such, with or without a token', async () => {
    const { upstream, keypass } = start();
    const path = '/google/v1beta/models?key=abc';
    expect(await refusal(await fetch(keypass.url + path))).toBe('token_in_url');
    expect(await refusal(await fetch(keypass.url + path, { headers: { 'x-goog-api-key': keypass.token } }))).toBe(
      'token_in_url',
    );
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
  const shapes: [string, object][] = [
    ['/openai/v1/nothing', { error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
    ['/groq/nothing', { error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
    ['/anthropic/nothing', { type: 'error', error: { type: 'permission_error', code: 'endpoint_not_allowed' } }],
    [
      '/google/nothing',
      { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'endpoint_not_allowed' }] } },
    ],
    [
      '/v1/proxy/passthrough/openai/nothing',
      { success: false, error: { type: 'permission_error', code: 'endpoint_not_allowed' } },
    ],
  ];
  test.each(shapes)('under %s have the shape that its client reads', async (path, shape) => {
    const { keypass } = start();
    const response = await post(keypass, path, {});
    expect(response.status).toBe(403);
    expect(response.headers.get('x-keypass-error')).toBe('endpoint_not_allowed');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toMatchObject(shape);
  });
});
