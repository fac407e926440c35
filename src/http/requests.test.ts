import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { openTestDatabase } from '../../test/harness/databases.ts';
import {
  blob,
  call,
  newKey,
  outcome,
  register,
  registerApp,
  registration,
  type Account,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import { createToken } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';

let database: Database;
let server: TestServer;
let ada: Account;
let app: TestApp;

beforeAll(async () => {
  database = await openTestDatabase('embedded');
  server = await startTestServer({ database, settings: { KEYPASS_CORS_ORIGINS: 'https://page.example' } });
  ada = await register(server);
  app = await registerApp(server, ada.token);
});

afterAll(async () => {
  await server.stop();
  await database.close();
});

const canary = 'canary-5b1c';
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(server, 'POST', path, { body, headers });

const get = (headers: Record<string, string>, path = '/v1/auth/me') => call(server, 'GET', path, { headers });

describe('a body', () => {
  test.each([
    ['cut off', '{"email":', '400 invalid_json'],
    ['a text', canary, '400 invalid_json'],
    ['twice the same member', '{"email":"a@b","email":"c@d"}', '400 duplicate_member'],
    ['the same member in two spellings', String.raw`{"email":"a@b","\u0065mail":"c@d"}`, '400 duplicate_member'],
    ['an array', '[]', '400 invalid_request'],
    ['null', 'null', '400 invalid_request'],
    ['nothing', '', '400 invalid_request'],
    ['a wrong type', `{"email":["${canary}@b"]}`, '400 invalid_request'],
    ['a wrong form', `{"email":"${canary}"}`, '400 invalid_request'],
    ['a byte that no database keeps', String.raw`{"email":"canary-5b1c\u0000@b"}`, '400 invalid_request'],
    ['half a character', String.raw`{"email":"canary-5b1c\ud800@b"}`, '400 invalid_request'],
    ['too long a text', `{"email":"${canary.repeat(30)}@b"}`, '400 invalid_request'],
    ['a member too many', `{"email":"a@b","other":"${canary}"}`, '400 unknown_member'],
    ['the prototype as a member', `{"email":"a@b","__proto__":{"x":"${canary}"}}`, '400 unknown_member'],
    ['nesting without end', '['.repeat(100_000), '400 invalid_json'],
    ['deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, '400 invalid_json'],
  ])('%s', async (_name, body, expected) => {
    const answer = await post('/v1/auth/prelogin', body);
    expect(outcome(answer)).toBe(expected);
    expect(answer.text).not.toContain(canary);
    expect(answer.headers.get('x-request-id')).toBe(String(answer.error['requestId']));
  });

  test('the member at fault is named, at any depth', async () => {
    expect((await post('/v1/auth/prelogin', { email: 'a@b', other: 1 })).error['param']).toBe('other');
    const sealed = blob(100);
    const grants = [{ connectionId: 'x', revision: 1, grant: sealed }];
    const body = { baseVersion: 1, origin: 'x', item: sealed, dekVault: sealed, manifest: sealed, drop: [], grants };
    const answer = await ada.call('PUT', `/v1/keys/openai/${crypto.randomUUID()}`, body);
    expect(answer.error).toMatchObject({ code: 'invalid_request', param: 'grants.0.connectionId' });
  });

  test('text is no number, and a number has its bounds', async () => {
    for (const manifestRevision of ['2', 1.5, 0, -1, 1e300, 2 ** 53, true, null]) {
      const answer = await ada.call('POST', '/v1/keys', newKey({ manifestRevision }));
      expect(answer.error).toMatchObject({ code: 'invalid_request', param: 'manifestRevision' });
    }
  });

  test('bytes are base64url in their one form', async () => {
    for (const item of ['', 'AA==', 'A', 'AB', 'A+/A', 'AA AA', 7]) {
      const answer = await ada.call('POST', '/v1/keys', newKey({ item }));
      expect(answer.error).toMatchObject({ code: 'invalid_request', param: 'item' });
    }
  });

  test('larger than is taken: refused by its announced length and by its bytes', async () => {
    const body = `"${'x'.repeat(4 * 1024 * 1024)}"`;
    expect(outcome(await post('/v1/auth/prelogin', body))).toBe('413 body_too_large');
    const chunks = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 5; sent++) controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/v1/auth/prelogin`, { method: 'POST', headers, body: chunks });
    expect(response.status).toBe(413);
    expect(outcome(await ada.call('POST', '/v1/keys', newKey({ item: blob(70_000) })))).toBe('400 invalid_request');
  });

  test('another content type or a content encoding', async () => {
    const body = '{"email":"a@b.example"}';
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
    ]) {
      const answer = await post('/v1/auth/prelogin', body, { 'content-type': type });
      expect(outcome(answer)).toBe('415 unsupported_media_type');
    }
    for (const encoding of ['gzip', 'br', 'identity, gzip']) {
      const answer = await post('/v1/auth/prelogin', body, { 'content-encoding': encoding });
      expect(outcome(answer)).toBe('415 unsupported_encoding');
    }
    const charset = { 'content-type': 'application/json; charset=utf-8', 'content-encoding': 'identity' };
    expect(outcome(await post('/v1/auth/prelogin', body, charset))).toBe('200');
  });

  test('a password is refused, and the refusal says why', async () => {
    for (const path of ['/v1/auth/register', '/v1/auth/login']) {
      const answer = await post(path, registration({ password: canary }));
      expect(answer.error).toMatchObject({ code: 'password_not_accepted', param: 'password' });
      expect(answer.error['message']).toContain('authKey');
      expect(answer.text).not.toContain(canary);
    }
  });
});

describe('a credential', () => {
  test('none, two, malformed, of another kind, unknown', async () => {
    expect(outcome(await get({}))).toBe('401 credentials_missing');
    expect(outcome(await get({ authorization: `Bearer ${ada.token}, Bearer ${ada.token}` }))).toBe(
      '400 ambiguous_credentials',
    );
    expect(outcome(await get({ authorization: 'Digest x' }))).toBe('401 token_malformed');
    expect(outcome(await get({ authorization: app.basic }))).toBe('401 credentials_missing');
    const others = [createToken('session'), createToken('access'), `${ada.token.slice(0, -1)}x`, 'sk-' + canary];
    for (const token of others) {
      const answer = await get({ authorization: `Bearer ${token}` });
      expect(outcome(answer)).toBe(token.startsWith('kp_') ? '401 session_invalid' : '401 not_a_keypass_token');
      expect(answer.text).not.toContain(token);
    }
  });

  test('in the query it is refused, even beside a good one', async () => {
    const answer = await get({ authorization: `Bearer ${ada.token}` }, `/v1/keys?cursor=${ada.token}`);
    expect(outcome(answer)).toBe('400 token_in_url');
    expect(answer.text + server.lines.join('\n')).not.toContain(ada.token);
  });

  test('an app’s id and secret: both must be right and of their kind', async () => {
    const [id = '', secret = ''] = atob(app.basic.slice(6)).split(':');
    const pairs = [
      [id, createToken('clientSecret')],
      [createToken('clientId'), secret],
      [secret, id],
      ['\0', secret],
      [ada.userId, secret],
      [id, ''],
    ];
    for (const pair of pairs) {
      const authorization = `Basic ${btoa(pair.join(':'))}`;
      const answer = await post('/v1/link/sessions', { requestedProviders: ['openai'] }, { authorization });
      expect(outcome(answer)).toBe('401 client_invalid');
    }
    const asSession = await call(server, 'POST', '/v1/link/sessions', {
      token: ada.token,
      body: { requestedProviders: ['openai'] },
    });
    expect(outcome(asSession)).toBe('401 credentials_missing');
  });

  describe('a cookie', () => {
    let cookie: string;

    beforeAll(async () => {
      const origin = server.url;
      const answer = await post('/v1/auth/register', registration({ transport: 'cookie' }), { origin });
      cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
      expect(answer.headers.get('set-cookie')).toMatch(/HttpOnly/i);
      expect(answer.headers.get('set-cookie')).toMatch(/SameSite=Strict/i);
      expect(answer.text).not.toContain(cookie.split('=')[1] ?? 'kp_ss_');
    });

    test('opens the session for the pages of KeyPass only', async () => {
      expect(outcome(await get({ cookie, 'sec-fetch-site': 'same-origin' }))).toBe('200');
      expect(outcome(await get({ cookie, origin: 'https://evil.example' }))).toBe('403 origin_not_allowed');
      expect(outcome(await call(server, 'POST', '/v1/auth/logout', { headers: { cookie } }))).toBe(
        '403 origin_not_allowed',
      );
      expect(outcome(await call(server, 'POST', '/v1/auth/logout', { headers: { cookie, origin: 'null' } }))).toBe(
        '403 origin_not_allowed',
      );
    });

    test('is given to no other page', async () => {
      for (const origin of ['https://evil.example', 'null']) {
        const answer = await post('/v1/auth/register', registration({ transport: 'cookie' }), { origin });
        expect(outcome(answer)).toBe('403 origin_not_allowed');
      }
    });

    test('is ignored beside Authorization', async () => {
      const headers = { cookie, origin: server.url, authorization: `Bearer ${createToken('session')}` };
      expect(outcome(await get(headers))).toBe('401 session_invalid');
    });

    test('never opens the proxy, and its token is no bearer', async () => {
      const body = { model: 'gpt-4o-mini', messages: [] };
      for (const path of ['/v1/proxy/passthrough/openai/v1/chat/completions', '/openai/v1/chat/completions']) {
        const answer = await post(path, body, { cookie, origin: server.url });
        expect(outcome(answer)).toBe('401 credentials_missing');
      }
      const token = cookie.split('=')[1] ?? '';
      expect(outcome(await get({ authorization: `Bearer ${token}` }))).toBe('401 session_invalid');
    });
  });
});

describe('every answer', () => {
  test('has an id of its own and the headers that keep it private', async () => {
    const paths = ['/healthz', '/v1/providers', '/v1/auth/me', '/v1/nosuch', '/openapi.json', '/nosuch', '/'];
    const answers = await Promise.all(paths.map((path) => call(server, 'GET', path)));
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(paths.length);
    for (const { headers } of answers) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('strict-transport-security')).toBeNull();
    }
    expect((await ada.call('GET', '/v1/keys')).headers.get('cache-control')).toBe('no-store');
  });

  test('ids follow each other in the order of the requests', async () => {
    const ids: string[] = [];
    for (let request = 0; request < 5; request += 1) {
      const { headers } = await call(server, 'GET', '/healthz');
      ids.push(headers.get('x-request-id') ?? '');
    }
    expect(ids).toEqual(ids.toSorted());
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  test('an id of the client’s is not taken over', async () => {
    const answer = await call(server, 'GET', '/healthz', { headers: { 'x-request-id': canary } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('what is not there, or not with this method', async () => {
    for (const [method, path] of [
      ['GET', '/v1/nosuch'],
      ['POST', '/v1/auth/me'],
      ['GET', '/v1/auth/login'],
    ] as const) {
      expect(outcome(await call(server, method, path))).toBe('404 not_found');
    }
  });

  test('for another host: 421, before anything is routed', async () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      'evil.example:443',
      'a',
      '[::2]',
      'a/b',
      'a b',
      '%',
      'localhost:65536',
      'localhost:-1',
      'user@localhost',
      'localhost#',
      'localhost?',
    ]) {
      expect(outcome(await get({ host }, '/healthz'))).toBe('421 misdirected_host');
    }
    expect(outcome(await get({ host: 'evil.example' }))).toBe('421 misdirected_host');
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:80', 'LOCALHOST', 'localhost:65535'])
      expect(outcome(await get({ host }, '/healthz'))).toBe('200');
  });
});

const from = (origin: string, path: string, method = 'GET') =>
  call(server, method, path, { headers: { origin, 'access-control-request-method': 'POST' } });
const reader = async (origin: string, path: string, method = 'GET') =>
  (await from(origin, path, method)).headers.get('access-control-allow-origin');

describe('pages of other origins', () => {
  test('read what is public, and nothing of an owner or developer', async () => {
    expect(await reader('https://any.example', '/v1/providers')).toBe('*');
    expect(await reader('https://any.example', '/v1/link/session')).toBe('*');
    for (const path of ['/v1/keys', '/v1/connections', '/v1/auth/me', '/v1/apps', '/v1/link/exchange', '/v1/usage']) {
      expect(await reader('https://page.example', path)).toBeNull();
      expect(await reader('https://page.example', path, 'OPTIONS')).toBeNull();
    }
  });

  test('call the proxy only if the operator named them', async () => {
    for (const path of ['/v1/proxy/chat/completions', '/openai/v1/models', '/v1/connection']) {
      expect(await reader('https://page.example', path, 'OPTIONS')).toBe('https://page.example');
      expect(await reader('https://any.example', path, 'OPTIONS')).toBeNull();
    }
    const answer = await from('https://page.example', '/openai/v1/models');
    expect(answer.headers.get('vary')).toContain('origin');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

test('over TLS the cookie is bound to its host and the transport is remembered', async () => {
  const settings = { KEYPASS_ORIGIN: 'https://keys.example', KEYPASS_REGISTRATION: 'open' };
  const secure = await startTestServer({ database, pepper: server.pepper, settings });
  const headers = { host: 'keys.example', origin: 'https://keys.example' };
  const body = registration({ transport: 'cookie' });
  // The peer speaks plain http to the port behind which a TLS proxy would stand.
  const answer = await call(secure, 'POST', '/v1/auth/register', { headers, body });
  expect(outcome(answer)).toBe('200');
  expect(answer.headers.get('set-cookie')).toMatch(/^__Host-keypass=kp_ss_\w+;/);
  expect(answer.headers.get('set-cookie')).toMatch(/Path=\/;.*Secure|Secure.*Path=\//);
  expect(answer.headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
  await secure.stop();
});
