import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Vault } from '../../sdk/vault/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  call,
  chat,
  chatPath,
  linkApp,
  openVault,
  outcome,
  registerApp,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import {
  chunk,
  eventStreamHead,
  startRawUpstream,
  type RawExchange,
  type RawUpstream,
} from '../../test/harness/upstream.ts';
import { createToken } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { connectionChannel } from './service.ts';

const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
const completion = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage,
});

const firstEvent = `data: ${JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }],
})}\n\n`;

/** A provider whose streams send one event and then wait, as a thinking model does. */
function answer(exchange: RawExchange): void {
  if (exchange.body.includes('"stream":true')) {
    void exchange.write(eventStreamHead).then(() => exchange.write(chunk(firstEvent)));
    return;
  }
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${completion.length}\r\n\r\n`;
  void exchange.write(head + completion);
}

eachDatabase((_kind, open) => {
  let database: Database;
  let upstream: RawUpstream;
  let server: TestServer;
  /** Another instance on the same database. */
  let neighbour: TestServer;
  let vault: Vault;
  let app: TestApp;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    upstream = await startRawUpstream(answer);
    const settings = { KEYPASS_OPENAI_BASE_URL: upstream.origin };
    server = await startTestServer({ database, clock, settings });
    neighbour = await startTestServer({ database, clock, settings, pepper: server.pepper });
    const opened = await openVault(server);
    vault = opened.vault;
    await vault.keys.add({ provider: 'openai', secret: 'sk-' + 'x'.repeat(44) });
    app = await registerApp(server, opened.token);
  });

  afterAll(async () => {
    await server.stop();
    await neighbour.stop();
    await upstream.stop();
  });

  const own = (token: string, method = 'GET', at = server) => call(at, method, '/v1/connection', { token });
  const rotate = (token: string) => call(server, 'POST', '/v1/connection/rotate', { token });

  /** Starts a stream on one instance and reads its first event; `end` resolves with whatever else comes. */
  async function stream(token: string, at: TestServer) {
    const body = JSON.stringify({ model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(at.url + chatPath, { method: 'POST', headers, body });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('Hi');
    const closed = upstream.exchanges.at(-1)?.closed;
    const rest = async () => {
      let text = '';
      for (;;) {
        const read = await reader?.read().catch(() => undefined);
        if (read === undefined || read.done) return text;
        text += read.value;
      }
    };
    return { rest, closed };
  }

  describe('an access token', () => {
    test('tells its app what it may do and what is left, and no more', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app, { budgetCents: 250, models: ['gpt-4o-mini'] });
      await chat(server, accessToken);
      await server.settled();
      const { data, text } = await own(accessToken);
      expect(data).toMatchObject({
        id: connectionId,
        status: 'active',
        providers: [{ id: 'openai', models: ['gpt-4o-mini'] }],
        budgetCents: 250,
        held: '0',
        expiresAt: null,
      });
      expect(Number(data['spent'])).toBeGreaterThan(0);
      expect(text).not.toMatch(/keyId|email|userId|grant/);
      await vault.connections.update(connectionId, { capCents: 100 });
      expect((await own(accessToken)).data).toMatchObject({ budgetCents: 100 });
    });

    test('of another kind, unknown or revoked opens nothing', async () => {
      const { accessToken } = await linkApp(vault, app);
      const reached = upstream.exchanges.length;
      for (const token of [createToken('access'), createToken('public'), vault.sessionToken ?? '']) {
        expect(outcome(await own(token))).toBe('401 access_token_invalid');
        expect(outcome(await own(token, 'DELETE'))).toBe('401 access_token_invalid');
        expect((await chat(server, token)).status).toBe(401);
      }
      expect(outcome(await chat(server, 'sk-' + 'x'.repeat(44)))).toBe('401 not_a_keypass_token');
      const query = await call(server, 'POST', `${chatPath}?key=${accessToken}`, {
        body: { model: 'm', messages: [] },
      });
      expect(outcome(query)).toMatch(/^40[01] (token_in_url|unsupported_parameter)$/);
      expect(server.lines.join('\n')).not.toContain(accessToken);
      expect(upstream.exchanges.length).toBe(reached);
    });

    test('is let go by its own app: shredded at once, on every instance', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      expect(outcome(await own(accessToken, 'DELETE'))).toBe('200');
      expect(outcome(await own(accessToken, 'DELETE'))).toBe('401 access_token_invalid');
      expect(outcome(await chat(neighbour, accessToken))).toBe('401 access_token_invalid');
      expect(await vault.connections.get(connectionId)).toMatchObject({ status: 'revoked' });
      const rows = await database.sql`select from grants where connection_id = ${connectionId}`;
      expect(rows).toHaveLength(0);
    });

    test('is rotated by its app: the old one is dead, and of two at once one succeeds', async () => {
      const { accessToken } = await linkApp(vault, app);
      const answers = await Promise.all([rotate(accessToken), rotate(accessToken)]);
      expect(answers.map(outcome).toSorted()).toEqual(['200', '401 access_token_invalid']);
      const rotated = answers.find(({ status }) => status === 200);
      expect(rotated?.data).toMatchObject({ generation: 2 });
      expect(outcome(await chat(server, accessToken))).toBe('401 access_token_invalid');
      expect(outcome(await chat(server, String(rotated?.data['accessToken'])))).toBe('200');
      expect(outcome(await rotate(accessToken))).toBe('401 access_token_invalid');
    });
  });

  describe('the owner’s decisions bind the next call, on every instance', () => {
    test('pause and resume', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      expect(outcome(await chat(neighbour, accessToken))).toBe('200');
      await vault.connections.update(connectionId, { paused: true });
      const reached = upstream.exchanges.length;
      for (const at of [server, neighbour]) expect(outcome(await chat(at, accessToken))).toBe('403 connection_paused');
      expect((await own(accessToken)).data).toMatchObject({ status: 'paused' });
      expect(upstream.exchanges.length).toBe(reached);
      await vault.connections.update(connectionId, { paused: false });
      expect(outcome(await chat(neighbour, accessToken))).toBe('200');
    });

    test('fewer models, a smaller budget, an end', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      expect(outcome(await chat(neighbour, accessToken))).toBe('200');
      await vault.connections.update(connectionId, { models: ['gpt-4o'] });
      expect(outcome(await chat(neighbour, accessToken))).toBe('403 model_not_allowed');
      await vault.connections.update(connectionId, { models: null, capCents: 0 });
      expect(outcome(await chat(neighbour, accessToken))).toBe('402 budget_exceeded');
      await vault.connections.update(connectionId, { capCents: null });
      const end = new Date(clock.now().getTime() + 60_000);
      await vault.connections.update(connectionId, { expiresAt: end });
      expect(outcome(await chat(neighbour, accessToken))).toBe('200');
      clock.advance(61_000);
      for (const at of [server, neighbour]) expect(outcome(await chat(at, accessToken))).toBe('403 connection_expired');
      expect((await own(accessToken)).data).toMatchObject({ status: 'expired' });
    });

    test('requests a minute, counted on all instances together, and lifted', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      await vault.connections.update(connectionId, { limits: { rpm: 2 } });
      const reached = upstream.exchanges.length;
      for (const at of [server, neighbour]) expect(outcome(await chat(at, accessToken))).toBe('200');
      for (const at of [server, neighbour]) {
        const refused = await chat(at, accessToken);
        expect(outcome(refused)).toBe('429 rate_limited');
        expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 31);
      }
      expect(upstream.exchanges.length).toBe(reached + 2);
      expect((await own(accessToken)).data).toMatchObject({ limits: { rpm: 2, tpm: null, parallel: null } });
      await vault.connections.update(connectionId, { limits: { rpm: null } });
      expect(outcome(await chat(server, accessToken))).toBe('200');
    });

    test('a replaced key: calls go on with the new one', async () => {
      const key = await vault.keys.add({ provider: 'openai', secret: 'sk-' + 'r'.repeat(44), isDefault: true });
      const { accessToken } = await linkApp(vault, app);
      await chat(neighbour, accessToken);
      expect(upstream.exchanges.at(-1)?.head).toContain('sk-' + 'r'.repeat(44));
      await vault.keys.replace(key.id, 'sk-' + 's'.repeat(44));
      await chat(neighbour, accessToken);
      expect(upstream.exchanges.at(-1)?.head).toContain('sk-' + 's'.repeat(44));
      const reached = upstream.exchanges.length;
      await vault.keys.remove('openai', key.id);
      for (const at of [server, neighbour]) expect(outcome(await chat(at, accessToken))).toBe('403 key_missing');
      expect(upstream.exchanges.length).toBe(reached);
    });
  });

  describe('a running stream is cut', () => {
    const endings: [string, string, (id: string, token: string) => Promise<unknown>][] = [
      ['revoked', 'connection_revoked', (id) => vault.connections.revoke(id)],
      ['paused', 'connection_paused', (id) => vault.connections.update(id, { paused: true })],
      ['let go by its app', 'connection_revoked', (_id, token) => own(token, 'DELETE', neighbour)],
      [
        'past its end',
        'connection_expired',
        (id) => {
          clock.advance(3_600_000);
          return database.notify(connectionChannel, id);
        },
      ],
    ];

    test.each(endings)('when its connection is %s, wherever that was said', async (_name, code, end) => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      await vault.connections.update(connectionId, { expiresAt: new Date(clock.now().getTime() + 1_800_000) });
      const { rest, closed } = await stream(accessToken, neighbour);
      await end(connectionId, accessToken);
      const text = await rest();
      expect(text).toContain(code);
      expect(text).not.toContain('[DONE]');
      await closed;
      await neighbour.settled();
      const receipts = await database.sql`select quality from receipts where connection_id = ${connectionId}`;
      expect(receipts).toHaveLength(1);
    });

    test('and no other', async () => {
      const [kept, cut] = [await linkApp(vault, app), await linkApp(vault, app)];
      const [first, second] = [await stream(kept.accessToken, server), await stream(cut.accessToken, server)];
      const exchange = upstream.exchanges.at(-2);
      await vault.connections.revoke(cut.connectionId);
      expect(await second.rest()).toContain('connection_revoked');
      await exchange?.write(chunk('data: [DONE]\n\n'));
      await exchange?.write(chunk(''));
      expect(await first.rest()).toContain('[DONE]');
    });
  });
});
