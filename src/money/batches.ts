import { longestStatementMs } from '../database/connect.ts';
import { isOfItsValues } from '../database/failures.ts';
import { KeyPassError } from '../errors.ts';

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Little enough that the last of a batch does not wait long for the first, and that the calls which leave together find
 * the connections of those before them: Bun keeps 64.
 */
const mostAtOnce = 64;

/** Until an answer that was on its way at the last moment has come. */
const marginMs = 2_000;

/**
 * Gathers what arrives while a batch is on its way into the next one, so that a lone item goes at once and a crowd shares
 * one statement. Results come in the order of the items.
 */
export class Batches<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #onLate: () => void;
  #waiting: Waiting<Item, Result>[] = [];
  #isRunning = false;

  /** `onLate` is told of a batch whose results did not come in time, before it fails. */
  constructor(work: (items: readonly Item[]) => Promise<readonly Result[]>, onLate: () => void = () => {}) {
    this.#work = work;
    this.#onLate = onLate;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      await this.#settle(this.#waiting.splice(0, mostAtOnce));
    }
    this.#isRunning = false;
  }

  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await withinDeadline(this.#work(batch.map(({ item }) => item)), this.#onLate);
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result === undefined) reject(new Error('a batch left out one of its items'));
        else resolve(result);
      });
    } catch (error) {
      if (batch.length > 1 && isOfItsValues(error)) {
        // One that the database can't take must not fail the others.
        for (const one of batch) await this.#settle([one]);
        return;
      }
      for (const { reject } of batch) reject(error);
    }
  }
}

/** A connection that swallows everything must not keep all who come after waiting for its answer. */
export async function withinDeadline<T>(work: Promise<T>, onLate: () => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(tooLate());
      onLate();
    }, longestStatementMs + marginMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(): KeyPassError {
  const message = 'The database did not answer in time. Try again in a moment.';
  return new KeyPassError('database_unavailable', message, { retryAfter: 1 });
}
