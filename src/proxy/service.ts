import type { Clock } from '../clock.ts';
import { zero } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { findProvider } from '../providers/index.ts';
import { accessTokenOf } from './credentials.ts';
import { errorEvent } from './errors.ts';
import { answerHeaders, refuseUnlistedValues, upstreamHeaders, withOwnIdempotencyKey } from './headers.ts';
import { errorOf, Lifeline } from './lifeline.ts';
import { matchEndpoint, refuseKeyInQuery, targetOf } from './paths.ts';
import type { Access, Fetch, Grantee, Hold, HoldRequest, Ledger, Limits } from './ports.ts';
import { prepare, readContent, type PreparedCall, type Route } from './prepare.ts';
import {
  bookingOf,
  leastUseful,
  lowered,
  unanswered,
  unbilled,
  type Booking,
  type Content,
  type Ending,
  type PricedCall,
} from './pricing.ts';
import { relay, type RelayEnd } from './relay.ts';
import { tapFor, type Tap } from './tap.ts';
import { NoAnswer, send } from './upstream.ts';

/** What the proxy works with: all of it given, so that a test needs no database and no network. */
export interface ProxyServices {
  readonly access: Access;
  readonly ledger: Ledger;
  readonly fetch: Fetch;
  readonly limits: Limits;
  /** Provider id → origin, where the operator replaced the provider's own. */
  readonly origins: Readonly<Record<string, string>>;
  readonly clock: Clock;
  onFault(event: string, error: unknown): void;
}

/** Who makes a call: the access token, and the connection that it proved. */
export interface Caller {
  readonly token: string;
  readonly grantee: Grantee;
}

/** A call of one listed endpoint, whoever wrote its body. */
export interface ProxyCall {
  /** Unique: the id of the hold and of the receipt. */
  readonly callId: string;
  readonly grantee: Grantee;
  readonly route: Route;
  /** The client's headers: those that may go up are taken from it. */
  readonly headers: Headers;
  readonly content: Content | null;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  /** A stream that KeyPass ends closes with the API's own error event; else its body fails with the KeyPassError. */
  readonly tellsErrors: boolean;
}

/** A provider's answer, metered as it is read: its end, whichever way it comes, settles the call. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * More than any budget, and little enough for the ledger to add to one in 64 bits: a bound above it is refused as one
 * that the budget does not cover.
 */
const mostHeld = 4_000_000_000_000_000_000n;

/** A call whose cost is held. */
interface HeldCall extends PreparedCall {
  readonly hold: Hold;
  /** The output limit that was set for it to fit the budget. */
  readonly maxTokens?: number;
}

/**
 * Passes calls on to providers: token → path → policy → price → hold → key → dispatch → answer → settle. Nothing is
 * dispatched before the hold is durable, and every hold is settled or released exactly once.
 */
export class Proxy {
  readonly #services: ProxyServices;
  readonly #unbooked = new Set<Promise<void>>();

  constructor(services: ProxyServices) {
    this.#services = services;
  }

