import { afterAll, beforeAll, expect, test } from 'bun:test';
import { webhooks, type WebhookEvent } from '../../sdk/node-sdk/src/index.ts';
import type { Vault } from '../../sdk/vault/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  approval,
  call,
  chat,
  linkApp,
  openVault,
  outcome,
  policyFor,
  register,
  registerApp,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import { sha256, toBase64Url, utf8 } from '../crypto/index.ts';

/** What apps are told, and when. */
eachDatabase((_kind, open) => {
  let server: TestServer;
  let hook: Recorder;
  let provider: Recorder;
  let status = 200;
  let reply: unknown;
  let vault: Vault;
  let developer: string;
  let app: TestApp;
  let secret: string;
  let read = 0;
  const clock = new TestClock();

  beforeAll(async () => {
    hook = startRecorder(() => new Response());
    provider = startRecorder(() => Response.json(reply, { status }));
    const settings = { KEYPASS_OPENAI_BASE_URL: provider.origin };
    server = await startTestServer({ database: await open(), clock, settings, isIdle: true });
    ({ vault, token: developer } = await openVault(server));
    await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'w'.repeat(40)}`, origin: provider.origin });
    app = await registerApp(server, developer);
    const path = `/v1/apps/${app.id}`;
    const answer = await call(server, 'PATCH', path, { token: developer, body: { webhookUrl: `${hook.origin}/hook` } });
    secret = String(answer.data['webhookSecret']);
  });

  afterAll(async () => {
    await server.stop();
    await hook.stop();
    await provider.stop();
  });

  /** What has arrived since the last look. */
  async function told(): Promise<WebhookEvent[]> {
    await server.settled();
    await server.deliver();
    const requests = hook.requests.slice(read);
    read = hook.requests.length;
    const events = requests.map(({ headers, body }) => {
      expect(body).not.toMatch(/@|email|kp_at_|sk-proj/);
      return webhooks.verify({ payload: body, header: headers.get('keypass-signature'), secret, now: clock.now() });
    });
    // Several at once arrive in any order.
    return (await Promise.all(events)).toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  test('pause, resume, changes and revocation of a connection', async () => {
    const { connectionId } = await linkApp(vault, app, { budgetCents: 500 });
    expect(await told()).toEqual([]);
    await vault.connections.update(connectionId, { paused: true });
    expect(await told()).toMatchObject([{ type: 'connection.paused', data: { connectionId } }]);
    await vault.connections.update(connectionId, { paused: true });
    expect(await told()).toEqual([]);
    await vault.connections.update(connectionId, { paused: false });
    expect(await told()).toMatchObject([{ type: 'connection.resumed', data: { connectionId } }]);

    await vault.connections.update(connectionId, { capCents: 200 });
    const terms = { scopes: expect.any(Array), period: 'month', expiresAt: null };
    expect(await told()).toMatchObject([
      {
        type: 'connection.updated',
        data: { connectionId, ...terms, budgetCents: 200, providers: [{ id: 'openai', models: null }] },
      },
    ]);
    await vault.connections.update(connectionId, {
      providers: [{ id: 'openai', models: ['gpt-4o'] }],
      budgetCents: 900,
    });
    const [updated] = await told();
    // The lower of the two still holds, as the app sees it in its own connection.
    expect(updated).toMatchObject({ data: { budgetCents: 200, providers: [{ id: 'openai', models: ['gpt-4o'] }] } });
    expect(Object.keys(updated?.data ?? {}).toSorted()).toEqual(
      ['budgetCents', 'connectionId', 'expiresAt', 'period', 'providers', 'scopes'].toSorted(),
    );

    await vault.connections.revoke(connectionId);
    expect(await told()).toMatchObject([{ type: 'connection.revoked', data: { connectionId, by: 'owner' } }]);
  });

  test('the app lets go; a public token comes twice', async () => {
    const first = await linkApp(vault, app);
    await app.client.releaseConnection({ accessToken: first.accessToken });
    expect(await told()).toMatchObject([{ data: { connectionId: first.connectionId, by: 'app' } }]);
    const second = await linkApp(vault, app);
    clock.advance(120_000);
    const again = await app.post('/v1/link/exchange', { publicToken: second.publicToken });
    expect(again.code).toBe('public_token_used');
    expect(await told()).toMatchObject([{ data: { connectionId: second.connectionId, by: 'keypass' } }]);
    await app.post('/v1/link/exchange', { publicToken: second.publicToken });
    expect(await told()).toEqual([]);
  });

  test("names the person by the app's own id, hashed", async () => {
    const linkToken = await app.linkToken({ clientUserId: 'user-1' });
    const { publicToken, connectionId } = await vault.link.approve(linkToken, {
      providers: ['openai'],
      budgetCents: 100,
    });
    const options = { clientUserId: 'user-1' };
    await app.client.exchangePublicToken(publicToken ?? '', options);
    await vault.connections.update(connectionId, { paused: true });
    const clientUserIdHash = toBase64Url(await sha256(utf8('user-1')));
    expect((await told()).map(({ data }) => data)).toEqual([{ connectionId, clientUserIdHash }]);
    // Somebody wrote to the database: the event goes, without what cannot be read.
    const { sql } = server.database;
    const [row] = await sql<{ policy: Uint8Array }[]>`select policy from connections where id = ${connectionId}`;
    await sql`update connections set policy = ${utf8('{}')} where id = ${connectionId}`;
    await vault.connections.update(connectionId, { paused: false });
    expect((await told()).map(({ data }) => data)).toEqual([{ connectionId }]);
    await sql`update connections set policy = ${row?.policy ?? utf8('')} where id = ${connectionId}`;
  });

  test('nothing where the app has nothing in hand, has no webhook, or there is no app', async () => {
    const linkToken = await app.linkToken();
    const pending = await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 100 });
    await vault.connections.revoke(pending.connectionId);
    const own = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
    await vault.connections.update(own.id, { paused: true });
    await vault.connections.revoke(own.id);
    const silent = await registerApp(server, developer);
    const { connectionId } = await linkApp(vault, silent);
    await vault.connections.revoke(connectionId);
    expect(await told()).toEqual([]);
    expect(await server.database.sql`select id from events where app_id = ${silent.id}`).toHaveLength(0);
  });

  test('an app that is removed hears no more', async () => {
    const body = { name: 'Gone', allowedOrigins: ['https://gone.example'], webhookUrl: `${hook.origin}/gone` };
    const gone = await registerApp(server, developer, body);
    const { connectionId } = await linkApp(vault, gone);
    await vault.connections.update(connectionId, { paused: true });
    await call(server, 'DELETE', `/v1/apps/${gone.id}`, { token: developer });
    await server.deliver();
    expect(hook.requests.slice(read)).toEqual([]);
    const { sql } = server.database;
    expect(await sql`select id from webhook_secrets where app_id = ${gone.id}`).toHaveLength(0);
  });

  test("what the owner's client does with a webhook", async () => {
    const origins = { allowedOrigins: ['https://own.example'] };
    const { id, webhookSecret } = await vault.apps.create({
      name: 'Own',
      ...origins,
      webhookUrl: `${hook.origin}/own`,
    });
    expect(webhookSecret).toStartWith('kp_wh_');
    expect(await vault.apps.update(id, { name: 'Mine' })).toEqual({ webhookSecret: null });
    const { eventId } = await vault.apps.testWebhook(id);
    await server.deliver();
    await vault.apps.redeliver(id, eventId);
    await server.deliver();
    read = hook.requests.length;
    const { items, nextCursor } = await vault.apps.deliveries(id, { limit: 1 });
    expect(items).toMatchObject([
      { eventId, type: 'ping', connectionId: null, state: 'delivered', nextAttemptAt: null },
    ]);
    expect(items[0]?.attempts.map((entry) => [entry.attempt, entry.status, entry.failure])).toEqual([
      [1, 200, null],
      [2, 200, null],
    ]);
    expect(nextCursor).toBeNull();
    expect((await vault.apps.rotateWebhookSecret(id)).webhookSecret).not.toBe(webhookSecret);
    expect(await vault.apps.update(id, { webhookUrl: null })).toEqual({ webhookSecret: null });
    expect((await vault.apps.update(id, { webhookUrl: `${hook.origin}/own` })).webhookSecret).toStartWith('kp_wh_');
  });

  test('an event stands and falls with its change', async () => {
    const ada = await register(server);
    const keyId = await ada.addKey();
    const body = approval(app, await app.linkToken(), keyId);
    expect(outcome(await ada.call('POST', '/v1/link/authorize', body))).toBe('200');
    const { sql } = server.database;
    await sql`update connections set status = 'active', generation = 1 where id = ${body.connectionId}`;
    const policy = policyFor(keyId, { kind: 'app', app: app.id, revision: 2, budgetCents: 7 });
    const edit = { baseRevision: 1, policy, grants: body.grants, manifest: body.manifest };
    const path = `/v1/connections/${body.connectionId}`;
    // The manifest is written last, and this one does not follow its predecessor.
    expect(outcome(await ada.call('PATCH', path, { ...edit, manifestRevision: 99 }))).toBe('409 manifest_conflict');
    expect(await told()).toEqual([]);
    expect(outcome(await ada.call('PATCH', path, edit))).toBe('200');
    expect(await told()).toMatchObject([{ type: 'connection.updated', data: { budgetCents: 7 } }]);
    expect(outcome(await ada.call('DELETE', path, { manifest: body.manifest, manifestRevision: 99 }))).toBe(
      '409 manifest_conflict',
    );
    expect(await told()).toEqual([]);
  });

  test('a budget that runs low: each share of it once', async () => {
    const { connectionId, accessToken } = await linkApp(vault, app, { budgetCents: 1 });
    const spend = async (tokens: number) => {
      const usage = { prompt_tokens: 0, completion_tokens: tokens, total_tokens: tokens };
      reply = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-4o-mini', choices: [], usage };
      expect(outcome(await chat(server, accessToken))).toBe('200');
      return (await told()).map(({ type, data }) => ({ type, data }));
    };
    status = 200;
    // At $0.60 a million tokens: 48, 54, 60 and 90 % of a cent.
    expect(await spend(8000)).toEqual([]);
    const facts = { connectionId, budgetCents: 1, resetsAt: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00\.000Z$/) };
    expect(await spend(1000)).toEqual([
      { type: 'budget.threshold', data: { ...facts, threshold: 50, spent: '0.0054' } },
    ]);
    expect(await spend(1000)).toEqual([]);
    expect(await spend(5000)).toEqual([
      { type: 'budget.threshold', data: { ...facts, threshold: 80, spent: '0.009' } },
    ]);
  });

  test('a key that the provider refuses: once for each version of it, and each connection', async () => {
    const [one, two] = [await linkApp(vault, app), await linkApp(vault, app)];
    const ask = async ({ accessToken }: { accessToken: string }) => outcome(await chat(server, accessToken));
    reply = { error: { message: 'no' } };
    status = 500;
    expect(await ask(one)).toBe('500');
    expect(await told()).toEqual([]);
    status = 401;
    const refusals = await Promise.all([1, 2, 3].map(() => ask(one)));
    expect(new Set(refusals)).toEqual(new Set(['502 provider_key_rejected']));
    const [event, ...others] = await told();
    expect(others).toEqual([]);
    expect(event?.type).toBe('key.invalid');
    const dead = { connectionId: one.connectionId, provider: 'openai', status: 401, verdict: 'rejected' };
    expect(event?.data).toEqual(dead);
    // What it may not do is another thing to tell, once as well; that there is no credit is none.
    for (status of [403, 403, 402]) await ask(one);
    expect(await told()).toMatchObject([{ type: 'key.invalid', data: { status: 403, verdict: 'restricted' } }]);
    status = 401;
    await ask(two);
    expect(await told()).toMatchObject([{ data: { connectionId: two.connectionId } }]);

    const [key] = await vault.keys.list();
    await vault.keys.replace(key?.id ?? '', `sk-proj-${'v'.repeat(40)}`);
    await ask(one);
    expect(await told()).toMatchObject([{ type: 'key.invalid', data: { connectionId: one.connectionId } }]);
    // Its id has the form of any other, so that it can be delivered again.
    const again = `/v1/apps/${app.id}/deliveries/${event?.id ?? ''}/redeliver`;
    expect(outcome(await call(server, 'POST', again, { token: developer }))).toBe('200');
    expect((await told()).map(({ id }) => id)).toEqual([event?.id ?? '']);
    expect(server.lines.filter((line) => line.includes('key_refused'))).toEqual([]);
  });
});
