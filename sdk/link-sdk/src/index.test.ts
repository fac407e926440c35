import { expect, test } from 'bun:test';
import { KeyPass } from './index.ts';

const options = { token: 'kp_lt_x', apiBaseUrl: 'http://localhost:8787', onSuccess: () => undefined };

test('importing and creating touch no page: both work where there is none', () => {
  expect('document' in globalThis).toBe(false);
  const handler = KeyPass.create(options);
  expect(KeyPass.create({ ...options })).toBe(handler);
  handler.exit();
  handler.destroy();
  expect(KeyPass.create(options)).not.toBe(handler);
});

test.each([
  'https://keypass.example.com',
  'https://keypass.example.com:8443/',
  'http://127.0.0.1:8787',
  'http://[::1]:8787',
  'http://app.localhost',
])('apiBaseUrl %s is accepted', (apiBaseUrl) => {
  expect(() => KeyPass.create({ ...options, token: apiBaseUrl, apiBaseUrl })).not.toThrow();
});

test.each([
  'http://keypass.example.com',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'https://user@keypass.example.com',
  'https://keypass.example.com/link',
  'https://keypass.example.com/?a',
  'https://keypass.example.com/#a',
  'javascript:alert(1)',
  'data:text/html,x',
  '/relative',
  '',
])('apiBaseUrl %j is refused', (apiBaseUrl) => {
  expect(() => KeyPass.create({ ...options, apiBaseUrl })).toThrow(TypeError);
});
