import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  blob,
  call,
  newConnection,
  newKey,
  outcome,
  policyFor,
  register,
  type Account,
} from '../../test/harness/people.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import type { Policy } from '../crypto/index.ts';

/** What may not happen twice, and what may not change afterwards. */
eachDatabase((_kind, open) => {
  let server: TestServer;
  let ada: Account;
  let keyId: string;

  beforeAll(async () => {
    server = await startTestServer({ database: await open() });
    ada = await register(server);
    keyId = await ada.addKey();
  });

  afterAll(() => server.stop());

  const post = (path: string, key: string, body: object) =>
    call(server, 'POST', path, { token: ada.token, headers: { 'idempotency-key': key }, body });

  test.each([
    ['/v1/keys', () => newKey()],
    ['/v1/connections', () => newConnection(keyId)],
  ] as const)(
    'a repeated creation at %s is told its id, another under the same Idempotency-Key is refused',
    async (path, make) => {
      const body = make();
      const key = crypto.randomUUID();
      expect(outcome(await post(path, key, body))).toBe('200');
      // A client that repeats itself has sealed its manifest anew.
      const repeat = await post(path, key, { ...body, manifest: blob(100) });
      expect(outcome(repeat)).toBe('409 already_created');
      expect(repeat.error['details']).toEqual({ id: body.id });
      expect(outcome(await post(path, key, make()))).toBe('409 idempotency_mismatch');
      expect(outcome(await post(path, crypto.randomUUID(), body))).toBe('409 id_taken');
    },
  );

  test('a creation that failed may be repeated under its Idempotency-Key', async () => {
    const [key, body] = [crypto.randomUUID(), newKey()];
    expect(outcome(await post('/v1/keys', key, { ...body, manifestRevision: 999 }))).toBe('409 manifest_conflict');
    expect(outcome(await post('/v1/keys', key, body))).toBe('200');
  });

  test('an edit cannot change the period, by which spending is counted', async () => {
    const body = newConnection(keyId);
    await ada.call('POST', '/v1/connections', body);
    const edit = (changes: Partial<Policy>) =>
      ada.call('PATCH', `/v1/connections/${body.id}`, {
        baseRevision: 1,
        policy: policyFor(keyId, { revision: 2, ...changes }),
        grants: [{ keyId, version: 1, grant: blob(100) }],
        manifest: blob(100),
      });
    const refused = await edit({ period: 'total' });
    expect([outcome(refused), refused.error['param']]).toEqual(['400 policy_invalid', 'policy.period']);
    expect(outcome(await edit({ budgetCents: 7 }))).toBe('200');
  });

  test.each(['nonsense', 'https://api.openai.com/', 'https://api.openai.com/v1', 'HTTPS://api.openai.com'])(
    'a key is not taken for the origin %j',
    async (origin) => {
      const refused = await ada.call('POST', '/v1/keys', newKey({ origin }));
      expect([outcome(refused), refused.error['param']]).toEqual(['400 invalid_request', 'origin']);
    },
  );

  test.each([
    ['too short', blob(72)],
    ['of another version', `B${blob(100).slice(1)}`],
  ])('a blob that is %s is no envelope', async (_fault, item) => {
    const refused = await ada.call('POST', '/v1/keys', newKey({ item }));
    expect([outcome(refused), refused.error['param']]).toEqual(['400 invalid_request', 'item']);
  });
});
