import { KeyPassError } from '../errors.ts';

interface Bucket {
  tokens: number;
  at: number;
}

const mostBuckets = 50_000;

/**
 * A token bucket per name: `burst` attempts at once, then one every `everyMs`. Kept in memory of one instance: it slows
 * guessing down and never locks anybody out for good.
 */
export class Limiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #burst: number;
  readonly #everyMs: number;
  readonly #now: () => number;

  constructor(burst: number, everyMs: number, now: () => number) {
    this.#burst = burst;
    this.#everyMs = everyMs;
    this.#now = now;
  }

  /** Takes one attempt; throws `too_many_attempts` with the seconds until the next one is free. */
  take(name: string): void {
    const now = this.#now();
    const bucket = this.#buckets.get(name) ?? { tokens: this.#burst, at: now };
    const tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) / this.#everyMs);
    if (tokens < 1) {
      const retryAfter = Math.max(1, Math.ceil(((1 - tokens) * this.#everyMs) / 1000));
      throw new KeyPassError('too_many_attempts', `Too many attempts. Wait ${retryAfter} seconds.`, { retryAfter });
    }
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: tokens - 1, at: now });
    this.#dropOldest();
  }

  #dropOldest(): void {
    if (this.#buckets.size <= mostBuckets) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
