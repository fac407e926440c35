import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  blob,
  call,
  newConnection,
  newKey,
  outcome,
  recordOf,
  register,
  type Account,
  type Answer,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import type { Database } from '../database/connect.ts';

async function list(who: Account, query = '') {
  const { data } = await who.call('GET', `/v1/keys${query}`);
  return { items: (Array.isArray(data['items']) ? data['items'] : []).map(recordOf), next: data['nextCursor'] };
}

/** The body that replaces a key. */
function replacement(overrides: Record<string, unknown> = {}) {
  const sealed = { item: blob(200), dekVault: blob(100), manifest: blob(100) };
  return { baseVersion: 1, origin: 'https://api.openai.com', ...sealed, grants: [], drop: [], ...overrides };
}

/** A connection of this owner that uses the key. */
async function connect(who: Account, keyId: string): Promise<string> {
  const body = newConnection(keyId);
  expect(outcome(await who.call('POST', '/v1/connections', body))).toBe('200');
  return body.id;
}

const replace = (who: Account, id: string, overrides?: Record<string, unknown>) =>
  who.call('PUT', `/v1/keys/openai/${id}`, replacement(overrides));

const grant = (connectionId: string, atRevision = 1) => ({
  connectionId,
  revision: atRevision,
  grant: blob(100),
});

