import { KeyPassError } from '../errors.ts';
import { Farewell } from './farewell.ts';
import { clientLeft, type Lifeline } from './lifeline.ts';
import { Pace } from './pace.ts';
import { StreamTap, type Tap } from './tap.ts';

/** How the passing on of an answer ended. */
export type RelayEnd = 'complete' | 'left' | 'cut' | 'broken';

export interface RelayOptions {
  readonly tap: Tap;
  readonly lifeline: Lifeline;
  /** How long to read on for the usage once the client has left after the stop reason. */
  readonly drainMs: number;
  /** The last event of a stream that KeyPass ends, in the API's own form; absent where the reader handles the error. */
  readonly errorEvent?: ((error: KeyPassError) => Uint8Array) | undefined;
  /**
   * Called once, when the answer has ended in whatever way. `isBehind`: it was ended by a client, or under one, that had
   * not read all that had come, so that the provider may have written what nobody has seen.
   */
  readonly onEnd: (end: RelayEnd, isBehind: boolean) => void;
}

/**
 * Passes an answer on as it comes: nothing is read ahead (`highWaterMark: 0`), so a slow client slows the provider and
 * no memory grows. The reader form with `pull` is the one whose `cancel` runs at once when the client leaves.
 */
export function relay(body: ReadableStream<Uint8Array>, options: RelayOptions): ReadableStream<Uint8Array> {
  const passage = new Passage(body.getReader(), options);
  options.lifeline.answered(() => passage.leave());
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => passage.pull(controller),
      cancel: () => passage.leave(),
    },
    { highWaterMark: 0 },
  );
}

class Passage {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #options: RelayOptions;
  #end: RelayEnd | undefined;
  #hasLeft = false;
  readonly #pace = new Pace();
  readonly #farewell = new Farewell();

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, options: RelayOptions) {
    this.#reader = reader;
    this.#options = options;
    // The call is over with its upstream request, even while a client that reads slowly has not asked for more.
    const { lifeline } = options;
    lifeline.signal.addEventListener('abort', () => this.#finish(lifeline.ended === clientLeft ? 'left' : 'cut'));
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (await this.#farewell.hasEnded(controller)) return;
    try {
      // What a tap takes out leaves nothing to pass on, and a pull that passes nothing on would not be repeated.
      while (!(await this.#step(controller)));
    } catch {
      this.#fail(controller);
    }
  }

  /** The client is gone: at once, unless the usage is about to come and reading on costs nothing more. */
  leave(): void {
    if (this.#hasLeft || this.#end !== undefined) return;
    this.#hasLeft = true;
    const { tap, lifeline, drainMs } = this.#options;
    if (tap instanceof StreamTap && tap.result().finished && lifeline.ended === undefined) {
      lifeline.cutAfter(drainMs, clientLeft);
      void this.#drain();
      return;
    }
    lifeline.cut(clientLeft);
    this.#finish('left');
  }

  /** Reads one chunk; true when this pull has done its work. */
  async #step(controller: ReadableStreamDefaultController<Uint8Array>): Promise<boolean> {
    this.#pace.begin();
    const { done, value } = await this.#reader.read();
    this.#pace.end();
    if (this.#hasLeft) {
      // A drain reads on beside a pull that was waiting: reads are answered in order, so the tap sees them in order.
      if (!done) this.#options.tap.push(value);
      return true;
    }
    const bytes = done ? this.#options.tap.end() : this.#options.tap.push(value);
    if (bytes.length > 0) controller.enqueue(bytes);
    if (done) {
      this.#finish('complete');
      controller.close();
    }
    return done || bytes.length > 0;
  }

  async #drain(): Promise<void> {
    try {
      for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
        this.#options.tap.push(next.value);
      }
      this.#options.tap.end();
    } catch {
      // The time is up or the provider broke off: what was seen until now is what there is.
    }
    this.#finish('left');
  }

  #fail(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#hasLeft) return;
    const { lifeline, errorEvent, tap } = this.#options;
    const reason = lifeline.ended instanceof KeyPassError ? lifeline.ended : undefined;
    this.#finish(reason === undefined ? 'broken' : 'cut');
    const canTell = reason !== undefined && errorEvent !== undefined && tap instanceof StreamTap && tap.isBetweenEvents;
    if (!canTell) {
      // The provider's own words stay untouched: a torn stream looks torn to the client as well.
      controller.error(reason ?? new KeyPassError('provider_unreachable', 'The provider broke the answer off.'));
      return;
    }
    this.#farewell.say(controller, errorEvent(reason), reason);
  }

  #finish(end: RelayEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#options.lifeline.close();
    const wasStopped = end === 'left' || end === 'cut';
    this.#options.onEnd(end, wasStopped && this.#pace.isBehind);
  }
}
