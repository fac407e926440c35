import ipaddr from 'ipaddr.js';
import { isLoopback } from '../config.ts';
import { KeyPassError } from '../errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What of IPv6 is given out to networks that everybody can reach (IANA). */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

interface Rules {
  /** The server's own. */
  readonly origin: string;
  /** Host names, addresses and ranges (CIDR) that the operator allows besides public ones, over plain http too. */
  readonly allowedHosts: readonly string[];
}

/**
 * Where webhooks may go. An app's developer names a URL and this server calls it, so it must not reach what only this
 * server can: by default https to public addresses alone, by name and by what the name leads to at each call.
 */
export class WebhookTargets {
  readonly #isLocal: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #ranges: readonly (readonly [Address, number])[];

  constructor({ origin, allowedHosts }: Rules) {
    this.#isLocal = isLoopback(origin);
    this.#hosts = new Set(allowedHosts.filter((entry) => !isRange(entry)).map((host) => host.toLowerCase()));
    this.#ranges = allowedHosts.filter(isRange).map(rangeOf);
  }

  /** Throws `invalid_request` for a URL that is never called. */
  check(text: string): void {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url !== null && !text.includes('#') && this.allowsUrl(url)) return;
    throw new KeyPassError(
      'invalid_request',
      'Expected an https URL of a public host, without credentials or a fragment. Other hosts are for the operator to allow.',
      { param: 'webhookUrl' },
    );
  }

  /** Whether a URL may be called if its host's addresses may. */
  allowsUrl(url: URL): boolean {
    if (url.username !== '' || url.password !== '' || !['http:', 'https:'].includes(url.protocol)) return false;
    // Nobody listens on port 0.
    if (url.port === '0') return false;
    const host = hostOf(url);
    if (ipaddr.isValid(host) && !this.allowsAddress(url, host)) return false;
    if (this.#hosts.has(host) || (ipaddr.isValid(host) && this.#isListed(ipaddr.parse(host)))) return true;
    if (isThisMachine(url)) return this.#isLocal;
    return url.protocol === 'https:';
  }

  /** Whether a URL may be called at this address of its host. */
  allowsAddress(url: URL, address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.parse(address);
    if (this.#hosts.has(hostOf(url)) || this.#isListed(parsed)) return true;
    if (isThisMachine(url)) return this.#isLocal && parsed.range() === 'loopback';
    return isPublic(parsed);
  }

  #isListed(address: Address): boolean {
    return this.#ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  }
}

/** The host of a URL as names and addresses are compared: without brackets and the root's dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function isThisMachine(url: URL): boolean {
  const host = hostOf(url);
  return isLoopback(`http://${host.includes(':') ? `[${host}]` : host}`);
}

/** `unicast` is what is left when every range with a purpose of its own is taken away: mapped and translated IPv4 too. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(globalUnicast);
}

function isRange(entry: string): boolean {
  return ipaddr.isValid(entry) || ipaddr.isValidCIDR(entry);
}

function rangeOf(entry: string): readonly [Address, number] {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  const address = ipaddr.parse(entry);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
