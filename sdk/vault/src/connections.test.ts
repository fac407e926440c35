import { beforeEach, describe, expect, test } from 'bun:test';
import { newUuid, parseToken } from '../../../src/crypto/index.ts';
import { MemoryServer } from '../test/memory-server.ts';
import { type PolicyScope, requestableScopes, Vault, VaultError } from './index.ts';

const baseUrl = 'https://keys.example';
const email = 'ada@example.com';
const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(40)}WXYZ`;

let server: MemoryServer;
let vault: Vault;

beforeEach(async () => {
  server = new MemoryServer();
  ({ vault } = await Vault.register({ baseUrl, email, password, fetch: server.fetch }));
});

const again = () => Vault.unlock({ baseUrl, email, password, fetch: server.fetch });
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

function linkSession(
  mode: 'connect' | 'update' = 'connect',
  connectionId?: string,
  appId = newUuid(),
  requestedScopes: unknown = ['chat', 'embeddings'],
) {
  const linkToken = `link-${server.linkSessions.length}`;
  const app = { id: appId, name: 'Notes', allowedOrigins: ['https://notes.example'] };
  const asked = { requestedProviders: ['openai'], requestedScopes, budgetSuggestionCents: 500 };
  const session = { sessionId: newUuid(), status: 'pending', expiresAt: '2031-01-01T00:00:00.000Z', mode, app };
  server.linkSessions.push({
    linkToken,
    ...session,
    ...asked,
    ...(connectionId === undefined ? {} : { connectionId }),
  });
  return { linkToken, app };
}

function scopesOf(names: readonly string[]): PolicyScope[] {
  return requestableScopes.filter((scope) => names.includes(scope)).toSorted();
}

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

  test.each<[string, string[], string[] | undefined, string[]]>([
    ['chat and embeddings where it asks for both', ['chat', 'embeddings'], undefined, ['chat', 'embeddings']],
    ['no more than it asks for', ['chat'], undefined, ['chat']],
    ['nothing beyond the two without the owner’s word', ['audio', 'chat', 'stateful'], undefined, ['chat']],
    ['what the owner names', ['audio', 'chat'], ['images', 'audio'], ['audio', 'images']],
  ])('a new connection gets %s', async (_, asked, named, granted) => {
    await vault.keys.add({ provider: 'openai', secret });
    const { linkToken } = linkSession('connect', undefined, newUuid(), asked);
    expect((await vault.link.describe(linkToken)).requestedScopes).toEqual(scopesOf(asked));
    const scopes = named === undefined ? {} : { scopes: scopesOf(named) };
    await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 1, ...scopes });
    expect(server.connections).toMatchObject([{ policy: { scopes: granted } }]);
  });

  test('an app that asks for neither chat nor embeddings gets nothing until the owner names it', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { linkToken } = linkSession('connect', undefined, newUuid(), ['images']);
    const approval = { providers: ['openai'], budgetCents: 1 };
    expect(await failure(vault.link.approve(linkToken, approval))).toMatchObject({
      code: 'policy_invalid',
      param: 'scopes',
    });
    expect(server.connections).toEqual([]);
    await vault.link.approve(linkToken, { ...approval, scopes: ['images'] });
    expect(server.connections).toMatchObject([{ policy: { scopes: ['images'] } }]);
  });

  test('an update leaves the kinds of calls as they are, unless the owner names them', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { linkToken, app } = linkSession('connect', undefined, newUuid(), ['chat']);
    const { connectionId } = await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 1 });
    const scopes = () => server.connection(connectionId)['policy'];
    const update = linkSession('update', connectionId, app.id, ['images']);
    await vault.link.approve(update.linkToken, { providers: ['openai'], budgetCents: 2 });
    expect(scopes()).toMatchObject({ budgetCents: 2, scopes: ['chat'] });
    const wider = linkSession('update', connectionId, app.id, ['images']);
    await vault.link.approve(wider.linkToken, { providers: ['openai'], budgetCents: 2, scopes: ['chat', 'images'] });
    expect(scopes()).toMatchObject({ scopes: ['chat', 'images'] });
  });

  test.each([
    ['that this client has no name for', ['chat', 'video']],
    ['that no app may ask for', ['unmetered']],
    ['of which nothing is told', undefined],
  ])('a kind of call %s is not shown as asked for', async (_, asked) => {
    const { linkToken } = linkSession();
    Object.assign(server.linkSessions[0] ?? {}, { requestedScopes: asked });
    expect(await failure(vault.link.describe(linkToken))).toMatchObject({ code: 'invalid_answer' });
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
