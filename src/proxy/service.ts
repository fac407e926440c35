import type { Clock } from '../clock.ts';
import { KeyPassError } from '../errors.ts';
import type { PriceBook } from '../money/price-book.ts';
import type { Catalogue } from '../providers/index.ts';
import { accessTokenOf } from './credentials.ts';
import {
  Dispatcher,
  type Answer,
  type DispatchServices,
  type HeldCall,
  type OpenedCall,
  type ProxyCall,
} from './dispatch.ts';
import { idempotencyKey, refuseUnlistedValues, upstreamHeaders, withOwnIdempotencyKey } from './headers.ts';
import { errorOf, Lifeline } from './lifeline.ts';
import { keepHere, matchEndpoint, refuseKeyInQuery, type Route, targetOf } from './paths.ts';
import { Pending } from './pending.ts';
import type { Access, Grantee, HoldRequest, PlainKey } from './ports.ts';
import { prepare, type PreparedCall } from './prepare.ts';
import { leastUseful, lowered, type PricedCall } from './pricing.ts';
import { Uploads } from './uploads.ts';

/** What the proxy works with: all of it given, so that a test needs no database and no network. */
export interface ProxyServices extends DispatchServices {
  readonly access: Access;
  readonly prices: PriceBook;
  /** Everything that may be called, at the origins in force. */
  readonly providers: Catalogue;
  /** Where clients reach KeyPass: scheme, host and port. */
  readonly origin: string;
  readonly clock: Clock;
}

/** Who makes a call: the access token, and the connection that it proved. */
export interface Caller {
  readonly token: string;
  readonly grantee: Grantee;
}

/**
 * More than any budget, and little enough for the ledger to add to one in 64 bits: a bound above it is refused as one
 * that the budget does not cover.
 */
const mostHeld = 4_000_000_000_000_000_000n;

/**
 * Passes calls on to providers: token → path → policy → price → hold → key → dispatch → answer → settle. Nothing is
 * dispatched before the hold is durable, and every hold is settled or released exactly once.
 */
export class Proxy {
  readonly #services: ProxyServices;
  readonly #dispatcher: Dispatcher;
  /** Calls on their way to their answers, and what is still to be written of those that have ended. */
  readonly #pending = new Pending();
  readonly #uploads: Uploads;

  constructor(services: ProxyServices) {
    this.#services = services;
    this.#dispatcher = new Dispatcher(services, this.#pending);
    this.#uploads = new Uploads(services.limits.maxUploadBytes);
  }

  /** Answers a request for a provider's own API, under any of the mounts. Throws KeyPassError for KeyPass's refusals. */
  async passthrough(request: Request, requestId: string): Promise<Response> {
    const target = targetOf(request.url);
    refuseKeyInQuery(target.query);
    const caller = await this.caller(request.headers);
    const route = this.route(target.providerId, request.method, target.path, target.query);
    const received = await this.#uploads.receive(request, route.endpoint, this.#services.limits);
    try {
      const { headers, signal } = request;
      const { content, upload } = received;
      const call = { callId: requestId, route, headers, content, upload, signal, tellsErrors: true };
      const answer = await this.callAs(caller, call);
      keepHere(answer.headers, route, `${this.#services.origin}${target.base}`);
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    } finally {
      // The provider has it, or will not get it.
      received.release();
    }
  }

  /** Who sends these headers, as far as is known or asked `anew`. Throws where they have no access token in force. */
  async caller(headers: Headers, options: { anew: boolean } = { anew: false }): Promise<Caller> {
    const token = accessTokenOf(headers);
    return { token, grantee: await this.#services.access.authenticate(token, options) };
  }

  /**
   * Makes one call for a caller. A refusal by what was opened of the connection earlier stands only if that is still so:
   * if the owner has changed it since, what holds now decides, once.
   */
  async callAs({ token, grantee }: Caller, call: ProxyCall): Promise<Answer> {
    try {
      return await this.#call(call, grantee);
    } catch (error) {
      if (!(error instanceof KeyPassError)) throw error;
      const isOutdated = error.code === 'connection_changed';
      if (!isOutdated && error.type !== 'permission_error') throw error;
      const current = await this.#services.access.authenticate(token, { anew: true });
      if (!isOutdated && current.seal === grantee.seal) throw error;
      return this.#call(call, current);
    }
  }

  /** The listed endpoint of a method and path. Throws `provider_unknown`, `invalid_path`, `endpoint_not_allowed`. */
  route(providerId: string, method: string, path: string, query: string): Route {
    const provider = this.#services.providers.get(providerId);
    if (provider === undefined)
      throw new KeyPassError('provider_unknown', 'KeyPass does not know this provider.', { param: 'provider' });
    return matchEndpoint(provider, method, path, query);
  }

  /** Makes one call. What it throws was not answered; what was dispatched is settled all the same. */
  async #call(call: ProxyCall, grantee: Grantee): Promise<Answer> {
    let lifeline: Lifeline | undefined;
    this.#pending.begin();
    try {
      const prepared = this.#prepared(call, grantee);
      lifeline = this.#lifelineOf(call, grantee, prepared);
      const held = await this.#hold(call, grantee, prepared);
      return await this.#dispatcher.dispatch(await this.#opened(held, lifeline), lifeline);
    } catch (error) {
      lifeline?.close();
      throw error;
    } finally {
      this.#pending.end();
    }
  }

