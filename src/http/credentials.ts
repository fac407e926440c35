import { parseCookies } from 'oslo/cookie';
import { KeyPassError } from '../errors.ts';

/** What a request proves itself with. */
export type Credential =
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'cookie'; readonly token: string };

export interface CookieRules {
  readonly name: string;
  /** The one origin whose pages may use the cookie. */
  readonly origin: string;
}

/**
 * The one credential of a request. A request with `Authorization` ignores cookies, so that no page can lend a client
 * the session of its user; a cookie counts only from KeyPass's own pages (security: `SameSite=Strict` and `Origin`).
 */
export function credentialOf(request: Request, cookie: CookieRules): Credential {
  refuseTokenInUrl(request);
  const header = request.headers.get('authorization');
  refuseSecondCredential(request, header);
  if (header !== null) return fromAuthorization(header);
  const token = parseCookies(request.headers.get('cookie') ?? '').get(cookie.name);
  if (token === undefined) {
    throw new KeyPassError(
      'credentials_missing',
      'This endpoint needs a credential: send it in the Authorization header.',
    );
  }
  refuseForeignPage(request, cookie.origin);
  return { kind: 'cookie', token };
}

function fromAuthorization(header: string): Credential {
  const [scheme = '', value = '', ...rest] = header.split(' ');
  const isBearer = scheme.toLowerCase() === 'bearer';
  if (rest.length === 0 && value !== '') {
    if (isBearer) return { kind: 'bearer', token: value };
    if (scheme.toLowerCase() === 'basic') return fromBasic(value);
  }
  // Headers of one name reach us joined by a comma: two credentials look like one malformed one.
  if (header.includes(',')) throw new KeyPassError('ambiguous_credentials', 'Send exactly one credential.');
  throw new KeyPassError(
    'token_malformed',
    'The Authorization header must be `Bearer <token>` or `Basic <id:secret>`.',
  );
}

function fromBasic(value: string): Credential {
  const malformed = new KeyPassError(
    'client_invalid',
    'The Basic credential must be base64 of `clientId:clientSecret`.',
  );
  let text: string;
  try {
    text = atob(value);
  } catch {
    throw malformed;
  }
  const colon = text.indexOf(':');
  if (colon < 1) throw malformed;
  return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Official AI clients send their key in headers of their own: next to another credential one of the two is a mistake. */
function refuseSecondCredential(request: Request, authorization: string | null): void {
  const keys = ['x-api-key', 'x-goog-api-key'].map((name) => request.headers.get(name)).filter((key) => key !== null);
  if (authorization === null || keys.every((key) => authorization.endsWith(` ${key}`))) return;
  throw new KeyPassError('ambiguous_credentials', 'Send exactly one credential.');
}

function refuseTokenInUrl(request: Request): void {
  if (/[?&][^=&]*=(kp_[a-z]{2,3}_|sk-|AIza|gsk_)/.test(request.url)) {
    throw new KeyPassError(
      'token_in_url',
      'Never send a token in a URL: logs and histories keep it. Use a header, and replace this token.',
    );
  }
}

/** Chromium, Firefox and Safari send `Origin` with every POST and `Sec-Fetch-Site` with everything. */
function refuseForeignPage(request: Request, origin: string): void {
  const from = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isOwn = from === null ? isRead && (site === 'same-origin' || site === null) : from === origin;
  if (!isOwn) throw new KeyPassError('origin_not_allowed', 'The session cookie is for the pages of KeyPass alone.');
}
