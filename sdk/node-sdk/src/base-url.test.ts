import { describe, expect, test } from 'bun:test';
import { parseBaseUrl, passthroughUrl } from './base-url.ts';
import { InvalidRequestError } from './errors.ts';

describe('baseUrl', () => {
  test.each([
    'https://keypass.example.com',
    'https://keypass.example.com/',
    'http://localhost:8787',
    'http://app.localhost',
    'http://127.8.9.1:1',
    'http://[::1]:8787',
  ])('%s is accepted', (url) => {
    expect(parseBaseUrl(url)).toBe(new URL(url).origin);
  });

  test.each([
    'http://keypass.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'https://user:pass@keypass.example.com',
    'https://user@keypass.example.com',
    'https://keypass.example.com/v1',
    'https://keypass.example.com?a=1',
    'https://keypass.example.com/?',
    'https://keypass.example.com#a',
    'ftp://localhost',
    'keypass.example.com',
    '',
  ])('%s is refused', (url) => {
    expect(() => parseBaseUrl(url)).toThrow(InvalidRequestError);
  });
});

describe('passthrough paths', () => {
  test.each([
    ['openai', '/v1/models'],
    ['google', '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse'],
    ['huggingface', '/models/a..b/c?next=../x//y'],
  ])('%s %s arrives as it is', (provider, path) => {
    const url = passthroughUrl('https://keypass.example.com', provider, path);
    expect(new URL(url).href).toBe(`https://keypass.example.com/v1/proxy/passthrough/${provider}${path}`);
  });

  test.each([
    ['openai', 'v1/models'],
    ['openai', ''],
    ['openai', '@evil.example/'],
    ['openai', '//evil.example/'],
    ['openai', '/v1//models'],
    ['openai', '/../../link/sessions'],
    ['openai', '/v1/..'],
    ['openai', '/./v1'],
    ['openai', '/%2e%2e/x'],
    ['openai', '/a%2Fb'],
    ['openai', '/a%5cb'],
    ['openai', '/a%00b'],
    ['openai', '/a\\b'],
    ['openai', '/a b'],
    ['openai', '/a\nb'],
    ['openai', '/a#b'],
    ['../x', '/v1/models'],
    ['open/ai', '/v1/models'],
    ['', '/v1/models'],
  ])('%s %j is refused', (provider, path) => {
    expect(() => passthroughUrl('https://keypass.example.com', provider, path)).toThrow(InvalidRequestError);
  });
});
