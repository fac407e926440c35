/** The server as an adversary: it has every row, answers as it likes, and has none of the owner's keys. */
import { beforeEach, describe, expect, test } from 'bun:test';
import { newUuid } from '../../../src/crypto/index.ts';
import { MemoryServer, rowOf, rowsOf } from '../test/memory-server.ts';
import { Vault, VaultTamperedError } from './index.ts';

const baseUrl = 'https://keys.example';
const email = 'ada@example.com';
const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(44)}`;

let server: MemoryServer;
let vault: Vault;

beforeEach(async () => {
  server = new MemoryServer();
  ({ vault } = await Vault.register({ baseUrl, email, password, fetch: server.fetch }));
});

const again = (seenRevision?: number) =>
  Vault.unlock({
    baseUrl,
    email,
    password,
    fetch: server.fetch,
    ...(seenRevision === undefined ? {} : { seenRevision }),
  });

/** The attempt must fail as tampering of this part, naming these ids, and must not have written anything. */
async function expectTampering(attempt: () => Promise<unknown>, part: string, ids: readonly string[] = []) {
  const revision = server.user['manifestRevision'];
  const error = await attempt().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultTamperedError);
  expect(error).toMatchObject({ part, ids });
  expect(server.user['manifestRevision']).toBe(revision);
}

/** The state before a key was added, put back as a whole. */
async function rolledBack() {
  const before = { ...server.user };
  await vault.keys.add({ provider: 'openai', secret });
  const { revision } = vault;
  server.user = { ...before };
  server.keys = [];
  return revision;
}

const row = (id: string) => server.keys.find((key) => key['id'] === id) ?? {};

const edit = (id: string) => () => vault.connections.update(id, { budgetCents: 200 });

describe('account', () => {
  test("another user's wrapped vault key", async () => {
    const elsewhere = new MemoryServer();
    await Vault.register({ baseUrl, email, password, fetch: elsewhere.fetch });
    server.user = { ...server.user, uvkPassword: elsewhere.user['uvkPassword'] };
    await expectTampering(again, 'account');
    await expectTampering(() => vault.unlock(password), 'account');
    await expectTampering(() => vault.changePassword(password, 'next'), 'account');
  });

  test('another user id for the same blobs', async () => {
    server.user = { ...server.user, userId: newUuid() };
    await expectTampering(again, 'account');
  });

  test("another account's wrap under the recovery code", async () => {
    const { recoveryCode } = await Vault.register({ baseUrl, email, password, fetch: server.fetch });
    server.user = { ...server.user, recoveryId: newUuid() };
    const recover = () => Vault.recover({ baseUrl, email, recoveryCode, newPassword: 'next', fetch: server.fetch });
    await expectTampering(recover, 'account');
  });
});

describe('manifest', () => {
  test('an older state is noticed by who has seen a newer one', async () => {
    const revision = await rolledBack();
    await expectTampering(() => vault.keys.list(), 'manifest');
    await expectTampering(() => vault.keys.add({ provider: 'openai', secret }), 'manifest');
    await expectTampering(() => again(revision), 'manifest');
  });

  test('locking forgets the key, not what was seen', async () => {
    await rolledBack();
    vault.lock();
    await expectTampering(() => vault.unlock(password), 'manifest');
    expect(vault.unlocked).toBe(false);
  });

  test('an old manifest under a new number', async () => {
    const { manifest } = server.user;
    await vault.keys.add({ provider: 'openai', secret });
    server.user = { ...server.user, manifest };
    await expectTampering(again, 'manifest');
  });

  test('two states with one revision', async () => {
    const before = { ...server.user };
    await vault.keys.add({ provider: 'openai', secret });
    server.user = { ...before };
    server.keys = [];
    // A client that saw only the old state writes the same revision anew.
    await (await again()).keys.add({ provider: 'anthropic', secret });
    await expectTampering(() => vault.keys.list(), 'manifest');
  });
});

describe('keys', () => {
  let first: string;
  let second: string;

  beforeEach(async () => {
    first = (await vault.keys.add({ provider: 'openai', secret })).id;
    second = (await vault.keys.add({ provider: 'openai', secret: `${secret}2` })).id;
  });

  test.each([
    ['the items', ['item']],
    ['the data keys', ['dekVault']],
    ['both', ['item', 'dekVault']],
  ])('%s of two keys exchanged', async (_, names) => {
    for (const name of names) [row(first)[name], row(second)[name]] = [row(second)[name], row(first)[name]];
    const ids = names.includes('item') ? [first, second] : [first];
    await expectTampering(() => vault.keys.reveal(first), 'key', ids);
  });

  test('an older version put back', async () => {
    const old = { ...row(first) };
    await vault.keys.replace(first, `${secret}3`);
    Object.assign(row(first), old);
    await expectTampering(() => vault.keys.list(), 'key', [first]);
    Object.assign(row(first), { version: 2 });
    await expectTampering(() => again().then((fresh) => fresh.keys.list()), 'key', [first]);
  });

  test('a row dropped', async () => {
    server.keys = server.keys.filter((key) => key['id'] !== first);
    await expectTampering(() => vault.keys.list(), 'key', [first]);
    await expectTampering(() => vault.connections.create({ name: 'a', providers: ['openai'], budgetCents: 1 }), 'key', [
      first,
    ]);
  });

  test('a row added', async () => {
    const planted = newUuid();
    server.keys.push({ ...row(first), id: planted });
    await expectTampering(() => vault.keys.list(), 'key', [planted]);
  });

  test.each([
    ['provider', 'anthropic'],
    ['version', 7],
    ['origin', 'https://evil.example'],
  ])('another %s', async (name, value) => {
    row(first)[name] = value;
    await expectTampering(() => vault.keys.reveal(first), 'key', [first]);
  });
});

describe('connections', () => {
  let keyId: string;
  let one: string;
  let two: string;

  beforeEach(async () => {
    keyId = (await vault.keys.add({ provider: 'openai', secret })).id;
    one = (await vault.connections.create({ name: 'one', providers: ['openai'], budgetCents: 100 })).id;
    two = (await vault.connections.create({ name: 'two', providers: ['openai'], budgetCents: 100 })).id;
  });

  /** Nothing may be sealed for the connection, by whatever way. */
  async function expectNoGrant(id: string) {
    await expectTampering(edit(id), 'connection', [id]);
    await expectTampering(() => vault.keys.replace(keyId, `${secret}2`), 'connection', [id]);
  }

  test('a higher budget in the policy', async () => {
    rowOf(server.connection(one)['policy'])['budgetCents'] = 99_999;
    await expectTampering(() => vault.connections.list(), 'connection', [one]);
    await expectTampering(() => vault.connections.get(one), 'connection', [one]);
    await expectNoGrant(one);
  });

  test('an earlier policy put back with its grants', async () => {
    const before = structuredClone(server.connection(one));
    await vault.connections.update(one, { budgetCents: 1 });
    Object.assign(server.connection(one), before);
    await expectTampering(() => vault.connections.list(), 'connection', [one]);
    await expectNoGrant(one);
    // Also for a fresh client: the manifest is newer than the row.
    await expectTampering(() => again().then((fresh) => fresh.connections.list()), 'connection', [one]);
  });

  test.each(['ckVault', 'grants', 'tokenVault'])('%s of another connection', async (name) => {
    server.connection(one)[name] = structuredClone(server.connection(two)[name]);
    if (name === 'tokenVault') {
      await expectTampering(() => vault.connections.accessToken(one), 'connection', [one]);
    } else {
      if (name === 'ckVault') await expectTampering(() => vault.connections.get(one), 'connection', [one]);
      await expectNoGrant(one);
    }
  });

  test('a grant renamed to another key', async () => {
    const second = await vault.keys.add({ provider: 'openai', secret: `${secret}2` });
    for (const grant of rowsOf(server.connection(one)['grants'])) grant['keyId'] = second.id;
    await expectTampering(edit(one), 'connection', [one]);
  });

  test("a connection of the server's own", async () => {
    const planted = { ...structuredClone(server.connection(one)), id: newUuid() };
    server.connections.push(planted);
    await expectTampering(() => vault.connections.list(), 'connection', [planted.id]);
    await expectTampering(() => vault.keys.replace(keyId, `${secret}2`), 'connection', [planted.id]);
  });

  test('a revoked connection that comes back', async () => {
    const before = structuredClone(server.connection(one));
    await vault.connections.revoke(one);
    Object.assign(server.connection(one), before);
    await expectTampering(() => vault.connections.list(), 'connection', [one]);
  });

  test('a connection that was hidden for a while is still the one that the owner approved', async () => {
    const hidden = server.connections;
    server.connections = [];
    expect(await vault.connections.list()).toEqual([]);
    await vault.keys.add({ provider: 'anthropic', secret });
    server.connections = hidden;
    expect(await vault.connections.list()).toMatchObject([{ verified: true }, { verified: true }]);
  });

  test('one that the server says is revoked does not come back', async () => {
    server.connection(one)['status'] = 'revoked';
    await vault.connections.list();
    await vault.keys.add({ provider: 'anthropic', secret });
    server.connection(one)['status'] = 'active';
    await expectTampering(() => vault.connections.list(), 'connection', [one]);
  });

  test('a tampered connection can be dropped, so that a key is replaced for all others', async () => {
    rowOf(server.connection(one)['policy'])['budgetCents'] = 99_999;
    expect(await vault.keys.replace(keyId, `${secret}2`, { drop: [one] })).toEqual({ version: 2 });
    expect(server.connection(one)['grants']).toEqual([]);
    await edit(two)();
  });

  test('a tampered connection can still be revoked', async () => {
    rowOf(server.connection(one)['policy'])['budgetCents'] = 99_999;
    await vault.connections.revoke(one);
    expect(server.connection(one)['status']).toBe('revoked');
  });

  test('revoking works even when the manifest itself was put back', async () => {
    const before = { ...server.user };
    await vault.keys.add({ provider: 'anthropic', secret });
    server.user = before;
    await vault.connections.revoke(one);
    expect(server.connection(one)['status']).toBe('revoked');
  });

  test('in update mode neither another app nor another policy gets a grant', async () => {
    const session = {
      sessionId: newUuid(),
      status: 'pending',
      expiresAt: '2031-01-01T00:00:00.000Z',
      requestedProviders: ['openai'],
      requestedScopes: ['chat'],
    };
    const [app, stranger] = ['Notes', 'Stranger'].map((name) => ({ id: newUuid(), name, allowedOrigins: [] }));
    const approval = { providers: ['openai'], budgetCents: 1 };
    server.linkSessions.push({ linkToken: 'first', mode: 'connect', app, ...session });
    const { connectionId } = await vault.link.approve('first', approval);
    server.linkSessions.push({ linkToken: 'other', mode: 'update', connectionId, app: stranger, ...session });
    await expectTampering(() => vault.link.approve('other', approval), 'link', [connectionId]);
    server.linkSessions.push({ linkToken: 'again', mode: 'update', connectionId, app, ...session });
    rowOf(server.connection(connectionId)['policy'])['budgetCents'] = 99_999;
    await expectTampering(() => vault.link.approve('again', approval), 'connection', [connectionId]);
  });
});
