import { describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { accessToken, chat, clientId, clientSecret, failure, rejection, startServer } from '../test/server.ts';
import * as sdk from './index.ts';

const server = startServer();
const client = new sdk.KeyPassClient({ baseUrl: server.baseUrl, clientId, clientSecret });

describe('errors', () => {
  const classes: [string, number, string, string][] = [
    ['AuthenticationError', 401, 'authentication_error', 'access_token_invalid'],
    ['PermissionError', 403, 'permission_error', 'model_not_allowed'],
    ['InvalidRequestError', 400, 'invalid_request_error', 'unknown_member'],
    ['NotFoundError', 404, 'not_found_error', 'not_found'],
    ['ConflictError', 409, 'conflict_error', 'call_already_made'],
    ['RateLimitError', 429, 'rate_limit_error', 'rate_limited'],
    ['BudgetExceededError', 402, 'budget_error', 'budget_exceeded'],
    ['BudgetHeldError', 429, 'budget_error', 'budget_held'],
    ['ProviderError', 502, 'provider_error', 'provider_unreachable'],
    ['ApiError', 500, 'api_error', 'internal_error'],
    ['ApiError', 500, 'a_type_of_tomorrow', 'a_code_of_tomorrow'],
  ];

  test.each(classes)('%s: status %d, %s, %s', async (name, status, type, code) => {
    server.answer = () => failure(status, type, code, { param: 'model' });
    const error = await rejection(client.chatCompletion(chat, { maxRetries: 0 }));
    expect(error).toBeInstanceOf(sdk.KeyPassError);
    expect(error).toMatchObject({
      name,
      status,
      type,
      code,
      param: 'model',
      requestId: 'req_1',
      message: `about ${code}`,
      docUrl: `https://docs.test/${code}`,
    });
    expect(sdk).toHaveProperty(name);
  });

  test.each([
    [401, 'AuthenticationError'],
    [403, 'PermissionError'],
    [404, 'NotFoundError'],
    [409, 'ConflictError'],
    [422, 'InvalidRequestError'],
    [429, 'RateLimitError'],
    [502, 'ApiError'],
  ])('an answer of something else with status %d is a %s, without its text', async (status, name) => {
    server.answer = () => new Response('upstream secret', { status, headers: { 'x-request-id': 'req_2' } });
    const error = await rejection(client.chatCompletion(chat, { maxRetries: 0 }));
    expect(error).toMatchObject({ name, status, requestId: 'req_2', code: 'unexpected_answer' });
    expect(inspect(error)).not.toContain('upstream secret');
  });

  test('a spent budget says what is needed to ask for more', async () => {
    const details = {
      connectionId: 'con_1',
      budgetCents: 500,
      spent: '4.99',
      held: '0.01',
      resetsAt: '2030-02-01T00:00:00Z',
    };
    server.answer = () => failure(402, 'budget_error', 'budget_exceeded', { details });
    expect(await rejection(client.chatCompletion(chat))).toMatchObject(details);
    expect(server.seen).toHaveLength(1);
  });

  test('a held budget says when to come back', async () => {
    server.answer = () => failure(429, 'budget_error', 'budget_held', {}, { 'retry-after': '7' });
    expect(await rejection(client.chatCompletion(chat, { maxRetries: 0 }))).toMatchObject({ retryAfter: 7 });
  });

  test('no server: ConnectionError with the system’s code', async () => {
    const gone = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    const url = `http://127.0.0.1:${gone.port}`;
    await gone.stop(true);
    const lonely = new sdk.KeyPassClient({ baseUrl: url, maxRetries: 0 });
    const error = await rejection(lonely.connection({ accessToken }));
    expect(error).toBeInstanceOf(sdk.ConnectionError);
    expect(error).toMatchObject({ code: 'connection_failed', message: expect.stringContaining('ECONNREFUSED') });
  });

  test('the timeout covers the head and the body of an answer', async () => {
    server.answer = () => new Promise<Response>(() => undefined);
    expect(await rejection(client.chatCompletion(chat, { timeout: 50 }))).toBeInstanceOf(sdk.TimeoutError);
    server.answer = () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array([123])) }));
    expect(await rejection(client.chatCompletion(chat, { timeout: 50 }))).toMatchObject({ code: 'timeout' });
    expect(server.seen).toHaveLength(2);
  });

  test('an aborted signal rejects with its own reason, also while waiting for a retry', async () => {
    const early = AbortSignal.abort(new Error('before'));
    expect(await rejection(client.chatCompletion(chat, { signal: early }))).toHaveProperty('message', 'before');
    expect(server.seen).toHaveLength(0);
    const controller = new AbortController();
    server.answer = () => {
      setTimeout(() => controller.abort(new Error('stop')), 20);
      return failure(503, 'api_error', 'shutting_down', {}, { 'retry-after': '30' });
    };
    const waiting = client.chatCompletion(chat, { signal: controller.signal });
    expect(await rejection(waiting)).toHaveProperty('message', 'stop');
    expect(server.seen).toHaveLength(1);
  });
});

