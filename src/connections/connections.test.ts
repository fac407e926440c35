import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  blob,
  call,
  newConnection,
  newKey,
  outcome,
  policyFor,
  recordOf,
  register,
  type Account,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import type { Policy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';

const grant = (id: string, version = 1) => ({ keyId: id, version, grant: blob(100) });

/** The body of an edit of the policy. */
function edit(keyId: string, policy: Partial<Policy>, overrides: Record<string, unknown> = {}) {
  const grants = [{ keyId, version: 1, grant: blob(100) }];
  return {
    baseRevision: 1,
    policy: policyFor(keyId, { revision: 2, ...policy }),
    grants,
    manifest: blob(100),
    ...overrides,
  };
}

eachDatabase((_kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  let bob: Account;
  let keyId: string;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database, clock });
    [ada, bob] = [await register(server), await register(server)];
    keyId = await ada.addKey();
  });

  afterAll(() => server.stop());

  const create = (policy: Partial<Policy> = {}, overrides: Record<string, unknown> = {}) =>
    ada.call('POST', '/v1/connections', newConnection(keyId, policy, overrides));
  const patch = (id: string, body: object, who = ada) => who.call('PATCH', `/v1/connections/${id}`, body);
  const get = async (id: string) => (await ada.call('GET', `/v1/connections/${id}`)).data;

  async function created(policy: Partial<Policy> = {}): Promise<string> {
    const { data, status } = await create(policy);
    expect(status).toBe(200);
    return String(data['id']);
  }

  async function rowOf(id: string) {
    const [row] = await database.sql`
      select status, ck_vault, ck_token, token_lookup, token_vault, revoked_at is not null as is_dated,
        (select count(*) from grants where connection_id = ${id}) as grants
      from connections where id = ${id}`;
    return { ...row };
  }

  describe('create', () => {
    test('a personal one, and one for a site', async () => {
      const id = await created({ budgetCents: 500 });
      expect(await get(id)).toMatchObject({
        kind: 'personal',
        status: 'active',
        revision: 1,
        generation: 1,
        spent: '0',
        held: '0',
        missingKeys: [],
        policy: { budgetCents: 500 },
      });
      const origin = 'https://site.example';
      expect(outcome(await create({ kind: 'site', origin }, { kind: 'site' }))).toBe('200');
    });

    test('ids and tokens are taken once, across all owners', async () => {
      const body = newConnection(keyId);
      await ada.call('POST', '/v1/connections', body);
      const other = await bob.addKey();
      const sameId = await bob.call('POST', '/v1/connections', newConnection(other, {}, { id: body.id }));
      expect(sameId.error).toMatchObject({ code: 'id_taken', param: 'id' });
      const { tokenLookup } = body;
      const sameToken = await bob.call('POST', '/v1/connections', newConnection(other, {}, { tokenLookup }));
      expect(sameToken.error).toMatchObject({ code: 'id_taken', param: 'tokenLookup' });
    });

    test.each<[string, Partial<Policy>, string]>([
      ['of no calls at all', { limits: { rpm: null, tpm: null, parallel: 0 } }, 'policy.limits.parallel'],
      ['of a budget by model, which nothing enforces', { perModelCents: { 'gpt-4o': 5 } }, 'policy.perModelCents'],
      ['that has ended', { expiresAt: '2020-01-01T00:00:00Z' }, 'policy.expiresAt'],
      ['of a later revision', { revision: 2 }, 'policy.revision'],
      ['of another kind', { kind: 'site', origin: 'https://site.example' }, 'policy.kind'],
      ['with an origin of its own', { origin: 'https://site.example' }, 'policy.origin'],
      ['of too large a budget', { budgetCents: 100_000_001 }, 'policy.budgetCents'],
    ])('refuses a policy %s', async (_name, policy, param) => {
      const answer = await create(policy);
      expect(answer.error).toMatchObject({ code: 'policy_invalid', param });
    });

    test('refuses a policy with a member too many or too few, without repeating its values', async () => {
      const canary = 'canary-91e0';
      const policy = policyFor(keyId);
      for (const wrong of [{ ...policy, extra: canary }, { ...policy, scopes: [canary] }, { v: 1 }, canary, null]) {
        const answer = await ada.call('POST', '/v1/connections', { ...newConnection(keyId), policy: wrong });
        expect(answer.status).toBe(400);
        expect(answer.text).not.toContain(canary);
      }
    });

    test('grants are one for each provider of the policy, for the owner’s own key in its version', async () => {
      const groq = await ada.addKey('groq');
      const theirs = await bob.addKey();
      const two = [
        { id: 'groq', keyId: groq, models: null },
        { id: 'openai', keyId, models: null },
      ];
      const outcomes = [
        await create({}, { grants: [grant(keyId), grant(groq)] }),
        await create({ providers: two }, { grants: [grant(keyId)] }),
        await create({ providers: two }, { grants: [grant(keyId), grant(keyId)] }),
        await create({}, { grants: [] }),
        await create({}, { grants: [grant(groq)] }),
        await create({}, { grants: [grant(keyId, 2)] }),
        await create({ providers: [{ id: 'openai', keyId: theirs, models: null }] }, { grants: [grant(theirs)] }),
        await create({ providers: [{ id: 'openai', keyId: groq, models: null }] }, { grants: [grant(groq)] }),
      ].map(outcome);
      expect(outcomes).toEqual([
        '400 policy_invalid',
        '400 policy_invalid',
        '400 policy_invalid',
        '400 invalid_request',
        '409 key_changed',
        '409 key_changed',
        '404 key_not_found',
        '404 key_not_found',
      ]);
      expect(outcome(await create({ providers: two }, { grants: [grant(groq), grant(keyId)] }))).toBe('200');
    });

    test('what fails leaves nothing half-written', async () => {
      const before =
        await database.sql`select count(*) as connections, (select count(*) from grants) as grants from connections`;
      expect(outcome(await create({}, { manifestRevision: 99 }))).toBe('409 manifest_conflict');
      const after =
        await database.sql`select count(*) as connections, (select count(*) from grants) as grants from connections`;
      expect([...after]).toEqual([...before]);
    });
  });

  describe('list', () => {
    test('page by page, and each owner’s own', async () => {
      const who = await register(server);
      const key = await who.addKey();
      const ids: string[] = [];
      for (let count = 0; count < 3; count++) {
        clock.advance(1);
        ids.push(String((await who.call('POST', '/v1/connections', newConnection(key))).data['id']));
      }
      const first = await who.call('GET', '/v1/connections?limit=2');
      const second = await who.call('GET', `/v1/connections?cursor=${String(first.data['nextCursor'])}`);
      const items = [first, second].flatMap(({ data }) => (Array.isArray(data['items']) ? data['items'] : []));
      expect(items.map((item) => recordOf(item)['id'])).toEqual(ids);
      expect(second.data['nextCursor']).toBeNull();
      expect((await bob.call('GET', '/v1/connections')).text).not.toContain(ids[0] ?? '');
    });
  });

  describe('edit', () => {
    test('replaces policy and grants, once for each revision', async () => {
      const id = await created();
      const edits = [edit(keyId, { budgetCents: 7 }), edit(keyId, { budgetCents: 8 })];
      const answers = await Promise.all(edits.map((body) => patch(id, body)));
      expect(answers.map(outcome).toSorted()).toEqual(['200', '409 connection_changed']);
      const winner = edits[answers.findIndex(({ status }) => status === 200)];
      const detail = await get(id);
      expect(detail).toMatchObject({ revision: 2, policy: { budgetCents: winner?.policy.budgetCents } });
      expect(detail['grants']).toEqual([{ provider: 'openai', ...winner?.grants[0] }]);
    });

    test('is checked as a creation is, and changes nothing if it fails', async () => {
      const id = await created();
      const [fixed, groq] = [crypto.randomUUID(), await ada.addKey('groq')];
      const refused = [
        patch(id, edit(keyId, { revision: 3 })),
        patch(id, edit(keyId, { kind: 'app', app: fixed })),
        patch(id, edit(keyId, { origin: 'https://evil.example' })),
        patch(id, edit(keyId, {}, { grants: [{ keyId: groq, version: 1, grant: blob(100) }] })),
        patch(id, edit(keyId, {}, { baseRevision: 2 })),
        patch(id, edit(keyId, {}, { manifestRevision: 1 })),
      ];
      expect((await Promise.all(refused)).map(outcome)).toEqual([
        '400 policy_invalid',
        '400 policy_invalid',
        '400 policy_invalid',
        '409 key_changed',
        '409 connection_changed',
        '409 manifest_conflict',
      ]);
      expect(await get(id)).toMatchObject({ revision: 1, policy: { revision: 1 } });
    });

    test('pause and resume, lower and lift: with a session alone', async () => {
      const id = await created({ budgetCents: 100 });
      for (const paused of [true, true, false, false, true]) expect(outcome(await patch(id, { paused }))).toBe('200');
      expect(await get(id)).toMatchObject({ status: 'paused' });
      expect(outcome(await patch(id, { capCents: 5 }))).toBe('200');
      expect(await get(id)).toMatchObject({ capCents: 5, policy: { budgetCents: 100 } });
      expect(outcome(await patch(id, { capCents: null }))).toBe('200');
      expect(await get(id)).not.toHaveProperty('capCents');
    });

    test('forms that are none', async () => {
      const id = await created();
      const bodies = [
        {},
        { paused: 'yes' },
        { capCents: -1 },
        { capCents: 1.5 },
        { paused: true, capCents: 5 },
        { status: 'active' },
      ];
      for (const body of bodies) expect((await patch(id, body)).status).toBe(400);
      expect((await patch(id, { paused: true, capCents: 5 })).error).toMatchObject({ code: 'unknown_member' });
      expect(await get(id)).toMatchObject({ status: 'active' });
    });
  });

  describe('revoke', () => {
    test('shreds every wrap and every grant, at once and for ever', async () => {
      const id = await created();
      expect(Object.values(await rowOf(id)).filter((value) => value === null)).toEqual([]);
      expect(outcome(await ada.call('DELETE', `/v1/connections/${id}`, { manifest: blob(100) }))).toBe('200');
      expect(await rowOf(id)).toEqual({
        status: 'revoked',
        ckVault: null,
        ckToken: null,
        tokenLookup: null,
        tokenVault: null,
        isDated: true,
        grants: 0n,
      });
      const detail = await get(id);
      expect([detail['grants'], detail['ckVault'], detail['tokenVault']]).toEqual([[], undefined, undefined]);
      expect(outcome(await ada.call('DELETE', `/v1/connections/${id}`))).toBe('404 connection_not_found');
      expect(outcome(await patch(id, { paused: false }))).toBe('404 connection_not_found');
      expect(outcome(await patch(id, { capCents: 1 }))).toBe('404 connection_not_found');
      expect(outcome(await patch(id, edit(keyId, {})))).toBe('403 connection_revoked');
      expect(outcome(await create({}, { id }))).toBe('409 id_taken');
      expect(await rowOf(id)).toMatchObject({ status: 'revoked', grants: 0n });
    });

    test('the database itself refuses a revoked connection with a wrap', async () => {
      const id = await created();
      const attempt = database.sql`update connections set status = 'revoked' where id = ${id}`;
      expect(await attempt.catch((error: unknown) => error)).toMatchObject({ code: '23514' });
    });

    test('with a stale manifest nothing is revoked', async () => {
      const id = await created();
      const stale = { manifest: blob(100), manifestRevision: 1 };
      expect(outcome(await ada.call('DELETE', `/v1/connections/${id}`, stale))).toBe('409 manifest_conflict');
      expect(await get(id)).toMatchObject({ status: 'active' });
    });
  });

  test('the connections of another owner are not there', async () => {
    const id = await created();
    const path = `/v1/connections/${id}`;
    const answers = [
      await bob.call('GET', path),
      await bob.call('DELETE', path),
      await patch(id, { paused: true }, bob),
      await patch(id, { capCents: 0 }, bob),
      await patch(id, edit(await bob.addKey(), {}), bob),
    ];
    expect(new Set(answers.map(outcome))).toEqual(new Set(['404 connection_not_found']));
    expect(await get(id)).toMatchObject({ status: 'active', revision: 1 });
    expect(outcome(await ada.call('GET', '/v1/connections/x'))).toBe('400 invalid_request');
  });

  test('without a credential, or with another kind, there is nothing', async () => {
    const path = `/v1/connections/${crypto.randomUUID()}`;
    const requests = [
      ['GET', '/v1/connections', undefined],
      ['GET', path, undefined],
      ['DELETE', path, undefined],
      ['PATCH', path, { paused: true }],
      ['POST', '/v1/connections', newConnection(newKey().id)],
      ['GET', '/v1/connection', undefined],
      ['DELETE', '/v1/connection', undefined],
    ] as const;
    for (const [method, place, body] of requests) {
      const answer = await call(server, method, place, body === undefined ? {} : { body });
      expect(outcome(answer)).toBe('401 credentials_missing');
    }
    expect(outcome(await ada.call('GET', '/v1/connection'))).toBe('401 access_token_invalid');
    expect(outcome(await ada.call('DELETE', '/v1/connection'))).toBe('401 access_token_invalid');
  });
});
