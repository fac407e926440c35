import { afterEach, describe, expect, test } from 'bun:test';
import { post, providerKey, startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startRecorder, type RecordedRequest, type Recorder } from '../../test/harness/upstream.ts';
import type { Policy } from '../crypto/index.ts';

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

describe('a call that is allowed', () => {
  test('reaches the provider with the key and comes back untouched, settled as measured', async () => {
    const text = `{ "odd" :  "spacing", "usage": ${JSON.stringify(completion.usage)}, "model":"gpt-4o-mini-2024-07-18" }`;
    const answer = () =>
      new Response(text, { headers: { 'content-type': 'application/json', 'x-ratelimit-limit-tokens': '9' } });
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

    await keypass.proxy.settled();
    expect(keypass.ledger.requests).toHaveLength(1);
    expect(keypass.ledger.requests[0]).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o-mini',
      endpoint: 'POST /v1/chat/completions',
    });
    expect(keypass.ledger.settlements).toHaveLength(1);
    // gpt-4o-mini: 9 × $0.15 and 3 × $0.60 for a million tokens.
    expect(keypass.ledger.settlements[0]).toMatchObject({
      status: 200,
      quality: 'measured',
      cost: 3_150_000n,
      flags: [],
    });
    expect(keypass.ledger.held).toBe(0n);
    expect(keypass.access.listeners).toBe(0);
  });

  test('sends the very bytes of the app where nothing had to be changed', async () => {
    const { upstream, keypass } = start();
    const text =
      '{"model" : "llama-3.3-70b-versatile",\n "messages":[{"role":"user","content":"gr\\u00fc\u00df"}],"max_tokens":9}';
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
    expect((await post(without.keypass, '/openai/v1/responses', { ...body, store: null })).status).toBe(200);
    expect((await post(without.keypass, '/openai/v1/responses', { ...body, store: false })).status).toBe(200);
    const stores = without.upstream.requests.map((request): unknown => JSON.parse(request.body));
    expect(stores).toMatchObject([{ store: false }, { store: false }, { store: false }]);

    const granted = start({ policy: { scopes: ['chat', 'stateful'] } });
    expect((await post(granted.keypass, '/openai/v1/responses', { ...body, store: true })).status).toBe(200);
    expect(JSON.parse(granted.upstream.requests[0]?.body ?? '')).toMatchObject({ store: true });
  });
});

describe('what goes up', () => {
  test("has the connection's own idempotency key and the betas that are listed", async () => {
    const { upstream, keypass } = start();
    const body = { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [] };
    const betas = 'pdfs-2024-09-25, files-api-2025-04-14';
    const headers = { 'idempotency-key': 'order-17', 'anthropic-beta': betas };
    expect((await post(keypass, '/anthropic/v1/messages', body, headers)).status).toBe(200);
    const [request] = upstream.requests;
    expect(request?.headers.get('anthropic-beta')).toBe(betas);
    expect(request?.headers.get('idempotency-key')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('has many texts to embed at once, and their tokens are booked where no usage is stated', async () => {
    const { upstream, keypass } = start({ answer: () => Response.json({ embeddings: [{ values: [0.5] }] }) });
    const one = { model: 'models/gemini-embedding-001', content: { parts: [{ text: 'some words' }] } };
    const text = JSON.stringify({ requests: [one, one] });
    const response = await post(keypass, '/google/v1beta/models/gemini-embedding-001:batchEmbedContents', text);
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    await keypass.proxy.settled();
    expect(upstream.requests[0]?.body).toBe(text);
    // Twice two words and the two marks around them; a quarter more, since the vocabulary is not known.
    const usage = { uncachedInput: 2 * (2 + 2) * 1.25, output: 0 };
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'estimated', usage }]);
  });
});

describe('a fault of KeyPass after a call was sent', () => {
  test('books what was held, and lets the provider go', async () => {
    let signal: AbortSignal | null | undefined;
    const keypass = startProxy({
      origin: 'http://127.0.0.1:9',
      fetch: async (_, init) => {
        signal = init.signal;
        const response = Response.json(completion);
        // Somebody else reads it: passing it on fails.
        response.body?.getReader();
        return response;
      },
    });
    running.push(keypass);
    expect(await refusal(await post(keypass, openaiChat, chat))).toBe('internal_error');
    await keypass.proxy.settled();
    const [request] = keypass.ledger.requests;
    expect(keypass.ledger.settlements).toMatchObject([
      { quality: 'unknown', cost: request?.amount, flags: ['not_relayed'], status: 200 },
    ]);
    expect(keypass.ledger.held).toBe(0n);
    expect(keypass.access.listeners).toBe(0);
    expect(signal?.aborted).toBe(true);
  });
});

describe("the provider's own errors", () => {
  test.each([400, 402, 404, 429, 500, 529])('%d comes back untouched and costs nothing', async (status) => {
    const text = '{"error":{"message":"theirs","usage":{"total_tokens":5}}}';
    const answer = () =>
      new Response(text, { status, headers: { 'retry-after': '7', 'content-type': 'application/json' } });
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

  test('an answer without a body is settled as well', async () => {
    const { keypass } = start({ answer: () => new Response(null, { status: 204 }) });
    expect((await post(keypass, openaiChat, chat)).status).toBe(204);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toHaveLength(1);
    expect(keypass.access.listeners).toBe(0);
  });

  test('an answer without usage is estimated, an answer that cannot be read costs what was held', async () => {
    const silent = start({ answer: () => Response.json({ choices: [] }) });
    await (await post(silent.keypass, openaiChat, chat)).text();
    await silent.keypass.proxy.settled();
    expect(silent.keypass.ledger.settlements).toMatchObject([
      { quality: 'estimated', usage: { output: 0 }, flags: ['usage_missing', 'input_counted', 'output_counted'] },
    ]);
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
    const lowered = Number(response.headers.get('x-keypass-max-tokens'));
    expect(lowered).toBeWithin(1024, 1_667);
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toMatchObject({ max_tokens: lowered });
    expect(keypass.ledger.holds.at(-1)?.amount).toBeLessThanOrEqual(budget);
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
