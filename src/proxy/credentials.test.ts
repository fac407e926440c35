import { expect, test } from 'bun:test';
import { createToken } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { accessTokenOf } from './credentials.ts';

const token = createToken('access');

test.each([
  { authorization: `Bearer ${token}` },
  { authorization: `bearer  ${token}` },
  { 'x-api-key': token },
  { 'x-goog-api-key': token },
  { 'x-api-key': token, authorization: `Bearer ${token}` },
])('the token is found where an official client puts it', (headers) => {
  expect(accessTokenOf(new Headers(headers as Record<string, string>))).toBe(token);
});

const realKeys = [`sk-${'ant'}-api03-${'c'.repeat(93)}AA`, `sk-${'proj'}-${'x'.repeat(60)}`, `gs${'k_'}${'f'.repeat(52)}`];

const refused: [Record<string, string>, string][] = [
  [{}, 'credentials_missing'],
  [{ cookie: `__Host-session=${token}` }, 'credentials_missing'],
  [{ authorization: 'Bearer ' }, 'not_a_keypass_token'],
  [{ authorization: `Basic ${btoa('a:b')}` }, 'ambiguous_credentials'],
  [{ authorization: `Bearer ${token}`, 'x-api-key': createToken('access') }, 'ambiguous_credentials'],
  [{ authorization: `Bearer ${token}, Bearer ${token}` }, 'ambiguous_credentials'],
  [{ 'x-api-key': `${token}, ${token}` }, 'ambiguous_credentials'],
  [{ 'x-api-key': createToken('session') }, 'access_token_invalid'],
  ...realKeys.map((key): [Record<string, string>, string] => [{ 'x-api-key': key }, 'not_a_keypass_token']),
];

test.each(refused)('%p is refused', (headers, code) => {
  let error: unknown;
  try {
    accessTokenOf(new Headers(headers));
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(KeyPassError);
  expect(error).toHaveProperty('code', code);
  // Nothing of what was sent is ever said again.
  const said = JSON.stringify(error) + String(error);
  for (const value of Object.values(headers)) expect(said).not.toContain(value.slice(-12));
});
