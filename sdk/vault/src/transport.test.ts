import { describe, expect, test } from 'bun:test';
import { TotpRequiredError, VaultError, WrongPasswordError } from './errors.ts';
import { Transport } from './transport.ts';

interface Sent {
  url: string;
  init: RequestInit;
}

function answering(body: string | object, status = 200, headers: Record<string, string> = {}) {
  const sent: Sent[] = [];
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    sent,
    fetch: (url: string, init: RequestInit) => {
      sent.push({ url, init });
      return Promise.resolve(new Response(text, { status, headers }));
    },
  };
}

const failure = (code: string) => ({
  success: false,
  error: { code, message: 'Do this.', requestId: 'r1', param: 'p' },
});
const baseUrl = 'https://keys.example';

describe('Transport', () => {
  test.each([
    'http://keys.example',
    'ftp://keys.example',
    'https://keys.example/path',
    'https://u:p@keys.example',
    'keys',
  ])('refuses %s', (url) => {
    expect(() => new Transport({ baseUrl: url })).toThrow(VaultError);
  });

  test.each(['http://localhost:8787', 'http://127.0.0.1:1/', 'http://[::1]:1', 'https://keys.example'])(
    'takes %s',
    (url) => {
      expect(new Transport({ baseUrl: url }).mode).toBe('bearer');
    },
  );

  test('plain http to another machine only when asked for', () => {
    expect(new Transport({ baseUrl: 'http://keypass:8787', allowInsecure: true }).mode).toBe('bearer');
  });

  test('sends the session as bearer, never follows a redirect, never sends cookies', async () => {
    const { sent, fetch } = answering({ success: true, data: { a: 1 } });
    const transport = new Transport({ baseUrl, fetch });
    transport.useSession('secret-token');
    expect(await transport.request('GET', '/v1/x', { query: { a: 'b c', none: undefined } })).toEqual({ a: 1 });
    expect(sent[0]?.url).toBe('https://keys.example/v1/x?a=b+c');
    expect(sent[0]?.init).toMatchObject({ redirect: 'error', credentials: 'omit', cache: 'no-store' });
    expect(new Headers(sent[0]?.init.headers).get('authorization')).toBe('Bearer secret-token');
    expect(Bun.inspect(transport) + JSON.stringify(transport)).not.toContain('secret-token');
  });

  test('with cookies sends no Authorization; a link token goes alone', async () => {
    const { sent, fetch } = answering({ success: true, data: {} });
    const transport = new Transport({ baseUrl, fetch, transport: 'cookie' });
    await transport.request('GET', '/v1/x');
    await transport.request('GET', '/v1/link/session', { bearer: 'link' });
    expect(sent[0]?.init.credentials).toBe('same-origin');
    expect(new Headers(sent[0]?.init.headers).get('authorization')).toBeNull();
    expect(sent[1]?.init.credentials).toBe('omit');
    expect(new Headers(sent[1]?.init.headers).get('authorization')).toBe('Bearer link');
  });

  test('failures carry code, status, request id, param and retry-after', async () => {
    const { fetch } = answering(failure('too_many_attempts'), 429, { 'retry-after': '7' });
    const error = await new Transport({ baseUrl, fetch }).request('GET', '/').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({ code: 'too_many_attempts', status: 429, requestId: 'r1', param: 'p', retryAfter: 7 });
  });

  test.each([
    ['login_failed', WrongPasswordError],
    ['totp_required', TotpRequiredError],
  ])('%s has its class', async (code, type) => {
    const { fetch } = answering(failure(code), 401);
    expect(
      await new Transport({ baseUrl, fetch }).request('POST', '/').catch((thrown: unknown) => thrown),
    ).toBeInstanceOf(type);
  });

  test.each(['<html>', '[]', '"x"', 'null', '{}'])('%s is not an answer', async (body) => {
    const { fetch } = answering(body);
    const error = await new Transport({ baseUrl, fetch }).request('GET', '/').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_answer' });
  });

  test('a success in a failed status is none', async () => {
    const { fetch } = answering({ success: true, data: {} }, 500);
    expect(
      await new Transport({ baseUrl, fetch }).request('GET', '/').catch((thrown: unknown) => thrown),
    ).toBeInstanceOf(VaultError);
  });

  test('an unreachable server is said so, without what was sent', async () => {
    const transport = new Transport({ baseUrl, fetch: () => Promise.reject(new Error('connection refused')) });
    transport.useSession('secret-token');
    const error = await transport
      .request('POST', '/', { body: { authKey: 'proof' } })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(Bun.inspect(error)).not.toMatch(/secret-token|proof/);
  });

  test('reads every page of a list and stops at one that repeats itself', async () => {
    const pages = [
      { items: [{ n: 1 }], nextCursor: 'c' },
      { items: [{ n: 2 }], nextCursor: null },
    ];
    const fetch = (url: string) =>
      Promise.resolve(Response.json({ success: true, data: pages[url.includes('cursor=c') ? 1 : 0] }));
    expect(await new Transport({ baseUrl, fetch }).all('/v1/keys')).toEqual([{ n: 1 }, { n: 2 }]);
    const stuck = answering({ success: true, data: { items: [], nextCursor: 'c' } });
    const error = await new Transport({ baseUrl, fetch: stuck.fetch })
      .all('/v1/keys')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_answer' });
  });
});
