import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { providers } from '../providers/index.ts';
import { openai } from '../providers/openai.ts';
import { answerHeaders, upstreamHeaders } from './headers.ts';

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
    const sent = upstreamHeaders(provider, client, key(), true);
    expect([...sent.values()].join('\n')).not.toContain('smuggled-mark');
  });

  test('gets the key in its own header and in no other', () => {
    const sent = upstreamHeaders(provider, new Headers({ accept: 'text/event-stream' }), key(), true);
    const carrying = [...sent].filter(([, value]) => value.includes(secret)).map(([name]) => name);
    expect(carrying).toEqual([provider.keyHeader]);
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
      'openai-organization': 'whose-account',
      'anthropic-organization-id': 'whose-account',
    });
    const given = answerHeaders(provider, upstream);
    expect(Object.fromEntries(given)).toEqual({
      'content-type': 'application/json',
      'retry-after': '3',
      'x-ratelimit-remaining-tokens': '7',
      'x-provider-request-id': 'req_1',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
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
  const sent = upstreamHeaders(openai, new Headers(), key(owned), false);
  expect(sent.get('openai-organization')).toBe('org-mine');
  expect(sent.get('authorization')).toBe(`Bearer ${secret}`);
  expect(sent.has('x-other')).toBe(false);
  expect(sent.has('host')).toBe(false);
  expect(sent.has('content-type')).toBe(false);
});

test('a key that no header can carry is refused without being repeated', () => {
  const broken = { ...key(), secret: new TextEncoder().encode(`${secret}\r\nx: y`) };
  let error: unknown;
  try {
    upstreamHeaders(openai, new Headers(), broken, false);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(KeyPassError);
  expect(String(error)).not.toContain('canary');
});