  /** Answers a request for a provider's own API, under any of the mounts. Throws KeyPassError for KeyPass's refusals. */
  async passthrough(request: Request, requestId: string): Promise<Response> {
    const target = targetOf(request.url);
    refuseKeyInQuery(target.query);
    const caller = await this.caller(request.headers);
    const route = this.route(target.providerId, request.method, target.path, target.query);
    const content = await readContent(request, route.endpoint, this.#services.limits.maxJsonBytes);
    const { headers, signal } = request;
    const answer = await this.callAs(caller, { callId: requestId, route, headers, content, signal, tellsErrors: true });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  }

  /** Who sends these headers. Throws where they have no access token, or one that is not in force. */
  async caller(headers: Headers): Promise<Caller> {
    const token = accessTokenOf(headers);
    return { token, grantee: await this.#services.access.authenticate(token) };
  }

  /**
   * Makes one call for a caller. A refusal by what was opened of the connection earlier stands only if that is still so:
   * if the owner has changed it since, what holds now decides, once.
   */
  async callAs({ token, grantee }: Caller, call: Omit<ProxyCall, 'grantee'>): Promise<Answer> {
    try {
      return await this.call({ ...call, grantee });
    } catch (error) {
      if (!(error instanceof KeyPassError)) throw error;
      const isOutdated = error.code === 'connection_changed';
      if (!isOutdated && error.type !== 'permission_error') throw error;
      const current = await this.#services.access.authenticate(token, { anew: true });
      if (!isOutdated && current.seal === grantee.seal) throw error;
      return this.call({ ...call, grantee: current });
    }
  }

  /** The listed endpoint of a method and path. Throws `provider_unknown`, `invalid_path`, `endpoint_not_allowed`. */
  route(providerId: string, method: string, path: string, query: string): Route {
    const provider = findProvider(providerId);
    if (provider === undefined)
      throw new KeyPassError('provider_unknown', 'KeyPass does not know this provider.', { param: 'provider' });
    const origin = this.#services.origins[provider.id] ?? provider.origin;
    return { provider, ...matchEndpoint(provider, origin, method, path, query) };
  }

  /** Makes one call. What it throws was not answered; what was dispatched is settled all the same. */
  async call(call: ProxyCall): Promise<Answer> {
    const { access, limits, clock } = this.#services;
    refuseSandbox(call.grantee);
    refuseUnlistedValues(call.route.provider, call.headers);
    const prepared = prepare(call.route, call.grantee, call.content, clock.now());
    const listenForCut = (cut: (reason: KeyPassError) => void) => access.onCut(call.grantee.connectionId, cut);
    const lifeline = new Lifeline({ client: call.signal, limits, listenForCut });
    try {
      const held = await this.#hold(call, prepared);
      const headers = await this.#openHeaders(call, held, lifeline);
      return await this.#dispatch(call, held, headers, lifeline);
    } catch (error) {
      lifeline.close();
      throw error;
    }
  }

  /** Resolves when every call that has ended is booked. */
  async settled(): Promise<void> {
    while (this.#unbooked.size > 0) await Promise.all(this.#unbooked);
  }

  /** Sets the call's bound aside, or, where that does not fit, the bound of the same call with less output. */
  async #hold(call: ProxyCall, prepared: PreparedCall): Promise<HeldCall> {
    const { ledger, clock } = this.#services;
    const request = this.#holdRequest(call, prepared);
    try {
      return { ...prepared, hold: await ledger.hold(request) };
    } catch (error) {
      const { priced } = prepared;
      if (priced === null || isExact(call.headers) || !isBudgetError(error)) throw error;
      const minimum = leastUseful(priced.call, clock.now());
      if (minimum === undefined || minimum >= request.amount) throw error;
      const hold = await ledger.hold({ ...request, minimum });
      return hold.amount < request.amount ? await this.#fitted(prepared, priced.call, hold) : { ...prepared, hold };
    }
  }

  #holdRequest(call: ProxyCall, { keyId, model, priced }: PreparedCall): HoldRequest {
    const { callId, grantee, route } = call;
    const bound = priced?.quote.bound;
    const amount = minOf(bound?.cost ?? 0n, mostHeld);
    return {
      callId,
      grantee,
      provider: route.provider.id,
      model,
      endpoint: `${route.endpoint.method} ${route.endpoint.path}`,
      keyId,
      keySeal: this.#services.access.keySeal(grantee, route.provider.id),
      amount,
      minimum: amount,
      tokens: (bound?.inputTokens ?? 0) + (bound?.outputTokens ?? 0),
    };
  }

  /** The call as it fits what was granted: all of it, or with less output. */
  async #fitted(prepared: PreparedCall, asked: PricedCall, hold: Hold): Promise<HeldCall> {
    try {
      const less = lowered(asked, hold.amount, this.#services.clock.now());
      if (less === undefined) throw new Error('a call was granted what is of no use to it');
      const { content, quote, maxTokens } = less;
      return { ...prepared, content, priced: { call: { ...asked, content }, quote }, hold, maxTokens };
    } catch (error) {
      await this.#release(hold);
      throw error;
    }
  }

  /** Opens the key for as long as it takes to write it into a header. Whatever fails here was not dispatched. */
  async #openHeaders(call: ProxyCall, held: HeldCall, lifeline: Lifeline): Promise<Headers> {
    const { grantee, route } = call;
    try {
      const headers = await withOwnIdempotencyKey(call.headers, grantee.connectionId);
      const key = await this.#services.access.openKey(grantee, route.provider.id);
      try {
        if (key.keyId !== held.keyId)
          throw new KeyPassError('connection_changed', 'The connection was edited. Repeat the call.');
        if (lifeline.ended !== undefined) throw errorOf(lifeline.ended);
        return upstreamHeaders(route.provider, headers, key, held.content !== null);
      } finally {
        zero(key.secret);
      }
    } catch (error) {
      await this.#release(held.hold);
      throw error;
    }
  }

