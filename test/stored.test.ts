import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { PolicyScope } from '../src/crypto/index.ts';
import type { Database } from '../src/database/connect.ts';
import { eachDatabase } from './harness/databases.ts';
import { call, linkApp, openVault, outcome, recordOf, registerApp } from './harness/people.ts';
import { startTestServer, type TestServer } from './harness/server.ts';
import { type Recorder, type RecordedRequest, startRecorder } from './harness/upstream.ts';

const passthrough = '/v1/proxy/passthrough/openai/v1';

/** An account at OpenAI: whatever is stored is there for everybody with its key. */
function account(): (request: RecordedRequest) => Response {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return ({ method, path, bytes }) => {
    const [, , , id = '', content] = path.split('/');
    if (method === 'POST' && path === '/v1/files') {
      const next = `file-${files.size + 1}`;
      files.set(next, bytes);
      return Response.json({ id: next, object: 'file' });
    }
    if (path === '/v1/files') return Response.json({ object: 'list', data: [...files.keys()] });
    if (method === 'DELETE') return Response.json({ id, deleted: files.delete(id) });
    if (content === 'content') return new Response(files.get(id) ?? null, { status: files.has(id) ? 200 : 404 });
    return Response.json({ id: 'x_1' });
  };
}

eachDatabase((_kind, openDatabase) => {
  let database: Database;
  let upstream: Recorder;
  let server: TestServer;
  let owner: string;
  const tokens: Partial<Record<'plain' | 'keeper' | 'free', string>> = {};

  beforeAll(async () => {
    database = await openDatabase();
    upstream = startRecorder(account());
    server = await startTestServer({ database, settings: { KEYPASS_OPENAI_BASE_URL: upstream.origin } });
    const { vault, token } = await openVault(server);
    owner = token;
    await vault.keys.add({ provider: 'openai', secret: `sk-${'canary'.repeat(6)}` });
    const app = async (scopes: PolicyScope[]) => {
      const linked = await linkApp(vault, await registerApp(server, token), { scopes });
      return linked.accessToken;
    };
    tokens.plain = await app(['chat']);
    tokens.keeper = await app(['chat', 'stateful']);
    tokens.free = await app(['chat', 'stateful', 'unmetered']);
  });

  afterAll(async () => {
    await server.stop();
    await upstream.stop();
  });

  const send = (token: string | undefined, method: string, path: string, sent: object = {}) =>
    call(server, method, passthrough + path, { token: token ?? '', ...sent });

  async function lastReceipt(): Promise<Record<string, unknown>> {
    await server.settled();
    const calls = await call(server, 'GET', '/v1/usage/calls?limit=1', { token: owner });
    const { items } = calls.data;
    return recordOf(Array.isArray(items) ? items[0] : undefined);
  }

  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const form = '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--b--\r\n';

  test('what one app stores, another one on the same key can neither list nor read, change or delete', async () => {
    const stored = await send(tokens.keeper, 'POST', '/files', { headers, body: form });
    expect(outcome(stored)).toBe('200');
    const { id } = recordOf(JSON.parse(stored.text));
    const before = upstream.requests.length;
    const reaching: [string, string, object?][] = [
      ['GET', '/files'],
      ['GET', `/files/${String(id)}`],
      ['GET', `/files/${String(id)}/content`],
      ['DELETE', `/files/${String(id)}`],
      ['POST', '/files', { headers, body: form }],
      ['GET', '/responses/resp_1'],
      ['POST', '/conversations', { body: {} }],
      ['POST', '/responses', { body: { model: 'gpt-4o-mini', previous_response_id: 'resp_1', input: 'x' } }],
    ];
    for (const [method, path, sent] of reaching) {
      expect(outcome(await send(tokens.plain, method, path, sent))).toBe('403 scope_not_granted');
    }
    expect(upstream.requests).toHaveLength(before);
    expect((await send(tokens.keeper, 'GET', `/files/${String(id)}/content`)).text).toBe(form);
    expect(outcome(await send(tokens.keeper, 'DELETE', `/files/${String(id)}`))).toBe('200');
  });

  test('what is stored for nothing is booked as that', async () => {
    await send(tokens.keeper, 'GET', '/files');
    expect(await lastReceipt()).toMatchObject({
      endpoint: 'GET /v1/files',
      model: null,
      cost: '0',
      quality: 'measured',
      flags: [],
    });
    const free = await call(server, 'GET', '/v1/usage/calls?limit=1&free=true', { token: owner });
    expect(free.data['items']).toMatchObject([{ endpoint: 'GET /v1/files' }]);
  });

  test('what is billed past the meter needs the owner’s own word, and its receipt says so', async () => {
    const body = { input_file_id: 'file-1', endpoint: '/v1/responses', completion_window: '24h' };
    const refused = await send(tokens.keeper, 'POST', '/batches', { body });
    expect(outcome(refused)).toBe('403 scope_not_granted');
    expect(refused.error['details']).toEqual({ scope: 'unmetered' });
    expect(outcome(await send(tokens.free, 'POST', '/batches', { body }))).toBe('200');
    expect(await lastReceipt()).toMatchObject({
      endpoint: 'POST /v1/batches',
      cost: '0',
      quality: 'unknown',
      flags: ['unmetered'],
    });
  });
});
