import { afterEach, describe, expect, test } from 'bun:test';
import { startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startRecorder, startRawUpstream, type RecordedRequest, type Recorder } from '../../test/harness/upstream.ts';
import { policyScopes, type Policy, type PolicyScope } from '../crypto/index.ts';
import { providers, type Endpoint } from '../providers/index.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

interface Setup {
  readonly scopes?: PolicyScope[];
  readonly policy?: Partial<Policy>;
  readonly answer?: (request: RecordedRequest) => Response;
}

function start({ scopes = ['stateful'], policy, answer }: Setup = {}): { upstream: Recorder; keypass: ProxyHarness } {
  const upstream = startRecorder(answer ?? (() => Response.json({ id: 'x_1' })));
  const keypass = startProxy({ policy: { scopes, ...policy }, origin: upstream.origin });
  running.push(keypass, upstream);
  return { upstream, keypass };
}

function send({ url, token }: ProxyHarness, method: string, path: string, body?: object | string): Promise<Response> {
  const isText = typeof body === 'string';
  return fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined
        ? {}
        : { 'content-type': isText ? 'multipart/form-data; boundary=b' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
}

async function codeOf(response: Response): Promise<string | null> {
  await response.bytes();
  return response.headers.get('x-keypass-error');
}

const firstFour = providers.filter(({ id }) => ['openai', 'anthropic', 'google', 'groq'].includes(id));

/** A path as a client would call it. */
const called = ({ path }: Endpoint) => path.replaceAll(/\{\w+\}/g, 'abc_123-X');

const bodyOf = ({ body, upload }: Endpoint) => (upload === undefined ? body && {} : '--b--');

const stored = firstFour.flatMap(({ id, endpoints }) =>
  endpoints
    .filter(({ scope }) => scope === 'stateful')
    .map((endpoint) => [`${id} ${endpoint.method} ${endpoint.path}`, id, endpoint] as const),
);

describe('what a provider stores', () => {
  test('is listed of all four', () => {
    expect(new Set(stored.map(([, id]) => id)).size).toBe(4);
  });

  test.each(stored)('%s', async (_, id, endpoint) => {
    const path = `/v1/proxy/passthrough/${id}${called(endpoint)}`;
    const needed: PolicyScope[] = endpoint.metering === 'unmetered' ? ['stateful', 'unmetered'] : ['stateful'];
    for (const missing of needed) {
      const { upstream, keypass } = start({ scopes: policyScopes.filter((scope) => scope !== missing) });
      const refused = await send(keypass, endpoint.method, path, bodyOf(endpoint));
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({
        error: { code: 'scope_not_granted', details: { scope: missing } },
      });
      expect(upstream.requests).toEqual([]);
      expect(keypass.ledger.requests).toEqual([]);
    }
    const { upstream, keypass } = start({ scopes: needed });
    const response = await send(keypass, endpoint.method, path, bodyOf(endpoint));
    expect(await codeOf(response)).toBeNull();
    expect(upstream.requests.map((request) => `${request.method} ${request.path}`)).toEqual([
      `${endpoint.method} ${called(endpoint)}`,
    ]);
    expect(upstream.requests[0]?.body).toBe(endpoint.upload === undefined ? ((endpoint.body && '{}') ?? '') : '--b--');
    await keypass.proxy.settled();
    const isSeen = endpoint.metering === 'free';
    expect(keypass.ledger.settlements).toMatchObject([
      { cost: 0n, usage: null, quality: isSeen ? 'measured' : 'unknown', flags: isSeen ? [] : ['unmetered'] },
    ]);
    expect(keypass.ledger.requests[0]?.endpoint).toBe(`${endpoint.method} ${endpoint.path}`);
  });

  const odd = ['..', '.', 'a.b', 'a:b', 'a@b', 'a+b', '%61', 'a%2fb', 'x'.repeat(201), 'ä', '~', '-/x', 'a//b', ''];
  test.each(odd)('has no id such as %j', async (name) => {
    const { upstream, keypass } = start();
    for (const method of ['GET', 'DELETE']) {
      const code = await codeOf(await send(keypass, method, `/openai/v1/files/${name}`));
      expect(code === 'invalid_path' || code === 'endpoint_not_allowed').toBe(true);
    }
    expect(upstream.requests.map(({ path }) => path)).toEqual([]);
  });

  const unlisted: [string, string][] = [
    ['PUT', '/openai/v1/files/a'],
    ['PATCH', '/openai/v1/files/a'],
    ['DELETE', '/openai/v1/files'],
    ['DELETE', '/openai/v1/models/ft-a'],
    ['POST', '/openai/v1/responses/compact'],
    ['POST', '/openai/v1/containers'],
    ['GET', '/openai/v1/containers/a'],
    ['POST', '/openai/v1/fine_tuning/jobs'],
    ['POST', '/openai/v1/videos'],
    ['POST', '/openai/v1/evals'],
    ['GET', '/openai/v1/organization/users'],
    ['POST', '/anthropic/v1/messages/batches'],
    ['GET', '/anthropic/v1/messages/batches/a/results'],
    ['POST', '/anthropic/v1/skills'],
    ['GET', '/anthropic/v1/organizations/me'],
    ['POST', '/google/v1beta/cachedContents'],
    ['POST', '/google/v1beta/models/gemini-2.5-flash:batchGenerateContent'],
    ['POST', '/google/v1beta/fileSearchStores'],
    ['POST', '/google/v1beta/files:register'],
    ['POST', '/google/v1beta/interactions'],
    ['DELETE', '/google/v1beta/tunedModels/a'],
    ['POST', '/groq/openai/v1/fine_tunings'],
  ];
  test.each(unlisted)('%s %s is not listed, whatever was granted', async (method, path) => {
    const { upstream, keypass } = start({ scopes: [...policyScopes] });
    expect(await codeOf(await send(keypass, method, path, method === 'GET' ? undefined : {}))).toBe(
      'endpoint_not_allowed',
    );
    expect(upstream.requests).toEqual([]);
  });
});

describe('queries of stored things', () => {
  const list = '/openai/v1/conversations/conv_1/items';
  test.each([
    `${list}?limit=2&order=asc&after=msg_1`,
    `${list}?include%5B%5D=message.input_image.image_url&include%5B%5D=reasoning.encrypted_content`,
    '/openai/v1/responses/resp_1?stream=true&starting_after=4&include_obfuscation=false',
    '/google/v1beta/files?pageSize=5&pageToken=abc%3D',
    '/anthropic/v1/files?beta=true&limit=5&page=abc%3D%3D',
  ])('%s', async (path) => {
    const { upstream, keypass } = start();
    expect(await codeOf(await send(keypass, 'GET', path))).toBeNull();
    expect(upstream.requests[0]?.path).toBe(path.replace(/^\/(openai|google|anthropic)/, ''));
  });

  test.each([
    `${list}?limit=2&limit=3`,
    `${list}?limit=-1`,
    `${list}?limit[]=1`,
    `${list}?include[]=a%0d%0ab`,
    `${list}?order=ASC`,
    `${list}?model=gpt-4o`,
    `${list}?project=proj_1`,
    '/openai/v1/responses/resp_1?stream=1',
    '/google/v1beta/files/a?alt=media',
    '/google/upload/v1beta/files?upload_protocol=resumable&upload_id=a%2fb',
  ])('refuses %s', async (path) => {
    const { upstream, keypass } = start();
    const method = path.includes('/upload/') ? 'POST' : 'GET';
    expect(await codeOf(await send(keypass, method, path))).toBe('unsupported_parameter');
    expect(upstream.requests).toEqual([]);
  });
});

describe('calls without a known price', () => {
  const everything = [...policyScopes];

  test.each(['/openai/v1/batches', '/groq/openai/v1/batches'])(
    '%s needs a connection that may use all models, which stand in a file',
    async (path) => {
      const id = path.split('/')[1] ?? '';
      const policy = { providers: [{ id, keyId: '00000000-0000-4000-8000-000000000001', models: ['gpt-4o-mini'] }] };
      const { upstream, keypass } = start({ scopes: everything, policy });
      const body = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' };
      expect(await codeOf(await send(keypass, 'POST', path, body))).toBe('model_not_allowed');
      expect(upstream.requests).toEqual([]);
      expect(await codeOf(await send(keypass, 'GET', path))).toBeNull();
    },
  );

  test('one that was lost is told as final, and is not sent again', async () => {
    const raw = await startRawUpstream((exchange) => exchange.reset());
    const keypass = startProxy({ policy: { scopes: everything }, origin: raw.origin });
    running.push(keypass, raw);
    const response = await send(keypass, 'POST', '/openai/v1/batches', { input_file_id: 'file-1' });
    expect(await codeOf(response)).toBe('provider_unreachable');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(raw.exchanges).toHaveLength(1);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([
      { cost: 0n, quality: 'unknown', flags: ['no_answer', 'unmetered'] },
    ]);
  });

  test('one that the provider refuses costs nothing, and that is known', async () => {
    const { keypass } = start({ scopes: everything, answer: () => Response.json({ error: {} }, { status: 400 }) });
    await codeOf(await send(keypass, 'POST', '/openai/v1/vector_stores', {}));
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n, quality: 'measured', flags: [] }]);
  });
});

