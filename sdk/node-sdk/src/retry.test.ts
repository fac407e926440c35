import { beforeEach, describe, expect, test } from 'bun:test';
import { accessToken, chat, completion, failure, rejection, startServer, success } from '../test/server.ts';
import { errorFromWire } from './errors.ts';
import { ConnectionError, KeyPassClient } from './index.ts';
import { retryDelay } from './retry.ts';

const server = startServer();
const client = new KeyPassClient({ baseUrl: server.baseUrl });
const atOnce = { 'retry-after': '0' };

beforeEach(() => {
  server.answer = () => success(completion);
});

describe('attempts', () => {
  test('two retries, all under one idempotency key', async () => {
    server.answer = (_, count) =>
      count < 3 ? failure(503, 'api_error', 'database_unavailable', {}, atOnce) : success(completion);
    expect((await client.chatCompletion(chat)).id).toBe('c1');
    const keys = server.seen.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('every call has its own key, unless the caller names it', async () => {
    await client.chatCompletion(chat);
    await client.chatCompletion(chat);
    await client.chatCompletion(chat, { idempotencyKey: 'order-7' });
    const keys = server.seen.map(({ headers }) => headers.get('idempotency-key'));
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('order-7');
  });

  test('the last failure is thrown when the retries are used up', async () => {
    server.answer = () => failure(500, 'api_error', 'internal_error', {}, atOnce);
    expect(await rejection(client.chatCompletion(chat))).toMatchObject({ status: 500 });
    expect(server.seen).toHaveLength(3);
    const patient = new KeyPassClient({ baseUrl: server.baseUrl, maxRetries: 4 });
    server.seen = [];
    await rejection(patient.chatCompletion(chat));
    expect(server.seen).toHaveLength(5);
  });

  test('a connection that breaks is tried again', async () => {
    let calls = 0;
    const flaky = new KeyPassClient({
      baseUrl: server.baseUrl,
      fetch: (url, init) => (++calls === 1 ? Promise.reject(new TypeError('fetch failed')) : fetch(url, init)),
    });
    expect((await flaky.chatCompletion(chat)).id).toBe('c1');
    expect(calls).toBe(2);
  });

  test.each([
    [400, 'invalid_request_error', 'unknown_member'],
    [401, 'authentication_error', 'access_token_invalid'],
    [402, 'budget_error', 'budget_exceeded'],
    [403, 'permission_error', 'model_not_allowed'],
    [404, 'not_found_error', 'not_found'],
    [409, 'conflict_error', 'call_already_made'],
  ])('%d %s %s is final', async (status, type, code) => {
    server.answer = () => failure(status, type, code, {}, atOnce);
    await rejection(client.chatCompletion(chat));
    expect(server.seen).toHaveLength(1);
  });

  test('x-should-retry: false is final whatever the status', async () => {
    server.answer = () => failure(503, 'api_error', 'shutting_down', {}, { ...atOnce, 'x-should-retry': 'false' });
    await rejection(client.chatCompletion(chat));
    expect(server.seen).toHaveLength(1);
  });

  test('a wait that the timeout would cut is not begun', async () => {
    server.answer = () => failure(429, 'budget_error', 'budget_held', {}, { 'retry-after': '20' });
    const error = await rejection(client.chatCompletion(chat, { timeout: 5_000 }));
    expect(error).toMatchObject({ code: 'budget_held', retryAfter: 20 });
    expect(server.seen).toHaveLength(1);
  });
});

describe('passthrough', () => {
  const post = { accessToken, provider: 'openai', path: '/v1/embeddings', body: { input: 'x' } };

  test('the provider’s answer comes back as it is, failures included, once', async () => {
    server.answer = () => new Response('{"error":"quota"}', { status: 429, headers: { 'x-ratelimit-limit': '3' } });
    const response = await client.passthrough(post);
    expect(response.status).toBe(429);
    expect(response.headers.get('x-ratelimit-limit')).toBe('3');
    expect(await response.text()).toBe('{"error":"quota"}');
    const [seen] = server.seen;
    expect(`${seen?.method} ${seen?.path}`).toBe('POST /v1/proxy/passthrough/openai/v1/embeddings');
    expect(seen?.headers.get('content-type')).toBe('application/json');
    expect(seen?.headers.get('authorization')).toBe(`Bearer ${accessToken}`);
    expect(seen?.body).toBe('{"input":"x"}');
    expect(server.seen).toHaveLength(1);
  });

  test('a failure of KeyPass is thrown, a refusal repeated, a failure after dispatch never', async () => {
    server.answer = () => ownFailure(502, 'provider_unreachable');
    expect(await rejection(client.passthrough(post))).toMatchObject({ code: 'provider_unreachable' });
    expect(server.seen).toHaveLength(1);
    server.seen = [];
    server.answer = (_, count) => (count === 1 ? ownFailure(503, 'shutting_down') : new Response('ok'));
    expect(await (await client.passthrough(post)).text()).toBe('ok');
    expect(new Set(server.seen.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(1);
  });

  test('a broken connection repeats what reads, never what writes', async () => {
    let calls = 0;
    const broken = new KeyPassClient({
      baseUrl: server.baseUrl,
      maxRetries: 1,
      fetch: () => Promise.reject(new TypeError(`attempt ${++calls}`)),
    });
    expect(await rejection(broken.passthrough(post))).toBeInstanceOf(ConnectionError);
    expect(calls).toBe(1);
    await rejection(broken.passthrough({ accessToken, provider: 'openai', path: '/v1/models' }));
    expect(calls).toBe(3);
  });

  test('headers, method and bytes are the caller’s; the authorization is not', async () => {
    const bytes = new Uint8Array([0, 255, 13, 10]);
    let arrived: ArrayBuffer | undefined;
    const spy = new KeyPassClient({
      baseUrl: server.baseUrl,
      fetch: async (url, init) => {
        arrived = await new Response(init.body ?? null).arrayBuffer();
        return fetch(url, init);
      },
    });
    const headers = { authorization: 'Bearer other', 'anthropic-version': '2023-06-01', 'content-type': 'a/b' };
    await spy.passthrough({
      accessToken,
      provider: 'anthropic',
      path: '/v1/files',
      method: 'put',
      headers,
      body: bytes,
    });
    expect(new Uint8Array(arrived ?? new ArrayBuffer())).toEqual(bytes);
    const [seen] = server.seen;
    expect(seen?.method).toBe('PUT');
    expect(seen?.headers.get('content-type')).toBe('a/b');
    expect(seen?.headers.get('anthropic-version')).toBe('2023-06-01');
    expect(seen?.headers.get('authorization')).toBe(`Bearer ${accessToken}`);
  });

  test('a streamed body goes up once', async () => {
    const body = new Response('streamed').body ?? undefined;
    server.answer = () => ownFailure(503, 'shutting_down');
    await rejection(client.passthrough({ ...post, body }));
    expect(server.seen.map((seen) => seen.body)).toEqual(['streamed']);
  });
});

describe('delays', () => {
  const transient = errorFromWire({ code: 'internal_error' }, 500);

  test('grow exponentially, with jitter downwards, up to 8 seconds', () => {
    for (const [attempt, longest] of [500, 1000, 2000, 4000, 8000, 8000].entries()) {
      for (let i = 0; i < 50; i++) {
        const delay = retryDelay(transient, undefined, attempt, 'keyed');
        expect(delay).toBeGreaterThanOrEqual(longest * 0.75);
        expect(delay).toBeLessThanOrEqual(longest);
      }
    }
  });

  test('retry-after is honoured in both forms, and final beyond a minute', () => {
    expect(after('3')).toBe(3000);
    expect(after('60')).toBe(60_000);
    expect(after('61')).toBeUndefined();
    expect(after(new Date(0).toUTCString())).toBe(0);
    expect(after(new Date(Date.now() + 3_600_000).toUTCString())).toBeUndefined();
    expect(after('soon')).toBeGreaterThan(0);
  });

  test('a call that is in progress is worth another look', () => {
    const error = errorFromWire({ code: 'call_in_progress', type: 'conflict_error' }, 409);
    expect(retryDelay(error, undefined, 0, 'keyed')).toBeGreaterThan(0);
  });
});

/** A failure that KeyPass itself made on the passthrough. */
function ownFailure(status: number, code: string): Response {
  return failure(status, 'provider_error', code, {}, { ...atOnce, 'x-keypass-error': code });
}

/** The delay after a 429 with this `retry-after`. */
function after(value: string): number | undefined {
  const headers = new Headers({ 'retry-after': value });
  return retryDelay(errorFromWire({ code: 'rate_limited' }, 429, headers), headers, 0, 'keyed');
}
