import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { securityHeaders } from '../http/security-headers.ts';
import { providers } from '../providers/index.ts';
import { anthropic } from '../providers/anthropic.ts';
import { openai } from '../providers/openai.ts';
import { answerHead, refuseUnlistedValues, upstreamHeaders, withOwnIdempotencyKey } from './headers.ts';

const secret = 'sk-' + 'canary'.repeat(5);
const key = (headers: Record<string, string> = {}) => ({
  keyId: 'k',
  version: 1,
  secret: new TextEncoder().encode(secret),
  headers,
});

/** Every header that a client might smuggle something with; each carries the mark. */
const smuggled = [
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'cookie',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'via',
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'te',
  'upgrade',
  'proxy-authorization',
  'openai-organization',
  'openai-project',
  'x-goog-user-project',
  'anthropic-workspace-id',
  'origin',
  'referer',
  'user-agent',
  'range',
  'expect',
  'accept-encoding',
  'content-encoding',
  'x-stainless-os',
  'x-http-method-override',
  'x-keypass-exact',
];

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_, provider) => {
  test('gets no header that is not listed', () => {
    const client = new Headers(smuggled.map((name): [string, string] => [name, 'smuggled-mark']));
    const sent = upstreamHeaders(provider, client, key(), 'application/json');
    expect([...sent.values()].join('\n')).not.toContain('smuggled-mark');
  });

  test('gets the key in its own header and in no other', () => {
    const sent = upstreamHeaders(provider, new Headers({ accept: 'text/event-stream' }), key(), 'application/json');
    const carrying = [...sent].filter(([, value]) => value.includes(secret)).map(([name]) => name);
    expect(carrying).toEqual([provider.keyHeader ?? '']);
    expect(sent.get('accept')).toBe('text/event-stream');
    expect(sent.get('accept-encoding')).toBe('identity');
    expect(sent.get('content-type')).toBe('application/json');
  });

  test('gives back no header that is not listed', () => {
    const upstream = new Headers({
      'content-type': 'application/json',
      'retry-after': '3',
      'x-ratelimit-remaining-tokens': '7',
      'x-request-id': 'req_1',
      'content-length': '5',
      'content-encoding': 'gzip',
      'set-cookie': 'a=b',
      'clear-site-data': '"*"',
      'service-worker-allowed': '/',
      'access-control-allow-origin': '*',
      'strict-transport-security': 'max-age=0',
      location: 'https://evil.example',
      link: '<https://evil.example>; rel=preload',
      refresh: '0; url=https://evil.example',
      'content-security-policy': 'default-src *',
      'x-content-type-options': 'sniff',
      'cache-control': 'public',
      'cross-origin-resource-policy': 'cross-origin',
      'permissions-policy': 'camera=*',
      'referrer-policy': 'unsafe-url',
      'x-keypass-error': 'invalid_json',
      'openai-organization': 'whose-account',
      'anthropic-organization-id': 'whose-account',
    });
    const given = answerHead(provider, upstream);
    expect(Object.fromEntries(given.headers)).toEqual({
      'content-type': 'application/json',
      'retry-after': '3',
      'x-ratelimit-remaining-tokens': '7',
      'x-provider-request-id': 'req_1',
      ...securityHeaders,
      'content-security-policy': "sandbox; default-src 'none'",
    });
  });
});

test("what the owner keeps with a key goes up by the provider's list and never replaces the key", () => {
  const owned = {
    'OpenAI-Organization': 'org-mine',
    authorization: 'Bearer other',
    host: 'evil.example',
    'x-other': 'y',
  };
  const sent = upstreamHeaders(openai, new Headers(), key(owned), null);
  expect(sent.get('openai-organization')).toBe('org-mine');
  expect(sent.get('authorization')).toBe(`Bearer ${secret}`);
  expect(sent.has('x-other')).toBe(false);
  expect(sent.has('host')).toBe(false);
  expect(sent.has('content-type')).toBe(false);
});