test.each([
  ['DELETE', '/openai/v1/files/file-1', undefined],
  ['POST', '/openai/v1/conversations', {}],
] as const)('%s %s is not sent again where the connection broke', async (method, path, body) => {
  const raw = await startRawUpstream((exchange) => exchange.reset());
  const keypass = startProxy({ policy: { scopes: ['stateful'] }, origin: raw.origin });
  running.push(keypass, raw);
  expect(await codeOf(await send(keypass, method, path, body))).toBe('provider_unreachable');
  expect(raw.exchanges).toHaveLength(1);
});

describe('tools that would stay in a conversation, with fees in later calls that do not name them', () => {
  const added = { type: 'additional_tools', role: 'developer', tools: [{ type: 'web_search' }] };
  test.each([
    ['/openai/v1/conversations', { items: [added] }],
    ['/openai/v1/conversations', { items: added }],
    ['/openai/v1/conversations', { items: [{ ...added, type: 'tool_search_output', execution: 'client' }] }],
    ['/openai/v1/conversations/conv_1/items', { items: [{ role: 'user', content: 'x' }, added] }],
  ])('are refused by %s', async (path, body) => {
    const { upstream, keypass } = start({ scopes: [...policyScopes] });
    expect(await codeOf(await send(keypass, 'POST', path, body))).toBe('unsupported_parameter');
    expect(upstream.requests).toEqual([]);
  });
});

