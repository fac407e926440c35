import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { blob, call, outcome, register, registration, type Account } from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { createToken } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { Accounts } from './service.ts';

function completion(ticket: unknown, overrides: Record<string, unknown> = {}) {
  const password = { kdfId: 1, salt: blob(16), authKey: blob(), uvkPassword: blob(100) };
  const recovery = { newRecoveryId: crypto.randomUUID(), recoveryAuth: blob(), uvkRecovery: blob(100) };
  return { ticket, ...password, ...recovery, ...overrides };
}

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database, clock });
  });

  afterAll(() => server.stop());

  const post = (path: string, body: unknown) => call(server, 'POST', path, { body });
  const login = (who: Account, authKey = who.authKey) => post('/v1/auth/login', { email: who.email, authKey });

  const begin = (who: Account) => post('/v1/auth/recover', { email: who.email, recoveryAuth: who.recoveryAuth });

  const startAs = (mode: 'invite' | 'closed', over: Database) =>
    startTestServer({ database: over, pepper: server.pepper, clock, settings: { KEYPASS_REGISTRATION: mode } });

  const invitation = (mode: 'invite' | 'closed', over: Database) =>
    new Accounts({ database: over, pepper: server.pepper, clock, registration: mode }).firstInvitation();

  describe('recovery', () => {
    test('a wrong code and an unknown e-mail address are refused in the same words', async () => {
      const who = await register(server);
      const wrong = await begin({ ...who, recoveryAuth: blob() });
      const unknown = await begin({ ...who, email: 'nobody@example.com' });
      expect([wrong, unknown].map(outcome)).toEqual(['401 recovery_failed', '401 recovery_failed']);
      expect({ ...wrong.error, requestId: '' }).toEqual({ ...unknown.error, requestId: '' });
    });

    test('the password is no recovery code, nor the code a password', async () => {
      const who = await register(server);
      expect(outcome(await begin({ ...who, recoveryAuth: who.authKey }))).toBe('401 recovery_failed');
      expect(outcome(await login(who, who.recoveryAuth))).toBe('401 login_failed');
    });

    test('a ticket serves once; sessions end, the old password and the old code are dead', async () => {
      const who = await register(server);
      const begun = await begin(who);
      expect(begun.data).toMatchObject({ userId: who.userId, uvkRecovery: expect.any(String) });
      const done = completion(begun.data['ticket']);
      const answers = await Promise.all([1, 2].map(() => post('/v1/auth/recover/complete', done)));
      expect(answers.map(outcome).toSorted()).toEqual(['200', '401 ticket_invalid']);
      expect(outcome(await post('/v1/auth/recover/complete', done))).toBe('401 ticket_invalid');
      expect(outcome(await who.call('GET', '/v1/auth/me'))).toBe('401 session_invalid');
      expect(outcome(await login(who))).toBe('401 login_failed');
      expect(outcome(await begin(who))).toBe('401 recovery_failed');
      expect((await login(who, done.authKey)).data).toMatchObject({
        passwordRevision: 2,
        uvkPassword: done.uvkPassword,
      });
      expect(outcome(await begin({ ...who, recoveryAuth: done.recoveryAuth }))).toBe('200');
    });

    test('a ticket lives five minutes', async () => {
      const who = await register(server);
      const { data } = await begin(who);
      clock.advance(5 * 60_000);
      expect(outcome(await post('/v1/auth/recover/complete', completion(data['ticket'])))).toBe('401 ticket_invalid');
      expect(outcome(await login(who))).toBe('200');
    });

    test('a ticket from before a password change is void', async () => {
      const who = await register(server);
      const { data } = await begin(who);
      const wraps = { kdfId: 1, salt: blob(16), newAuthKey: blob(), uvkPassword: blob(100) };
      await who.call('POST', '/v1/auth/password', { authKey: who.authKey, passwordRevision: 1, ...wraps });
      expect(outcome(await post('/v1/auth/recover/complete', completion(data['ticket'])))).toBe('409 account_changed');
      expect(outcome(await login(who, wraps.newAuthKey))).toBe('200');
    });

    test('an unknown ticket and an unknown derivation', async () => {
      expect(outcome(await post('/v1/auth/recover/complete', completion(blob())))).toBe('401 ticket_invalid');
      const { data } = await begin(await register(server));
      const weak = completion(data['ticket'], { kdfId: 7 });
      expect(outcome(await post('/v1/auth/recover/complete', weak))).toBe('400 invalid_request');
    });

    test('the database keeps no ticket that could be used', async () => {
      const { data } = await begin(await register(server));
      const rows = await database.sql<{ lookup: Uint8Array }[]>`select lookup from recovery_tickets`;
      const ticket = Buffer.from(String(data['ticket']), 'base64url');
      expect(rows.some(({ lookup }) => ticket.equals(lookup))).toBe(false);
      for (const { lookup } of rows) {
        const stolen = completion(Buffer.from(lookup).toString('base64url'));
        expect(outcome(await post('/v1/auth/recover/complete', stolen))).toBe('401 ticket_invalid');
      }
    });
  });

  describe('who may register', () => {
    test('nobody on a closed server', async () => {
      const empty = await open();
      const closed = await startAs('closed', empty);
      const body = registration({ invite: createToken('invitation') });
      expect(outcome(await call(closed, 'POST', '/v1/auth/register', { body }))).toBe('403 registration_closed');
      expect(await invitation('closed', empty)).toBeNull();
      await closed.stop();
    });

    test('on invitation: once, in time, and only by a real one', async () => {
      const empty = await open();
      const inviting = await startAs('invite', empty);
      const attempt = async (overrides: Record<string, unknown> = {}) =>
        outcome(await call(inviting, 'POST', '/v1/auth/register', { body: registration(overrides) }));
      const [invite, late] = [await invitation('invite', empty), await invitation('invite', empty)];
      for (const wrong of [
        {},
        { invite: createToken('invitation') },
        { invite: 'nonsense' },
        { invite: `${invite}x` },
      ]) {
        expect(await attempt(wrong)).toBe('403 invitation_invalid');
      }
      // What fails for another reason does not use the invitation up.
      expect(await attempt({ invite, kdfId: 5 })).toBe('400 invalid_request');
      const both = await Promise.all([attempt({ invite }), attempt({ invite })]);
      expect(both.toSorted()).toEqual(['200', '403 invitation_invalid']);
      expect(await invitation('invite', empty)).toBeNull();
      clock.advance(7 * 24 * 3600 * 1000);
      expect(await attempt({ invite: late })).toBe('403 invitation_invalid');
      await inviting.stop();
    });
  });
});