describe('secrets', () => {
  const secrets = [clientSecret, accessToken, btoa(`${clientId}:${clientSecret}`)];
  const showsNone = (value: unknown) => {
    const shown = [
      inspect(value, { depth: 9, showHidden: true }),
      Bun.inspect(value),
      String(value),
      JSON.stringify(value),
    ];
    for (const secret of secrets) for (const text of shown) expect(text ?? '').not.toContain(secret);
  };

  test('a client shows its address and id, never its secret', () => {
    showsNone(client);
    showsNone({ nested: [client] });
    expect(inspect(client)).toContain(clientId);
    expect(JSON.stringify(client)).toBe(JSON.stringify({ baseUrl: server.baseUrl, clientId }));
  });

  test('errors show none, even when an injected fetch throws the whole request', async () => {
    const leaky = new sdk.KeyPassClient({
      baseUrl: server.baseUrl,
      clientId,
      clientSecret,
      maxRetries: 0,
      fetch: (url, init) => {
        const headers = Object.fromEntries(new Headers(init.headers));
        return Promise.reject(
          Object.assign(new Error(`${url} ${JSON.stringify(headers)}`), { code: 'ECONNRESET', headers }),
        );
      },
    });
    for (const call of [() => leaky.chatCompletion(chat), () => leaky.createLinkSession({ requestedProviders: [] })]) {
      const error = await rejection(call());
      expect(error).toMatchObject({ message: expect.stringContaining('ECONNRESET') });
      showsNone(error);
    }
  });

  test('neither do errors of the server, nor calls that are under way', async () => {
    server.answer = () => failure(401, 'authentication_error', 'client_invalid');
    showsNone(await rejection(client.createLinkSession({ requestedProviders: [] })));
    const pending = client.connection({ accessToken });
    showsNone(pending);
    showsNone(await rejection(pending));
  });

  test('a token that no header can carry is refused without being quoted', async () => {
    const broken = `${accessToken}\n`;
    const calls = [
      client.connection({ accessToken: broken }),
      client.chatCompletion({ ...chat, accessToken: broken, stream: true }),
      client.passthrough({ accessToken: broken, provider: 'openai', path: '/v1/models' }),
    ];
    for (const call of calls) {
      const error = await rejection(call);
      expect(error).toMatchObject({ code: 'token_malformed' });
      showsNone(error);
    }
    expect(server.seen).toHaveLength(0);
  });

  test('a page with a client secret is refused', () => {
    const page = globalThis as { window?: unknown; document?: unknown };
    const before = { window: page.window, document: page.document };
    try {
      page.window = {};
      page.document = {};
      expect(() => new sdk.KeyPassClient({ baseUrl: server.baseUrl, clientId, clientSecret })).toThrow('server');
      expect(() => new sdk.KeyPassClient({ baseUrl: server.baseUrl })).not.toThrow();
    } finally {
      if (before.window === undefined) delete page.window;
      if (before.document === undefined) delete page.document;
    }
  });
});
