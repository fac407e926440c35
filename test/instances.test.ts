import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Vault } from '../sdk/vault/src/index.ts';
import { connectPostgres } from '../src/database/connect.ts';
import { migrations } from '../src/database/migration-files.ts';
import { migrate } from '../src/database/migrations.ts';
import { createPostgresDatabase, hasPostgres, postgresHint } from './harness/postgres.ts';
import { slowly, startProviders, type Providers } from './harness/providers.ts';
import { startTestServer, type TestServer } from './harness/server.ts';

const isSkipped = !hasPostgres && process.env['CI'] === undefined;

/** What one instance decides, another obeys at once. */
describe.skipIf(isSkipped)(isSkipped ? `two instances (${postgresHint})` : 'two instances on one database', () => {
  let providers: Providers;
  let here: TestServer;
  let there: TestServer;
  let vault: Vault;
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    providers = await startProviders();
    const { url, ...cluster } = await createPostgresDatabase();
    const [first, second] = [connectPostgres(url), connectPostgres(url)];
    await migrate(first, migrations);
    const settings = { KEYPASS_OPENAI_BASE_URL: providers.origins.openai };
    here = await startTestServer({ database: first, settings });
    there = await startTestServer({ database: second, settings, pepper: here.pepper });
    ends.push(
      () => here.stop(),
      () => there.stop(),
      () => first.close(),
      () => second.close(),
    );
    ends.push(
      () => cluster.drop(),
      () => providers.stop(),
    );
    ({ vault } = await Vault.register({ baseUrl: here.url, email: 'ada@example.com', password: 'a long password' }));
    await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'o'.repeat(40)}` });
  });

  afterAll(async () => {
    for (const end of ends) await end();
  });

  for (const [name, refusal, stop] of [
    ['revocation', '401 access_token_invalid', (id: string) => vault.connections.revoke(id)],
    ['a pause', '403 connection_paused', (id: string) => vault.connections.update(id, { paused: true })],
  ] as const) {
    test(`${name} on one cuts the stream that runs on the other, and its next call`, async () => {
      const { id, accessToken } = await vault.connections.create({ name, providers: ['openai'], budgetCents: 100 });
      providers.answerNext('openai', slowly(20, 8));
      const answer = await chat(there, accessToken);
      const reader = (answer.body ?? new ReadableStream()).getReader();
      await reader.read();
      await stop(id);
      const ended = await readToEnd(reader);
      expect(ended).not.toContain('[DONE]');
      const next = await chat(there, accessToken);
      expect(`${next.status} ${next.headers.get('x-keypass-error')}`).toBe(refusal);
      await there.settled();
    });
  }

  test('a budget that is spent through one is spent on the other', async () => {
    const { id, accessToken } = await vault.connections.create({
      name: 'small',
      providers: ['openai'],
      budgetCents: 100,
    });
    await (await chat(there, accessToken)).text();
    await there.settled();
    const { spent } = await vault.connections.get(id);
    expect(Number(spent)).toBeGreaterThan(0);
    await vault.connections.update(id, { capCents: 0 });
    const refused = await chat(there, accessToken);
    expect([refused.status, refused.headers.get('x-keypass-error')]).toEqual([402, 'budget_exceeded']);
  });
});

/** What still came until the stream ended or broke. */
async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) text += decoder.decode(read.value);
  } catch {
    // A cut connection is one of the two ways in which a stream may end here.
  }
  return text;
}

function chat(server: TestServer, accessToken: string): Promise<Response> {
  const body = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hello.' }] };
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
  return fetch(`${server.url}/openai/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
}
