/** A whole flow in which everything private is marked; afterwards the mark is searched for wherever it must not be. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Vault } from '../../sdk/vault/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  call,
  chat,
  chatPath,
  linkApp,
  recordOf,
  registerApp,
  type Answer,
  type Sent,
} from '../../test/harness/people.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import type { Database } from '../database/connect.ts';

const mark = 'canary5e1f';
const hexMark = Buffer.from(mark).toString('hex');
const secret = `sk-${mark.repeat(5)}`;
const password = `${mark} correct horse`;

/** The provider repeats what it was told, with a status that its prompt asks for. */
function answerMarked({ body }: { body: string }): Response {
  const status = Number(/status (\d{3})/.exec(body)?.[1] ?? 200);
  const headers = { 'x-request-id': mark, 'openai-organization': mark };
  if (status >= 400) return Response.json({ error: { message: `${mark} ${secret}` } }, { status, headers });
  const choices = [{ index: 0, message: { role: 'assistant', content: mark }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
  return Response.json(
    { id: mark, object: 'chat.completion', created: 1, model: 'gpt-4o-mini', choices, usage },
    { headers },
  );
}

eachDatabase((_kind, open) => {
  let database: Database;
  let provider: Recorder;
  let server: TestServer;
  /** Everything that KeyPass itself answered with a failure. */
  const refusals: Answer[] = [];
  /** Tokens that were handed out: they may be in no log, no table and no refusal. */
  const tokens: string[] = [];

  async function send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const answer = await call(server, method, path, sent);
    if (answer.code !== null) refusals.push(answer);
    return answer;
  }

  beforeAll(async () => {
    database = await open();
    provider = startRecorder(answerMarked);
    server = await startTestServer({ database, settings: { KEYPASS_OPENAI_BASE_URL: provider.origin } });
    await runFlow();
    await server.settled();
  });

  afterAll(async () => {
    await server.stop();
    await provider.stop();
  });

  async function runFlow(): Promise<void> {
    const email = 'ada@example.com';
    const { vault, recoveryCode } = await Vault.register({ baseUrl: server.url, email, password });
    const session = vault.sessionToken ?? '';
    await vault.keys.add({ provider: 'openai', secret, label: mark, headers: { 'openai-organization': mark } });
    const app = await registerApp(server, session);
    await app.linkToken({ clientUserId: mark });
    const { accessToken, publicToken } = await linkApp(vault, app, { models: ['gpt-4o-mini'] });
    tokens.push(session, accessToken, publicToken, recoveryCode, atob(app.basic.slice(6)).split(':')[1] ?? '');
    await callProxy(accessToken);
    await sendNonsense(session, accessToken);
    await app
      .post('/v1/link/exchange', { publicToken: mark, clientUserId: mark })
      .then((answer) => refusals.push(answer));
  }

  async function callProxy(token: string): Promise<void> {
    const messages = (text: string) => [{ role: 'user', content: `${mark} ${text}` }];
    const headers = { 'x-custom': mark, 'user-agent': mark, 'idempotency-key': mark, 'x-forwarded-for': mark };
    expect((await chat(server, token, { messages: messages('fine') })).text).toContain(mark);
    await chat(server, token, { messages: messages('status 400') });
    await chat(server, token, { messages: messages('status 500') });
    refusals.push(await chat(server, token, { model: mark }));
    const body = { model: 'gpt-4o-mini', messages: messages('again'), [mark]: mark };
    await send('POST', `${chatPath}?${mark}=${mark}`, { token, body, headers });
    await send('POST', `/v1/proxy/passthrough/openai/v1/${mark}`, { token, body, headers });
    await send('POST', `/v1/proxy/passthrough/${mark}/v1/x`, { token, body, headers });
    await send('POST', chatPath, { token, body: `{"${mark}":`, headers });
    await send('POST', chatPath, { token: secret, body, headers });
  }

  async function sendNonsense(session: string, token: string): Promise<void> {
    const headers = { cookie: `keypass=${mark}`, 'x-custom': mark };
    await send('POST', `/v1/${mark}?${mark}=${mark}`, { token: session, body: { a: mark }, headers });
    await send('POST', '/v1/auth/login', { body: { email: `${mark}@example.com`, authKey: mark } });
    await send('POST', '/v1/auth/login', {
      body: { email: `${mark}@example.com`, authKey: 'A'.repeat(43), device: mark },
    });
    await send('POST', '/v1/auth/register', { body: { email: 'x@example.com', password, invite: mark } });
    await send('POST', '/v1/auth/prelogin', { body: `{"email":"${mark}","email":"${mark}"}` });
    await send('POST', '/v1/apps', { token: session, body: { name: mark, allowedOrigins: [mark] } });
    await send('GET', `/v1/keys?cursor=${mark}`, { token: session });
    await send('GET', `/v1/keys?token=${token}`, { token: session });
    await send('GET', `/v1/connections/${mark}`, { token: mark });
    await send('GET', '/v1/auth/me', { headers: { authorization: `Basic ${btoa(`${mark}:${mark}`)}` } });
    await send('GET', '/healthz', { headers: { host: `${mark}.example` } });
    // A fault of the server's own, in the middle of everything.
    await database.sql`alter table provider_keys rename to gone`;
    await send('GET', '/v1/keys', { token: session, headers });
    await database.sql`alter table gone rename to provider_keys`;
  }

  /** Every row of every table as text; bytes in it are hexadecimal. */
  async function dump(): Promise<string> {
    const { sql } = database;
    const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'public'`;
    const rows = await Promise.all(
      tables.map(({ name }) => sql<{ row: string }[]>`select t::text as row from ${sql(name)} t`),
    );
    return rows.flatMap((table) => table.map(({ row }) => row)).join('\n');
  }

  test('the flow was run: the provider got prompt and key, failures were told', () => {
    expect(provider.requests.length).toBeGreaterThanOrEqual(3);
    expect(provider.requests[0]?.headers.get('authorization')).toBe(`Bearer ${secret}`);
    expect(provider.requests[0]?.body).toContain(mark);
    expect(refusals.length).toBeGreaterThan(15);
    expect(refusals.map(({ status }) => status)).toContain(500);
  });

  test('no log line has it', () => {
    expect(server.lines.length).toBeGreaterThan(20);
    const log = server.lines.join('\n');
    for (const trace of [mark, hexMark, btoa(mark), ...tokens, 'ada@example.com']) expect(log).not.toContain(trace);
  });

  test('no table has it', async () => {
    const rows = await dump();
    expect(rows).toContain('ada@example.com');
    for (const trace of [mark, hexMark, ...tokens, ...tokens.map((token) => Buffer.from(token).toString('hex'))]) {
      expect(rows).not.toContain(trace);
    }
  });

  test('no refusal has it, but for the name of an unknown member', () => {
    for (const { text, error } of refusals) {
      const { param: _named, ...rest } = recordOf(error);
      expect(JSON.stringify(rest)).not.toContain(mark);
      for (const token of tokens) expect(text).not.toContain(token);
      expect(text).not.toMatch(/\.ts:\d|node_modules|PostgresError|select |insert /);
    }
  });
});
