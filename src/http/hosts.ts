import { KeyPassError } from '../errors.ts';

const loopback = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?$/;

/** Beyond the last port there is no URL (https://url.spec.whatwg.org/#port-state). */
const lastPort = 65_535;

function isLoopback(host: string): boolean {
  const match = loopback.exec(host);
  return match !== null && Number(match[1] ?? 0) <= lastPort;
}

/**
 * A guard that refuses a request that is not for this server, before anything is routed (RFC 9110, 15.5.20). A foreign
 * name is how DNS rebinding gets in, and Elysia finds the path by position, so a short or odd host would shift it.
 */
export function createHostGuard(origin: string): (request: Request, host: string) => void {
  const own = new URL(origin).host;
  const isOurs = (host: string) => host === own || isLoopback(host);
  return (request, host) => {
    const header = request.headers.get('host') ?? '';
    if (isOurs(header.toLowerCase()) && isOurs(host.toLowerCase())) return;
    throw new KeyPassError(
      'misdirected_host',
      'This server does not answer for that host. Set KEYPASS_ORIGIN to its public origin.',
    );
  };
}
