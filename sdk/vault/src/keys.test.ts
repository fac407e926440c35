import { beforeEach, describe, expect, test } from 'bun:test';
import { newUuid } from '../../../src/crypto/index.ts';
import { MemoryServer, Refusal } from '../test/memory-server.ts';
import { KeyRefusedError, OriginDiffersError, Vault } from './index.ts';

const baseUrl = 'https://keys.example';
const email = 'ada@example.com';
const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(40)}WXYZ`;
const other = `sk-${'y'.repeat(44)}`;

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

test('a key may be left out only where the provider takes none', async () => {
  expect(await failure(vault.keys.add({ provider: 'openai' }))).toMatchObject({ code: 'key_refused', reason: 'empty' });
  server.providers.push({ id: 'ollama', name: 'Ollama', origin: 'http://127.0.0.1:11434', needsKey: false });
  const { id } = await vault.keys.add({ provider: 'ollama' });
  expect((await vault.keys.list()).map((key) => key.id)).toEqual([id]);
});

function linkSession(mode: 'connect' | 'update' = 'connect', connectionId?: string, appId = newUuid()) {
  const linkToken = `link-${server.linkSessions.length}`;
  const app = { id: appId, name: 'Notes', allowedOrigins: ['https://notes.example'] };
  const asked = { requestedProviders: ['openai'], requestedScopes: ['chat'], budgetSuggestionCents: 500 };
  const session = { sessionId: newUuid(), status: 'pending', expiresAt: '2031-01-01T00:00:00.000Z', mode, app };
  server.linkSessions.push({
    linkToken,
    ...session,
    ...asked,
    ...(connectionId === undefined ? {} : { connectionId }),
  });
  return { linkToken, app };
}

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

  test('a key is sealed for the server’s origin, or for the one that was shown and nothing else', async () => {
    const origin = 'http://localhost:9999';
    server.providers = [{ id: 'openai', name: 'OpenAI', origin }];
    const shown = 'https://api.openai.com';
    const error = await failure(vault.keys.add({ provider: 'openai', secret, origin: shown }));
    expect(error).toBeInstanceOf(OriginDiffersError);
    expect(error).toMatchObject({ provider: 'openai', origin, expected: shown });
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    expect(await vault.keys.reveal(id)).toBe(secret);
    expect((await vault.keys.list()).find((key) => key.id === id)?.origin).toBe(origin);
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
