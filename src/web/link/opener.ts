/**
 * The window's side of sdk/link-sdk/PROTOCOL.md: the proof of who opened it. Only the browser can put the opener and its
 * origin on a message; nothing is ever posted to an origin that did not prove itself and is not registered for the app.
 */

const version = 1;
const helloTimeout = 3000;
const deliveryTimeout = 10_000;
const nonceForm = /^[\w-]{43}$/;

/** The part of a window that the protocol needs. */
export interface OwnWindow {
  readonly opener: { postMessage(message: unknown, targetOrigin: string): void } | null;
  addEventListener(type: 'message', listener: (event: Heard) => void): void;
}

/** What of a MessageEvent the browser vouches for, and what was sent. */
export interface Heard {
  readonly source: unknown;
  readonly origin: string;
  readonly data: unknown;
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
  /** The first hello of each origin: they may come before the session is known. */
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

  /** Posts the outcome; resolves when the window may close, false if the opener never said that a success arrived. */
  async deliver(outcome: Outcome): Promise<boolean> {
    if (this.#proven === undefined) return false;
    const received = new Promise<true>((resolve) => {
      this.#onReceived = () => resolve(true);
    });
    this.#post(outcome);
    if (outcome.type === 'keypass:exit') return true;
    return (await Promise.race([received, after(deliveryTimeout)])) ?? false;
  }

  #hear({ source, origin, data }: Heard): void {
    if (this.#opener === null || source !== this.#opener || typeof data !== 'object' || data === null) return;
    if (!('v' in data && data.v === version && 'type' in data && 'nonce' in data)) return;
    const { type, nonce } = data;
    if (typeof nonce !== 'string' || !nonceForm.test(nonce)) return;
    if (type === 'keypass:hello') {
      if (!this.#hellos.has(origin)) this.#hellos.set(origin, nonce);
      this.#consider(origin, nonce);
    }
    if (type === 'keypass:received' && this.#isProven(origin, nonce)) this.#onReceived();
  }

  #consider(origin: string, nonce: string): void {
    if (this.#registered === undefined) return;
    const { allowedOrigins, origin: wanted } = this.#registered;
    if (!allowedOrigins.includes(origin) || (wanted !== null && wanted !== origin)) return;
    // The first to prove itself stays the one: a later page in that window gets nothing.
    this.#proven ??= { origin, nonce };
    if (!this.#isProven(origin, nonce)) return;
    this.#post({ type: 'keypass:hello-ack' });
    this.#onProof(origin);
  }

  #isProven(origin: string, nonce: string): boolean {
    return this.#proven?.origin === origin && this.#proven.nonce === nonce;
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
      : [['keypass_error', outcome.error?.code ?? 'closed']];
  if (state !== null) fields.push(['keypass_state', state]);
  const url = new URL(redirectUri);
  url.hash = new URLSearchParams(fields.filter(([, value]) => value !== '')).toString();
  return url.href;
}
