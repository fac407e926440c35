import { beforeEach, describe, expect, test } from 'bun:test';
import {
  accessToken,
  chat,
  clientId,
  clientSecret,
  completion,
  failure,
  rejection,
  startServer,
  success,
} from '../test/server.ts';
import * as sdk from './index.ts';

const server = startServer();
const client = new sdk.KeyPassClient({ baseUrl: server.baseUrl, clientId, clientSecret });

beforeEach(() => {
  server.answer = () => success(completion);
});

describe('link', () => {
  test('a session is made with the app’s credentials', async () => {
    const session = { linkToken: 'kp_lt_x', linkUrl: `${server.baseUrl}/link`, expiresAt: '2030-01-01T00:00:00Z' };
    server.answer = () => success(session);
    const made = await client.createLinkSession({ requestedProviders: ['openai'], budgetSuggestionCents: 500 });
    expect(made).toEqual(session);
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]?.path).toBe('/v1/link/sessions');
    expect(server.seen[0]?.headers.get('authorization')).toBe(`Basic ${btoa(`${clientId}:${clientSecret}`)}`);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
      requestedProviders: ['openai'],
      budgetSuggestionCents: 500,
    });
  });

  test('a session asks for kinds of calls', async () => {
    server.answer = () => success({ linkToken: 'kp_lt_x', linkUrl: 'u', expiresAt: 'e' });
    const asked: sdk.LinkSessionRequest = {
      requestedProviders: ['openai'],
      requestedScopes: ['chat', 'images'],
      accessToken,
    };
    await client.createLinkSession(asked);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual(asked);
  });

  test('a session whose token was lost on the way is made anew, under another idempotency key', async () => {
    server.answer = (_, count) => {
      if (count === 1) return failure(502, 'api_error', 'internal_error', {}, { 'retry-after': '0' });
      if (count === 2) return failure(409, 'conflict_error', 'already_created');
      return success({ linkToken: 'kp_lt_y', linkUrl: 'u', expiresAt: 'e' });
    };
    expect((await client.createLinkSession({ requestedProviders: ['openai'] })).linkToken).toBe('kp_lt_y');
    const [first = '', second = '', third = ''] = server.seen.map(({ headers }) => headers.get('idempotency-key'));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test('exchange repeats the app’s own user id', async () => {
    const exchange = { accessToken, connectionId: 'con_1', policy: { revision: 1 } };
    server.answer = () => success(exchange);
    expect(await client.exchangePublicToken('kp_pt_x', { clientUserId: 'u1' })).toMatchObject(exchange);
    expect(server.seen[0]?.path).toBe('/v1/link/exchange');
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({ publicToken: 'kp_pt_x', clientUserId: 'u1' });
  });

  test('without credentials nothing is sent', async () => {
    const bare = new sdk.KeyPassClient({ baseUrl: server.baseUrl });
    expect(await rejection(bare.exchangePublicToken('kp_pt_x'))).toMatchObject({ code: 'credentials_missing' });
    expect(server.seen).toHaveLength(0);
  });
});

describe('calls', () => {
  test('a completion comes out of its envelope', async () => {
    expect(await client.chatCompletion({ ...chat, temperature: 0 })).toEqual(completion);
    expect(server.seen[0]?.path).toBe('/v1/proxy/chat/completions');
    expect(server.seen[0]?.headers.get('authorization')).toBe(`Bearer ${accessToken}`);
    const { accessToken: _, ...body } = { ...chat, temperature: 0 };
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual(body);
  });

  test('withResponse gives the answer and its request id', async () => {
    server.answer = () => success(completion, { headers: { 'x-request-id': 'req_9', 'x-keypass-max-tokens': '7' } });
    const { data, response, requestId } = await client.chatCompletion(chat).withResponse();
    expect(data.id).toBe('c1');
    expect(requestId).toBe('req_9');
    expect(response.headers.get('x-keypass-max-tokens')).toBe('7');
  });

  test('a rejected withResponse leaves no second rejection behind', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    server.answer = () => failure(404, 'not_found_error', 'not_found');
    expect(await rejection(client.chatCompletion(chat).withResponse())).toBeInstanceOf(sdk.NotFoundError);
    await Bun.sleep(1);
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  test('connection is read and released', async () => {
    server.answer = ({ method }) =>
      method === 'GET' ? success({ id: 'con_1', status: 'active', spent: '0.1', held: '0' }) : success(null);
    expect((await client.connection({ accessToken })).spent).toBe('0.1');
    expect(await client.releaseConnection({ accessToken })).toBeUndefined();
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/connection',
      'DELETE /v1/connection',
    ]);
  });

  test.each([
    ['not JSON', () => new Response('<html>')],
    ['no envelope', () => Response.json(completion)],
    ['another shape', () => success({})],
  ])('an answer that is not KeyPass’s is refused: %s', async (_, make) => {
    server.answer = make;
    expect(await rejection(client.chatCompletion(chat))).toMatchObject({ name: 'ApiError', code: 'unexpected_answer' });
  });

  test('a redirect is refused and the token goes nowhere', async () => {
    server.answer = ({ path }) =>
      path === '/stolen' ? success(completion) : Response.redirect(`${server.baseUrl}/stolen`, 307);
    expect(await rejection(client.chatCompletion(chat))).toMatchObject({ name: 'ApiError', status: 307 });
    expect(await rejection(client.passthrough({ accessToken, provider: 'openai', path: '/v1/models' }))).toMatchObject({
      status: 307,
    });
    expect(server.seen.map(({ path }) => path)).not.toContain('/stolen');
  });
});
