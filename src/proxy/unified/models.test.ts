import { afterEach, describe, expect, test } from 'bun:test';
import OpenAI, { NotFoundError } from 'openai';
import { KeyPassError } from '../../errors.ts';
import { startUnified, type UnifiedOptions } from '../../../test/harness/unified.ts';
import { startRecorder, type RecordedRequest } from '../../../test/harness/upstream.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

/** The one that the harness opens, for every provider. */
const keyId = '00000000-0000-4000-8000-000000000001';
const granted = (...ids: string[]) => ids.map((id) => ({ id, keyId, models: null }));

/** Each provider's own list, by the header in which its key comes and the path that is asked. */
function lists({ path, headers }: RecordedRequest): Response {
  if (path === '/v1beta/models?pageSize=1000') {
    return Response.json({ models: [{ name: 'models/gemini-2.5-flash' }, { name: 'models/gemini-embedding-001' }] });
  }
  if (path === '/openai/v1/models') return Response.json({ data: [{ id: 'openai/gpt-oss-120b', created: 7 }] });
  if (headers.has('x-api-key')) {
    const data = [{ id: 'claude-opus-4-8', created_at: '2026-01-01T00:00:00Z' }];
    return path === '/v1/models?limit=1000' ? Response.json({ data }) : new Response(null, { status: 404 });
  }
  const data = [
    'gpt-4o-mini',
    'model-of-tomorrow',
    'text-embedding-3-small',
    'tts-1',
    'gpt-image-1',
    'gpt-4o-search-preview',
  ];
  return Response.json({ data: [...data.map((id) => ({ id, created: 5, owned_by: 'system' })), { id: 'a b' }, 5] });
}