eachDatabase((kind, open) => {
  let database: Database;
  let server: TestServer;
  let ada: Account;
  let bob: Account;
  const clock = new TestClock();

  /** Adds keys, no two of them in one millisecond: that is the order of a list. */
  async function addKeys(who: Account, ...bodies: ReturnType<typeof newKey>[]): Promise<string[]> {
    for (const body of bodies) {
      clock.advance(1);
      expect(outcome(await who.call('POST', '/v1/keys', body))).toBe('200');
    }
    return bodies.map(({ id }) => id);
  }

  beforeAll(async () => {
    database = await open();
    server = await startTestServer({ database, clock });
    [ada, bob] = [await register(server), await register(server)];
  });

  afterAll(() => server.stop());

  const revision = async ({ userId }: Account) => {
    const [row] = await database.sql<{ revision: bigint }[]>`select revision from vaults where user_id = ${userId}`;
    return row?.revision;
  };

  async function grantsOf(keyId: string) {
    const rows = await database.sql<{ connectionId: string; version: bigint }[]>`
      select connection_id, version from grants where key_id = ${keyId} order by connection_id`;
    return rows.map((row) => `${row.connectionId} ${row.version}`);
  }

  describe('add', () => {
    test('the first of a provider is the default; another takes that over only if it says so', async () => {
      const who = await register(server);
      const keys = [newKey(), newKey(), newKey({ isDefault: true }), newKey({ provider: 'groq' })];
      const ids = await addKeys(who, ...keys);
      const { items } = await list(who);
      expect(items.map(({ id }) => id)).toEqual(ids);
      expect(items.map(({ isDefault }) => isDefault)).toEqual([false, false, true, true]);
      expect(items[0]).toMatchObject({
        item: keys[0]?.item,
        dekVault: keys[0]?.dekVault,
        version: 1,
        connectionCount: 0,
      });
    });

    test('an id is taken once, by whoever was first', async () => {
      const body = newKey();
      expect(outcome(await ada.call('POST', '/v1/keys', body))).toBe('200');
      const before = await revision(bob);
      expect(outcome(await bob.call('POST', '/v1/keys', { ...newKey(), id: body.id }))).toBe('409 id_taken');
      expect(await revision(bob)).toBe(before);
    });

    test('a provider that is not known, a version that is not the first', async () => {
      const unknown = await ada.call('POST', '/v1/keys', newKey({ provider: 'nosuch' }));
      expect(unknown.error).toMatchObject({ code: 'provider_unknown', param: 'provider' });
      expect(outcome(await ada.call('POST', '/v1/keys', newKey({ version: 2 })))).toBe('400 invalid_request');
    });

    test('two clients at once: one manifest wins, and the other’s key is not there either', async () => {
      const who = await register(server);
      const bodies = Array.from({ length: 6 }, () => newKey({ manifestRevision: 2 }));
      const answers = await Promise.all(bodies.map((body) => who.call('POST', '/v1/keys', body)));
      const codes = answers.map(outcome).toSorted();
      expect(codes).toEqual(['200', ...Array.from({ length: 5 }, () => '409 manifest_conflict')]);
      expect((await list(who)).items).toHaveLength(1);
      expect(await revision(who)).toBe(2n);
    });

    test('a manifest of the past or of the future is refused', async () => {
      for (const manifestRevision of [1, 99]) {
        const answer = await ada.call('POST', '/v1/keys', newKey({ manifestRevision }));
        expect(outcome(answer)).toBe('409 manifest_conflict');
      }
    });
  });

  describe('list', () => {
    test('page by page, each key once', async () => {
      const who = await register(server);
      const ids = await addKeys(who, newKey(), newKey(), newKey(), newKey(), newKey());
      const first = await list(who, '?limit=2');
      const second = await list(who, `?limit=2&cursor=${String(first.next)}`);
      const third = await list(who, `?limit=2&cursor=${String(second.next)}`);
      expect([...first.items, ...second.items, ...third.items].map(({ id }) => id)).toEqual(ids);
      expect(third.next).toBeNull();
    });

    test('a cursor of another’s list shows nothing of it; a made-up one is refused', async () => {
      const { next } = await list(ada, '?limit=1');
      expect((await list(await register(server), `?limit=1&cursor=${String(next)}`)).items).toEqual([]);
      const id = crypto.randomUUID();
      const made = [
        'x',
        `2026-01-01T00:00:00.000Z ${'-'.repeat(36)}`,
        `275760-01-01 ${id}`,
        `0000-01-01T00:00:00.000Z ${id}`,
      ];
      for (const cursor of made.map((text) => Buffer.from(text).toString('base64url'))) {
        const answer = await ada.call('GET', `/v1/keys?cursor=${cursor}`);
        expect(answer.error).toMatchObject({ code: 'invalid_request', param: 'cursor' });
      }
      for (const query of ['?limit=0', '?limit=201', '?limit=x', '?nosuch=1']) {
        expect((await ada.call('GET', `/v1/keys${query}`)).status).toBe(400);
      }
    });
  });

  describe('delete', () => {
    test('one: the oldest of the others becomes the default', async () => {
      const who = await register(server);
      const [first, second, third] = await addKeys(who, newKey(), newKey(), newKey());
      expect(outcome(await who.call('DELETE', `/v1/keys/openai/${first}`))).toBe('200');
      const { items } = await list(who);
      expect(items.map(({ id, isDefault }) => [id, isDefault])).toEqual([
        [second, true],
        [third, false],
      ]);
    });

    test('all of a provider, and nothing of another', async () => {
      const who = await register(server);
      await who.addKey();
      await who.addKey();
      const groq = await who.addKey('groq');
      expect(outcome(await who.call('DELETE', '/v1/keys/openai', { manifest: blob(100), manifestRevision: 5 }))).toBe(
        '200',
      );
      expect((await list(who)).items.map(({ id }) => id)).toEqual([groq]);
      expect(outcome(await who.call('DELETE', '/v1/keys/openai'))).toBe('404 key_not_found');
    });

    test('with a stale manifest nothing is deleted', async () => {
      const who = await register(server);
      const id = await who.addKey();
      const stale = { manifest: blob(100), manifestRevision: 2 };
      expect(outcome(await who.call('DELETE', `/v1/keys/openai/${id}`, stale))).toBe('409 manifest_conflict');
      expect((await list(who)).items).toHaveLength(1);
    });

    test('takes the grants along and leaves the connection waiting', async () => {
      const who = await register(server);
      const id = await who.addKey();
      const connection = await connect(who, id);
      await who.call('DELETE', `/v1/keys/openai/${id}`);
      expect(await grantsOf(id)).toEqual([]);
      expect((await who.call('GET', `/v1/connections/${connection}`)).data).toMatchObject({ missingKeys: ['openai'] });
    });
  });

  describe('replace', () => {
    test('carries the grants of every connection to the next version, or drops them', async () => {
      const who = await register(server);
      const id = await who.addKey();
      const [kept, dropped] = [await connect(who, id), await connect(who, id)];
      const grants = [{ connectionId: kept, revision: 1, grant: blob(100) }];
      const answer = await replace(who, id, { grants, drop: [dropped], manifestRevision: 5 });
      expect(answer.data).toEqual({ id, version: 2 });
      expect(await grantsOf(id)).toEqual([`${kept} 2`]);
    });

    test('a version that was replaced meanwhile', async () => {
      const id = await ada.addKey();
      const answers = await Promise.all([replace(ada, id), replace(ada, id)]);
      expect(answers.map(outcome).toSorted()).toEqual(['200', '409 key_changed']);
    });

    test('connections that are not those that use the key now: nothing changes', async () => {
      const who = await register(server);
      const [id, other] = [await who.addKey(), await who.addKey()];
      const [first, second, foreign] = [await connect(who, id), await connect(who, id), await connect(who, other)];
      const wrong = [
        { grants: [grant(first)] },
        { grants: [grant(first), grant(first)] },
        { grants: [grant(first), grant(second, 2)] },
        { grants: [grant(first), grant(second), grant(foreign)] },
        { grants: [grant(first)], drop: [second, foreign] },
        { grants: [grant(first), grant(second)], drop: [first] },
        { drop: [first, first] },
      ];
      for (const body of wrong) expect(outcome(await replace(who, id, body))).toBe('409 connections_changed');
      expect(await grantsOf(id)).toEqual([`${first} 1`, `${second} 1`].toSorted());
      const stale = { grants: [grant(first), grant(second)], manifestRevision: 2 };
      expect(outcome(await replace(who, id, stale))).toBe('409 manifest_conflict');
      expect((await list(who)).items[0]).toMatchObject({ version: 1 });
    });

    // The embedded database has one connection: there, nothing is ever on its way beside something else.
    if (kind === 'postgres') {
      test('an approval that is on its way when the key is replaced is not lost', async () => {
        const who = await register(server);
        const id = await who.addKey();
        const connection = await connect(who, await who.addKey());
        let replaced: Promise<Answer> | undefined;
        await database.begin(async (tx) => {
          await tx`select id from provider_keys where id = ${id} for share`;
          replaced = replace(who, id);
          await untilBlocked();
          await tx`update grants set key_id = ${id} where connection_id = ${connection}`;
        });
        expect(replaced === undefined ? '' : outcome(await replaced)).toBe('409 connections_changed');
        expect(await grantsOf(id)).toEqual([`${connection} 1`]);
      });
    }
  });

  /** Waits until some statement waits for a lock of another transaction. */
  async function untilBlocked(): Promise<void> {
    for (;;) {
      const waiting = await database.sql`
        select from pg_locks join pg_database on pg_database.oid = database or database is null
        where not granted and (datname = current_database() or database is null)`;
      if (waiting.length > 0) return;
      await Bun.sleep(2);
    }
  }

  test('the keys of another user are not there', async () => {
    const id = await ada.addKey();
    const paths = [`/v1/keys/openai/${id}`, `/v1/keys/groq/${id}`, `/v1/keys/openai/${crypto.randomUUID()}`];
    for (const path of paths) expect(outcome(await bob.call('DELETE', path))).toBe('404 key_not_found');
    expect(outcome(await replace(bob, id))).toBe('404 key_not_found');
    expect((await list(bob)).items.some((key) => key['id'] === id)).toBe(false);
    expect(outcome(await bob.call('POST', '/v1/connections', newConnection(id)))).toBe('404 key_not_found');
    expect((await list(ada)).items.some((key) => key['id'] === id)).toBe(true);
  });

  test('without a session there is nothing', async () => {
    const paths = [
      ['GET', ''],
      ['POST', ''],
      ['DELETE', '/openai'],
      ['PUT', `/openai/${crypto.randomUUID()}`],
    ] as const;
    for (const [method, path] of paths) {
      const body = { POST: newKey(), PUT: replacement(), GET: undefined, DELETE: undefined }[method];
      const answer = await call(server, method, `/v1/keys${path}`, body === undefined ? {} : { body });
      expect(outcome(answer)).toBe('401 credentials_missing');
    }
  });

  test('the catalogue is for everybody and tells where calls go', async () => {
    const { text } = await call(server, 'GET', '/v1/providers');
    expect(JSON.parse(text)).toMatchObject({ success: true, data: expect.any(Array) });
    expect(text).toContain('"id":"openai","name":"OpenAI","origin":"https://api.openai.com"');
  });
});
