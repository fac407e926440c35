import { signal } from '@preact/signals';
import { codeOf } from '../ui/failure.ts';
import { type LinkRequest, type Policy, type Vault, VaultError } from '../vault.ts';
import { type Entry, forgetEntry, takeEntry } from './entry.ts';
import { Opener, type Outcome, returnUrl } from './opener.ts';
import { denyRequest, readRequest, sameRequest } from './request.ts';

/** How the outcome gets back, and with that what is known of who asks. */
export type Route = { by: 'window'; origin: string } | { by: 'redirect'; redirectUri: string };

export interface Asked {
  request: LinkRequest;
  route: Route;
}

export type Stage =
  | { at: 'checking' }
  | { at: 'asked'; asked: Asked }
  /** `back` leads to the app with the reason, in the redirect form. */
  | { at: 'ended'; code: string; back?: string }
  | { at: 'leaving'; app: string }
  | { at: 'approved' | 'denied'; app: string };

/** What the person chose: sealed as it is. */
export type Approval = Pick<Policy, 'providers' | 'budgetCents' | 'scopes' | 'limits'>;

/** One consent from the link token to its outcome. */
export class Flow {
  readonly stage = signal<Stage>({ at: 'checking' });
  readonly #opener: Opener;
  readonly #entry: Entry | undefined;
  #asked: Asked | undefined;

  constructor(own: Window) {
    this.#opener = new Opener(own);
    this.#entry = takeEntry();
  }

  /** Reads the request and proves who opened this window. */
  async start(): Promise<void> {
    if (this.#entry === undefined) {
      this.stage.value = { at: 'ended', code: 'missing' };
      return;
    }
    try {
      const request = await readRequest(this.#entry.token);
      const origin = await this.#opener.prove({ allowedOrigins: request.app.allowedOrigins, origin: request.origin });
      const route = routeOf(origin, this.#entry.state === null ? null : request.redirectUri);
      if (route === undefined) this.stage.value = { at: 'ended', code: 'origin_unverified' };
      else if (request.status !== 'pending') {
        await this.#refuse(request.status === 'expired' ? 'link_token_expired' : 'link_session_closed', route);
      } else {
        this.#asked = { request, route };
        this.stage.value = { at: 'asked', asked: this.#asked };
        this.event('opened');
      }
    } catch (error) {
      this.stage.value = { at: 'ended', code: codeOf(error) };
    }
  }

  /** How far the person is: `opened`, `unlocked`, `approved`. */
  event(name: string): void {
    this.#opener.event(name);
  }

  /** Reads the request again through the open vault: what is sealed is what was shown. */
  async confirm(vault: Vault): Promise<void> {
    const { request, token } = this.#current();
    if (!sameRequest(request, await vault.link.describe(token))) {
      throw new VaultError('vault_tampered', 'The request was changed after it was shown.');
    }
  }

  /** The connection that the app wants changed belongs to somebody else. */
  async refuseAccount(): Promise<void> {
    await this.#refuse('wrong_account', this.#current().route);
  }

  /** Seals exactly what was chosen. */
  async approve(vault: Vault, approval: Approval): Promise<void> {
    const { request, route, token } = this.#current();
    const origin = route.by === 'window' ? route.origin : null;
    try {
      const { publicToken, connectionId } = await vault.link.approve(token, {
        ...approval,
        ...(request.mode === 'connect' ? { origin } : {}),
      });
      this.event('approved');
      await this.#leave({ type: 'keypass:success', publicToken, connectionId });
    } catch (error) {
      if (
        !['link_token_expired', 'link_session_closed', 'link_token_invalid', 'wrong_account'].includes(codeOf(error))
      ) {
        throw error;
      }
      await this.#refuse(codeOf(error), route);
    }
  }

  /** The person says no: the request is over. */
  async deny(): Promise<void> {
    const { token } = this.#current();
    // Only a signed-in person can close a request on the server; otherwise it expires unused.
    await denyRequest(token).catch(() => undefined);
    await this.#leave({ type: 'keypass:exit', error: { code: 'denied', message: 'The request was denied.' } });
  }

  /** The person leaves without a decision: nothing is shared, and the app may ask again. */
  async close(): Promise<void> {
    await this.#leave({ type: 'keypass:exit', error: null });
  }

  async #refuse(code: string, route: Route): Promise<void> {
    const outcome: Outcome = { type: 'keypass:exit', error: { code, message: 'The request cannot be answered.' } };
    forgetEntry();
    const back = route.by === 'redirect' ? this.#returnUrl(route, outcome) : undefined;
    this.stage.value = { at: 'ended', code, ...(back === undefined ? {} : { back }) };
    await this.#opener.deliver(outcome);
  }

  async #leave(outcome: Outcome): Promise<void> {
    const { request, route } = this.#current();
    const app = request.app.name;
    forgetEntry();
    if (route.by === 'redirect') {
      this.stage.value = { at: 'leaving', app };
      location.replace(this.#returnUrl(route, outcome));
      return;
    }
    this.stage.value = { at: outcome.type === 'keypass:success' ? 'approved' : 'denied', app };
    if (await this.#opener.deliver(outcome)) close();
  }

  #returnUrl(route: Route & { by: 'redirect' }, outcome: Outcome): string {
    return returnUrl(route.redirectUri, outcome, this.#entry?.state ?? null);
  }

  #current(): Asked & { token: string } {
    if (this.#asked === undefined || this.#entry === undefined) throw new VaultError('missing', 'No request is open.');
    return { ...this.#asked, token: this.#entry.token };
  }
}

function routeOf(origin: string | undefined, redirectUri: string | null): Route | undefined {
  if (origin !== undefined) return { by: 'window', origin };
  if (redirectUri === null) return undefined;
  const url = URL.parse(redirectUri);
  // A registered address is checked by the server; what a browser would run instead of visit is refused here as well.
  return url?.protocol === 'https:' || url?.protocol === 'http:'
    ? { by: 'redirect', redirectUri: url.href }
    : undefined;
}
