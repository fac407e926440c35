import { addressGroup } from '../http/address.ts';
import { contextOf } from '../http/context.ts';
import { Limiter } from '../http/limiter.ts';

export type Limits = ReturnType<typeof createLimits>;

/** How many places that have logged in are remembered. */
const mostKnown = 20_000;

/**
 * Limits of what can be guessed at, by address, by address and account, and by account. The last one, which others could
 * use up, does not hold for places from which somebody has logged in to the account: it locks no owner out.
 */
export function createLimits(now: () => number) {
  const addresses = new Limiter(60, 1000, now);
  const guesses = new Limiter(10, 6000, now);
  const accounts = new Limiter(100, 1000, now);
  const known = new Set<string>();
  const address = (request: Request) => addresses.take(groupOf(request));
  return {
    address,
    /** Before an attempt at one account; throws `too_many_attempts`. */
    account(request: Request, account: string) {
      const place = placeOf(groupOf(request), account);
      address(request);
      guesses.take(place);
      if (!known.has(place)) accounts.take(normal(account));
    },
    /** After one that was right. */
    knows(request: Request, account: string) {
      known.add(placeOf(groupOf(request), account));
      const [oldest] = known;
      if (known.size > mostKnown && oldest !== undefined) known.delete(oldest);
    },
  };
}

function groupOf(request: Request): string {
  return addressGroup(contextOf(request).address());
}

function placeOf(group: string, account: string): string {
  return `${group} ${normal(account)}`;
}

function normal(account: string): string {
  return account.normalize('NFC').toLowerCase();
}
