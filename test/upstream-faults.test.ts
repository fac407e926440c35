import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Vault } from '../sdk/vault/src/index.ts';
import { openTestDatabase } from './harness/databases.ts';
import { failure, redirectTo, startProviders, type Providers } from './harness/providers.ts';
import { startTestServer, type TestServer } from './harness/server.ts';

/** What an app sees, and what the person pays, when the provider is the one that fails. */
describe('a provider that fails', () => {
  let providers: Providers;
  let server: TestServer;
  let vault: Vault;
  let accessToken: string;
  let id: string;

  beforeAll(async () => {
    providers = await startProviders();
    const away = 'http://localhost:9';
    const settings = { KEYPASS_OPENAI_BASE_URL: providers.origins.openai, KEYPASS_GROQ_BASE_URL: away };
    server = await startTestServer({ database: await openTestDatabase('embedded'), settings });
    ({ vault } = await Vault.register({ baseUrl: server.url, email: 'ada@example.com', password: 'a long password' }));
    await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'o'.repeat(40)}` });
    await vault.keys.add({ provider: 'groq', secret: `gsk_${'q'.repeat(52)}` });
    ({ accessToken, id } = await vault.connections.create({
      name: 'tool',
      providers: ['openai', 'groq'],
      budgetCents: 100,
    }));
  });

  afterAll(async () => {
    await server.stop();
    await server.database.close();
    await providers.stop();
  });

  function post(path: string, body: object): Promise<Response> {
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
    return fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello.' }] };
  const passthrough = '/v1/proxy/passthrough/openai/v1/chat/completions';

  async function expectNothingSpent(): Promise<void> {
    await server.settled();
    const { spent, held } = await vault.connections.get(id);
    expect([spent, held]).toEqual(['0', '0']);
  }

  for (const path of [passthrough, '/openai/v1/chat/completions', '/v1/proxy/chat/completions']) {
    test(`a refused key is told by KeyPass, and costs nothing: ${path}`, async () => {
      providers.answerNext('openai', failure(401));
      const body = path.startsWith('/v1/proxy/chat') ? { provider: 'openai', ...chat } : chat;
      const answer = await post(path, body);
      expect([answer.status, answer.headers.get('x-keypass-error')]).toEqual([502, 'provider_key_rejected']);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(await answer.json()).toMatchObject({ error: { code: 'provider_key_rejected', details: { status: 401 } } });
      await expectNothingSpent();
    });
  }

  for (const status of [429, 500] as const) {
    test(`${status} comes back as the provider said it, and costs nothing`, async () => {
      const direct = await failureOf(providers, status);
      providers.answerNext('openai', failure(status, { retryAfter: 7 }));
      const answer = await post(passthrough, chat);
      expect([answer.status, await answer.text()]).toEqual([status, direct]);
      expect(answer.headers.get('x-keypass-error')).toBeNull();
      if (status === 429) expect(answer.headers.get('retry-after')).toBe('7');
      await expectNothingSpent();
    });

    test(`${status} on the unified chat is told in KeyPass's shape`, async () => {
      providers.answerNext('openai', failure(status, { retryAfter: 7 }));
      const answer = await post('/v1/proxy/chat/completions', { provider: 'openai', ...chat });
      const codes = { 429: 'provider_rate_limited', 500: 'provider_error' };
      expect(await answer.json()).toMatchObject({ success: false, error: { code: codes[status] } });
      await expectNothingSpent();
    });
  }

  test('a redirect is an error, and the key follows none', async () => {
    providers.answerNext('openai', redirectTo(providers.sink.origin));
    const answer = await post(passthrough, chat);
    expect([answer.status, answer.headers.get('x-keypass-error')]).toEqual([502, 'provider_redirected']);
    expect(providers.sink.requests).toHaveLength(0);
  });

  test('a provider that is down is told as such, and costs nothing', async () => {
    const before = (await vault.connections.get(id)).held;
    const body = { ...chat, model: 'llama-3.3-70b-versatile' };
    const answer = await post('/v1/proxy/passthrough/groq/openai/v1/chat/completions', body);
    expect([answer.status, answer.headers.get('x-keypass-error')]).toEqual([502, 'provider_unreachable']);
    await server.settled();
    expect((await vault.connections.get(id)).held).toBe(before);
  });
});

/** The provider's own body of a failure, asked for without KeyPass in between. */
async function failureOf(providers: Providers, status: 429 | 500): Promise<string> {
  providers.answerNext('openai', failure(status, { retryAfter: 7 }));
  const answer = await fetch(`${providers.origins.openai}/v1/chat/completions`, { method: 'POST', body: '{}' });
  return answer.text();
}
