import { InvalidRequestError } from './errors.ts';

const loopback = /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The origin of a KeyPass server. Tokens travel to it, so it must be https, or http on this machine, and nothing but an
 * origin: a path, query or credentials would be a mistake or an attack.
 */
export function parseBaseUrl(baseUrl: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw refusal('baseUrl must be an absolute URL like https://keypass.example.com');
  }
  if (url.username !== '' || url.password !== '') throw refusal('baseUrl must not contain credentials');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(baseUrl)) {
    throw refusal('baseUrl must not contain a query or a fragment');
  }
  if (url.pathname !== '/') throw refusal('baseUrl must be an origin without a path');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname))) return url.origin;
  throw refusal('baseUrl must use https; http is accepted on localhost, 127.0.0.0/8 and [::1] only');
}

const forbiddenInPath = /\\|\/\/|\/\.{1,2}(\/|$)|%(2e|2f|5c|00)/i;
const visibleAscii = /^[\x21-\x7e]+$/;

/** The address of a provider's own path; refuses whatever a server or a URL parser might read as another path. */
export function passthroughUrl(origin: string, provider: string, path: string): string {
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(provider))
    throw refusal('provider must be a provider id like "openai"', 'provider');
  const [pathname = ''] = path.split('?');
  if (!pathname.startsWith('/') || path.includes('#') || !visibleAscii.test(path) || forbiddenInPath.test(pathname)) {
    throw refusal(
      'path must be the provider’s own absolute path, like "/v1/models", without dot segments, empty segments or encoded separators',
      'path',
    );
  }
  return `${origin}/v1/proxy/passthrough/${provider}${path}`;
}

function refusal(message: string, param = 'baseUrl'): InvalidRequestError {
  return new InvalidRequestError(message, { code: 'invalid_request', type: 'invalid_request_error', param });
}
