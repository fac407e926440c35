import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Vault } from '../../sdk/vault/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import { chat, openVault, outcome, startChatProvider } from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import type { Database } from '../database/connect.ts';
import { KeyHealth } from './health.ts';

eachDatabase((kind, open) => {
  let database: Database;
  let provider: Recorder;
  let good: Recorder;
  let server: TestServer;
  let vault: Vault;
  let token: string;
  let keyId: string;
  let status = 200;
  const clock = new TestClock();

  beforeAll(async () => {
    database = await open();
    good = startChatProvider();
    provider = startRecorder(({ body }) =>
      status === 200
        ? fetch(`${good.origin}/v1/chat/completions`, { method: 'POST', body })
        : Response.json({ error: { message: 'No.' } }, { status }),
    );
    server = await startServer();
    ({ vault } = await openVault(server));
    ({ id: keyId } = await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'k'.repeat(40)}` }));
    const connection = { name: 'tool', providers: ['openai'], budgetCents: 1000 };
    ({ accessToken: token } = await vault.connections.create(connection));
  });

  afterAll(async () => {
    await server.stop();
    await Promise.all([provider.stop(), good.stop()]);
  });

  const startServer = (over: { pepper?: TestServer['pepper'] } = {}) =>
    startTestServer({ database, clock, settings: { KEYPASS_OPENAI_BASE_URL: provider.origin }, ...over });

  /** Makes a call that the provider answers with this status, and waits until it is noted. */
  async function ask(answer: number, at: TestServer = server): Promise<string> {
    status = answer;
    const asked = outcome(await chat(at, token));
    await at.settled();
    return asked;
  }

  const refusal = async () => (await vault.keys.list()).find(({ id }) => id === keyId)?.refusal;

  /** Which write of the database last touched the key's row. */
  async function lastWrite(): Promise<string | undefined> {
    const [row] = await database.sql<{ xmin: string }[]>`
      select xmin::text from provider_keys where id = ${keyId}`;
    return row?.xmin;
  }

  describe('the mark of a refused key', () => {
    test('is not there as long as the provider takes it, nor after what is not about the key', async () => {
      for (const answer of [200, 400, 404, 429, 500]) await ask(answer);
      expect(await refusal()).toBeNull();
    });

    test('says since when and how, and goes with the first call that is taken again', async () => {
      const before = clock.now().getTime();
      expect(await ask(401)).toBe('502 provider_key_rejected');
      const mark = await refusal();
      expect(mark).toMatchObject({ status: 401, verdict: 'rejected' });
      const since = Date.parse(mark?.at ?? '');
      expect(since >= before && since <= clock.now().getTime()).toBe(true);
      clock.advance(3_600_000);
      await ask(401);
      expect(await refusal()).toEqual(mark ?? null);
      expect(await ask(200)).toBe('200');
      expect(await refusal()).toBeNull();
    });

    test('is written where something changes, not with every call', async () => {
      clock.advance(3_600_000);
      await ask(401);
      const first = await lastWrite();
      await Promise.all([1, 2, 3].map(() => ask(401)));
      expect(await lastWrite()).toBe(first ?? '');
      await ask(200);
      const second = await lastWrite();
      for (let call = 0; call < 3; call++) await ask(200);
      expect(await lastWrite()).toBe(second ?? '');
      expect(second).not.toBe(first);
    });

    test('of what it may not do goes on and off at most once a minute', async () => {
      clock.advance(3_600_000);
      expect(await ask(403)).toBe('403 provider_key_rejected');
      expect(await refusal()).toMatchObject({ status: 403, verdict: 'restricted' });
      await ask(200);
      expect(await refusal()).toMatchObject({ verdict: 'restricted' });
      clock.advance(61_000);
      await ask(200);
      expect(await refusal()).toBeNull();
      await ask(403);
      expect(await refusal()).toBeNull();
      // What is dead is dead at once.
      await ask(401);
      expect(await refusal()).toMatchObject({ verdict: 'rejected' });
      await ask(403);
      expect(await refusal()).toMatchObject({ verdict: 'rejected' });
      await ask(200);
    });

    test('is there for want of credit, too', async () => {
      clock.advance(3_600_000);
      expect(await ask(402)).toBe('402');
      expect(await refusal()).toMatchObject({ status: 402, verdict: 'rejected' });
    });

    test('goes with another key in its place, and a late answer to the old one brings it not back', async () => {
      clock.advance(3_600_000);
      await ask(401);
      await vault.keys.replace(keyId, `sk-proj-${'l'.repeat(40)}`);
      expect(await refusal()).toBeNull();
      const late = new KeyHealth({ database, clock });
      await late.refused({ keyId, keyVersion: 1, status: 401, verdict: 'rejected' });
      expect(await refusal()).toBeNull();
      await ask(401);
      expect(await refusal()).not.toBeNull();
      await late.taken({ keyId, keyVersion: 1 });
      expect(await refusal()).not.toBeNull();
    });

    test('goes when its owner has seen to it, and nobody else can do that', async () => {
      clock.advance(3_600_000);
      await ask(200);
      await ask(401);
      const other = await openVault(server);
      const path = `/v1/keys/openai/${keyId}/refusal`;
      const asked = (bearer: string) =>
        fetch(`${server.url}${path}`, { method: 'DELETE', headers: { authorization: `Bearer ${bearer}` } });
      expect((await asked(other.token)).status).toBe(404);
      expect((await fetch(`${server.url}${path}`, { method: 'DELETE' })).status).toBe(401);
      expect(await refusal()).not.toBeNull();
      expect((await asked(vault.sessionToken ?? '')).status).toBe(200);
      expect(await refusal()).toBeNull();
      await ask(401);
      expect(await refusal()).toMatchObject({ verdict: 'rejected' });
    });

    // The embedded database belongs to one instance.
    if (kind === 'postgres') {
      test('that one instance has made is taken away by another within a minute', async () => {
        const second = await startServer({ pepper: server.pepper });
        try {
          clock.advance(3_600_000);
          await ask(200, second);
          await ask(401, server);
          expect(await refusal()).toMatchObject({ verdict: 'rejected' });
          await ask(200, second);
          expect(await refusal()).not.toBeNull();
          clock.advance(61_000);
          await ask(200, second);
          expect(await refusal()).toBeNull();
        } finally {
          await second.stop();
        }
      });
    }
  });
});
