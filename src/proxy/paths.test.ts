import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../errors.ts';
import { google } from '../providers/google.ts';
import { openai } from '../providers/openai.ts';
import { keepHere, matchEndpoint, refuseKeyInQuery, targetOf } from './paths.ts';

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
      base: '/v1/proxy/passthrough/groq',
      path: '/openai/v1/models',
      query: 'a=b',
    });
    expect(targetOf(`${here}/anthropic/v1/messages`)).toEqual({
      mount: 'drop-in',
      providerId: 'anthropic',
      base: '/anthropic',
      path: '/v1/messages',
      query: '',
    });
  });

  test.each(['/openai/v1/models#x', '/openai/v1/models?a?b'])('refuses %p', (path) => {
    expect(codeOf(() => targetOf(here + path))).toBe('invalid_path');
  });

  test.each(['/openai/v1/models/', '/google/v1beta/models/a', '/v1/proxy/passthrough/'])(
    'refuses a token in %p',
    (path) => {
      const token = 'kp_at_' + 'x'.repeat(49);
      expect(codeOf(() => targetOf(`${here}${path}${token}:generateContent`))).toBe('token_in_url');
      expect(targetOf(`${here}${path}kp_at_home/x`).path).toEndWith('/x');
    },
  );

  test('refuses what is too long', () => {
    expect(codeOf(() => targetOf(`${here}/openai/v1/${'x'.repeat(2100)}`))).toBe('invalid_path');
  });
});

function match(method: string, path: string, query = '') {
  return matchEndpoint(google, method, path, query);
}

describe('matchEndpoint', () => {
  test('goes to the origin in force, and takes no query along from another call', () => {
    const elsewhere = { ...google, origin: 'http://127.0.0.1:1' };
    const urls = [google, elsewhere, google].map(
      (provider) => matchEndpoint(provider, 'GET', '/v1beta/models', '').url,
    );
    expect(urls.map(String)).toEqual([
      `${google.origin}/v1beta/models`,
      'http://127.0.0.1:1/v1beta/models',
      `${google.origin}/v1beta/models`,
    ]);
    expect(match('GET', '/v1beta/models', 'pageSize=5').url.search).toBe('?pageSize=5');
    expect(match('GET', '/v1beta/models').url.search).toBe('');
  });

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
    ['GET', '/v1beta/cachedContents'],
    ['GET', '/v1beta/files/a/b'],
    ['GET', '/v1beta/files/a.b'],
    ['GET', '/v1beta/files/a:download'],
    ['POST', '/v1beta/files/a'],
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
    expect(codeOf(() => matchEndpoint(dotted, 'GET', '/v1x0/x', ''))).toBe('endpoint_not_allowed');
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
          expect(url.pathname).toMatch(/^\/v1(beta)?\/(models(\/[\w.-]+(:\w+)?)?|files(\/[\w-]+)?)$/);
        } catch (error) {
          expect(error).toBeInstanceOf(KeyPassError);
        }
      }),
    );
  });
});

describe('keepHere', () => {
  const upload = '/upload/v1beta/files';
  const kept = (address: string, path = upload) => {
    const headers = new Headers({ 'x-goog-upload-url': address });
    keepHere(headers, match('POST', path), `${here}/google`);
    return headers.get('x-goog-upload-url');
  };

  test("writes KeyPass's own address in the place of the provider's", () => {
    const query = '?upload_id=Ab_1-2&upload_protocol=resumable';
    expect(kept(`${google.origin}${upload}${query}`)).toBe(`${here}/google${upload}${query}`);
  });

  test.each([
    `https://evil.example${upload}?upload_id=a`,
    `https://generativelanguage.googleapis.com.evil.example${upload}?upload_id=a`,
    `http://generativelanguage.googleapis.com${upload}?upload_id=a`,
    `${google.origin}:444${upload}?upload_id=a`,
    `${google.origin}/v1beta/files?upload_id=a`,
    `${google.origin}${upload}/../v1/files?upload_id=a`,
    `${google.origin}${upload}?upload_id=a&key=b`,
    `${google.origin}${upload}?upload_id=a&upload_id=b`,
    `${google.origin}${upload}?upload_id=${'a'.repeat(1_001)}`,
    `${upload}?upload_id=a`,
    'javascript:alert(1)',
    '',
  ])('takes %s out', (address) => {
    expect(kept(address)).toBeNull();
  });

  test('leaves other endpoints alone', () => {
    const own = `${google.origin}${upload}?upload_id=a`;
    expect(kept(own, '/v1beta/models/gemini-2.5-flash:generateContent')).toBe(own);
  });
});

test.each(['key=abc', 'alt=sse&key=abc', 'KEY=abc', 'access_token=a', 'k%65y=abc'])(
  'a key in ?%s is named as such',
  (query) => {
    expect(codeOf(() => refuseKeyInQuery(query))).toBe('token_in_url');
  },
);
