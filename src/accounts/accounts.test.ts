import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { blob, call, outcome, recordOf, register, registration, type Account } from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import type { Database } from '../database/connect.ts';

const day = 24 * 3600 * 1000;

const tokenOf = (answer: { data: Record<string, unknown> }) => String(recordOf(answer.data['session'])['token']);

/** The body of a password change. */
function newPassword(overrides: Record<string, unknown> = {}) {
  const wraps = { kdfId: 1, salt: blob(16), newAuthKey: blob(), uvkPassword: blob(100) };
  return { authKey: blob(), passwordRevision: 1, ...wraps, ...overrides };
}

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    const settings = { KEYPASS_TRUSTED_PROXIES: '127.0.0.0/8,::1/128' };
    server = await startTestServer({ database, clock, settings });
    ada = await register(server);
  });

  afterAll(() => server.stop());

  let clients = 0;
  /** Each request from an address of its own, unless a test is about addresses. */
  function post(path: string, body: unknown, address = `10.0.${Math.floor(++clients / 250)}.${clients % 250}`) {
    return call(server, 'POST', path, { body, headers: { 'x-forwarded-for': address } });
  }

  const login = (who: Account, address?: string, authKey = who.authKey) =>
    post('/v1/auth/login', { email: who.email, authKey }, address);
  const me = (token: string) => call(server, 'GET', '/v1/auth/me', { token });

  async function rowCounts() {
    const [row] = await database.sql`
      select (select count(*) from users) as users, (select count(*) from vaults) as vaults,
        (select count(*) from sessions) as sessions, (select count(*) from invitations) as invitations`;
    return { ...row };
  }

  const prelogin = (email: string) => post('/v1/auth/prelogin', { email });

  describe('register', () => {
    test('an e-mail address once, in whatever case', async () => {
      const taken = await post('/v1/auth/register', registration({ email: ada.email.toUpperCase() }));
      expect(taken.error).toMatchObject({ code: 'email_taken', param: 'email' });
      expect(taken.status).toBe(409);
    });

    test('an id once', async () => {
      const taken = await post('/v1/auth/register', registration({ userId: ada.userId }));
      expect(outcome(taken)).toBe('409 id_taken');
    });

    test('what fails leaves nothing half-written', async () => {
      const before = await rowCounts();
      const failing = [
        registration({ email: ada.email }),
        registration({ userId: ada.userId }),
        registration({ kdfId: 3 }),
        registration({ manifestRevision: 2 }),
        registration({ manifest: '' }),
        registration({ salt: blob(15) }),
      ];
      for (const body of failing) expect((await post('/v1/auth/register', body)).status).toBeGreaterThanOrEqual(400);
      expect(await rowCounts()).toEqual(before);
    });

    test('two at once with one e-mail address: one of them', async () => {
      const email = 'both@example.com';
      const answers = await Promise.all([1, 2, 3].map(() => post('/v1/auth/register', registration({ email }))));
      expect(answers.map(outcome).toSorted()).toEqual(['200', '409 email_taken', '409 email_taken']);
    });

    test('what is stored opens nothing by itself', async () => {
      const sent = registration();
      expect(outcome(await post('/v1/auth/register', sent))).toBe('200');
      const rows = await database.sql`select * from users where id = ${sent.userId}`;
      const stored = Buffer.concat(Object.values(rows[0] ?? {}).filter((value) => value instanceof Uint8Array));
      for (const secret of [sent.authKey, sent.recoveryAuth, sent.uvkPassword]) {
        expect(stored.includes(Buffer.from(secret, 'base64url'))).toBe(false);
      }
    });
  });

  describe('prelogin and login', () => {
    test('an unknown e-mail address is answered like a known one, always alike', async () => {
      const [known, unknown, again, upper, other] = await Promise.all(
        [ada.email, 'x@example.com', 'x@example.com', 'X@EXAMPLE.com', 'y@example.com'].map(prelogin),
      );
      expect(Object.keys(unknown?.data ?? {})).toEqual(Object.keys(known?.data ?? {}));
      expect(unknown?.data['kdfId']).toBe(1);
      expect(unknown?.data['salt']).toMatch(/^[\w-]{22}$/);
      expect(again?.data).toEqual(unknown?.data ?? {});
      expect(upper?.data).toEqual(unknown?.data ?? {});
      expect(other?.data).not.toEqual(unknown?.data ?? {});
    });

    test('a wrong key and an unknown e-mail address are refused in the same words', async () => {
      const wrong = await login(ada, undefined, blob());
      const unknown = await post('/v1/auth/login', { email: 'x@example.com', authKey: ada.authKey });
      expect([wrong, unknown].map(outcome)).toEqual(['401 login_failed', '401 login_failed']);
      expect({ ...wrong.error, requestId: '' }).toEqual({ ...unknown.error, requestId: '' });
    });

    test('the right key gets the wrapped vault key', async () => {
      const answer = await login(ada);
      expect(answer.data).toMatchObject({ userId: ada.userId, passwordRevision: 1, manifestRevision: 1, kdfId: 1 });
      expect(outcome(await me(tokenOf(answer)))).toBe('200');
    });
  });

  describe('limits', () => {
    test('guesses at one account are slowed from where they come; its owner elsewhere is not locked out', async () => {
      const guesses = [];
      for (let count = 0; count < 14; count++) guesses.push(await login(ada, '203.0.113.9', blob()));
      expect(guesses.map(outcome).slice(0, 10)).toEqual(Array.from({ length: 10 }, () => '401 login_failed'));
      expect(guesses.at(-1)).toMatchObject({ status: 429, code: 'too_many_attempts' });
      expect(Number(guesses.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(outcome(await login(ada, '203.0.113.9'))).toBe('429 too_many_attempts');
      expect(outcome(await login(ada, '198.51.100.4'))).toBe('200');
      clock.advance(7000);
      expect(outcome(await login(ada, '203.0.113.9'))).toBe('200');
    });

    test('guesses from everywhere are slowed together, and lock no place out that has logged in', async () => {
      const who = await register(server);
      expect(outcome(await login(who, '192.0.2.77'))).toBe('200');
      const places = Array.from({ length: 12 }, (_, index) => `198.18.${index}.1`);
      const guesses = places.flatMap((place) => Array.from({ length: 10 }, () => login(who, place, blob())));
      expect((await Promise.all(guesses)).map(outcome)).toContain('429 too_many_attempts');
      expect(outcome(await login(who, '198.19.0.1'))).toBe('429 too_many_attempts');
      expect(outcome(await login(who, '192.0.2.77'))).toBe('200');
    });

    test('one address may not try many accounts', async () => {
      const attempts = Array.from({ length: 70 }, (_, index) =>
        post('/v1/auth/prelogin', { email: `p${index}@example.com` }, '2001:db8:7::1'),
      );
      const codes = (await Promise.all(attempts)).map(outcome);
      expect(codes.filter((code) => code === '200').length).toBeLessThan(65);
      expect(codes).toContain('429 too_many_attempts');
      const neighbour = await post('/v1/auth/prelogin', { email: 'q@example.com' }, '2001:db8:7::ffff');
      expect(outcome(neighbour)).toBe('429 too_many_attempts');
      expect(outcome(await post('/v1/auth/prelogin', { email: 'q@example.com' }, '2001:db8:8::1'))).toBe('200');
    });

    test.each(['/v1/auth/unlock', '/v1/auth/password', '/v1/auth/recover'])('%s is slowed as well', async (path) => {
      const who = await register(server);
      const bodies: Record<string, object> = {
        '/v1/auth/unlock': { authKey: blob() },
        '/v1/auth/password': newPassword({ authKey: blob() }),
        '/v1/auth/recover': { email: who.email, recoveryAuth: blob() },
      };
      const codes = [];
      for (let count = 0; count < 12; count++) codes.push((await who.call('POST', path, bodies[path])).code);
      expect(codes.slice(0, 10)).not.toContain('too_many_attempts');
      expect(codes.at(-1)).toBe('too_many_attempts');
    });
  });

  describe('sessions', () => {
    test('are listed, ended one by one, and end with logout', async () => {
      const who = await register(server, { device: 'laptop' });
      const second = tokenOf(await login(who));
      const list = await who.call('GET', '/v1/auth/sessions');
      const items = Array.isArray(list.data['items']) ? list.data['items'].map(recordOf) : [];
      expect(items.map(({ device, current }) => ({ device, current }))).toEqual(
        expect.arrayContaining([
          { device: 'laptop', current: true },
          { device: null, current: false },
        ]),
      );
      const other = String(items.find(({ current }) => current === false)?.['id']);
      expect(outcome(await ada.call('DELETE', `/v1/auth/sessions/${other}`))).toBe('404 not_found');
      expect(outcome(await who.call('DELETE', '/v1/auth/sessions/x'))).toBe('400 invalid_request');
      expect(outcome(await who.call('DELETE', `/v1/auth/sessions/${other}`))).toBe('200');
      expect(outcome(await me(second))).toBe('401 session_invalid');
      expect(outcome(await who.call('DELETE', `/v1/auth/sessions/${other}`))).toBe('404 not_found');
      expect(outcome(await who.call('POST', '/v1/auth/logout'))).toBe('200');
      expect(outcome(await who.call('GET', '/v1/auth/me'))).toBe('401 session_invalid');
    });

    test('end by themselves after a week', async () => {
      const who = await register(server);
      clock.advance(7 * day - 60_000);
      expect(outcome(await me(who.token))).toBe('200');
      clock.advance(60_000);
      expect(outcome(await me(who.token))).toBe('401 session_invalid');
      ada = { ...ada, token: tokenOf(await login(ada)) };
    });

    test('unlock asks the login key again', async () => {
      const who = await register(server);
      expect(outcome(await who.call('POST', '/v1/auth/unlock', { authKey: blob() }))).toBe('401 login_failed');
      const opened = await who.call('POST', '/v1/auth/unlock', { authKey: who.authKey });
      expect(Object.keys(opened.data).toSorted()).toEqual([
        'kdfId',
        'manifest',
        'manifestRevision',
        'salt',
        'uvkPassword',
      ]);
    });
  });

  describe('password change', () => {
    test('replaces the wraps once; the other sessions end and the old password is dead', async () => {
      const who = await register(server);
      const other = tokenOf(await login(who));
      const body = newPassword({ authKey: who.authKey });
      const answers = await Promise.all([1, 2].map(() => who.call('POST', '/v1/auth/password', body)));
      const codes = answers.map(outcome).toSorted();
      expect(codes[0]).toBe('200');
      expect(['401 login_failed', '409 account_changed']).toContain(codes[1] ?? '');
      expect(outcome(await me(other))).toBe('401 session_invalid');
      expect(outcome(await me(who.token))).toBe('200');
      expect(outcome(await login(who))).toBe('401 login_failed');
      const relogin = await login(who, undefined, body.newAuthKey);
      expect(relogin.data).toMatchObject({ passwordRevision: 2, salt: body.salt, uvkPassword: body.uvkPassword });
    });

    test('a log-in that was under way with the old password gets no session', async () => {
      const who = await register(server);
      const body = newPassword({ authKey: who.authKey });
      const logins = Array.from({ length: 8 }, (_, index) => login(who, `192.0.2.${index + 1}`));
      const [changed, ...answers] = await Promise.all([who.call('POST', '/v1/auth/password', body), ...logins]);
      expect(outcome(changed)).toBe('200');
      for (const answer of answers) {
        if (answer.status === 200) expect(outcome(await me(tokenOf(answer)))).toBe('401 session_invalid');
        else expect(outcome(answer)).toBe('401 login_failed');
      }
    });

    test('wrong password, stale revision, unknown derivation: nothing changes', async () => {
      const who = await register(server);
      const change = (overrides: object) =>
        who.call('POST', '/v1/auth/password', newPassword({ authKey: who.authKey, ...overrides }));
      expect(outcome(await change({ authKey: blob() }))).toBe('401 login_failed');
      expect(outcome(await change({ passwordRevision: 2 }))).toBe('409 account_changed');
      expect(outcome(await change({ kdfId: 9 }))).toBe('400 invalid_request');
      expect(outcome(await login(who))).toBe('200');
    });
  });
});
