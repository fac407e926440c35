import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Vault } from '../../sdk/vault/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  blob,
  call,
  linkApp,
  openVault,
  outcome,
  registerApp,
  type Answer,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { createToken } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';

const second = 1000;
const minute = 60 * second;

const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => null,
    (error: unknown) => error,
  );

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let vault: Vault;
  let other: Vault;
  let app: TestApp;
  let otherApp: TestApp;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database, clock });
    const [owner, stranger] = [await openVault(server), await openVault(server)];
    [vault, other] = [owner.vault, stranger.vault];
    for (const person of [vault, other]) await person.keys.add({ provider: 'openai', secret: 'sk-' + 'x'.repeat(44) });
    app = await registerApp(server, owner.token);
    otherApp = await registerApp(server, stranger.token);
  });

  afterAll(() => server.stop());

  /** An approval that waits for its exchange. */
  async function approved(wanted: Record<string, unknown> = {}) {
    const linkToken = await app.linkToken(wanted);
    const { publicToken, connectionId } = await vault.link.approve(linkToken, {
      providers: ['openai'],
      budgetCents: 100,
    });
    return { publicToken: publicToken ?? '', connectionId, linkToken };
  }

  const exchange = (
    publicToken: string,
    by = app,
    body: Record<string, unknown> = {},
    key: string = crypto.randomUUID(),
  ) => by.post('/v1/link/exchange', { publicToken, ...body }, { 'idempotency-key': key });
  const own = (accessToken: unknown) => call(server, 'GET', '/v1/connection', { token: String(accessToken) });
  const statusOf = async (id: string) => (await vault.connections.get(id)).status;

  const updateToken = (accessToken: string) => app.linkToken({ accessToken });

  /** What a client would send for this request, were it not for whose it is. */
  async function updateBody(linkToken: string, connectionId: string) {
    const { policy } = await vault.connections.get(connectionId);
    const keyId = policy.providers[0]?.keyId ?? '';
    const next = { ...policy, revision: policy.revision + 1, budgetCents: 90_000 };
    const grants = [{ keyId, version: 1, grant: blob(100) }];
    return { linkToken, connectionId, baseRevision: policy.revision, policy: next, grants, manifest: blob(100) };
  }

  describe('exchange', () => {
    test('gives the access token and the policy that was approved', async () => {
      const { publicToken, connectionId } = await approved();
      const { data } = await exchange(publicToken);
      expect(data).toMatchObject({ connectionId, policy: { app: app.id, budgetCents: 100, origin: null } });
      expect(String(data['accessToken'])).toMatch(/^kp_at_/);
      expect((await own(data['accessToken'])).data).toMatchObject({
        id: connectionId,
        status: 'active',
        budgetCents: 100,
      });
    });

    test('in two tabs at once: one access token, and the same answer', async () => {
      const { publicToken, connectionId } = await approved();
      const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(publicToken)));
      expect(new Set(answers.map(outcome))).toEqual(new Set(['200']));
      expect(new Set(answers.map(({ data }) => data['accessToken'])).size).toBe(1);
      const rows = await database.sql`select from connections where id = ${connectionId} and generation = 1`;
      expect(rows).toHaveLength(1);
    });

    test('again within a minute: the same answer, whatever the Idempotency-Key', async () => {
      const { publicToken } = await approved();
      const first = await exchange(publicToken, app, {}, 'one');
      clock.advance(59 * second);
      for (const key of ['one', 'two']) expect((await exchange(publicToken, app, {}, key)).data).toEqual(first.data);
    });

    test('again later: refused, and the connection is revoked, for it may be stolen', async () => {
      const { publicToken, connectionId } = await approved();
      const { data } = await exchange(publicToken);
      clock.advance(61 * second);
      expect(outcome(await exchange(publicToken))).toBe('401 public_token_used');
      expect(outcome(await own(data['accessToken']))).toBe('401 access_token_invalid');
      expect(await statusOf(connectionId)).toBe('revoked');
      expect(outcome(await exchange(publicToken))).toBe('401 public_token_used');
    });

    test('by another app: refused, and nothing changes, before and after', async () => {
      const { publicToken, connectionId } = await approved();
      expect(outcome(await exchange(publicToken, otherApp))).toBe('401 public_token_invalid');
      const { data } = await exchange(publicToken);
      expect(outcome(await exchange(publicToken, otherApp))).toBe('401 public_token_invalid');
      clock.advance(2 * minute);
      expect(outcome(await exchange(publicToken, otherApp))).toBe('401 public_token_invalid');
      expect(await statusOf(connectionId)).toBe('active');
      expect((await own(data['accessToken'])).status).toBe(200);
    });

    test('after ten minutes: too late, and nothing is active', async () => {
      const { publicToken, connectionId } = await approved();
      clock.advance(10 * minute + second);
      expect(outcome(await exchange(publicToken))).toBe('401 public_token_expired');
      expect(await statusOf(connectionId)).toBe('pending');
    });

    test('after the owner took it back: nothing', async () => {
      const { publicToken, connectionId } = await approved();
      await vault.connections.revoke(connectionId);
      expect(outcome(await exchange(publicToken))).toBe('401 public_token_invalid');
    });

    test('of what is no public token', async () => {
      for (const token of [createToken('public'), createToken('access'), 'kp_pt_', '', blob()]) {
        expect(outcome(await exchange(token))).toBe('401 public_token_invalid');
      }
      expect(outcome(await exchange('x'.repeat(101)))).toBe('400 invalid_request');
      const { publicToken } = await approved();
      expect(outcome(await exchange(publicToken, app, { extra: 1 }))).toBe('400 unknown_member');
      const body = { publicToken };
      expect(outcome(await call(server, 'POST', '/v1/link/exchange', { body }))).toBe('401 credentials_missing');
      expect((await exchange(publicToken)).status).toBe(200);
    });

    test('a session for one user of the app wants that user again', async () => {
      const { publicToken, connectionId } = await approved({ clientUserId: 'user-1' });
      const wrong = await exchange(publicToken, app, { clientUserId: 'user-2' });
      expect(wrong.error).toMatchObject({ code: 'client_user_mismatch', param: 'clientUserId' });
      expect(wrong.status).toBe(403);
      expect(outcome(await exchange(publicToken))).toBe('403 client_user_mismatch');
      const right = await exchange(publicToken, app, { clientUserId: 'user-1' });
      expect(right.status).toBe(200);
      clock.advance(2 * minute);
      expect(outcome(await exchange(publicToken, app, { clientUserId: 'user-2' }))).toBe('403 client_user_mismatch');
      expect(await statusOf(connectionId)).toBe('active');
    });

    test('neither token can be found in the database', async () => {
      const { publicToken } = await approved();
      const { data } = await exchange(publicToken);
      const rows =
        await database.sql`select connections::text as a, link_sessions::text as b from connections left join link_sessions on true`;
      const dump = JSON.stringify(rows);
      for (const token of [publicToken, String(data['accessToken'])]) {
        expect(dump).not.toContain(token);
        expect(dump).not.toContain(Buffer.from(token).toString('hex'));
      }
    });
  });

  describe('update mode', () => {
    test('changes the policy; the app keeps its token and exchanges nothing', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      const linkToken = await updateToken(accessToken);
      expect(await vault.link.describe(linkToken)).toMatchObject({ mode: 'update', connectionId });
      const approvedAgain = await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 900 });
      expect(approvedAgain).toEqual({ publicToken: null, connectionId });
      expect((await own(accessToken)).data).toMatchObject({ budgetCents: 900 });
      expect(await failureOf(vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 9 }))).toMatchObject({
        code: 'link_session_closed',
      });
    });

    test('asks for kinds of calls beside those that the connection has, which stay until the owner says so', async () => {
      const { accessToken } = await linkApp(vault, app);
      expect((await vault.link.describe(await updateToken(accessToken))).requestedScopes).toEqual([]);
      const asked = { requestedProviders: ['openai'], requestedScopes: ['stateful', 'images'] };
      const linkToken = await app.linkToken({ ...asked, accessToken });
      expect((await vault.link.describe(linkToken)).requestedScopes).toEqual(['images', 'stateful']);
      await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 100 });
      expect((await own(accessToken)).data['scopes']).toEqual(['chat', 'embeddings']);
      const again = await app.linkToken({ ...asked, accessToken });
      await vault.link.approve(again, { providers: ['openai'], budgetCents: 100, scopes: ['chat', 'images'] });
      expect((await own(accessToken)).data['scopes']).toEqual(['chat', 'images']);
    });

    test('is asked by the connection’s own app alone', async () => {
      const { accessToken } = await linkApp(vault, app);
      const body = { requestedProviders: ['openai'], accessToken };
      const answer = await otherApp.post('/v1/link/sessions', body);
      expect(answer.error).toMatchObject({ code: 'access_token_invalid', param: 'accessToken' });
      const personal = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 1 });
      const answerToPersonal = await app.post('/v1/link/sessions', { ...body, accessToken: personal.accessToken });
      expect(outcome(answerToPersonal)).toBe('401 access_token_invalid');
    });

    test('is decided by the connection’s own owner alone', async () => {
      const { accessToken, connectionId } = await linkApp(vault, app);
      const linkToken = await updateToken(accessToken);
      const captured = await updateBody(linkToken, connectionId);
      const token = other.sessionToken ?? '';
      expect(outcome(await call(server, 'POST', '/v1/link/authorize', { token, body: captured }))).toBe(
        '403 wrong_account',
      );
      expect(await statusOf(connectionId)).toBe('active');
      expect((await own(accessToken)).data).toMatchObject({ budgetCents: 100 });
    });

    test('is no way to another connection, nor to a new one', async () => {
      const [first, another] = [await linkApp(vault, app), await linkApp(vault, app)];
      const linkToken = await updateToken(first.accessToken);
      const token = vault.sessionToken ?? '';
      const send = (body: unknown): Promise<Answer> => call(server, 'POST', '/v1/link/authorize', { token, body });
      expect(outcome(await send(await updateBody(linkToken, another.connectionId)))).toBe('409 link_session_closed');
      const connecting = { ckVault: blob(100), ckPublic: blob(100), publicLookup: blob(), origin: null };
      const { baseRevision: _, ...rest } = await updateBody(linkToken, first.connectionId);
      expect(outcome(await send({ ...rest, ...connecting }))).toBe('409 link_session_closed');
      const stale = { ...(await updateBody(linkToken, first.connectionId)), baseRevision: 7 };
      expect(outcome(await send(stale))).toBe('409 connection_changed');
    });
  });
});
