import { hostOf, type WebhookTargets } from './targets.ts';

/** What the runtime does. */
export interface Network {
  /** All addresses of a host name; of an address, itself. Rejects where there is none. */
  resolve(host: string): Promise<readonly string[]>;
  /**
   * Sends a POST to the first of these addresses that can be reached, asking no name server again, and resolves with the
   * status of the answer, which is read no further than a limit and thrown away. TLS is checked for the URL's host.
   */
  post(request: NetworkRequest): Promise<number>;
}

export interface NetworkRequest {
  readonly url: URL;
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

export type Failure =
  | 'no_webhook'
  | 'url_refused'
  | 'name_not_found'
  | 'address_refused'
  | 'timeout'
  | 'tls_failed'
  | 'connection_failed'
  | 'internal_error';

/** The status of an answer, or why there was none. */
export type Outcome =
  | { readonly status: number; readonly failure: null }
  | { readonly status: null; readonly failure: Failure };

/** Sends to where the rules allow it: the URL is checked at each attempt, and so is every address of its host. */
export class Sender {
  readonly #targets: WebhookTargets;
  readonly #network: Network;
  readonly #timeoutMs: number;

  constructor(targets: WebhookTargets, network: Network, timeoutMs: number) {
    this.#targets = targets;
    this.#network = network;
    this.#timeoutMs = timeoutMs;
  }

  /** `stopped` when the caller's signal ended it. */
  async send(
    { url: text, headers, body }: { url: string; headers: Readonly<Record<string, string>>; body: string },
    stop: AbortSignal,
  ): Promise<Outcome | 'stopped'> {
    const url = URL.parse(text);
    if (url === null || !this.#targets.allowsUrl(url)) return failed('url_refused');
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    try {
      const found = await untilAborted(this.#network.resolve(hostOf(url)), signal).catch(() => []);
      if (found.length === 0 && !signal.aborted) return failed('name_not_found');
      // One that is refused refuses them all: whoever mixes them in would choose which one is reached.
      if (!found.every((address) => this.#targets.allowsAddress(url, address))) return failed('address_refused');
      signal.throwIfAborted();
      return { status: await this.#network.post({ url, addresses: found, headers, body, signal }), failure: null };
    } catch (error) {
      if (stop.aborted) return 'stopped';
      return failed(timeout.aborted ? 'timeout' : failureOf(error));
    }
  }
}

function failed(failure: Failure): Outcome {
  return { status: null, failure };
}

/** By the codes of node's errors (https://nodejs.org/api/errors.html, and OpenSSL's names for certificates). */
function failureOf(error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code) ? 'tls_failed' : 'connection_failed';
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