const refused = (provider: typeof openai, name: string, value: string): unknown => {
  try {
    refuseUnlistedValues(provider, new Headers({ [name]: value }));
  } catch (error) {
    return error;
  }
  return undefined;
};

test('what KeyPass itself says of a request is replaced by no client and no owner, at any provider', () => {
  const others = { 'accept-encoding': 'gzip', 'user-agent': 'another' };
  for (const provider of providers) {
    const sent = upstreamHeaders(provider, new Headers(others), key(others), null);
    expect([sent.get('accept-encoding'), sent.get('user-agent')]).toEqual(['identity', 'KeyPass']);
    for (const [name, value] of Object.entries(provider.defaultHeaders)) {
      if (!provider.requestHeaders.includes(name)) expect(sent.get(name)).toBe(value);
    }
  }
});

describe('a header that changes what a call may do', () => {
  test.each([
    '',
    'token-counting-2024-11-01',
    'structured-outputs-2025-12-15',
    ' files-api-2025-04-14 ,,\tpdfs-2024-09-25,',
  ])('passes with the values that are listed: %p', (value) => {
    expect(refused(anthropic, 'anthropic-beta', value)).toBeUndefined();
    expect(refused(anthropic, 'x-other', 'context-1m-2025-08-07')).toBeUndefined();
    expect(refused(openai, 'openai-beta', 'assistants=v2')).toBeUndefined();
  });

  test.each([
    'context-1m-2025-08-07',
    'output-128k-2025-02-19',
    'output-300k-2026-03-24',
    'fast-mode-2026-02-01',
    'interleaved-thinking-2025-05-14',
    'pdfs-2024-09-25,context-1m-2025-08-07',
    'pdfs-2024-09-25 , context-1m-2025-08-07',
    'Pdfs-2024-09-25',
    'pdfs-2024-09-25;context-1m-2025-08-07',
    'pdfs-2024-09-25 context-1m-2025-08-07',
  ])('is refused with %p, by its name', (value) => {
    expect(refused(anthropic, 'anthropic-beta', value)).toMatchObject({
      code: 'unsupported_parameter',
      param: 'anthropic-beta',
    });
  });

  test('is refused when it comes twice and one of them is not listed', () => {
    const twice = new Headers([
      ['anthropic-beta', 'pdfs-2024-09-25'],
      ['Anthropic-Beta', 'context-1m-2025-08-07'],
    ]);
    expect(() => refuseUnlistedValues(anthropic, twice)).toThrow('context-1m-2025-08-07');
  });

  test('is not repeated unless it is built like the name of a beta', () => {
    expect(String(refused(anthropic, 'anthropic-beta', 'context-1m-2025-08-07'))).toContain('(context-1m-2025-08-07)');
    expect(String(refused(anthropic, 'anthropic-beta', secret))).not.toContain(secret);
    expect(refused(openai, 'openai-beta', 'agents=v1')).toMatchObject({ param: 'openai-beta' });
  });
});

const keySent = async (connectionId: string, value: string) =>
  (await withOwnIdempotencyKey(new Headers(), value, connectionId)).get('idempotency-key');

describe("an idempotency key is the connection's own", () => {
  test('the same for a repeat, another for another connection', async () => {
    const first = await keySent('c1', 'k');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await keySent('c1', 'k')).toBe(first);
    expect(new Set([first, await keySent('c2', 'k'), await keySent('c1', 'l'), await keySent('c1k', '')]).size).toBe(4);
  });

  test('and no other header is changed', async () => {
    const client = new Headers({ 'idempotency-key': 'k', accept: 'a/b' });
    expect((await withOwnIdempotencyKey(client, 'k', 'c1')).get('accept')).toBe('a/b');
    expect(client.get('idempotency-key')).toBe('k');
  });
});

test('a key that no header can carry is refused without being repeated', () => {
  const broken = { ...key(), secret: new TextEncoder().encode(`${secret}\r\nx: y`) };
  let error: unknown;
  try {
    upstreamHeaders(openai, new Headers(), broken, null);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(KeyPassError);
  expect(String(error)).not.toContain('canary');
});
