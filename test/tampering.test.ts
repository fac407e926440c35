/**
 * Somebody who can write to the database changes rows; then an app calls. Nothing may reach the provider: neither from a
 * server that has just served that very call, nor from one that has just started, and both must decide alike.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import type { Database, Tx } from '../src/database/connect.ts';
import { eachDatabase } from './harness/databases.ts';
import { call, chat, linkApp, openVault, outcome, registerApp, startChatProvider } from './harness/people.ts';
import { startTestServer, type TestServer } from './harness/server.ts';
import type { Recorder } from './harness/upstream.ts';

/** Two people with an app and a connection each; Ada has a second key and a second, richer connection. */
interface Scene {
  readonly token: string;
  readonly connection: string;
  readonly key: string;
  readonly otherKey: string;
  readonly richConnection: string;
  readonly bob: string;
  readonly bobsConnection: string;
  readonly bobsKey: string;
  readonly bobsApp: string;
}

type Tampering = (tx: Tx, scene: Scene) => Promise<unknown>;

/** Rewrites the connection's policy, and its hash with it. */
const rewrite =
  (from: string, to: string): Tampering =>
  (tx, scene) => {
    const text = tx`replace(convert_from(policy, 'UTF8'), ${from}, ${to})`;
    return tx`
      update connections set policy = convert_to(${text}, 'UTF8'), policy_hash = sha256(convert_to(${text}, 'UTF8'))
      where id = ${scene.connection} and position(convert_to(${from}, 'UTF8') in policy) > 0 returning id`;
  };

/** Gives the connection what another one has in these columns. */
const takeFrom =
  (columns: string[], other: (scene: Scene) => string): Tampering =>
  (tx, scene) => {
    const list = columns.map((column) => `${column} = other.${column}`).join(', ');
    return tx`update connections set ${tx.unsafe(list)} from connections as other
      where connections.id = ${scene.connection} and other.id = ${other(scene)} returning connections.id`;
  };

/** Gives the connection's grant the sealed key of another connection's. */
const takeGrant =
  (other: (scene: Scene) => string): Tampering =>
  (tx, scene) =>
    tx`
    update grants set sealed_dek = other.sealed_dek, key_id = other.key_id, version = other.version from grants as other
    where grants.connection_id = ${scene.connection} and other.connection_id = ${other(scene)} returning grants.key_id`;

/** Puts another key's sealed item in the place of the connection's key's. */
const takeItem =
  (other: (scene: Scene) => string): Tampering =>
  (tx, scene) =>
    tx`
    update provider_keys set item = other.item, dek_vault = other.dek_vault from provider_keys as other
    where provider_keys.id = ${scene.key} and other.id = ${other(scene)} returning provider_keys.id`;

const rich = (scene: Scene) => scene.richConnection;
const bobs = (scene: Scene) => scene.bobsConnection;

/** Two changes at once. */
const both =
  (one: Tampering, two: Tampering): Tampering =>
  async (tx, scene) => [await one(tx, scene), await two(tx, scene)];

