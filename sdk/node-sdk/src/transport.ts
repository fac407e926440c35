import { refuseRedirect } from './answer.ts';
import type { WithResponse } from './call-promise.ts';
import { ConnectionError, isRecord, KeyPassError, TimeoutError } from './errors.ts';
import { type Replay, retryDelay } from './retry.ts';

/** What the SDK needs of `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Everything that `fetch` can send. */
export type RequestBody =
  | string
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>;

/** What one call may set for itself. */
export interface CallOptions {
  /** Aborts the call, and its stream; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the answer (of a stream or passthrough: its head), retries included. */
  timeout?: number | undefined;
  /** Attempts after the first. */
  maxRetries?: number | undefined;
  /** Names this call, so that a repeat of it by another process is not made twice. A UUID unless given. */
  idempotencyKey?: string | undefined;
}

/** One logical call, whatever number of attempts it takes. */
export interface Call<T> {
  method: string;
  url: string;
  headers: Headers;
  body?: RequestBody | undefined;
  replay: Replay;
  options: CallOptions;
  /** Makes the result of an answer; a KeyPassError that it throws may be retried. `abort` ends a body that is still open. */
  read(response: Response, abort: () => void): Promise<T>;
}

export interface TransportSettings {
  fetch: Fetch;
  timeout: number;
  maxRetries: number;
}

/** A longer timer would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** Aborts on the caller's signal, after the time limit, or when told to. */
class Lease {
  readonly signal: AbortSignal;
  readonly #caller: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #end: number;
  #timedOut = false;

  constructor(timeout: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#end = Date.now() + timeout;
    this.signal = caller === undefined ? this.#controller.signal : AbortSignal.any([caller, this.#controller.signal]);
    this.#timer = setTimeout(
      () => {
        this.#timedOut = true;
        this.#controller.abort();
      },
      Math.min(timeout, longestTimer),
    );
  }

  get remaining(): number {
    return this.#end - Date.now();
  }

  readonly abort = (): void => this.#controller.abort();

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Why nothing more may be tried, in the words of whoever ended it. */
  throwIfEnded(): void {
    if (this.#caller?.aborted === true) throw this.#caller.reason;
    if (this.#timedOut) throw new TimeoutError('KeyPass did not answer within the timeout', { code: 'timeout' });
  }

  async sleep(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        // A listener that stays would keep this call in memory for as long as the caller's signal lives.
        this.signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.signal.addEventListener('abort', wake);
    });
    this.throwIfEnded();
  }
}

/** Sends a call and repeats it while that can help. Throws a KeyPassError, or the reason of the caller's signal. */
export async function send<T>(settings: TransportSettings, call: Call<T>): Promise<WithResponse<T>> {
  const lease = new Lease(call.options.timeout ?? settings.timeout, call.options.signal);
  const maxRetries = call.options.maxRetries ?? settings.maxRetries;
  try {
    lease.throwIfEnded();
    for (let attempt = 0; ; attempt++) {
      let headers: Headers | undefined;
      try {
        const response = await dispatch(settings.fetch, call, lease.signal);
        headers = response.headers;
        refuseRedirect(response);
        const data = await call.read(response, lease.abort);
        return { data, response, requestId: headers.get('x-request-id') ?? undefined };
      } catch (error) {
        lease.throwIfEnded();
        const known = error instanceof KeyPassError ? error : connectionError(error);
        const delay = attempt < maxRetries ? retryDelay(known, headers, attempt, call.replay) : undefined;
        if (delay === undefined || delay >= lease.remaining || call.body instanceof ReadableStream) {
          lease.abort(); // what nobody will read
          throw known;
        }
        await lease.sleep(delay);
      }
    }
  } finally {
    lease.stopTimer();
  }
}

function dispatch<T>(fetch: Fetch, { method, url, headers, body }: Call<T>, signal: AbortSignal): Promise<Response> {
  const init: RequestInit & { duplex?: 'half' } = { method, headers, signal, redirect: 'manual' };
  if (body !== undefined) init.body = body;
  if (body instanceof ReadableStream) init.duplex = 'half';
  return fetch(url, init);
}

/**
 * Keeps the system's error code and drops the rest: what an injected `fetch` throws may carry the request, and with it
 * the token.
 */
export function connectionError(cause: unknown): ConnectionError {
  const inner = isRecord(cause) && isRecord(cause['cause']) ? cause['cause'] : cause;
  const words = isRecord(inner) ? [inner['code'], inner['name']] : [];
  const reason = words.find((word): word is string => typeof word === 'string' && /^\w{1,40}$/.test(word));
  return new ConnectionError(`The connection to KeyPass failed (${reason ?? 'unknown'})`, {
    code: 'connection_failed',
  });
}
