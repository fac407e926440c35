/** The origin that every message is checked against: https, or http on this machine, and nothing but an origin. */
export function parseOrigin(apiBaseUrl: string): string {
  const url = new URL(apiBaseUrl);
  const isLoopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback);
  // `href` shows credentials, a path, a query and a fragment; `origin` has none of them.
  if (isSecure && url.href === `${url.origin}/`) return url.origin;
  throw new TypeError('apiBaseUrl must be the https origin of a KeyPass server; http works on localhost only');
}
