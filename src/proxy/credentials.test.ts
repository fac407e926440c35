import { expect, test } from 'bun:test';
import { createToken } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { accessTokenOf } from './credentials.ts';

const token = createToken('access');

const ways: [string, Record<string, string>][] = [
  ['as a bearer token', { authorization: `Bearer ${token}` }],
  ['with the scheme in lower case', { authorization: `bearer  ${token}` }],
  ["in Anthropic's header", { 'x-api-key': token }],
  ["in Google's header", { 'x-goog-api-key': token }],
  ['twice the same', { 'x-api-key': token, authorization: `Bearer ${token}` }],
];

test.each(ways)('the token is found %s', (_, headers) => {
  expect(accessTokenOf(new Headers(headers))).toBe(token);
});

/** Put together here, so that no scanner takes a sample for a key. */
const join = (...parts: string[]) => parts.join('');

const refused: [string, Record<string, string>, string][] = [
  ['nothing', {}, 'credentials_missing'],
  ['a cookie', { cookie: `__Host-session=${token}` }, 'credentials_missing'],
  ['an empty bearer', { authorization: 'Bearer ' }, 'not_a_keypass_token'],
  ['another scheme', { authorization: `Basic ${btoa('a:b')}` }, 'ambiguous_credentials'],
  ['two tokens', { authorization: `Bearer ${token}`, 'x-api-key': createToken('access') }, 'ambiguous_credentials'],
  ['two headers of one name', { 'x-api-key': `${token}, ${token}` }, 'ambiguous_credentials'],
  ['a list of bearers', { authorization: `Bearer ${token}, Bearer ${token}` }, 'ambiguous_credentials'],
  ['a session', { 'x-api-key': createToken('session') }, 'access_token_invalid'],
  ['a key of Anthropic', { 'x-api-key': join('sk-', 'ant-api03-', 'c'.repeat(93), 'AA') }, 'not_a_keypass_token'],
  ['a key of OpenAI', { authorization: join('Bearer sk-', 'proj-', 'x'.repeat(60)) }, 'not_a_keypass_token'],
  ['a key of Groq', { 'x-goog-api-key': join('gs', 'k_', 'f'.repeat(52)) }, 'not_a_keypass_token'],
];

test.each(refused)('%s is refused', (_, headers, code) => {
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
