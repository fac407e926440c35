import { beforeEach, describe, expect, test } from 'bun:test';
import { newUuid, parseToken } from '../../../src/crypto/index.ts';
import { MemoryServer, Refusal } from '../test/memory-server.ts';
import {
  KeyRefusedError,
  OriginDiffersError,
  RecoveryFailedError,
  Vault,
  VaultError,
  VaultLockedError,
  WrongPasswordError,
} from './index.ts';

const baseUrl = 'https://keys.example';
const email = 'ada@example.com';
const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(40)}WXYZ`;
const other = `sk-${'y'.repeat(44)}`;

let server: MemoryServer;
let vault: Vault;
let recoveryCode: string;

beforeEach(async () => {
  server = new MemoryServer();
  ({ vault, recoveryCode } = await Vault.register({ baseUrl, email, password, fetch: server.fetch }));
});

const again = () => Vault.unlock({ baseUrl, email, password, fetch: server.fetch });
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

function linkSession(mode: 'connect' | 'update' = 'connect', connectionId?: string, appId = newUuid()) {
  const linkToken = `link-${server.linkSessions.length}`;
  const app = { id: appId, name: 'Notes', allowedOrigins: ['https://notes.example'] };
  const asked = { requestedProviders: ['openai'], budgetSuggestionCents: 500 };
  const session = { sessionId: newUuid(), status: 'pending', expiresAt: '2031-01-01T00:00:00.000Z', mode, app };
  server.linkSessions.push({
    linkToken,
    ...session,
    ...asked,
    ...(connectionId === undefined ? {} : { connectionId }),
  });
  return { linkToken, app };
}

describe('account', () => {
  test('neither the password, the vault key nor the recovery code is ever sent', async () => {
    await again();
    const everything = JSON.stringify(server.sent);
    expect(everything).not.toContain(password);
    expect(everything).not.toContain(recoveryCode);
    expect(everything).not.toContain(recoveryCode.replaceAll('-', ''));
  });

  test('a wrong password is said so', async () => {
    const error = await failure(Vault.unlock({ baseUrl, email, password: 'wrong', fetch: server.fetch }));
    expect(error).toBeInstanceOf(WrongPasswordError);
    expect(error).toMatchObject({ code: 'login_failed', status: 401, requestId: 'r' });
  });

  test('lock forgets the vault key, unlock brings it back, connections can still be watched', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { id } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
    vault.lock();
    expect(vault.unlocked).toBe(false);
    expect(await failure(vault.keys.list())).toBeInstanceOf(VaultLockedError);
    expect(await failure(vault.keys.add({ provider: 'openai', secret }))).toBeInstanceOf(VaultLockedError);
    expect(await failure(vault.connections.update(id, { budgetCents: 1 }))).toBeInstanceOf(VaultLockedError);
    expect(await vault.connections.list()).toMatchObject([{ id, name: null, verified: false }]);
    await vault.connections.update(id, { paused: true, capCents: 5 });
    expect(await vault.connections.get(id)).toMatchObject({ status: 'paused', capCents: 5 });
    await vault.unlock(password);
    expect(await vault.connections.list()).toMatchObject([{ id, name: 'tool', verified: true }]);
  });

  test('a session resumes locked and opens with the password', async () => {
    const resumed = await Vault.resume({ baseUrl, sessionToken: 'session-token', fetch: server.fetch });
    expect(resumed).toMatchObject({ email, unlocked: false, userId: vault.userId });
    expect(await failure(resumed.unlock('wrong'))).toBeInstanceOf(WrongPasswordError);
    await resumed.unlock(password);
    expect(await resumed.keys.list()).toEqual([]);
  });

  test('the password changes, everything sealed stays', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const salt = server.user['salt'];
    expect(await failure(vault.changePassword('wrong', 'next'))).toBeInstanceOf(WrongPasswordError);
    await vault.changePassword(password, 'next password');
    expect(server.user['salt']).not.toBe(salt);
    expect(await failure(again())).toBeInstanceOf(WrongPasswordError);
    const opened = await Vault.unlock({ baseUrl, email, password: 'next password', fetch: server.fetch });
    expect(await opened.keys.reveal(id)).toBe(secret);
  });

  test('the recovery code gives a new password and a new code, once', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const request = { baseUrl, email, newPassword: 'found again', fetch: server.fetch };
    expect(await failure(Vault.recover({ ...request, recoveryCode: 'no code' }))).toBeInstanceOf(RecoveryFailedError);
    const recovered = await Vault.recover({ ...request, recoveryCode: recoveryCode.toLowerCase() });
    expect(await recovered.vault.keys.reveal(id)).toBe(secret);
    expect(recovered.recoveryCode).not.toBe(recoveryCode);
    expect(await failure(Vault.recover({ ...request, recoveryCode }))).toBeInstanceOf(RecoveryFailedError);
    const twice = await Vault.recover({ ...request, recoveryCode: recovered.recoveryCode });
    expect(await twice.vault.keys.reveal(id)).toBe(secret);
  });

  test('nothing secret shows in inspect or JSON', () => {
    const shown = [vault, vault.keys, vault.link, vault.connections, vault.apps];
    const text = shown.map((part) => Bun.inspect(part, { depth: 9 }) + JSON.stringify(part)).join('\n');
    expect(text).not.toContain('session-token');
    expect(text).not.toContain('CryptoKey');
  });
});

describe('keys', () => {
  test('add, list, reveal: what is sent is sealed', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret: ` ${secret}\n`, label: 'laptop' });
    expect(await (await again()).keys.list()).toMatchObject([
      {
        id,
        provider: 'openai',
        origin: 'https://api.openai.com',
        version: 1,
        label: 'laptop',
        hint: 'WXYZ',
        isDefault: true,
      },
    ]);
    expect(await vault.keys.reveal(id)).toBe(secret);
    expect(JSON.stringify(server.sent)).not.toContain(secret);
    expect(JSON.stringify(server.sent)).not.toContain('laptop');
    expect(await failure(vault.keys.reveal(newUuid()))).toMatchObject({ code: 'key_not_found' });
  });

  test('an admin key is refused before anything is sent', async () => {
    const before = server.sent.length;
    const error = await failure(vault.keys.add({ provider: 'openai', secret: ['sk-admin-', 'x'.repeat(40)].join('') }));
    expect(error).toBeInstanceOf(KeyRefusedError);
    expect(server.sent).toHaveLength(before);
  });

  test('an origin other than the compiled one must be confirmed', async () => {
    const origin = 'http://localhost:9999';
    server.providers = [
      { id: 'openai', name: 'OpenAI', origin },
      { id: 'ollama', name: 'Ollama', origin },
    ];
    const error = await failure(vault.keys.add({ provider: 'openai', secret }));
    expect(error).toBeInstanceOf(OriginDiffersError);
    expect(error).toMatchObject({ provider: 'openai', origin, expected: 'https://api.openai.com' });
    expect(await failure(vault.keys.add({ provider: 'ollama', secret }))).toMatchObject({ expected: null });
    expect(
      await failure(vault.keys.add({ provider: 'openai', secret, origin: 'https://api.openai.com' })),
    ).toBeInstanceOf(OriginDiffersError);
    const { id } = await vault.keys.add({ provider: 'openai', secret, origin });
    expect(await vault.keys.reveal(id)).toBe(secret);
    expect(await failure(vault.keys.add({ provider: 'nobody', secret }))).toMatchObject({ code: 'provider_unknown' });
  });

  test('replace re-seals the grants of every connection that has the key', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const tool = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
    const { linkToken } = linkSession();
    const app = await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 100 });
    const revoked = await vault.connections.create({ name: 'old', providers: ['openai'], budgetCents: 100 });
    await vault.connections.revoke(revoked.id);
    expect(await vault.keys.replace(id, other)).toEqual({ version: 2 });
    expect(await vault.keys.reveal(id)).toBe(other);
    // Each grant opens for the new version: updating proves it.
    await vault.connections.update(tool.id, { budgetCents: 200 });
    await vault.connections.update(app.connectionId, { budgetCents: 200 });
    expect(server.connection(tool.id)['grants']).toMatchObject([{ keyId: id, version: 2 }]);
  });

  test('replace starts over when another client was faster', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const second = await again();
    let interfered = false;
    server.before = async (method) => {
      if (method !== 'PUT' || interfered) return;
      interfered = true;
      await second.keys.replace(id, 'from-the-other-client');
      await second.connections.create({ name: 'late', providers: ['openai'], budgetCents: 1 });
    };
    expect(await vault.keys.replace(id, other)).toEqual({ version: 3 });
    expect(await second.keys.reveal(id)).toBe(other);
    expect(await second.connections.list()).toHaveLength(1);
  });

  test('remove takes one key or all of a provider, and what used it says so', async () => {
    const first = await vault.keys.add({ provider: 'openai', secret });
    await vault.keys.add({ provider: 'openai', secret: other });
    const kept = await vault.keys.add({ provider: 'anthropic', secret });
    const { id } = await vault.connections.create({
      name: 'tool',
      providers: [{ id: 'openai', keyId: first.id }],
      budgetCents: 1,
    });
    await vault.keys.remove('openai', first.id);
    expect(await failure(vault.connections.update(id, { budgetCents: 2 }))).toMatchObject({ code: 'key_not_found' });
    await vault.connections.update(id, { providers: ['openai'], budgetCents: 2 });
    await vault.keys.remove('openai');
    expect((await (await again()).keys.list()).map((key) => key.id)).toEqual([kept.id]);
  });
});

describe('two clients', () => {
  test('writes of both go through, whoever is first, and both see all', async () => {
    const second = await again();
    await Promise.all([
      vault.keys.add({ provider: 'openai', secret }),
      second.keys.add({ provider: 'anthropic', secret }),
      vault.keys.add({ provider: 'openai', secret: other }),
    ]);
    expect(await vault.keys.list()).toHaveLength(3);
    expect(await second.keys.list()).toHaveLength(3);
    expect(server.user['manifestRevision']).toBe(4);
  });

  test('a write whose answer was lost is found again, not fought', async () => {
    let lost = true;
    server.after = (method) => {
      if (method !== 'POST' || !lost) return;
      lost = false;
      throw new Error('connection reset');
    };
    expect(await failure(vault.keys.add({ provider: 'openai', secret }))).toMatchObject({ code: 'unreachable' });
    await vault.keys.add({ provider: 'anthropic', secret });
    expect((await vault.keys.list()).map((key) => key.provider)).toEqual(['openai', 'anthropic']);
  });

  test('an endless conflict ends', async () => {
    server.before = (method, path) => {
      if (method === 'POST' && path === '/v1/keys') throw new Refusal(409, 'manifest_conflict');
    };
    expect(await failure(vault.keys.add({ provider: 'openai', secret }))).toMatchObject({ code: 'manifest_conflict' });
  });
});

describe('link', () => {
  test('approves for the app that was shown; the public token is well formed and never sent', async () => {
    const key = await vault.keys.add({ provider: 'openai', secret });
    const { linkToken, app } = linkSession();
    expect(await vault.link.describe(linkToken)).toMatchObject({ app, mode: 'connect', budgetSuggestionCents: 500 });
    const approval = { providers: ['openai'], models: ['gpt-4o'], budgetCents: 300, origin: 'https://notes.example' };
    const { publicToken, connectionId } = await vault.link.approve(linkToken, approval);
    expect(parseToken('public', publicToken ?? '')).toHaveLength(32);
    expect(JSON.stringify(server.sent)).not.toContain(publicToken ?? '-');
    expect(await (await again()).connections.get(connectionId)).toMatchObject({
      kind: 'app',
      name: 'Notes',
      origin: 'https://notes.example',
      policy: { app: app.id, budgetCents: 300, providers: [{ id: 'openai', keyId: key.id, models: ['gpt-4o'] }] },
      verified: true,
    });
  });

  test('seals for what was shown even if the server then tells of another app', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { linkToken, app } = linkSession();
    await vault.link.describe(linkToken);
    const session = server.linkSessions[0];
    if (session !== undefined) session['app'] = { id: newUuid(), name: 'Evil', allowedOrigins: [] };
    await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 1 });
    expect(server.connections[0]).toMatchObject({ policy: { app: app.id } });
  });

  test('update mode edits the connection; its token stays', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    await vault.keys.add({ provider: 'anthropic', secret });
    const { linkToken: asked, app } = linkSession();
    const first = await vault.link.approve(asked, { providers: ['openai'], budgetCents: 1 });
    const { linkToken } = linkSession('update', first.connectionId, app.id);
    const updated = await vault.link.approve(linkToken, { providers: ['openai', 'anthropic'], budgetCents: 900 });
    expect(updated).toEqual({ publicToken: null, connectionId: first.connectionId });
    expect(await vault.connections.get(first.connectionId)).toMatchObject({
      policy: { revision: 2, budgetCents: 900 },
    });
    expect(server.connection(first.connectionId)['grants']).toHaveLength(2);
  });

  test('deny', async () => {
    const { linkToken } = linkSession();
    await vault.link.deny(linkToken);
    expect(server.sent.at(-1)).toMatchObject({ path: '/v1/link/deny', body: JSON.stringify({ linkToken }) });
  });
});

describe('connections', () => {
  test('a personal token is made here, kept in the vault, and unknown to the server', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { id, accessToken } = await vault.connections.create({
      name: 'editor',
      providers: ['openai'],
      budgetCents: 500,
    });
    expect(parseToken('access', accessToken)).toHaveLength(32);
    expect(JSON.stringify(server.sent)).not.toContain(accessToken);
    expect(JSON.stringify(server.sent)).not.toContain('editor');
    expect(await (await again()).connections.accessToken(id)).toBe(accessToken);
  });

  test('update, rename and revoke; a second client follows', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { id } = await vault.connections.create({ name: 'a', providers: ['openai'], budgetCents: 1 });
    const second = await again();
    await second.connections.update(id, {
      name: 'b',
      budgetCents: 7,
      models: ['m'],
      expiresAt: '2031-05-05T00:00:00Z',
    });
    expect(await vault.connections.get(id)).toMatchObject({
      name: 'b',
      policy: { revision: 2, budgetCents: 7, expiresAt: '2031-05-05T00:00:00Z', providers: [{ models: ['m'] }] },
    });
    await vault.connections.revoke(id);
    expect(await second.connections.list()).toMatchObject([{ id, status: 'revoked' }]);
    expect(await failure(second.connections.update(id, { budgetCents: 1 }))).toMatchObject({
      code: 'connection_revoked',
    });
  });

  test('an edit that was overtaken is made to what the other client left', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { id } = await vault.connections.create({ name: 'a', providers: ['openai'], budgetCents: 1 });
    const second = await again();
    let interfered = false;
    server.before = async (method) => {
      if (method !== 'PATCH' || interfered) return;
      interfered = true;
      await second.connections.update(id, { models: ['m'] });
    };
    await vault.connections.update(id, { budgetCents: 9 });
    expect(await second.connections.get(id)).toMatchObject({
      policy: { revision: 3, budgetCents: 9, providers: [{ models: ['m'] }] },
    });
  });

  test('revoking works locked, and the manifest follows with the next write', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { id } = await vault.connections.create({ name: 'a', providers: ['openai'], budgetCents: 1 });
    vault.lock();
    await vault.connections.revoke(id);
    server.connections = [];
    await vault.unlock(password);
    expect(await vault.connections.list()).toEqual([]);
    await vault.keys.add({ provider: 'anthropic', secret });
    expect(await (await again()).connections.list()).toEqual([]);
  });

  test('errors are VaultErrors with the code of the server', async () => {
    const error = await failure(vault.connections.get(newUuid()));
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({ code: 'connection_not_found', status: 404 });
  });
});
