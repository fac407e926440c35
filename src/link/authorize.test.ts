import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  approval,
  blob,
  newConnection,
  outcome,
  register,
  registerApp,
  type Account,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import { sha256, toBase64Url, utf8, type Policy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';

const grant = (id: string, version = 1) => ({ keyId: id, version, grant: blob(100) });

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  let app: TestApp;
  let keyId: string;

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database });
    ada = await register(server);
    keyId = await ada.addKey();
    const allowedOrigins = ['https://notes.example', 'https://memos.example'];
    app = await registerApp(server, (await register(server)).token, { allowedOrigins });
  });

  afterAll(() => server.stop());

  const send = (body: unknown, who = ada) => who.call('POST', '/v1/link/authorize', body);

  /** Approves a fresh request of the app's. */
  async function approve(policy: Partial<Policy> = {}, overrides: Record<string, unknown> = {}, wanted = {}) {
    return send(approval(app, await app.linkToken(wanted), keyId, policy, overrides));
  }

  async function countOfConnections(): Promise<unknown> {
    return (await database.sql`select count(*) from connections`)[0]?.['count'];
  }

  const at = (origin: string, wanted = {}) => approve({ origin }, { origin }, wanted);

  describe('a new connection', () => {
    test('waits for its exchange', async () => {
      const connectionId = crypto.randomUUID();
      const { data } = await approve({ budgetCents: 300 }, { connectionId });
      expect(data).toEqual({ connectionId, status: 'approved' });
      expect((await ada.call('GET', `/v1/connections/${connectionId}`)).data).toMatchObject({
        status: 'pending',
        kind: 'app',
        generation: 0,
        app: { id: app.id, name: 'Notes' },
        policy: { budgetCents: 300 },
      });
    });

    test.each<[string, Partial<Policy>, string]>([
      ['is personal', { kind: 'personal', app: null }, 'policy.kind'],
      ['names another app', { app: crypto.randomUUID() }, 'policy.app'],
      ['names an origin that was not proved', { origin: 'https://notes.example' }, 'policy.origin'],
      ['is of a later revision', { revision: 2 }, 'policy.revision'],
      ['has budgets that nothing enforces', { perModelCents: { 'gpt-4o': 5 } }, 'policy.perModelCents'],
      ['has ended', { expiresAt: '2001-01-01T00:00:00Z' }, 'policy.expiresAt'],
      ['names a user that the app did not', { clientUserIdHash: 'A'.repeat(43) }, 'policy.clientUserIdHash'],
    ])('is refused if its policy %s', async (_name, policy, param) => {
      const before = await countOfConnections();
      const answer = await approve(policy);
      expect(answer.error).toMatchObject({ code: 'policy_invalid', param });
      expect(await countOfConnections()).toBe(before);
    });

    test('is refused for a provider that the app did not ask for', async () => {
      const groq = await ada.addKey('groq');
      const providers = [{ id: 'groq', keyId: groq, models: null }];
      const grants = [{ keyId: groq, version: 1, grant: blob(100) }];
      const answer = await approve({ providers }, { grants });
      expect(answer.error).toMatchObject({ code: 'policy_invalid', param: 'policy.providers' });
      expect(outcome(await approve({ providers }, { grants }, { requestedProviders: ['groq', 'openai'] }))).toBe('200');
    });

    test('is refused with another’s key, a stale version, or grants that do not fit', async () => {
      const bob = await register(server);
      const theirs = await bob.addKey();
      const providers = [{ id: 'openai', keyId: theirs, models: null }];
      expect(outcome(await approve({ providers }, { grants: [grant(theirs)] }))).toBe('404 key_not_found');
      expect(outcome(await approve({ providers }, { grants: [grant(keyId)] }))).toBe('404 key_not_found');
      expect(outcome(await approve({}, { grants: [grant(keyId, 2)] }))).toBe('409 key_changed');
      expect(outcome(await approve({}, { grants: [grant(keyId), grant(theirs)] }))).toBe('400 policy_invalid');
      expect(outcome(await approve({}, { grants: [] }))).toBe('400 invalid_request');
    });

    test('is refused with a taken id or public token, and the request stays open', async () => {
      const taken = newConnection(keyId);
      await ada.call('POST', '/v1/connections', taken);
      const linkToken = await app.linkToken();
      expect(outcome(await send(approval(app, linkToken, keyId, {}, { connectionId: taken.id })))).toBe('409 id_taken');
      const publicLookup = blob();
      await approve({}, { publicLookup });
      expect(outcome(await send(approval(app, linkToken, keyId, {}, { publicLookup })))).toBe('409 id_taken');
      const stale = { manifestRevision: 1 };
      expect(outcome(await send(approval(app, linkToken, keyId, {}, stale)))).toBe('409 manifest_conflict');
      expect(outcome(await send(approval(app, linkToken, keyId)))).toBe('200');
    });

    test('carries the origin that the window proved, which the app must have registered', async () => {
      expect(outcome(await at('https://notes.example'))).toBe('200');
      expect(outcome(await at('https://evil.example'))).toBe('403 origin_unverified');
      expect(outcome(await at('https://memos.example', { origin: 'https://notes.example' }))).toBe(
        '403 origin_unverified',
      );
      expect(outcome(await at('https://notes.example', { origin: 'https://notes.example' }))).toBe('200');
    });

    test('may carry the user whom the app named', async () => {
      const clientUserIdHash = toBase64Url(await sha256(utf8('user-1')));
      expect(outcome(await approve({ clientUserIdHash }, {}, { clientUserId: 'user-1' }))).toBe('200');
      const other = await approve({ clientUserIdHash }, {}, { clientUserId: 'user-2' });
      expect(other.error).toMatchObject({ code: 'policy_invalid', param: 'policy.clientUserIdHash' });
    });

    test('a body of neither kind is refused by what it is nearest to', async () => {
      const body = approval(app, await app.linkToken(), keyId);
      expect((await send({ ...body, extra: 1 })).error).toMatchObject({ code: 'unknown_member', param: 'extra' });
      expect((await send({ ...body, origin: 5 })).status).toBe(400);
    });
  });
});
