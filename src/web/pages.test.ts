import { describe, expect, test } from 'bun:test';
import { type Asset, createPages } from './pages.ts';

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const asset = (text: string, more: Partial<Asset> = {}): Asset => ({
  bytes: bytes(text),
  type: 'text/plain',
  hash: 'h',
  ...more,
});
const assets = new Map([
  ['landing.html', asset('landing')],
  ['vault.html', asset('vault')],
  ['link.html', asset('link')],
  ['console.html', asset('console')],
  ['assets/a-1.js', asset('script', { gzip: bytes('gz'), br: bytes('br') })],
]);
const askable = ['https://api.openai.com', 'https://api.anthropic.com'];
const pages = createPages(assets, { origin: 'https://keys.example', askable });

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Response {
  const response = pages(new Request(`https://keys.example${path}`, { method, headers }), path);
  if (response === undefined) throw new Error(`nothing at ${path}`);
  return response;
}

describe('pages', () => {
  test.each(['/', '/vault', '/link', '/console'])('%s is locked down and never kept', (path) => {
    const { headers } = get(path);
    const policy = (headers.get('content-security-policy') ?? '').split('; ');
    const asked = path === '/vault' || path === '/link' ? ` ${askable.join(' ')}` : '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      `connect-src 'self'${asked}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(rule);
    }
    expect(policy.join().replace(asked, '')).not.toMatch(/unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')|https?:|\*/);
    expect(headers.get('cross-origin-opener-policy')).toBe(path === '/link' ? 'unsafe-none' : 'same-origin');
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('strict-transport-security')).toStartWith('max-age=');
  });

  test('other paths are somebody else’s', () => {
    for (const path of ['/v1/keys', '/vault/', '/vault.html', '/constructor', '/assets']) {
      expect(pages(new Request(`https://keys.example${path}`), path)).toBeUndefined();
    }
  });

  test('hashed files are kept for ever, unknown ones not at all', async () => {
    expect(get('/assets/a-1.js').headers.get('cache-control')).toContain('immutable');
    const missing = get('/assets/../vault.html');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('cache-control')).toBe('no-store');
    expect(await missing.text()).toBe('');
  });

  test.each([
    ['gzip, deflate, br', 'br', 'br'],
    ['gzip', 'gzip', 'gz'],
    ['br;q=0, gzip;q=0.5', 'gzip', 'gz'],
    ['*', 'br', 'br'],
    ['identity', null, 'script'],
    ['', null, 'script'],
  ])('accept-encoding %p brings %p', async (accept, encoding, body) => {
    const response = get('/assets/a-1.js', { 'accept-encoding': accept });
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('vary')).toBe('accept-encoding');
    expect(await response.text()).toBe(body);
  });

  test('a known ETag needs no body, and each encoding has its own', () => {
    const etag = get('/assets/a-1.js', { 'accept-encoding': 'br' }).headers.get('etag') ?? '';
    expect(get('/assets/a-1.js', { 'accept-encoding': 'br', 'if-none-match': `"x", ${etag}` }).status).toBe(304);
    expect(get('/assets/a-1.js', { 'if-none-match': etag }).status).toBe(200);
  });

  test('only GET and HEAD', async () => {
    expect(get('/vault', {}, 'POST').status).toBe(405);
    const head = get('/vault', {}, 'HEAD');
    expect(head.headers.get('content-length')).toBe('5');
    expect(await head.text()).toBe('');
  });

  test('plain http promises no https', () => {
    const plain = createPages(assets, { origin: 'http://localhost:8787', askable });
    const response = plain(new Request('http://localhost:8787/'), '/');
    expect(response?.headers.has('strict-transport-security')).toBe(false);
  });
});
