import { KeyPassError } from '../errors.ts';
import { Farewell } from './farewell.ts';
import { clientLeft, errorOf, type Lifeline } from './lifeline.ts';
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

/**
 * Reads a short answer to be passed on in one piece. One that tears comes back as the failure that it is: no byte of it
 * has gone out.
 */
export async function relayWhole(
  response: Pick<Response, 'bytes'>,
  { tap, lifeline, onEnd }: RelayOptions,
): Promise<Uint8Array<ArrayBuffer> | KeyPassError> {
  lifeline.answered(() => lifeline.cut(clientLeft));
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await response.bytes();
  } catch {
    const { ended } = lifeline;
    lifeline.close();
    tap.tear();
    onEnd(ended === undefined ? 'broken' : ended === clientLeft ? 'left' : 'cut', false);
    return ended === undefined ? brokenOff() : errorOf(ended);
  }
  lifeline.close();
  // What a tap takes out is in streams alone: here it only reads.
  tap.push(bytes);
  tap.end();
  onEnd('complete', false);
  return bytes;
}

function brokenOff(): KeyPassError {
  return new KeyPassError('provider_unreachable', 'The provider broke the answer off.');
}

/** The longest that leaving is put off. */
const catchUpMs = 50;

/** A provider that has nothing to read for so long has written nothing more. */
const silenceMs = 5;

/** The time, and then one turn more: this process may have been the one that stood still. */
async function silence(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, silenceMs));
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Says nothing in an event stream, and nothing in JSON. */
const lineEnd = Uint8Array.of(10);

class Passage {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #options: RelayOptions;
  #end: RelayEnd | undefined;
  #hasLeft = false;
  #hasBegun = false;
  #isRead = false;
  /** Chunks that were read after the client had left. */
  #taken = 0;
  #isLate = false;
  /** Known once what had come before has been read, or could not be. */
  #isLeftBehind: boolean | undefined;
  readonly #pace = new Pace();
  readonly #farewell = new Farewell();

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, options: RelayOptions) {
    this.#reader = reader;
    this.#options = options;
    // The call is over with its upstream request, even while a client that reads slowly has not asked for more.
    const { lifeline } = options;
    lifeline.signal.addEventListener('abort', () => this.#finish(lifeline.ended === clientLeft ? 'left' : 'cut'));
    lifeline.watch(() => this.#pace.waitedMs);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (await this.#farewell.hasEnded(controller)) return;
    try {
      // What a tap takes out leaves nothing to pass on, and a pull that passes nothing on would not be repeated.
      while (!(await this.#step(controller)));
    } catch {
      await this.#fail(controller);
    }
  }

  /** The client is gone: at once, unless something has been written already that only has to be read. */
  leave(): void {
    if (this.#hasLeft || this.#end !== undefined) return;
    this.#hasLeft = true;
    if (this.#pace.isBehind && this.#options.lifeline.ended === undefined) void this.#catchUp();
    else this.#stop();
  }

  /** Reads what had come and the client had no time for: it was written, so it is billed. */
  async #catchUp(): Promise<void> {
    this.#isLeftBehind = true;
    void this.#readOn(performance.now() + catchUpMs);
    for (let waited = 0; waited < catchUpMs && this.#isLeftBehind; waited += silenceMs) {
      const before = this.#taken;
      await silence();
      this.#isLeftBehind = !this.#isRead && (this.#isLate || this.#taken > before);
    }
    this.#stop();
  }

  /** Ends the request, unless the usage is about to come and reading on costs nothing more. */
  #stop(): void {
    const { tap, lifeline, drainMs } = this.#options;
    if (tap instanceof StreamTap && !this.#isRead && tap.result().finished && lifeline.ended === undefined) {
      lifeline.cutAfter(drainMs, clientLeft);
      void this.#drain();
      return;
    }
    lifeline.cut(clientLeft);
    this.#finish('left');
  }

  async #drain(): Promise<void> {
    await this.#readOn(Number.POSITIVE_INFINITY);
    this.#finish('left');
  }

  /** Reads for the tap alone, until the end or until it is too late for what may still come. */
  async #readOn(deadline: number): Promise<void> {
    try {
      while (!this.#isRead && performance.now() < deadline) this.#take((await this.#reader.read()).value);
      this.#isLate = !this.#isRead;
    } catch {
      // The time is up or the provider broke off: what was seen until now is what there is.
    }
  }

  /** Reads one chunk; true when this pull has done its work. */
  async #step(controller: ReadableStreamDefaultController<Uint8Array>): Promise<boolean> {
    this.#pace.begin();
    const { done, value } = await this.#reader.read();
    this.#pace.end();
    if (this.#hasLeft) {
      // A drain reads on beside a pull that was waiting: reads are answered in order, so the tap sees them in order.
      this.#take(value);
      return true;
    }
    this.#isRead = done;
    const bytes = done ? this.#options.tap.end() : this.#options.tap.push(value);
    if (bytes.length > 0) {
      this.#hasBegun = true;
      controller.enqueue(bytes);
    }
    if (done) {
      this.#finish('complete');
      controller.close();
    }
    return done || bytes.length > 0;
  }

  /** A chunk, or the end. What comes after the call's end was not waited for and counts no more. */
  #take(chunk: Uint8Array | undefined): void {
    if (this.#end !== undefined || this.#isRead) return;
    this.#taken += 1;
    if (chunk === undefined) {
      this.#isRead = true;
      this.#options.tap.end();
    } else this.#options.tap.push(chunk);
  }

  async #fail(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#hasLeft) return;
    const { lifeline, errorEvent, tap } = this.#options;
    const reason = lifeline.ended instanceof KeyPassError ? lifeline.ended : undefined;
    this.#finish(reason === undefined ? 'broken' : 'cut');
    const canTell = reason !== undefined && errorEvent !== undefined && tap instanceof StreamTap && tap.isBetweenEvents;
    if (!canTell) {
      // The provider's own words stay untouched: a torn stream looks torn to the client as well. Bun ends the headers
      // with the first byte of a body, and a client repeats a call by itself whose headers have not come.
      if (!this.#hasBegun) controller.enqueue(lineEnd);
      await this.#farewell.fail(controller, reason ?? brokenOff());
      return;
    }
    this.#farewell.say(controller, errorEvent(reason), reason);
  }

  #finish(end: RelayEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const { lifeline, tap, onEnd } = this.#options;
    lifeline.close();
    if (!this.#isRead) tap.tear();
    const wasStopped = end === 'left' || end === 'cut';
    onEnd(end, wasStopped && !this.#isRead && (this.#isLeftBehind ?? this.#pace.isBehind));
  }
}