function start(options: Partial<UnifiedOptions> = {}, answer: Parameters<typeof startRecorder>[0] = lists) {
  const recorder = startRecorder(answer);
  const unified = startUnified({ ...options, origin: recorder.origin });
  running.push(unified, recorder);
  const { token } = unified.keypass;
  const client = new OpenAI({ baseURL: `${unified.url}/openai/v1`, apiKey: token, maxRetries: 0 });
  const get = (path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    fetch(`${unified.url}/openai/v1/models${path}`, { headers });
  const names = async () => (await client.models.list()).data.map(({ id }) => id);
  return { recorder, unified, client, get, names };
}

describe('the list', () => {
  test('is what can be called, in all providers, by the names that call it', async () => {
    const { recorder, client, unified } = start({
      policy: { providers: granted('anthropic', 'google', 'groq', 'openai') },
    });
    const { data } = await client.models.list();
    expect(data).toEqual([
      { id: 'anthropic/claude-opus-4-8', object: 'model', created: 1_767_225_600, owned_by: 'anthropic' },
      { id: 'google/gemini-2.5-flash', object: 'model', created: 0, owned_by: 'google' },
      { id: 'google/gemini-embedding-001', object: 'model', created: 0, owned_by: 'google' },
      { id: 'groq/openai/gpt-oss-120b', object: 'model', created: 7, owned_by: 'groq' },
      // Without a price, at a price without a bound, or without the owner's word, it would be refused.
      { id: 'gpt-4o-mini', object: 'model', created: 5, owned_by: 'openai' },
      { id: 'text-embedding-3-small', object: 'model', created: 5, owned_by: 'openai' },
    ]);
    expect(recorder.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET']);
    await unified.keypass.proxy.settled();
    expect(unified.keypass.ledger.settlements.map(({ cost }) => cost)).toEqual([0n, 0n, 0n, 0n]);
  });

  test.each([
    [['embeddings'], ['google/gemini-embedding-001', 'text-embedding-3-small']],
    [['images'], ['gpt-image-1']],
    [['audio'], ['tts-1']],
    [[], []],
  ] as const)('of a connection with the scopes %j', async (scopes, expected) => {
    const { names } = start({ policy: { providers: granted('google', 'openai'), scopes: [...scopes] } });
    expect(await names()).toEqual([...expected]);
  });

  test('is what the owner named, and then no provider is asked', async () => {
    const [anthropic, openai] = granted('anthropic', 'openai');
    if (anthropic === undefined || openai === undefined) throw new Error('two were asked for');
    const providers = [
      { ...anthropic, models: ['claude-haiku-4-5', 'claude-of-tomorrow'] },
      { ...openai, models: ['gpt-4o'] },
    ];
    const { names, recorder, unified } = start({ policy: { providers } });
    expect(await names()).toEqual(['anthropic/claude-haiku-4-5', 'gpt-4o']);
    expect(recorder.requests).toEqual([]);
    expect(unified.keypass.ledger.requests).toEqual([]);
  });

  test('is asked of a provider once for many', async () => {
    const { names, recorder } = start({ policy: { providers: granted('anthropic', 'groq') } });
    await Promise.all([names(), names(), names()]);
    await names();
    expect(recorder.requests).toHaveLength(2);
  });

  test('is what each connection of one key may use of it', async () => {
    const { names, unified, recorder } = start({ policy: { providers: granted('openai') } });
    expect(await names()).toEqual(['gpt-4o-mini', 'text-embedding-3-small']);
    const { access, grantee } = unified.keypass;
    const policy = { ...grantee.policy, scopes: ['chat' as const] };
    access.authenticate = async () => ({ ...grantee, connectionId: crypto.randomUUID(), seal: 'another', policy });
    expect(await names()).toEqual(['gpt-4o-mini']);
    expect(recorder.requests).toHaveLength(1);
  });

  test('lacks a provider that fails, says which, and asks it the next time', async () => {
    let isDown = true;
    const { get, recorder, names } = start({ policy: { providers: granted('anthropic', 'groq') } }, (request) =>
      isDown && request.headers.has('x-api-key') ? new Response('no', { status: 500 }) : lists(request),
    );
    const response = await get('');
    expect(response.status).toBe(200);
    expect(response.headers.get('x-keypass-unlisted')).toBe('anthropic');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ object: 'list', data: [{ id: 'groq/openai/gpt-oss-120b' }] });
    isDown = false;
    expect(await names()).toEqual(['anthropic/claude-opus-4-8', 'groq/openai/gpt-oss-120b']);
    expect(recorder.requests).toHaveLength(3);
  });

  test.each([
    [() => new Response('{}', { status: 401 }), 502, 'provider_key_rejected'],
    [() => Response.json({ nothing: true }), 502, 'provider_error'],
    [
      () => new Response(null, { status: 302, headers: { location: 'http://127.0.0.1:1/' } }),
      502,
      'provider_redirected',
    ],
  ])('is that failure where nothing else is left: %#', async (answer, status, code) => {
    const { get } = start({ policy: { providers: granted('anthropic') } }, answer);
    const response = await get('');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  test('does not wait for a provider that is silent', async () => {
    const silence = new Promise<Response>(() => {});
    const [anthropic, openai] = granted('anthropic', 'openai');
    if (anthropic === undefined || openai === undefined) throw new Error('two were asked for');
    const providers = [anthropic, { ...openai, models: ['gpt-4o'] }];
    const { get } = start({ policy: { providers }, patienceMs: 20 }, () => silence);
    const response = await get('');
    expect(response.headers.get('x-keypass-unlisted')).toBe('anthropic');
    expect(await response.json()).toMatchObject({ data: [{ id: 'gpt-4o' }] });
    const alone = start({ policy: { providers: [anthropic] }, patienceMs: 20 }, () => silence);
    expect(await (await alone.get('')).json()).toMatchObject({ error: { code: 'provider_timeout' } });
  });

  test('is of a connection that is in force now, whatever is remembered of it', async () => {
    const { get, names, unified } = start({ policy: { providers: granted('groq') } });
    expect(await names()).toHaveLength(1);
    const asked: unknown[] = [];
    const { access } = unified.keypass;
    access.authenticate = async (_token: string, options?: unknown) => {
      asked.push(options);
      throw new KeyPassError('connection_paused', 'Paused.');
    };
    expect(await (await get('')).json()).toMatchObject({ error: { code: 'connection_paused' } });
    expect(asked).toEqual([{ anew: true }]);
  });

  test('is for whoever has the token, in any of its places, and not in the URL', async () => {
    const { get, unified, recorder } = start({ policy: { providers: granted('groq') } });
    const { token } = unified.keypass;
    expect(await (await get('', {})).json()).toMatchObject({ error: { code: 'credentials_missing' } });
    expect(await (await get(`?key=${token}`, {})).json()).toMatchObject({ error: { code: 'token_in_url' } });
    expect(recorder.requests).toEqual([]);
    for (const name of ['x-api-key', 'x-goog-api-key']) expect((await get('', { [name]: token })).status).toBe(200);
  });
});

describe('one model', () => {
  const policy = { providers: granted('anthropic', 'groq', 'openai') };

  test.each([
    ['gpt-4o-mini', '/gpt-4o-mini'],
    ['gpt-4o-mini', '/openai/gpt-4o-mini'],
    ['groq/openai/gpt-oss-120b', '/groq/openai/gpt-oss-120b'],
    ['groq/openai/gpt-oss-120b', '/groq%2Fopenai%2Fgpt-oss-120b'],
    ['anthropic/claude-opus-4-8', '/anthropic%2fclaude-opus-4-8'],
  ])('%s is found at %s, and only its provider is asked', async (id, path) => {
    const { get, recorder } = start({ policy });
    expect(await (await get(path)).json()).toMatchObject({ id, object: 'model' });
    expect(recorder.requests).toHaveLength(1);
  });

  test("OpenAI's client finds it", async () => {
    const { client } = start({ policy });
    expect(await client.models.retrieve('anthropic/claude-opus-4-8')).toMatchObject({ owned_by: 'anthropic' });
    const missing = await client.models.retrieve('anthropic/claude-2').catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(NotFoundError);
    expect(missing).toMatchObject({ code: 'not_found', param: 'model' });
  });

  test.each([
    ['/model-of-tomorrow', 404, 'not_found'],
    ['/google/gemini-2.5-flash', 404, 'not_found'],
    ['/nobody/x', 404, 'not_found'],
    ['/%', 400, 'invalid_path'],
    ['/%ff', 400, 'invalid_path'],
  ])('%s is none', async (path, status, code) => {
    const { get } = start({ policy });
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});

test("the other base URLs list the provider's own bytes", async () => {
  const text = '{ "data" : [ { "id" : "anything" } ] }';
  const { unified } = start(
    { policy: { providers: granted('anthropic', 'google', 'groq') } },
    () => new Response(text),
  );
  for (const path of ['/anthropic/v1/models', '/google/v1beta/models', '/groq/openai/v1/models']) {
    const response = await fetch(unified.url + path, { headers: { authorization: `Bearer ${unified.keypass.token}` } });
    expect(await response.text()).toBe(text);
  }
});