  #prepared({ route, headers, content }: ProxyCall, grantee: Grantee): PreparedCall {
    const { prices, clock } = this.#services;
    refuseSandbox(grantee);
    refuseUnlistedValues(route.provider, headers);
    return prepare(route, grantee, content, { book: prices, at: clock.now() });
  }

  #lifelineOf({ signal }: ProxyCall, grantee: Grantee, { keyId }: PreparedCall): Lifeline {
    const { access, limits } = this.#services;
    const running = { connectionId: grantee.connectionId, keyId, expiresAt: grantee.policy.expiresAt };
    return new Lifeline({ client: signal, limits, listenForCut: (cut) => access.onCut(running, cut) });
  }

  /** Resolves when no call is on its way to its answer and every call that has ended is booked. */
  async settled(): Promise<void> {
    await this.#pending.idle();
    await this.#services.ledger.booked();
  }

  /** Sets the call's bound aside, or, where that does not fit, the bound of the same call with less output. */
  async #hold(call: ProxyCall, grantee: Grantee, prepared: PreparedCall): Promise<HeldCall> {
    const { ledger } = this.#services;
    const request = this.#holdRequest(call, grantee, prepared);
    const mustBeExact = isExact(call.headers);
    try {
      return { call, grantee, prepared, hold: await ledger.hold(request) };
    } catch (error) {
      const { priced } = prepared;
      if (priced === null || mustBeExact || !isBudgetError(error)) throw error;
      const minimum = leastUseful(priced.call);
      if (minimum === undefined || minimum >= request.amount) throw error;
      const hold = await ledger.hold({ ...request, minimum });
      const held = { call, grantee, prepared, hold };
      return hold.amount < request.amount ? await this.#fitted(held, priced.call) : held;
    }
  }

  #holdRequest({ callId, route }: ProxyCall, grantee: Grantee, prepared: PreparedCall): HoldRequest {
    const { keyId, model, priced } = prepared;
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
  async #fitted(held: HeldCall, asked: PricedCall): Promise<HeldCall> {
    const { hold, prepared } = held;
    try {
      const less = lowered(asked, hold.amount);
      if (less === undefined) throw new Error('a call was granted what is of no use to it');
      const { content, quote, maxTokens } = less;
      // What is left of the grant is less than a token's worth, and not what this call may cost.
      const bounded = { ...hold, amount: quote.bound.cost };
      const fitted = { ...prepared, content, priced: { call: { ...asked, content }, quote } };
      return { ...held, prepared: fitted, hold: bounded, maxTokens };
    } catch (error) {
      await this.#dispatcher.release(hold);
      throw error;
    }
  }

  /** Opens the key for as long as it takes to write it into a header. Whatever fails here was not dispatched. */
  async #opened(held: HeldCall, lifeline: Lifeline): Promise<OpenedCall> {
    const { call, grantee, hold } = held;
    try {
      const given = call.headers.get(idempotencyKey);
      const headers =
        given === null ? call.headers : await withOwnIdempotencyKey(call.headers, given, grantee.connectionId);
      return await this.#services.access.useKey(grantee, call.route.provider.id, (key) => {
        if (lifeline.ended !== undefined) throw errorOf(lifeline.ended);
        return withKey(held, headers, key);
      });
    } catch (error) {
      await this.#dispatcher.release(hold);
      throw error;
    }
  }
}

function withKey(held: HeldCall, headers: Headers, key: PlainKey): OpenedCall {
  const { call, prepared } = held;
  const { keyId, version: keyVersion } = key;
  if (keyId !== prepared.keyId)
    throw new KeyPassError('connection_changed', 'The connection was edited. Repeat the call.');
  const body = call.upload ?? prepared.content;
  const sent = upstreamHeaders(call.route.provider, headers, key, body?.type ?? null);
  for (const [name, value] of call.upload?.headers ?? []) sent.set(name, value);
  return { held, key: { keyId, keyVersion }, headers: sent };
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function isBudgetError(error: unknown): boolean {
  return error instanceof KeyPassError && error.type === 'budget_error';
}

/** The app wants the call as it wrote it, or not at all. */
function isExact(headers: Headers): boolean {
  const value = headers.get('x-keypass-exact') ?? 'false';
  if (value !== 'true' && value !== 'false') {
    const message = 'x-keypass-exact must be true or false.';
    throw new KeyPassError('invalid_request', message, { param: 'x-keypass-exact' });
  }
  return value === 'true';
}

function refuseSandbox({ policy }: Grantee): void {
  if (!policy.sandbox) return;
  throw new KeyPassError('endpoint_not_allowed', 'This is a sandbox connection: its calls reach no provider.');
}
