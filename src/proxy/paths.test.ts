import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../errors.ts';
import { google } from '../providers/google.ts';
import { openai } from '../providers/openai.ts';
import { matchEndpoint, refuseKeyInQuery, targetOf } from './paths.ts';

const here = 'http://localhost:8787';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof KeyPassError ? error.code : String(error);
  }
  return 'nothing';
}

describe('targetOf', () => {
  test('finds the provider and its own path under each mount', () => {
    expect(targetOf(`${here}/v1/proxy/passthrough/groq/openai/v1/models?a=b`)).toEqual({
      mount: 'passthrough',
      providerId: 'groq',
      path: '/openai/v1/models',
      query: 'a=b',
    });
    expect(targetOf(`${here}/anthropic/v1/messages`)).toEqual({
      mount: 'drop-in',
      providerId: 'anthropic',
      path: '/v1/messages',
      query: '',
    });
  });

  test.each(['/openai/v1/models#x', '/openai/v1/models?a?b'])('refuses %p', (path) => {
    expect(codeOf(() => targetOf(here + path))).toBe('invalid_path');
  });

  test('refuses what is too long', () => {
    expect(codeOf(() => targetOf(`${here}/openai/v1/${'x'.repeat(2100)}`))).toBe('invalid_path');
  });
});

function match(method: string, path: string, query = '') {
  return matchEndpoint(google, google.origin, method, path, query);
}

describe('matchEndpoint', () => {
  test('builds the URL of a listed endpoint and finds the model in it', () => {
    const found = match('POST', '/v1beta/models/gemini-2.5-flash:streamGenerateContent', 'alt=sse');
    expect(found.model).toBe('gemini-2.5-flash');
    expect(found.url.href).toBe(`${google.origin}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse`);
  });

  const hostile = [
    '',
    '/',
    '//evil.example/v1beta/models',
    '/v1beta//models',
    '/v1beta/models/',
    '/v1beta/models/..',
    '/v1beta/models/../files',
    '/v1beta/./models',
    '/v1beta/models/%2e%2e',
    '/v1beta%2fmodels',
    '/v1beta/models%5c..',
    '/v1beta/models\\..',
    '/v1beta/models/a%00',
    '/v1beta/models/a b',
    '/v1beta/models/ä',
    '/v1beta/models\t',
    '@evil.example/v1beta/models',
    '.evil.example/v1beta/models',
    ':80/v1beta/models',
    'http://evil.example/v1beta/models',
  ];
  test.each(hostile)('refuses %p as a path', (path) => {
    expect(codeOf(() => match('GET', path))).toBe('invalid_path');
  });

  const unlisted: [string, string][] = [
    ['GET', '/v1beta/files'],
    ['POST', '/v1beta/models'],
    ['DELETE', '/v1beta/models/gemini-2.5-flash'],
    ['POST', '/v1beta/models/gemini-2.5-flash:predict'],
    ['POST', '/v1beta/models/a:generateContent:generateContent'],
    ['POST', '/v1beta/models/:generateContent'],
    ['POST', '/v1beta/tunedModels/a:generateContent'],
    ['GET', '/V1BETA/models'],
    ['get', '/v1beta/models'],
    ['GET', '/v1betaXmodels'],
  ];
  test.each(unlisted)('does not pass on %s %s', (method, path) => {
    expect(codeOf(() => match(method, path))).toBe('endpoint_not_allowed');
  });

  test('a dot in a template is a dot', () => {
    const dotted = {
      ...openai,
      endpoints: [{ method: 'GET', path: '/v1.0/x', scope: null, metering: 'free' }] as const,
    };
    expect(codeOf(() => matchEndpoint(dotted, dotted.origin, 'GET', '/v1x0/x', ''))).toBe('endpoint_not_allowed');
  });

  test.each(['alt=media', 'alt=sse&alt=sse', 'uploadType=x', 'constructor=x', '%61lt=media'])(
    'does not pass on ?%s',
    (query) => {
      expect(codeOf(() => match('POST', '/v1beta/models/g:streamGenerateContent', query))).toBe(
        'unsupported_parameter',
      );
    },
  );

  test('whatever comes in, what goes out is a listed path of the right host', () => {
    const piece = fc.constantFrom(
      '/',
      '..',
      '.',
      '%2e',
      '%2f',
      '\\',
      '//',
      '@',
      ':',
      'v1beta',
      'models',
      'a',
      '?',
      '#',
      'evil.example',
    );
    const path = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(path, fc.constantFrom('GET', 'POST'), (text, method) => {
        try {
          const { url } = match(method, text);
          expect(url.origin).toBe(google.origin);
          expect(url.pathname).toMatch(/^\/v1(beta)?\/models(\/[\w.-]+(:\w+)?)?$/);
        } catch (error) {
          expect(error).toBeInstanceOf(KeyPassError);
        }
      }),
    );
  });
});

test.each(['key=abc', 'alt=sse&key=abc', 'KEY=abc', 'access_token=a', 'k%65y=abc'])(
  'a key in ?%s is named as such',
  (query) => {
    expect(codeOf(() => refuseKeyInQuery(query))).toBe('token_in_url');
  },
);