test('a chat that says nothing of storing is not stored, so that no other app can read it', async () => {
  const { upstream, keypass } = start({ scopes: ['chat'] });
  const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'x' }], max_tokens: 9 };
  await codeOf(await send(keypass, 'POST', '/openai/v1/chat/completions', chat));
  expect(JSON.parse(upstream.requests[0]?.body ?? '')).toMatchObject({ ...chat, store: false });
});

const steered = ({ url, token }: ProxyHarness, path: string, headers: Record<string, string>) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'x-goog-api-key': token, 'content-type': 'application/json', ...headers },
    body: '{"contents":[]}',
  });

describe("the headers of Google's uploads", () => {
  const upload = '/google/upload/v1beta/files';

  test.each([
    ['x-goog-upload-protocol', 'multipart'],
    ['x-goog-upload-command', 'start, delete'],
    ['x-goog-upload-offset', '-1'],
    ['x-goog-upload-header-content-length', '1e9'],
    ['x-goog-upload-header-content-type', 'text/html; charset="a"'],
  ])('%s: %s is refused', async (name, value) => {
    const { upstream, keypass } = start();
    const response = await steered(keypass, upload, { [name]: value });
    expect(await codeOf(response)).toBe('unsupported_parameter');
    expect(upstream.requests).toEqual([]);
  });

  test('pass on uploads alone', async () => {
    const { upstream, keypass } = start({ scopes: ['chat', 'stateful'] });
    const headers = { 'x-goog-upload-protocol': 'resumable', 'x-goog-upload-url': 'https://evil.example' };
    expect(await codeOf(await steered(keypass, upload, headers))).toBeNull();
    await codeOf(await steered(keypass, '/google/v1beta/models/gemini-2.5-flash:generateContent', headers));
    const seen = upstream.requests.map((request) => [...request.headers.keys()].filter((name) => /upload/.test(name)));
    expect(seen).toEqual([['x-goog-upload-protocol'], []]);
  });
});

describe('what comes back', () => {
  test('is byte for byte what was stored, with its name, and acts as no page', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536 * 3 + 7));
    const headers = {
      'content-type': 'text/html',
      'content-disposition': 'attachment; filename="a.html"',
      'set-cookie': 'a=b',
    };
    const { keypass } = start({ answer: () => new Response(bytes, { headers }) });
    for (const path of ['/openai/v1/files/file-1/content', '/anthropic/v1/files/file_1/content']) {
      const response = await send(keypass, 'GET', path);
      expect(await response.bytes()).toEqual(bytes);
      expect(response.headers.get('content-type')).toBe('text/html');
      expect(response.headers.get('content-disposition')).toBe('attachment; filename="a.html"');
      expect(response.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('set-cookie')).toBeNull();
    }
  });

  test('an answer of OpenAI that is streamed again is the same stream', async () => {
    const events = 'event: response.created\ndata: {"a":1}\n\nevent: response.completed\ndata: {"b":"ü"}\n\n';
    const { keypass } = start({
      answer: () => new Response(events, { headers: { 'content-type': 'text/event-stream' } }),
    });
    const response = await send(keypass, 'GET', '/openai/v1/responses/resp_1?stream=true');
    expect(await response.text()).toBe(events);
  });
});