  async #dispatch(call: ProxyCall, held: HeldCall, headers: Headers, lifeline: Lifeline): Promise<Answer> {
    const { endpoint, url } = call.route;
    const quoted = held.priced?.quote ?? null;
    const startedAt = performance.now();
    lifeline.dispatched();
    let response: Response;
    try {
      const body = held.content?.bytes ?? null;
      const request = { url, method: endpoint.method, headers, body, isFree: quoted === null };
      response = await send(this.#services.fetch, request, lifeline);
    } catch (error) {
      if (error instanceof NoAnswer && !error.wasSent) {
        await this.#release(held.hold);
      } else {
        this.#settle(held.hold, unanswered(held.hold, quoted, 'no_answer'), { status: null, ttfbMs: null, startedAt });
      }
      throw error instanceof NoAnswer ? errorOf(error.reason) : error;
    }
    return this.#answer(call, held, response, lifeline, startedAt);
  }

  #answer(call: ProxyCall, held: HeldCall, response: Response, lifeline: Lifeline, startedAt: number): Answer {
    const { status } = response;
    const seen = { status, ttfbMs: Math.round(performance.now() - startedAt), startedAt };
    if (status >= 300 && status < 400) {
      this.#settle(held.hold, unbilled(['redirected']), seen);
      throw redirected(lifeline);
    }
    try {
      return this.#relayed(call, held, response, lifeline, (booking) => this.#settle(held.hold, booking, seen));
    } catch (error) {
      this.#settle(held.hold, unanswered(held.hold, held.priced?.quote ?? null, 'not_relayed'), seen);
      lifeline.cut(new KeyPassError('internal_error', 'KeyPass could not pass the answer on.'));
      throw error;
    }
  }

  /** The answer as it is passed on; its end is booked. What this throws has not been. */
  #relayed(
    call: ProxyCall,
    held: HeldCall,
    response: Response,
    lifeline: Lifeline,
    book: (booking: Booking) => void,
  ): Answer {
    const { status } = response;
    const { maxCopyBytes: longest, drainMs } = this.#services.limits;
    const { priced, removesUsage } = held;
    const format = priced?.call.format ?? null;
    const tap = tapFor(response, { format, removesUsage, longest });
    const headers = answerHeaders(call.route.provider, response.headers);
    if (held.maxTokens !== undefined) headers.set('x-keypass-max-tokens', String(held.maxTokens));
    const onEnd = (end: RelayEnd, isBehind: boolean) => book(this.#bookingAt(held, { end, isBehind, status }, tap));
    const telling =
      call.tellsErrors && format !== null ? (error: KeyPassError) => errorEvent(error, format) : undefined;
    if (response.body === null) {
      lifeline.close();
      onEnd('complete', false);
      return { status, headers, body: null };
    }
    const body = relay(response.body, { tap, lifeline, drainMs, errorEvent: telling, onEnd });
    return { status, headers, body };
  }

  /** An answer has always ended in a booking, whatever it was that could not be read. */
  #bookingAt({ hold, priced }: HeldCall, ended: Pick<Ending, 'end' | 'isBehind' | 'status'>, tap: Tap): Booking {
    const quoted = priced?.quote ?? null;
    try {
      return bookingOf(hold, quoted, { ...ended, reading: tap.result(), hasSeen: tap.hasSeen });
    } catch (error) {
      this.#services.onFault('booking_failed', error);
      return unanswered(hold, quoted, 'unreadable');
    }
  }

  /** Booked beside the answer: the hold is durable, so a crash in between leaves the call in the ledger. */
  #settle(
    hold: Hold,
    booking: Booking,
    answer: { status: number | null; ttfbMs: number | null; startedAt: number },
  ): void {
    const { startedAt, ...seen } = answer;
    const settlement = { ...booking, ...seen, durationMs: Math.round(performance.now() - startedAt) };
    void this.#track('settle_failed', this.#services.ledger.settle(hold, settlement));
  }

  async #release(hold: Hold): Promise<void> {
    await this.#track('release_failed', this.#services.ledger.release(hold));
  }

  #track(event: string, work: Promise<void>): Promise<void> {
    const done = work
      .catch((error: unknown) => this.#services.onFault(event, error))
      .finally(() => this.#unbooked.delete(done));
    this.#unbooked.add(done);
    return done;
  }
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function isBudgetError(error: unknown): boolean {
  return error instanceof KeyPassError && error.type === 'budget_error';
}

/** The app wants the call as it wrote it, or not at all. */
function isExact(headers: Headers): boolean {
  return headers.get('x-keypass-exact') === 'true';
}

/** A redirect would take the key to another host. */
function redirected(lifeline: Lifeline): KeyPassError {
  const error = new KeyPassError(
    'provider_redirected',
    'The provider answered with a redirect, which KeyPass does not follow.',
  );
  lifeline.cut(error);
  return error;
}

function refuseSandbox({ policy }: Grantee): void {
  if (!policy.sandbox) return;
  throw new KeyPassError('endpoint_not_allowed', 'This is a sandbox connection: its calls reach no provider.');
}
