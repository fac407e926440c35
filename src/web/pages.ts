/**
 * Serves the pages and their files. Everything is static and the same for everybody: what a person sees comes from the
 * API after the page has loaded, so a page can be cached by nobody and reveals nothing.
 */

/** One built file; `hash` is the strong ETag of `bytes`, the others are the same content compressed. */
export interface Asset {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  hash: string;
  gzip?: Uint8Array<ArrayBuffer>;
  br?: Uint8Array<ArrayBuffer>;
}

export interface Assets {
  /** `path` is a name of the manifest, like `vault.html` or `assets/vault-1a2b3c4d.js`. */
  get(path: string): Asset | undefined;
}

const documents: Record<string, string> = {
  '/': 'landing.html',
  '/vault': 'vault.html',
  '/link': 'link.html',
  '/console': 'console.html',
  '/docs': 'docs.html',
};

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Where a vault is open, providers that let browsers ask are asked about a key without the server. */
function vaultPolicy(askable: readonly string[]): string {
  return contentSecurityPolicy.replace("connect-src 'self'", ["connect-src 'self'", ...askable].join(' '));
}

/** Text that needs no script. */
const docsPolicy = contentSecurityPolicy.replace(/script-src [^;]+/, "script-src 'none'");

/**
 * The API explorer is a large foreign program that writes styles as it likes. It runs without an origin: no cookie, no
 * storage, and nothing to read but what any page may.
 */
const explorerPolicy = [
  'sandbox allow-scripts',
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Files for the explorer and for apps: pages of other origins, whose `<script src>` sends no Origin that CORS could answer. */
const forForeignPages = /^\/(assets\/explorer-|sdk\/)/;

const permissionsPolicy = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/**
 * A handler for the pages: it answers `/`, `/vault`, `/link`, `/console`, `/docs/…`, `/assets/…` and `/sdk/…`, and gives
 * undefined for every other path. `origin` is the public origin; on https the answers ask browsers to stay there.
 * `askable`: origins that a page with an open vault may ask about a key.
 */
export function createPages(
  assets: Assets,
  options: { origin: string; askable: readonly string[] },
): (request: Request, path: string) => Response | undefined {
  const secure = new URL(options.origin).protocol === 'https:';
  return (request, path) => {
    const document = documentAt(path);
    const isAsset = path.startsWith('/assets/');
    const isSdk = path.startsWith('/sdk/');
    const name = document ?? (isAsset || isSdk ? path.slice(1) : undefined);
    if (name === undefined) return undefined;
    const headers = baseHeaders(secure, forForeignPages.test(path));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      headers.set('allow', 'GET, HEAD');
      return new Response(null, { status: 405, headers });
    }
    const asset = assets.get(name);
    if (asset === undefined) {
      headers.set('cache-control', 'no-store');
      return new Response(null, { status: 404, headers });
    }
    if (document !== undefined) addDocumentHeaders(headers, path, options.askable);
    headers.set('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache');
    return send(request, asset, headers);
  };
}

function documentAt(path: string): string | undefined {
  if (Object.hasOwn(documents, path)) return documents[path];
  const [, page] = /^\/docs\/([a-z-]{1,40})$/.exec(path) ?? [];
  return page === undefined ? undefined : `docs-${page}.html`;
}

function policyOf(path: string, askable: readonly string[]): string {
  if (path === '/docs/api') return explorerPolicy;
  if (path === '/vault' || path === '/link') return vaultPolicy(askable);
  return path.startsWith('/docs') ? docsPolicy : contentSecurityPolicy;
}

function baseHeaders(secure: boolean, isForForeignPages: boolean): Headers {
  const headers = new Headers({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': isForForeignPages ? 'cross-origin' : 'same-origin',
  });
  if (secure) headers.set('strict-transport-security', 'max-age=31536000; includeSubDomains');
  return headers;
}

function addDocumentHeaders(headers: Headers, path: string, askable: readonly string[]): void {
  headers.set('content-security-policy', policyOf(path, askable));
  headers.set('permissions-policy', permissionsPolicy);
  headers.set('x-frame-options', 'DENY');
  // The consent window must keep its opener: that is whom it asks for a proof of origin and answers.
  headers.set('cross-origin-opener-policy', path === '/link' ? 'unsafe-none' : 'same-origin');
}

function send(request: Request, asset: Asset, headers: Headers): Response {
  const encoding = chooseEncoding(request.headers.get('accept-encoding') ?? '', asset);
  // Each encoding is another sequence of bytes, so a strong ETag must tell them apart (RFC 9110, 8.8.3.3).
  const etag = `"${asset.hash}${encoding === undefined ? '' : `-${encoding}`}"`;
  headers.set('content-type', asset.type);
  headers.set('etag', etag);
  headers.set('vary', 'accept-encoding');
  if (matches(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers });
  const bytes = (encoding === undefined ? undefined : asset[encoding === 'br' ? 'br' : 'gzip']) ?? asset.bytes;
  if (encoding !== undefined) headers.set('content-encoding', encoding);
  headers.set('content-length', String(bytes.length));
  return new Response(request.method === 'HEAD' ? null : bytes, { headers });
}

function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const known = ifNoneMatch.split(',').map((value) => value.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}

/** The smallest stored form that the client accepts: what is named with a weight of 0 is refused (RFC 9110, 12.5.3). */
function chooseEncoding(accept: string, asset: Asset): 'br' | 'gzip' | undefined {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  const accepts = (coding: string): boolean => (weights.get(coding) ?? weights.get('*') ?? 0) > 0;
  if (asset.br !== undefined && accepts('br')) return 'br';
  if (asset.gzip !== undefined && accepts('gzip')) return 'gzip';
  return undefined;
}
