import { addressGroup } from '../http/address.ts';
import { contextOf } from '../http/context.ts';
import { Limiter } from '../http/limiter.ts';

export type Limits = ReturnType<typeof createLimits>;

/** Limits of what can be guessed at, by address and by account; none locks an account for good. */
export function createLimits(now: () => number) {
  const addresses = new Limiter(60, 1000, now);
  const guesses = new Limiter(10, 6000, now);
  const accounts = new Limiter(60, 1000, now);
  const address = (request: Request) => addresses.take(addressGroup(contextOf(request).address));
  return {
    address,
    /** Guessing at one account: slow from one place, and slower than useful from everywhere. */
    account(request: Request, name: string) {
      address(request);
      guesses.take(`${addressGroup(contextOf(request).address)} ${name.toLowerCase()}`);
      accounts.take(name.toLowerCase());
    },
  };
}
