/** For every answer that does not say otherwise: nothing private is stored, framed, sniffed or shared. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const always = Object.entries(securityHeaders);

const sandbox = "sandbox; default-src 'none'";

/** For bytes that others wrote: they never act as a page of KeyPass. To be copied, whole, into the headers of an answer. */
export const sandboxHeaders = new Headers({ ...securityHeaders, 'content-security-policy': sandbox });

/** A year, as browsers' preload lists ask for; never for plain http, where it would be ignored. */
const transportSecurity = 'max-age=31536000; includeSubDomains';

export function addSecurityHeaders(headers: Headers, origin: string): void {
  const isSandboxed = headers.get('content-security-policy') === sandbox;
  for (const [name, value] of isSandboxed ? [] : always) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (origin.startsWith('https:')) headers.set('strict-transport-security', transportSecurity);
}
