import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  call,
  newConnection,
  outcome,
  recordOf,
  register,
  registerApp,
  type Account,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import type { Database } from '../database/connect.ts';

const app = (overrides: Record<string, unknown> = {}) => ({
  name: 'Notes',
  allowedOrigins: ['https://notes.example'],
  ...overrides,
});

const items = (data: Record<string, unknown>) => (Array.isArray(data['items']) ? data['items'] : []).map(recordOf);

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database, clock });
    ada = await register(server);
  });

  afterAll(() => server.stop());

  const create = (body: unknown, headers: Record<string, string> = {}, who = ada) =>
    call(server, 'POST', '/v1/apps', { token: who.token, body, headers });
  /** What an app gets with this credential. */
  const useApp = (basic: string) =>
    call(server, 'POST', '/v1/link/sessions', {
      headers: { authorization: basic },
      body: { requestedProviders: ['openai'] },
    });

  describe('create', () => {
    test('shows the secret once and keeps only a lookup of it', async () => {
      const { data } = await create(app({ redirectUris: ['https://notes.example/back?x=1'] }));
      expect(data).toMatchObject({ name: 'Notes', webhookUrl: null, redirectUris: ['https://notes.example/back?x=1'] });
      const secret = String(data['clientSecret']);
      expect(secret).toMatch(/^kp_cs_/);
      expect((await ada.call('GET', '/v1/apps')).text).not.toContain(secret);
      const dump =
        await database.sql`select apps::text as app, app_secrets::text as secret from apps join app_secrets on true`;
      expect(JSON.stringify(dump)).not.toContain(secret);
    });

    test.each([
      ['no origin', { allowedOrigins: [] }, 'allowedOrigins'],
      ['an origin without TLS', { allowedOrigins: ['http://notes.example'] }, 'allowedOrigins'],
      ['an origin with a path', { allowedOrigins: ['https://notes.example/'] }, 'allowedOrigins'],
      ['an origin with a user', { allowedOrigins: ['https://a@notes.example'] }, 'allowedOrigins'],
      ['the null origin', { allowedOrigins: ['null'] }, 'allowedOrigins'],
      ['a pattern', { allowedOrigins: ['https://*.example'] }, 'allowedOrigins'],
      ['an opaque origin', { allowedOrigins: ['file:///'] }, 'allowedOrigins'],
      ['a script as redirect', { redirectUris: ['javascript:alert(1)'] }, 'redirectUris'],
      ['a redirect with a fragment', { redirectUris: ['https://notes.example/#x'] }, 'redirectUris'],
      ['a redirect with credentials', { redirectUris: ['https://a:b@notes.example/'] }, 'redirectUris'],
      ['a redirect without TLS', { redirectUris: ['http://notes.example/'] }, 'redirectUris'],
      ['a webhook that is no URL', { webhookUrl: 'notes' }, 'webhookUrl'],
      ['a name of nothing', { name: ' ' }, 'name'],
      ['a name with an edge', { name: 'Notes ' }, 'name'],
      ['too long a name', { name: 'x'.repeat(81) }, 'name'],
    ])('refuses %s', async (_name, overrides, param) => {
      const answer = await create(app(overrides));
      expect(answer.status).toBe(400);
      expect(String(answer.error['param']).split('.')[0]).toBe(param);
    });

    test('takes loopback addresses without TLS', async () => {
      const origins = ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'];
      expect(outcome(await create(app({ allowedOrigins: origins })))).toBe('200');
    });

    test('a repeat with the same Idempotency-Key makes nothing and shows no secret', async () => {
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const answers = await Promise.all([1, 2, 3].map(() => create(app({ name: 'Once' }), headers)));
      const [made] = answers.filter(({ status }) => status === 200);
      const repeats = answers.filter(({ status }) => status !== 200);
      expect(repeats.map(outcome)).toEqual(['409 already_created', '409 already_created']);
      for (const { error, text } of repeats) {
        expect(error['details']).toEqual({ id: made?.data['id'] });
        expect(text).not.toContain('kp_cs_');
      }
      expect(items((await ada.call('GET', '/v1/apps')).data).filter(({ name }) => name === 'Once')).toHaveLength(1);
      expect(outcome(await create(app({ name: 'Other' }), headers))).toBe('409 idempotency_mismatch');
      expect(outcome(await create(app(), headers, await register(server)))).toBe('200');
      const bad = await create(app(), { 'idempotency-key': 'with space' });
      expect(bad.error).toMatchObject({ code: 'invalid_request', param: 'idempotency-key' });
    });
  });

  describe('edit, rotate, remove', () => {
    test('an edit changes what it names and checks it as a creation does', async () => {
      const made = await create(app({ redirectUris: ['https://notes.example/back'] }));
      const path = `/v1/apps/${String(made.data['id'])}`;
      const edited = await ada.call('PATCH', path, { name: 'Memos' });
      expect(edited.data).toMatchObject({ name: 'Memos', redirectUris: ['https://notes.example/back'] });
      expect(outcome(await ada.call('PATCH', path, { allowedOrigins: ['http://evil.example'] }))).toBe(
        '400 invalid_request',
      );
      expect(outcome(await ada.call('PATCH', path, { clientId: 'x' }))).toBe('400 unknown_member');
      expect(items((await ada.call('GET', '/v1/apps')).data)).toContainEqual(edited.data);
    });

    test('a new secret works at once, the old one for a day', async () => {
      const old = await registerApp(server, ada.token);
      const rotated = await ada.call('POST', `/v1/apps/${old.id}/secret`);
      const [clientId] = atob(old.basic.slice(6)).split(':');
      const fresh = `Basic ${btoa(`${clientId}:${String(rotated.data['clientSecret'])}`)}`;
      expect([await useApp(old.basic), await useApp(fresh)].map(outcome)).toEqual(['200', '200']);
      clock.advance(24 * 3600 * 1000);
      expect([await useApp(old.basic), await useApp(fresh)].map(outcome)).toEqual(['401 client_invalid', '200']);
    });

    test('a removed app is gone: its secrets, its link sessions, its place in the list', async () => {
      const removed = await registerApp(server, ada.token, { name: 'Gone' });
      const linkToken = await removed.linkToken();
      expect(outcome(await ada.call('DELETE', `/v1/apps/${removed.id}`))).toBe('200');
      expect(outcome(await useApp(removed.basic))).toBe('401 client_invalid');
      expect((await call(server, 'GET', '/v1/link/session', { token: linkToken })).status).toBeGreaterThanOrEqual(400);
      expect(items((await ada.call('GET', '/v1/apps')).data).map(({ name }) => name)).not.toContain('Gone');
      expect(outcome(await ada.call('DELETE', `/v1/apps/${removed.id}`))).toBe('404 app_not_found');
    });

    test('the apps of another developer are not there', async () => {
      const own = await registerApp(server, ada.token);
      const bob = await register(server);
      expect(items((await bob.call('GET', '/v1/apps')).data)).toEqual([]);
      expect(outcome(await bob.call('PATCH', `/v1/apps/${own.id}`, { name: 'Mine' }))).toBe('404 app_not_found');
      expect(outcome(await bob.call('POST', `/v1/apps/${own.id}/secret`))).toBe('404 app_not_found');
      expect(outcome(await bob.call('DELETE', `/v1/apps/${own.id}`))).toBe('404 app_not_found');
      expect(outcome(await useApp(own.basic))).toBe('200');
    });

    test('an id that is none', async () => {
      expect(outcome(await ada.call('PATCH', '/v1/apps/x', { name: 'N' }))).toBe('400 invalid_request');
      expect(outcome(await ada.call('DELETE', '/v1/apps/x'))).toBe('400 invalid_request');
      expect(outcome(await ada.call('POST', '/v1/apps/x/secret'))).toBe('400 invalid_request');
    });
  });

  test('without a session there is nothing', async () => {
    const path = `/v1/apps/${crypto.randomUUID()}`;
    const attempts = [
      call(server, 'GET', '/v1/apps'),
      call(server, 'POST', '/v1/apps', { body: app() }),
      call(server, 'PATCH', path, { body: { name: 'N' } }),
      call(server, 'DELETE', path),
      call(server, 'POST', `${path}/secret`),
    ];
    for (const answer of await Promise.all(attempts)) expect(outcome(answer)).toBe('401 credentials_missing');
  });

  test('removing an app leaves the personal connections of its developer alone', async () => {
    const keyId = await ada.addKey();
    const body = newConnection(keyId);
    await ada.call('POST', '/v1/connections', body);
    const other = await registerApp(server, ada.token);
    await ada.call('DELETE', `/v1/apps/${other.id}`);
    expect((await ada.call('GET', `/v1/connections/${body.id}`)).data).toMatchObject({ status: 'active' });
  });
});
