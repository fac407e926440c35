/** A pause in which a provider can write no more than the next read brings. */
const longestPauseMs = 250;

/** A read that had to wait this long found nothing that had come before it. */
const waitedMs = 5;

/**
 * Whether a client reads an answer as fast as it is written. One that pauses lets the provider write on into the buffers
 * between them, and leaves these unread if it goes before it has caught up.
 */
export class Pace {
  readonly #now: () => number;
  #isWaiting = false;
  #hasPaused = false;
  /** When the last read began or ended. */
  #since: number;

  /** @param now a clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** A read begins. */
  begin(): void {
    this.#hasPaused = this.isBehind;
    this.#enter(true);
  }

  /** It has brought something. */
  end(): void {
    this.#hasPaused = this.isBehind;
    this.#enter(false);
  }

  /** There may be bytes that the provider has written and nobody has read. */
  get isBehind(): boolean {
    const lasted = this.#now() - this.#since;
    return this.#isWaiting ? this.#hasPaused && lasted < waitedMs : this.#hasPaused || lasted > longestPauseMs;
  }

  /** For how long what comes next has been waited for, in milliseconds. */
  get waitedMs(): number {
    return this.#isWaiting ? this.#now() - this.#since : 0;
  }

  #enter(isWaiting: boolean): void {
    this.#isWaiting = isWaiting;
    this.#since = this.#now();
  }
}