const tamperings: [string, Tampering][] = [
  ['the budget is raised', rewrite('"budgetCents":100', '"budgetCents":999999')],
  ['the models are opened', rewrite('"models":["gpt-4o-mini"]', '"models":null')],
  ['the scopes are widened', rewrite('"scopes":["chat","embeddings"]', '"scopes":["chat","embeddings","images"]')],
  ['the origin is exchanged', rewrite('"origin":null', '"origin":"https://evil.example"')],
  ['the policy names another key', (tx, scene) => rewrite(scene.key, scene.otherKey)(tx, scene)],
  ['the policy is spelled otherwise', rewrite('"v":1', '"v": 1')],
  ['the policy is nonsense', rewrite('{', '[')],
  ['only the hash is exchanged', takeFrom(['policy_hash'], rich)],
  ['the policy of a richer connection', takeFrom(['policy', 'policy_hash'], rich)],
  ['policy and grant of a richer connection', both(takeFrom(['policy', 'policy_hash'], rich), takeGrant(rich))],
  [
    'another app',
    (tx, { connection, bobsApp }) =>
      tx`update connections set app_id = ${bobsApp} where id = ${connection} returning id`,
  ],
  ['no app', (tx, { connection }) => tx`update connections set app_id = null where id = ${connection} returning id`],
  [
    'another owner',
    (tx, { connection, bob }) => tx`update connections set user_id = ${bob} where id = ${connection} returning id`,
  ],
  [
    'another generation',
    (tx, { connection }) => tx`update connections set generation = 2 where id = ${connection} returning id`,
  ],
  ['another epoch', (tx, { connection }) => tx`update connections set epoch = 2 where id = ${connection} returning id`],
  ['the wrap of a richer connection', takeFrom(['ck_token'], rich)],
  ['the wrap of another owner’s connection', takeFrom(['ck_token', 'user_id', 'app_id'], bobs)],
  [
    'all of another owner’s connection, under this token',
    both(takeFrom(['ck_token', 'user_id', 'app_id', 'policy', 'policy_hash'], bobs), takeGrant(bobs)),
  ],
  ['the grant of a richer connection', takeGrant(rich)],
  ['the grant of another owner’s connection', takeGrant(bobs)],
  [
    'the grant is for another key',
    (tx, { connection, otherKey }) =>
      tx`update grants set key_id = ${otherKey} where connection_id = ${connection} returning key_id`,
  ],
  [
    'grant and key are of another version',
    both(
      (tx, { key }) => tx`update grants set version = 2 where key_id = ${key} returning key_id`,
      (tx, { key }) => tx`update provider_keys set version = 2 where id = ${key} returning id`,
    ),
  ],
  ['the item of the owner’s other key', takeItem(({ otherKey }) => otherKey)],
  ['the item of another owner’s key', takeItem(({ bobsKey }) => bobsKey)],
  [
    'the key is another owner’s',
    (tx, { key, bob }) =>
      tx`update provider_keys set user_id = ${bob}, is_default = false where id = ${key} returning id`,
  ],
  [
    'the key is for another provider',
    both(
      (tx, { key }) => tx`update provider_keys set provider = 'groq' where id = ${key} returning id`,
      (tx, { connection }) =>
        tx`update grants set provider = 'groq' where connection_id = ${connection} returning key_id`,
    ),
  ],
  [
    'the key goes elsewhere',
    (tx, { key }) => tx`update provider_keys set origin = 'https://evil.example' where id = ${key} returning id`,
  ],
  [
    'the token finds a richer connection',
    async (tx, { connection, richConnection }) => {
      const rows = await tx<
        { tokenLookup: Uint8Array }[]
      >`select token_lookup from connections where id = ${connection}`;
      await tx`delete from connections where id = ${connection}`;
      return tx`update connections set token_lookup = ${rows[0]?.tokenLookup ?? null} where id = ${richConnection} returning id`;
    },
  ],
];

