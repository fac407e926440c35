import { KeyPassError } from '../errors.ts';
import type { Endpoint, Provider } from '../providers/index.ts';

/** Where a request came in: under which mount, for which provider, and what follows there, as it was sent. */
export interface Target {
  readonly mount: 'passthrough' | 'drop-in';
  readonly providerId: string;
  /** KeyPass's own path before the provider's. */
  readonly base: string;
  /** The provider's own path, with its leading slash. */
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
}

/** A request that the provider's table lists, and where it goes. */
export interface Route {
  readonly provider: Provider;
  readonly endpoint: Endpoint;
  /** The model that the path names, if it names one. */
  readonly model: string | null;
  readonly url: URL;
}

const passthroughMount = '/v1/proxy/passthrough';
const passthroughPrefix = `${passthroughMount}/`;
const longest = 2048;

/** Nothing that two readers could take differently: no escapes, no backslash, no empty, `.` or `..` segment. */
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~:@+,=-]+)+$/;

/** Members in which people put a key out of habit (Google's own examples do). */
const keyMembers = ['key', 'api_key', 'apikey', 'api-key', 'access_token', 'token'];

/** One of KeyPass's own tokens: it would go up in the provider's URL, and stand on a receipt as a model. */
const ownToken = /kp_[a-z]{2,3}_\w{20}/;

/**
 * Splits a request's URL. It is cut out of the text, since parsing would resolve what has to be refused. Throws
 * `invalid_path`, and `token_in_url` for a token in the path.
 */
export function targetOf(requestUrl: string): Target {
  const start = requestUrl.indexOf('/', requestUrl.indexOf('://') + 3);
  const mark = requestUrl.indexOf('?', start);
  const location = requestUrl.slice(start, mark < 0 ? undefined : mark);
  const query = mark < 0 ? '' : requestUrl.slice(mark + 1);
  const isOdd = start < 0 || query.includes('?') || requestUrl.includes('#');
  if (isOdd || location.length + query.length > longest) throw invalidPath();
  if (ownToken.test(location)) throw tokenInUrl();
  const isPassthrough = location.startsWith(passthroughPrefix);
  const rest = isPassthrough ? location.slice(passthroughMount.length) : location;
  const slash = rest.indexOf('/', 1);
  const path = slash < 0 ? '' : rest.slice(slash);
  return {
    mount: isPassthrough ? 'passthrough' : 'drop-in',
    providerId: slash < 0 ? rest.slice(1) : rest.slice(1, slash),
    base: location.slice(0, location.length - path.length),
    path,
    query,
  };
}

/** Finds the row for a call and builds its URL. Throws `invalid_path`, `endpoint_not_allowed`, `unsupported_parameter`. */
export function matchEndpoint(provider: Provider, method: string, path: string, query: string): Route {
  if (!plainPath.test(path)) throw invalidPath();
  for (const endpoint of provider.endpoints) {
    const match = endpoint.method === method ? templateOf(endpoint).exec(path) : null;
    if (match === null) continue;
    const isFixed = match.groups === undefined && query === '';
    const url = isFixed ? fixedUrl(provider.origin, path) : urlOf(provider.origin, path, checkedQuery(endpoint, query));
    return { provider, endpoint, model: match.groups?.['model'] ?? null, url };
  }
  throw new KeyPassError(
    'endpoint_not_allowed',
    `KeyPass does not pass this method and path on to ${provider.name}. The coverage matrix in /docs lists what it does.`,
  );
}

/**
 * Where the answer names the address at which an upload goes on, writes KeyPass's own in its place: a client would send
 * its access token there. An address of another host or endpoint is taken out.
 */
export function keepHere(headers: Headers, { endpoint, url }: Route, base: string): void {
  const name = endpoint.upload?.continuesAt;
  const address = name === undefined ? null : headers.get(name);
  if (name === undefined || address === null) return;
  headers.delete(name);
  if (!URL.canParse(address)) return;
  const { origin, pathname, search, searchParams } = new URL(address);
  const isHere = origin === url.origin && pathname === url.pathname && unlistedIn(endpoint, searchParams) === undefined;
  if (isHere) headers.set(name, `${base}${pathname}${search}`);
}

/** Throws `token_in_url`, before anything else is said of such a request. */
export function refuseKeyInQuery(query: string): void {
  if (query === '') return;
  const names = [...new URLSearchParams(query).keys()];
  if (names.some((name) => keyMembers.includes(name.toLowerCase()))) throw tokenInUrl();
}

function tokenInUrl(): KeyPassError {
  return new KeyPassError(
    'token_in_url',
    'Never send a token in a URL: logs and histories keep it. Send it as a bearer token, x-api-key or x-goog-api-key, and replace this one.',
  );
}

const templates = new Map<Endpoint, RegExp>();

/** What a name in braces stands for: never more than one segment, and nothing that begins with a dot. */
const idPattern = '[A-Za-z0-9_-]{1,200}';
const parameters: Readonly<Record<string, string>> = { model: '[A-Za-z0-9][A-Za-z0-9._-]{0,199}' };

function templateOf(endpoint: Endpoint): RegExp {
  const known = templates.get(endpoint);
  if (known !== undefined) return known;
  const escaped = endpoint.path.replaceAll('.', String.raw`\.`);
  const pattern = escaped.replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${parameters[name] ?? idPattern})`);
  const template = new RegExp(`^${pattern}$`);
  templates.set(endpoint, template);
  return template;
}

function checkedQuery(endpoint: Endpoint, query: string): string {
  if (query === '') return '';
  const given = new URLSearchParams(query);
  const unlisted = unlistedIn(endpoint, given);
  if (unlisted !== undefined) {
    throw new KeyPassError('unsupported_parameter', 'The URL has a query parameter that is not passed on here.', {
      param: unlisted,
    });
  }
  return given.size === 0 ? '' : `?${given}`;
}

/** By name if it is one of the table's. */
function unlistedIn({ query: allowed = {} }: Endpoint, given: URLSearchParams): string | undefined {
  for (const [name, value] of given) {
    const rule = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (rule === undefined) return 'query';
    const isOnce = name.endsWith('[]') || given.getAll(name).length === 1;
    if (!isOnce || !new RegExp(`^(?:${rule})$`).test(value)) return name;
  }
  return undefined;
}

/** Of paths without parameters: no more than the tables have rows. */
const fixedUrls = new Map<string, URL>();

function fixedUrl(origin: string, path: string): URL {
  const address = `${origin}${path}`;
  const known = fixedUrls.get(address) ?? urlOf(origin, path, '');
  fixedUrls.set(address, known);
  return known;
}

/** The origin is the operator's or the catalogue's; that nothing moved the request off it is proved, not assumed. */
function urlOf(origin: string, path: string, search: string): URL {
  const url = new URL(`${origin}${path}${search}`);
  if (url.origin !== new URL(origin).origin || url.pathname !== path || url.username !== '' || url.hash !== '') {
    throw invalidPath();
  }
  return url;
}

function invalidPath(): KeyPassError {
  return new KeyPassError(
    'invalid_path',
    'The path must be plain segments: no escapes, backslashes, empty or dot segments, and at most 2,048 characters.',
  );
}
