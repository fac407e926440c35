import { isOfItsValues } from '../database/failures.ts';
import { withinDeadline } from './batches.ts';
import { isLost, isWithoutDetails, withoutDetails } from './receipts.ts';
import type { HoldEnd } from './settle-store.ts';

interface Parts {
  /** Writes them, and tells of each whether it is known how its call ended. */
  write: (ends: readonly HoldEnd[]) => Promise<readonly boolean[]>;
  /** Of a statement whose answer did not come in time. */
  onLate: () => void;
  onFault: (event: string, error: unknown) => void;
}

/**
 * A call has ended for its app: until it is booked, its hold stands for it. Long enough that holds wait for few statements
 * of ends.
 */
const gatherMs = 40;

/** Little enough that a hold does not wait long behind it. */
const mostAtOnce = 256;

/**
 * The ends of calls on their way into the ledger, many in one statement. Nobody waits for one of them alone: to take up
 * each call again costs more than to book it. What can't be written when it is due is tried again by `bookRest`; until
 * then its hold stays.
 */
export class Bookings {
  readonly #parts: Parts;
  /** By call: were one twice in a statement, its hold would be given back twice. */
  readonly #waiting = new Map<string, HoldEnd>();
  /** Resolves when those that wait now have been tried. */
  #tried = Promise.withResolvers<void>();
  #last: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isBookingRest = false;
  #isUrgent = false;
  #stopGathering: () => void = () => {};
  /** By call: what is still to be written. A call has one end, so one entry. */
  readonly #unbooked = new Map<string, HoldEnd>();
  /** Calls whose hold may come about after all, until when. */
  readonly #uncertain = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when it has been tried. */
  add(end: HoldEnd): Promise<void> {
    this.#waiting.set(end.callId, end);
    this.#last = this.#tried.promise;
    if (this.#waiting.size >= mostAtOnce) this.#stopGathering();
    if (!this.#isRunning) void this.#run();
    return this.#last;
  }

  /** Resolves when all that was added until now has been tried; which it is at once. */
  booked(): Promise<void> {
    this.#isUrgent = this.#waiting.size > 0;
    this.#stopGathering();
    return this.#last;
  }

  /** Whether the call's end is still to be written. */
  has(callId: string): boolean {
    return this.#unbooked.has(callId);
  }

  /** Books it for as long as its hold may still come about, up to a time on the clock of `performance.now()`. */
  keep(end: HoldEnd, until: number): void {
    this.#uncertain.set(end.callId, until);
    this.#unbooked.set(end.callId, end);
  }

  /** What could not be written when it was due. */
  async bookRest(): Promise<void> {
    if (this.#isBookingRest || this.#unbooked.size === 0) return;
    this.#isBookingRest = true;
    for (const end of this.#unbooked.values()) void this.add(end);
    await this.booked();
    this.#isBookingRest = false;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      if (this.#waiting.size < mostAtOnce && !this.#isUrgent) await this.#gather();
      this.#isUrgent = false;
      const [ends, { resolve }] = [[...this.#waiting.values()], this.#tried];
      this.#waiting.clear();
      this.#tried = Promise.withResolvers<void>();
      for (let at = 0; at < ends.length; at += mostAtOnce) await this.#book(ends.slice(at, at + mostAtOnce));
      resolve();
    }
    this.#isRunning = false;
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      this.#stopGathering = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #book(ends: readonly HoldEnd[]): Promise<void> {
    try {
      const known = await withinDeadline(this.#parts.write(ends), this.#parts.onLate);
      ends.forEach((end, index) => this.#note(end, known[index] === true));
    } catch (error) {
      await this.#bookOtherwise(ends, error);
    }
  }

  /** One that the database can't take must not fail the others; and a hold must not stay for the details of a receipt. */
  async #bookOtherwise(ends: readonly HoldEnd[], error: unknown): Promise<void> {
    const [first] = ends;
    if (isOfItsValues(error) && ends.length > 1) {
      for (const end of ends) await this.#book([end]);
    } else if (isOfItsValues(error) && first !== undefined && !isWithoutDetails(first)) {
      this.#parts.onFault('receipt_refused', error);
      await this.#book([withoutDetails(first)]);
    } else {
      this.#parts.onFault('booking_failed', error);
      // The holds of instances that died are found again.
      for (const end of ends) if (!isLost(end)) this.#unbooked.set(end.callId, end);
    }
  }

  #note({ callId }: HoldEnd, isKnown: boolean): void {
    const until = this.#uncertain.get(callId);
    // Not there yet: it may come.
    if (!isKnown && until !== undefined && performance.now() < until) return;
    this.#uncertain.delete(callId);
    this.#unbooked.delete(callId);
  }
}
