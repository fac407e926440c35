import { beforeEach, describe, expect, test } from 'bun:test';
import { catalogueOf } from '../../../src/providers/index.ts';
import { MemoryServer } from '../test/memory-server.ts';
import { type Fetch, type KeyVerdict, origins, Vault } from './index.ts';

const baseUrl = 'https://keys.example';
const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(40)}WXYZ`;

let server: MemoryServer;
let vault: Vault;
let outside: { url: string; init: RequestInit }[];
let answer: () => Response;

beforeEach(async () => {
  server = new MemoryServer();
  server.providers = Object.entries(origins).map(([id, origin]) => ({ id, name: id, origin, keyPatterns: [] }));
  server.providers.push({ id: 'ollama', name: 'Ollama', origin: 'http://localhost:11434', needsKey: false });
  outside = [];
  answer = () => Response.json({ data: [] });
  const fetchAnything: Fetch = async (url, init) => {
    if (new URL(url).origin === baseUrl) return server.fetch(url, init);
    outside.push({ url, init });
    return answer();
  };
  ({ vault } = await Vault.register({ baseUrl, email: 'ada@example.com', password, fetch: fetchAnything }));
});

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'nothing',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );

const sentToServer = () => JSON.stringify(server.sent);

describe('a check from the browser', () => {
  test('is the one that the server knows as well, for the very providers that allow it', async () => {
    const direct = (await vault.keys.providers()).filter(({ asksDirectly }) => asksDirectly).map(({ id }) => id);
    const known = [...catalogueOf().values()].filter(({ check }) => check.method === 'GET' && 'fromBrowser' in check);
    expect(direct.toSorted()).toEqual(known.map(({ id }) => id).toSorted());
    for (const { id, origin, check, defaultHeaders, keyHeader } of known) {
      outside = [];
      expect(await vault.keys.check({ provider: id, secret }, 'browser')).toBe('works');
      const [asked] = outside;
      const headers = new Headers(asked?.init.headers);
      expect(asked?.url).toBe(origin + check.path);
      expect(headers.get(keyHeader ?? '')).toContain(secret);
      const added = check.method === 'GET' ? check.fromBrowser : {};
      for (const [name, value] of Object.entries({ ...defaultHeaders, ...added }))
        expect(headers.get(name)).toBe(value);
    }
    expect(sentToServer()).not.toContain(secret);
  });

  test('takes nothing along and follows nobody', async () => {
    await vault.keys.check({ provider: 'openai', secret: ` ${secret}\n` }, 'browser');
    expect(outside[0]?.init).toMatchObject({
      method: 'GET',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(outside[0]?.url).not.toContain('sk-');
  });

  test.each([
    [401, { error: { message: 'Incorrect API key provided' } }, 'rejected'],
    [403, { error: { message: 'No.' } }, 'restricted'],
    [401, { error: { message: 'CORS requests are not allowed for this Organization' } }, 'unknown'],
    [500, {}, 'unknown'],
  ] satisfies [number, unknown, KeyVerdict][])('%d %j', async (status, body, verdict) => {
    answer = () => Response.json(body, { status });
    expect(await vault.keys.check({ provider: 'anthropic', secret }, 'browser')).toBe(verdict);
  });

  test('that gets no answer says nothing, and sends the key nowhere else', async () => {
    answer = () => {
      throw new TypeError('Failed to fetch');
    };
    expect(await vault.keys.check({ provider: 'openai', secret }, 'browser')).toBe('unknown');
    expect(sentToServer()).not.toContain(secret);
  });

  test('is refused where no browser may ask, and for an address that the owner was not shown', async () => {
    expect(await codeOf(vault.keys.check({ provider: 'mistral', secret }, 'browser'))).toBe('invalid_request');
    expect(await codeOf(vault.keys.check({ provider: 'ollama', secret }, 'browser'))).toBe('invalid_request');
    expect(await codeOf(vault.keys.check({ provider: 'toString', secret }, 'browser'))).toBe('provider_unknown');
    const openai = server.providers.find(({ id }) => id === 'openai');
    if (openai !== undefined) openai['origin'] = 'https://proxy.example';
    expect(await codeOf(vault.keys.check({ provider: 'openai', secret }, 'browser'))).toBe('invalid_request');
    const shown = { provider: 'openai', secret, origin: 'https://api.openai.com' };
    for (const by of ['browser', 'server'] as const) {
      expect(await codeOf(vault.keys.check(shown, by))).toBe('origin_differs');
    }
    const admin = ['sk', 'admin', 'x'.repeat(30)].join('-');
    for (const by of ['browser', 'server'] as const) {
      expect(await codeOf(vault.keys.check({ provider: 'openai', secret: admin }, by))).toBe('key_refused');
    }
    expect(outside).toEqual([]);
    expect(sentToServer()).not.toContain('sk-');
  });
});

describe('a check of a stored key', () => {
  test('takes the mark away where the key works, and only there', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const row = server.keys[0];
    if (row !== undefined) row['refusal'] = { at: '2030-01-02T00:00:00.000Z', status: 401, verdict: 'rejected' };
    const expected = { at: '2030-01-02T00:00:00.000Z', status: 401, verdict: 'rejected' } as const;
    expect((await vault.keys.list())[0]?.refusal).toEqual(expected);
    answer = () => Response.json({}, { status: 401 });
    expect(await vault.keys.checkStored(id, 'browser')).toBe('rejected');
    expect(server.sent.some(({ method }) => method === 'DELETE')).toBe(false);
    answer = () => Response.json({ data: [] });
    expect(await vault.keys.checkStored(id, 'browser')).toBe('works');
    expect(server.sent.at(-1)).toMatchObject({ method: 'DELETE', path: `/v1/keys/openai/${id}/refusal` });
    expect(sentToServer()).not.toContain(secret);
  });
});
