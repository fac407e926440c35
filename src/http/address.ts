import ipaddr from 'ipaddr.js';

/**
 * The client's address: the peer's, or, where the peer is a trusted proxy, the last entry of `X-Forwarded-For` that
 * is not one. Anything further left can be made up by the client.
 */
export function clientAddress(request: Request, peer: string, trusted: readonly string[]): string {
  if (trusted.length === 0 || !isTrusted(peer, trusted)) return peer;
  const forwarded = (request.headers.get('x-forwarded-for') ?? '').split(',').map((entry) => entry.trim());
  const client = forwarded.findLast((entry) => !isTrusted(entry, trusted));
  return client !== undefined && ipaddr.isValid(client) ? client : peer;
}

/** What a limit counts as one client: an IPv4 address, or the /64 that one IPv6 customer is given. */
export function addressGroup(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return parsed.toByteArray().slice(0, 8).join('.');
}

function isTrusted(address: string, trusted: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return trusted.some((cidr) => {
    const [range, bits] = ipaddr.parseCIDR(cidr);
    return range.kind() === parsed.kind() && parsed.match(range, bits);
  });
}
