import { KeyPassError } from '../errors.ts';
import type { Limits } from './ports.ts';

/** The reason of an end that the client chose. */
export const clientLeft = Symbol('the client left');

/** Why a call ended before its answer did. */
export type EarlyEnd = KeyPassError | typeof clientLeft;

/** The end as what the caller is told of it. */
export function errorOf(end: EarlyEnd): KeyPassError {
  if (end !== clientLeft) return end;
  return new KeyPassError('invalid_request', 'The client left before the answer came.');
}

const never = Number.POSITIVE_INFINITY;

interface Sources {
  /** The client's own connection. */
  readonly client: AbortSignal;
  readonly limits: Limits;
  /** Starts to listen for the connection being cut; returns how to stop. */
  listenForCut(cut: (reason: KeyPassError) => void): () => void;
}

/**
 * Everything that can end a call early, as one signal for the upstream request: the client leaves, the owner cuts the
 * connection off, the provider is too slow. Opened before the hold is taken, so that no cut falls between the two.
 */
export class Lifeline {
  readonly #upstream = new AbortController();
  readonly #client: AbortSignal;
  readonly #limits: Limits;
  readonly #stopListening: () => void;
  #onClientLeft: () => void = () => this.cut(clientLeft);
  /** By when the headers must be here, and the whole answer; on the clock of `performance.now()`. */
  #answerBy = never;
  #endBy = never;
  #endReason: EarlyEnd | undefined;
  #waitedMs: (() => number) | undefined;
  /** One clock for all of them: it looks at the earliest, and what was moved meanwhile is looked at again. */
  #clock: ReturnType<typeof setTimeout> | undefined;
  #looksAt = never;

  constructor(sources: Sources) {
    this.#client = sources.client;
    this.#limits = sources.limits;
    this.#client.addEventListener('abort', this.#leave);
    this.#stopListening = sources.listenForCut((reason) => this.cut(reason));
    if (this.#client.aborted) this.#leave();
  }

  get signal(): AbortSignal {
    return this.#upstream.signal;
  }

  /** Why the call was ended, if something ended it. */
  get ended(): EarlyEnd | undefined {
    if (!this.signal.aborted) return undefined;
    const reason: unknown = this.signal.reason;
    return reason instanceof KeyPassError ? reason : clientLeft;
  }

  /** Ends the upstream request. The controller is aborted: to cancel its reader alone has left sockets open in Bun. */
  cut(reason: EarlyEnd): void {
    this.#upstream.abort(reason);
  }

  /** The clocks of a request run from here. */
  dispatched(): void {
    const now = performance.now();
    this.#answerBy = now + this.#limits.firstByteMs;
    this.#endBy = now + this.#limits.totalMs;
    this.#lookInTime(now);
  }

  /** A piece of the body has gone up: the provider's time to answer begins anew, as long as it has not answered. */
  sending(): void {
    if (this.#answerBy !== never) this.#answerBy = performance.now() + this.#limits.firstByteMs;
  }

  /** The headers are here. From now on the client's leaving is answered by whoever passes the body on. */
  answered(onClientLeft: () => void): void {
    this.#answerBy = never;
    this.#onClientLeft = onClientLeft;
    if (this.#client.aborted) onClientLeft();
  }

  /** Ends the upstream request when its next piece has been waited for too long; `waitedMs` tells how long that is now. */
  watch(waitedMs: () => number): void {
    this.#waitedMs = waitedMs;
    this.#lookInTime(performance.now());
  }

  /** Ends the upstream request after this long, unless it has ended by then. */
  cutAfter(milliseconds: number, reason: EarlyEnd): void {
    const now = performance.now();
    if (now + milliseconds >= this.#endBy) return;
    this.#endBy = now + milliseconds;
    this.#endReason = reason;
    this.#lookInTime(now);
  }

  /** Nothing can end the call any more: it has ended. */
  close(): void {
    this.#client.removeEventListener('abort', this.#leave);
    this.#stopListening();
    clearTimeout(this.#clock);
  }

  readonly #leave = (): void => this.#onClientLeft();

  readonly #look = (): void => {
    const now = performance.now();
    this.#looksAt = never;
    if (now >= this.#answerBy) this.cut(tooSlow('did not answer in time'));
    else if (now >= this.#endBy) this.cut(this.#endReason ?? tooSlow('was not done in time'));
    else if (now >= this.#silentBy(now)) this.cut(tooSlow('fell silent in the middle of its answer'));
    else this.#lookInTime(now);
  };

  #silentBy(now: number): number {
    return this.#waitedMs === undefined ? never : now + this.#limits.silenceMs - this.#waitedMs();
  }

  #lookInTime(now: number): void {
    const next = Math.min(this.#answerBy, this.#endBy, this.#silentBy(now));
    if (next >= this.#looksAt) return;
    clearTimeout(this.#clock);
    this.#looksAt = next;
    this.#clock = setTimeout(this.#look, Math.ceil(next - now));
  }
}

function tooSlow(what: string): KeyPassError {
  return new KeyPassError('provider_timeout', `The provider ${what}, so KeyPass ended the call.`);
}
