/**
 * The proof of who opened this window: only the browser can put the opener and its origin on a message. Nothing is ever
 * posted to an origin that did not prove itself and is not registered for the app.
 */

const version = 1;
const helloTimeout = 3000;
const deliveryTimeout = 5000;
const deliveryInterval = 250;

/** The part of a window that the protocol needs. */
export interface OwnWindow {
  readonly opener: Pick<Window, 'postMessage'> | null;
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
}

export type Outcome =
  | { type: 'keypass:success'; publicToken: string | null; connectionId: string }
  | { type: 'keypass:exit'; error: { code: string; message: string } | null };

/** What of a link session decides whom this window answers. */
export interface Registered {
  allowedOrigins: readonly string[];
  /** The session's own origin: then no other will do. */
  origin: string | null;
}

export class Opener {
  readonly #opener: OwnWindow['opener'];
  /** The last hello of each origin: they may come before the session is known. */
  readonly #hellos = new Map<string, string>();
  #registered: Registered | undefined;
  #proven: { origin: string; nonce: string } | undefined;
  #onProof: (origin: string) => void = () => undefined;
  #onReceived: () => void = () => undefined;

  /** Listens from now on. */
  constructor(own: OwnWindow) {
    this.#opener = own.opener;
    own.addEventListener('message', (event) => this.#hear(event));
  }

  /** The origin that opened this window, if it is registered and says hello in time. */
  async prove(registered: Registered): Promise<string | undefined> {
    if (this.#opener === null) return undefined;
    const proof = new Promise<string>((resolve) => {
      this.#onProof = resolve;
    });
    this.#registered = registered;
    for (const [origin, nonce] of this.#hellos) this.#consider(origin, nonce);
    return Promise.race([proof, after(helloTimeout)]);
  }

  /** Tells the opener where the person is; for its logs only. */
  event(name: string): void {
    this.#post({ type: 'keypass:event', name });
  }

  /** Posts the outcome until the opener says that it has it; false if it never does. */
  async deliver(outcome: Outcome): Promise<boolean> {
    if (this.#proven === undefined) return false;
    const received = new Promise<true>((resolve) => {
      this.#onReceived = () => resolve(true);
    });
    this.#post(outcome);
    const repeat = setInterval(() => this.#post(outcome), deliveryInterval);
    try {
      return (await Promise.race([received, after(deliveryTimeout)])) ?? false;
    } finally {
      clearInterval(repeat);
    }
  }

  #hear({ source, origin, data }: MessageEvent<unknown>): void {
    if (this.#opener === null || source !== this.#opener || typeof data !== 'object' || data === null) return;
    const nonce = 'nonce' in data && typeof data.nonce === 'string' ? data.nonce : undefined;
    const type = 'type' in data ? data.type : undefined;
    if (type === 'keypass:hello' && nonce !== undefined && 'v' in data && data.v === version) {
      this.#hellos.set(origin, nonce);
      this.#consider(origin, nonce);
    }
    if (type === 'keypass:received' && origin === this.#proven?.origin && nonce === this.#proven.nonce) {
      this.#onReceived();
    }
  }

  #consider(origin: string, nonce: string): void {
    if (this.#registered === undefined) return;
    const { allowedOrigins, origin: wanted } = this.#registered;
    if (!allowedOrigins.includes(origin) || (wanted !== null && wanted !== origin)) return;
    // The first to prove itself stays the one: a later page of another origin in that window gets nothing.
    if (this.#proven !== undefined && this.#proven.origin !== origin) return;
    this.#proven = { origin, nonce };
    this.#post({ type: 'keypass:hello-ack' });
    this.#onProof(origin);
  }

  #post(message: Record<string, unknown>): void {
    if (this.#proven === undefined) return;
    const { origin, nonce } = this.#proven;
    this.#opener?.postMessage({ ...message, v: version, nonce }, origin);
  }
}

function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), milliseconds);
  });
}

/** Where a redirect takes the outcome: in the fragment, which no server sees. */
export function returnUrl(redirectUri: string, outcome: Outcome, state: string | null): string {
  const fields: [string, string][] =
    outcome.type === 'keypass:success'
      ? [
          ['keypass_public_token', outcome.publicToken ?? ''],
          ['keypass_connection_id', outcome.connectionId],
        ]
      : [['keypass_error', outcome.error?.code ?? 'denied']];
  if (state !== null) fields.push(['keypass_state', state]);
  const url = new URL(redirectUri);
  url.hash = new URLSearchParams(fields.filter(([, value]) => value !== '')).toString();
  return url.href;
}
