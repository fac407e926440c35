/** The client against the real server over HTTP, and against one whose database somebody else writes to. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { isPlainObject } from '../../../src/crypto/index.ts';
import type { Database } from '../../../src/database/connect.ts';
import { openTestDatabase } from '../../../test/harness/databases.ts';
import { startTestServer, type TestServer } from '../../../test/harness/server.ts';
import { type Fetch, Vault, VaultTamperedError, WrongPasswordError } from '../src/index.ts';
import { rowOf } from './memory-server.ts';

const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(44)}`;
const other = `sk-${'y'.repeat(44)}`;

let database: Database;
let server: TestServer;
let baseUrl: string;
let people = 0;

beforeAll(async () => {
  database = await openTestDatabase('embedded');
  server = await startTestServer({ database });
  baseUrl = server.url;
});

afterAll(async () => {
  await server.stop();
  await database.close();
});

const person = () => ({ baseUrl, email: `ada${people++}@example.com`, password });
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

/** An app of this vault's owner, and the two calls that its own server makes. */
async function registerApp(vault: Vault) {
  const { id, clientId, clientSecret } = await vault.apps.create({
    name: 'Notes',
    allowedOrigins: ['https://notes.example'],
  });
  const call = async (path: string, body: object) => {
    const authorization = `Basic ${btoa(`${clientId}:${clientSecret}`)}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(baseUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return rowOf(rowOf(await response.json())['data']);
  };
  const linkToken = async (accessToken?: string) => {
    const body = { requestedProviders: ['openai', 'anthropic'], ...(accessToken === undefined ? {} : { accessToken }) };
    return String((await call('/v1/link/sessions', body))['linkToken']);
  };
  return { id, linkToken, exchange: (publicToken: string | null) => call('/v1/link/exchange', { publicToken }) };
}

describe('account', () => {
  test('wrong password, unknown e-mail, resume, logout', async () => {
    const who = person();
    const { vault } = await Vault.register(who);
    expect(await failure(Vault.unlock({ ...who, password: 'wrong' }))).toBeInstanceOf(WrongPasswordError);
    expect(await failure(Vault.unlock({ ...who, email: 'nobody@example.com' }))).toBeInstanceOf(WrongPasswordError);
    const resumed = await Vault.resume({ baseUrl, sessionToken: vault.sessionToken ?? '' });
    await resumed.unlock(password);
    expect(await resumed.keys.list()).toEqual([]);
    await vault.logout();
    expect(await failure(resumed.keys.list())).toMatchObject({ code: 'session_invalid', status: 401 });
  });

  test('recovery opens the vault with a new password, once, and ends the sessions', async () => {
    const who = person();
    const { vault, recoveryCode } = await Vault.register(who);
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const recovered = await Vault.recover({ ...who, recoveryCode, newPassword: 'found again' });
    expect(await recovered.vault.keys.reveal(id)).toBe(secret);
    expect(await failure(vault.keys.list())).toMatchObject({ code: 'session_invalid' });
    expect(await failure(Vault.recover({ ...who, recoveryCode, newPassword: 'x' }))).toMatchObject({
      code: 'recovery_failed',
    });
  });

  test('a page has its session in a cookie and no token at all', async () => {
    let jar = '';
    const browser: Fetch = async (url, init) => {
      const headers = new Headers(init.headers);
      headers.set('origin', baseUrl);
      if (init.credentials === 'same-origin') headers.set('cookie', jar);
      const response = await fetch(url, { ...init, headers });
      jar = response.headers.get('set-cookie')?.split(';')[0] ?? jar;
      return response;
    };
    const { vault } = await Vault.register({ ...person(), transport: 'cookie', fetch: browser });
    expect(vault.sessionToken).toBeNull();
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const resumed = await Vault.resume({ baseUrl, transport: 'cookie', fetch: browser });
    expect(resumed.unlocked).toBe(false);
    await resumed.unlock(password);
    expect(await resumed.keys.reveal(id)).toBe(secret);
  });
});

describe('two clients of one vault', () => {
  let vault: Vault;
  let second: Vault;
  let keyId: string;

  beforeAll(async () => {
    const who = person();
    ({ vault } = await Vault.register(who));
    keyId = (await vault.keys.add({ provider: 'openai', secret, label: 'laptop' })).id;
    second = await Vault.unlock(who);
    await Promise.all([
      second.keys.add({ provider: 'anthropic', secret }),
      vault.keys.add({ provider: 'groq', secret }),
    ]);
  });

  test('keys: list, reveal, replace, remove', async () => {
    expect((await vault.keys.list()).map((key) => key.provider).toSorted()).toEqual(['anthropic', 'groq', 'openai']);
    expect(await second.keys.reveal(keyId)).toBe(secret);
    expect(await second.keys.replace(keyId, other)).toEqual({ version: 2 });
    expect(await vault.keys.reveal(keyId)).toBe(other);
    await vault.keys.remove('groq');
    expect(await second.keys.list()).toHaveLength(2);
  });

  test('an app: approve, replace the key while it waits, exchange, change in update mode', async () => {
    const app = await registerApp(vault);
    expect(await vault.apps.list()).toMatchObject([{ id: app.id, name: 'Notes' }]);
    const linkToken = await app.linkToken();
    expect(await second.link.describe(linkToken)).toMatchObject({ mode: 'connect', app: { id: app.id } });
    const approval = { providers: ['openai'], models: ['gpt-4o'], budgetCents: 300, origin: 'https://notes.example' };
    const { publicToken, connectionId } = await second.link.approve(linkToken, approval);
    await vault.keys.replace(keyId, secret);
    const exchanged = await app.exchange(publicToken);
    expect(exchanged).toMatchObject({ connectionId, policy: { budgetCents: 300 } });
    expect(await vault.connections.get(connectionId)).toMatchObject({
      name: 'Notes',
      status: 'active',
      verified: true,
    });
    const update = await app.linkToken(String(exchanged['accessToken']));
    const wider = { providers: ['openai', 'anthropic'], budgetCents: 900 };
    expect(await vault.link.approve(update, wider)).toEqual({ publicToken: null, connectionId });
    expect(await second.connections.get(connectionId)).toMatchObject({ policy: { revision: 2, budgetCents: 900 } });
  });

  test('an approval is taken back before it is exchanged', async () => {
    const app = await registerApp(vault);
    const { publicToken, connectionId } = await vault.link.approve(await app.linkToken(), {
      providers: ['openai'],
      budgetCents: 1,
    });
    await second.connections.revoke(connectionId);
    expect(await app.exchange(publicToken)).toEqual({});
  });

  test('a personal connection: create, update, pause and cap while locked, revoke', async () => {
    const { id, accessToken } = await vault.connections.create({
      name: 'tool',
      providers: ['openai'],
      budgetCents: 100,
    });
    expect(await second.connections.accessToken(id)).toBe(accessToken);
    await second.connections.update(id, { name: 'editor', budgetCents: 200, expiresAt: '2099-01-01T00:00:00Z' });
    vault.lock();
    await vault.connections.update(id, { paused: true, capCents: 5 });
    expect(await vault.connections.get(id)).toMatchObject({ status: 'paused', capCents: 5, verified: false });
    await vault.unlock(password);
    await vault.connections.update(id, { models: ['m'], paused: false, capCents: null });
    expect(await second.connections.get(id)).toMatchObject({
      name: 'editor',
      policy: { revision: 3, budgetCents: 200 },
    });
    await vault.connections.revoke(id);
    expect(await failure(second.connections.update(id, { budgetCents: 1 }))).toMatchObject({
      code: 'connection_revoked',
    });
    expect(await vault.usage({ by: 'day' })).toEqual([]);
    expect(await vault.calls({ connectionId: id })).toEqual({ items: [], nextCursor: null });
  });

  test('a removed key leaves its connections waiting until another is chosen', async () => {
    const { id } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
    await second.keys.remove('openai', keyId);
    expect((await vault.connections.get(id)).missingKeys).toEqual(['openai']);
    await vault.keys.add({ provider: 'openai', secret });
    await second.connections.update(id, { providers: ['openai'] });
    expect((await vault.connections.get(id)).missingKeys).toEqual([]);
  });
});

/** A connection's row with a policy that its owner never saw. */
const raised = (row: Record<string, unknown>) => ({
  ...row,
  policy: { ...rowOf(row['policy']), budgetCents: 99_999 },
});

/** A vault whose server's answers to one path pass through `change`, once it is set. */
async function behindProxy() {
  const hostile: { change: ((path: string, data: Record<string, unknown>) => unknown) | null } = { change: null };
  const proxied: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    const answer = rowOf(await response.json());
    const { data: sent } = answer;
    const data = isPlainObject(sent) ? (hostile.change?.(new URL(url).pathname, sent) ?? sent) : sent;
    return Response.json({ ...answer, ...(data === undefined ? {} : { data }) }, { status: response.status });
  };
  const { vault } = await Vault.register({ ...person(), fetch: proxied });
  const first = await vault.keys.add({ provider: 'openai', secret });
  const second = await vault.keys.add({ provider: 'openai', secret: other });
  const { id } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
  return { vault, hostile, first: first.id, second: second.id, connection: id };
}

describe('a proxy in front that changes answers', () => {
  test('blobs of two keys exchanged', async () => {
    const { vault, hostile, first } = await behindProxy();
    hostile.change = (path, data) => {
      const [a, b] = path === '/v1/keys' && Array.isArray(data['items']) ? data['items'].map(rowOf) : [];
      if (a === undefined || b === undefined) return data;
      return {
        ...data,
        items: [
          { ...a, item: b['item'], dekVault: b['dekVault'] },
          { ...b, item: a['item'], dekVault: a['dekVault'] },
        ],
      };
    };
    expect(await failure(vault.keys.reveal(first))).toBeInstanceOf(VaultTamperedError);
    expect(
      await failure(vault.connections.create({ name: 'b', providers: ['openai'], budgetCents: 1 })),
    ).toBeInstanceOf(VaultTamperedError);
  });

  test('a policy with a higher budget', async () => {
    const { vault, hostile, first, connection } = await behindProxy();
    hostile.change = (path, data) => {
      if (path === `/v1/connections/${connection}`) return raised(data);
      return path === '/v1/connections' && Array.isArray(data['items'])
        ? { ...data, items: data['items'].map(rowOf).map(raised) }
        : data;
    };
    const attempts = [
      () => vault.connections.list(),
      () => vault.connections.get(connection),
      () => vault.connections.update(connection, { models: ['m'] }),
      () => vault.keys.replace(first, 'a-new-secret-of-the-key'),
    ];
    for (const attempt of attempts)
      expect(await failure(attempt())).toMatchObject({ part: 'connection', ids: [connection] });
  });

  test('the vault put back as a whole', async () => {
    const { vault, hostile } = await behindProxy();
    const old = { keys: {}, me: {} };
    hostile.change = (path, data) => {
      if (path === '/v1/keys' && 'items' in data) old.keys = data;
      if (path === '/v1/auth/unlock') old.me = data;
      return data;
    };
    await vault.keys.list();
    await vault.unlock(password);
    await vault.keys.add({ provider: 'anthropic', secret });
    hostile.change = (path, data) => {
      if (path === '/v1/keys') return old.keys;
      return path === '/v1/auth/me' ? { ...data, ...old.me } : data;
    };
    expect(await failure(vault.keys.list())).toMatchObject({ code: 'vault_tampered', part: 'manifest' });
  });
});

describe('somebody who writes to the database', () => {
  test('exchanges two keys and raises a budget', async () => {
    const { vault } = await Vault.register(person());
    const first = await vault.keys.add({ provider: 'openai', secret });
    const second = await vault.keys.add({ provider: 'openai', secret: other });
    const { id } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
    const { sql } = database;
    await sql`
      update connections set policy = convert_to(replace(convert_from(policy, 'UTF8'), '"budgetCents":100,',
        '"budgetCents":99999,'), 'UTF8') where id = ${id}`;
    expect(await failure(vault.connections.list())).toMatchObject({ part: 'connection', ids: [id] });
    await sql`
      update provider_keys as a set item = b.item, dek_vault = b.dek_vault from provider_keys as b
      where a.id = ${first.id} and b.id = ${second.id}`;
    expect(await failure(vault.keys.list())).toMatchObject({ part: 'key', ids: [first.id] });
  });

  test('plants a key of their own', async () => {
    const { vault } = await Vault.register(person());
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const planted = crypto.randomUUID();
    await database.sql`
      insert into provider_keys (id, user_id, provider, origin, version, is_default, item, dek_vault, created_at)
      select ${planted}, user_id, 'groq', origin, version, is_default, item, dek_vault, created_at
      from provider_keys where id = ${id}`;
    expect(await failure(vault.keys.list())).toMatchObject({ part: 'key', ids: [planted] });
  });
});