eachDatabase((_kind, open) => {
  let database: Database;
  let provider: Recorder;
  let warm: TestServer;
  let scene: Scene;

  beforeAll(async () => {
    database = await open();
    provider = startChatProvider();
    warm = await startTestServer({ database, settings: { KEYPASS_OPENAI_BASE_URL: provider.origin } });
    const [ada, bob] = [await openVault(warm), await openVault(warm)];
    const key = await ada.vault.keys.add({ provider: 'openai', secret: 'sk-' + 'a'.repeat(44) });
    const otherKey = await ada.vault.keys.add({ provider: 'openai', secret: 'sk-' + 'b'.repeat(44) });
    const bobsKey = await bob.vault.keys.add({ provider: 'openai', secret: 'sk-' + 'c'.repeat(44) });
    const [app, bobsApp] = [await registerApp(warm, ada.token), await registerApp(warm, bob.token)];
    const modest = await linkApp(ada.vault, app, { budgetCents: 100, models: ['gpt-4o-mini'] });
    const richer = await linkApp(ada.vault, app, { budgetCents: 90_000 });
    const theirs = await linkApp(bob.vault, bobsApp, { budgetCents: 90_000 });
    scene = {
      token: modest.accessToken,
      connection: modest.connectionId,
      key: key.id,
      otherKey: otherKey.id,
      richConnection: richer.connectionId,
      bob: bob.vault.userId,
      bobsConnection: theirs.connectionId,
      bobsKey: bobsKey.id,
      bobsApp: bobsApp.id,
    };
    for (const table of tables)
      await database.sql`create table ${database.sql(`kept_${table}`)} as table ${database.sql(table)}`;
  });

  afterEach(() =>
    withoutConstraints(async (tx) => {
      for (const table of tables) {
        await tx`delete from ${tx(table)}`;
        await tx`insert into ${tx(table)} select * from ${tx(`kept_${table}`)}`;
      }
    }),
  );

  afterAll(async () => {
    await warm.stop();
    await provider.stop();
  });

  const tables = ['connections', 'grants', 'provider_keys'];

  /** As somebody who owns the database: no foreign key is in the way. */
  const withoutConstraints = (work: (tx: Tx) => Promise<unknown>) =>
    database.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      return work(tx);
    });

  /** What the app is told that it may do; null for a refusal. */
  async function allowedBy(server: TestServer) {
    const { status, data } = await call(server, 'GET', '/v1/connection', { token: scene.token });
    const { id, providers, scopes, budgetCents, period, expiresAt } = data;
    return status === 200 ? { id, providers, scopes, budgetCents, period, expiresAt } : null;
  }

  /** What the app gets from a server that has just started. */
  async function chatWithFresh(settings: Record<string, string>) {
    const fresh = await startTestServer({ database, pepper: warm.pepper, settings });
    const answer = await chat(fresh, scene.token);
    await fresh.stop();
    return answer;
  }

  test.each(tamperings)('%s', async (name, tamper) => {
    expect(outcome(await chat(warm, scene.token))).toBe('200');
    const allowed = await allowedBy(warm);
    const reached = provider.requests.length;
    const changed = await withoutConstraints((tx) => tamper(tx, scene));
    expect([changed].flat(3).length).toBeGreaterThan(0);

    const answer = await chat(warm, scene.token);
    // A pepper epoch that this instance does not have is the operator's fault to find in the log.
    expect(answer.status).toBeWithin(400, name === 'another epoch' ? 501 : 500);
    expect(answer.code).not.toBeNull();
    const fresh = await chatWithFresh({ KEYPASS_OPENAI_BASE_URL: provider.origin });
    expect(outcome(fresh)).toBe(outcome(answer));
    expect(provider.requests.length).toBe(reached);
    // What the app is told is what the owner approved, or nothing.
    expect([allowed, null]).toContainEqual(await allowedBy(warm));
    expect(answer.text + warm.lines.join('\n')).not.toMatch(/sk-[abc]{40}/);
  });

  test('the operator sends calls elsewhere and changes the rows to match: the key does not open for that origin', async () => {
    const elsewhere = startChatProvider();
    await withoutConstraints((tx) => tx`update provider_keys set origin = ${elsewhere.origin}`);
    const answer = await chatWithFresh({ KEYPASS_OPENAI_BASE_URL: elsewhere.origin });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.stop();
  });

  test('the operator sends calls elsewhere: said to the app, and the key stays where it is', async () => {
    const elsewhere = startChatProvider();
    const answer = await chatWithFresh({ KEYPASS_OPENAI_BASE_URL: elsewhere.origin });
    expect(outcome(answer)).toBe('403 key_origin_changed');
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.stop();
  });

  test('refused calls hold nothing of the budget', async () => {
    await warm.settled();
    const [row] = await database.sql<{ held: bigint }[]>`select coalesce(sum(held), 0)::bigint as held from budgets`;
    expect(row?.held).toBe(0n);
    expect(await database.sql`select call_id from holds`).toHaveLength(0);
  });
});
