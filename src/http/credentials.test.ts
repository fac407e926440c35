import { expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { credentialOf } from './credentials.ts';

const cookie = { name: 'keypass', origin: 'https://keys.example' };
const token = 'kp_ss_' + 'a'.repeat(49);

function read(headers: Record<string, string>, method = 'GET', query = ''): unknown {
  try {
    return credentialOf(new Request(`https://keys.example/v1/keys${query}`, { method, headers }), cookie);
  } catch (error) {
    return error instanceof KeyPassError ? error.code : error;
  }
}

test('a bearer token, whatever the case of its scheme', () => {
  expect(read({ authorization: `Bearer ${token}` })).toEqual({ kind: 'bearer', token });
  expect(read({ authorization: `bEARER ${token}` })).toEqual({ kind: 'bearer', token });
});

test('an id and a secret; the secret may have colons', () => {
  expect(read({ authorization: `Basic ${btoa('id:a:b')}` })).toEqual({ kind: 'basic', user: 'id', password: 'a:b' });
  for (const text of ['nocolon', ':secret', '']) {
    expect(read({ authorization: `Basic ${btoa(text) || 'x'}` })).toBe('client_invalid');
  }
  expect(read({ authorization: 'Basic ***' })).toBe('client_invalid');
});

test.each(['Bearer', 'Bearer ', 'Digest abc', token, `Bearer ${token} trailing`])('malformed: %s', (authorization) => {
  expect(read({ authorization })).toBe('token_malformed');
});

test('two credentials are one too many', () => {
  expect(read({ authorization: `Bearer ${token}, Bearer ${token}` })).toBe('ambiguous_credentials');
  expect(read({ authorization: `Bearer ${token}, Basic ${btoa('a:b')}` })).toBe('ambiguous_credentials');
});

test('none at all', () => {
  expect(read({})).toBe('credentials_missing');
  expect(read({ cookie: 'other=1' })).toBe('credentials_missing');
});

test('a token in the URL is refused even beside a good header', () => {
  for (const secret of [token, 'sk-' + 'x'.repeat(40), 'AIza' + 'x'.repeat(35), 'gsk_' + 'x'.repeat(40)]) {
    expect(read({ authorization: `Bearer ${token}` }, 'GET', `?limit=1&key=${secret}`)).toBe('token_in_url');
  }
});

test('the cookie counts from the pages of KeyPass alone', () => {
  const own = { cookie: `keypass=${token}` };
  const taken = { kind: 'cookie', token };
  expect(read(own)).toEqual(taken);
  expect(read({ ...own, 'sec-fetch-site': 'same-origin' })).toEqual(taken);
  expect(read({ ...own, 'sec-fetch-site': 'same-origin' }, 'POST')).toBe('origin_not_allowed');
  expect(read({ ...own, origin: cookie.origin }, 'POST')).toEqual(taken);
  expect(read(own, 'POST')).toBe('origin_not_allowed');
  for (const site of ['cross-site', 'same-site', 'none']) {
    expect(read({ ...own, 'sec-fetch-site': site })).toBe('origin_not_allowed');
  }
  for (const origin of ['https://evil.example', 'null', 'http://keys.example', 'https://keys.example:444']) {
    expect(read({ ...own, origin, 'sec-fetch-site': 'same-origin' }, 'POST')).toBe('origin_not_allowed');
  }
});

test('a request with Authorization ignores the cookie', () => {
  const other = 'kp_ss_' + 'b'.repeat(49);
  expect(read({ authorization: `Bearer ${other}`, cookie: `keypass=${token}` })).toEqual({
    kind: 'bearer',
    token: other,
  });
  expect(read({ authorization: 'Bearer', cookie: `keypass=${token}` })).toBe('token_malformed');
});

test('a key in an AI client’s own header beside another credential is one too many', () => {
  const authorization = `Bearer ${token}`;
  for (const name of ['x-api-key', 'x-goog-api-key']) {
    expect(read({ authorization, [name]: 'another' })).toBe('ambiguous_credentials');
    expect(read({ authorization, [name]: token })).toEqual({ kind: 'bearer', token });
  }
});
