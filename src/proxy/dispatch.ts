import { KeyPassError } from '../errors.ts';
import { speaksOfKey, type Endpoint } from '../providers/index.ts';
import { errorEvent } from './errors.ts';
import { answerHead } from './headers.ts';
import { bounded, keyRefusalIn, type KeyRefusal } from './key-refusal.ts';
import { errorOf, type Lifeline } from './lifeline.ts';
import type { Pending } from './pending.ts';
import type { Fetch, Grantee, Hold, Ledger, Limits } from './ports.ts';
import type { Route } from './paths.ts';
import type { PreparedCall } from './prepare.ts';
import {
  chargeOf,
  settlementOf,
  unanswered,
  unbilled,
  type Booking,
  type Content,
  type Ending,
  type Quoted,
} from './pricing.ts';
import { relay, relayWhole, type RelayEnd } from './relay.ts';
import { tapFor, type Tap } from './tap.ts';
import type { Upload } from './upload-stream.ts';
import { NoAnswer, send } from './upstream.ts';

export interface DispatchServices {
  readonly ledger: Ledger;
  readonly fetch: Fetch;
  readonly limits: Limits;
  onFault(event: string, error: unknown): void;
  /** The provider does not take the owner's key, or not for this. */
  onKeyRefused?(call: RefusedKey): Promise<void>;
  /** The provider did what it bills with the owner's key. Nothing to wait for where nothing is to be noted. */
  onKeyTaken?(key: UsedKey): Promise<void> | undefined;
}

/** The key of a call, in the version that was sent. */
export interface UsedKey {
  readonly keyId: string;
  readonly keyVersion: number;
}

/** `verdict`: of all that the key is good for, or of this one call. `status` is the provider's. */
export interface RefusedKey extends UsedKey {
  readonly connectionId: string;
  readonly provider: string;
  readonly status: number;
  readonly verdict: KeyRefusal['verdict'];
}

/** A call of one listed endpoint, whoever wrote its body. */
export interface ProxyCall {
  /** Unique: the id of the hold and of the receipt. */
  readonly callId: string;
  readonly route: Route;
  /** The client's headers: those that may go up are taken from it. */
  readonly headers: Headers;
  readonly content: Content | null;
  /** A body that is passed on unread, in place of one. */
  readonly upload?: Upload | null;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  /** A stream that KeyPass ends closes with the API's own error event; else its body fails with the KeyPassError. */
  readonly tellsErrors: boolean;
}

/** A provider's answer, metered as it is read: its end, whichever way it comes, settles the call. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Bytes where all of a short answer came at once. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
}

/** A call whose cost is held. */
export interface HeldCall {
  readonly call: ProxyCall;
  readonly grantee: Grantee;
  readonly prepared: PreparedCall;
  readonly hold: Hold;
  /** The output limit that was set for it to fit the budget. */
  readonly maxTokens?: number;
}

/** How a call has gone until its answer's headers. */
interface Seen {
  readonly status: number | null;
  readonly ttfbMs: number | null;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
}

/** A call whose key has been opened, and is among its headers. */
export interface OpenedCall {
  readonly held: HeldCall;
  readonly key: UsedKey;
  readonly headers: Headers;
}

/** From a call's dispatch to its settlement: every hold that comes here is settled or released exactly once. */
export class Dispatcher {
  readonly #services: DispatchServices;
  readonly #pending: Pending;

  constructor(services: DispatchServices, pending: Pending) {
    this.#services = services;
    this.#pending = pending;
  }

  /** Sends a call whose hold is durable. What it throws was not answered, and is settled or released all the same. */
  async dispatch(opened: OpenedCall, lifeline: Lifeline): Promise<Answer> {
    const { held, headers } = opened;
    const { call, prepared, hold } = held;
    const { endpoint, url } = call.route;
    const quoted = quotedOf(held);
    const startedAt = performance.now();
    lifeline.dispatched();
    let response: Response;
    try {
      const body = call.upload?.open(lifeline) ?? prepared.content?.bytes ?? null;
      const request = { url, method: endpoint.method, headers, body, mayRepeat: mayRepeat(endpoint) };
      response = await send(this.#services.fetch, request, lifeline);
    } catch (error) {
      if (error instanceof NoAnswer && !error.wasSent) {
        await this.release(hold);
      } else {
        const seen = { status: null, ttfbMs: null, startedAt };
        void this.#settle(hold, { charge: unanswered(hold, quoted, 'no_answer') }, seen);
      }
      throw error instanceof NoAnswer ? toldOf(error, quoted) : error;
    }
    return this.#answer(opened, response, lifeline, startedAt);
  }

  async #answer(opened: OpenedCall, response: Response, lifeline: Lifeline, startedAt: number): Promise<Answer> {
    const { status } = response;
    this.#noteKey(opened, response);
    const { held } = opened;
    const { hold } = held;
    const seen = { status, ttfbMs: Math.round(performance.now() - startedAt), startedAt };
    if (status >= 300 && status < 400) {
      void this.#settle(hold, { charge: unbilled(['redirected']) }, seen);
      throw redirected(lifeline);
    }
    if (status < 200 || status > 599) {
      void this.#settle(hold, { charge: unbilled(['not_relayed']) }, seen);
      throw unknownStatus(lifeline);
    }
    let answer: Answer | KeyPassError;
    try {
      answer = await this.#relayed(opened, response, lifeline, seen);
    } catch (error) {
      void this.#settle(hold, { charge: unanswered(hold, quotedOf(held), 'not_relayed') }, seen);
      lifeline.cut(new KeyPassError('internal_error', 'KeyPass could not pass the answer on.'));
      throw error;
    }
    if (answer instanceof KeyPassError) throw quotedOf(held) === null ? answer : onceOnly(answer);
    return answer;
  }

  /** The answer as it is passed on, or the failure that came in its place; its end is booked. What this throws has not been. */
  async #relayed(
    opened: OpenedCall,
    response: Response,
    lifeline: Lifeline,
    seen: Seen,
  ): Promise<Answer | KeyPassError> {
    const { status } = response;
    const { maxCopyBytes: longest, drainMs } = this.#services.limits;
    const { held } = opened;
    const { call, hold } = held;
    const { priced, removesUsage } = held.prepared;
    const format = priced?.call.format ?? null;
    const { headers, isEventStream, isShort } = answerHead(call.route.provider, response.headers);
    const tap = tapFor(response.ok, { format, isEventStream, removesUsage, longest });
    if (held.maxTokens !== undefined) headers.set('x-keypass-max-tokens', String(held.maxTokens));
    // Not all of the call: what was uploaded is not kept until the answer's end.
    const quoted = quotedOf(held);
    const onEnd = (end: RelayEnd, isBehind: boolean) =>
      void this.#settle(hold, this.#bookingAt(hold, quoted, { end, isBehind, status }, tap), seen);
    const telling =
      call.tellsErrors && format !== null ? (error: KeyPassError) => errorEvent(error, format) : undefined;
    const options = { tap, lifeline, drainMs, errorEvent: telling, onEnd };
    if (speaksOfKey(status, call.route.provider.keyStatuses)) {
      const whole = await relayWhole(bounded(response, longest, lifeline), options);
      if (whole instanceof KeyPassError) return whole;
      const refusal = keyRefusalIn(call.route.provider, status, whole);
      if (refusal === undefined) return { status, headers, body: whole };
      this.#noteRefused(opened, { status, verdict: refusal.verdict });
      return refusal.error;
    }
    if (response.body === null) {
      lifeline.close();
      onEnd('complete', false);
      return { status, headers, body: null };
    }
    const body = isShort ? await relayWhole(response, options) : relay(response.body, options);
    return body instanceof KeyPassError ? body : { status, headers, body };
  }

  /** What the status alone says of the key that was sent. */
  #noteKey(opened: OpenedCall, { ok, status }: Response): void {
    // Lists of models are open to anybody at some providers: what is billed tells.
    const noting = ok && opened.held.prepared.priced !== null ? this.#services.onKeyTaken?.(opened.key) : undefined;
    if (noting !== undefined) void this.#finish('key_taken', () => noting);
    if (status === 402) this.#noteRefused(opened, { status, verdict: 'rejected' });
  }

  #noteRefused({ held, key }: OpenedCall, told: Pick<RefusedKey, 'status' | 'verdict'>): void {
    const { connectionId } = held.grantee;
    const refused = { connectionId, provider: held.call.route.provider.id, ...key, ...told };
    void this.#finish('key_refused', async () => this.#services.onKeyRefused?.(refused));
  }

  /** An answer has always ended in a booking, whatever it was that could not be read. */
  async #bookingAt(
    hold: Hold,
    quoted: Quoted,
    ended: Pick<Ending, 'end' | 'isBehind' | 'status'>,
    tap: Tap,
  ): Promise<Booking> {
    try {
      const { end, isBehind, status } = ended;
      const reading = tap.result();
      const charge = await chargeOf(hold, quoted, { end, isBehind, status, reading, hasSeen: tap.hasSeen });
      return { charge, served: reading };
    } catch (error) {
      this.#services.onFault('booking_failed', error);
      return { charge: unanswered(hold, quoted, 'unreadable') };
    }
  }

  /** Booked beside the answer: the hold is durable, so a crash in between leaves the call in the ledger. */
  #settle(hold: Hold, booking: Booking | Promise<Booking>, { startedAt, status, ttfbMs }: Seen): Promise<void> {
    const durationMs = Math.round(performance.now() - startedAt);
    return this.#finish('settle_failed', async () => {
      void this.#services.ledger.settle(hold, settlementOf(await booking, { status, ttfbMs, durationMs }));
    });
  }

  /** Returns the hold of a call that was not dispatched. */
  release(hold: Hold): Promise<void> {
    return this.#finish('release_failed', () => this.#services.ledger.release(hold));
  }

  /** What the answer does not wait for. */
  async #finish(event: string, work: () => Promise<void>): Promise<void> {
    this.#pending.begin();
    try {
      await work();
    } catch (error) {
      this.#services.onFault(event, error);
    } finally {
      this.#pending.end();
    }
  }
}

function quotedOf({ call, prepared }: HeldCall): Quoted {
  return prepared.priced?.quote ?? (call.route.endpoint.metering === 'unmetered' ? 'unmetered' : null);
}

/** What bills nothing and leaves nothing at the provider. */
function mayRepeat({ method, scope, metering }: Endpoint): boolean {
  return metering === 'free' && (method === 'GET' || scope !== 'stateful');
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

/** HTTP has no such status (RFC 9110, 15), and no client can be given one. */
function unknownStatus(lifeline: Lifeline): KeyPassError {
  const error = new KeyPassError('provider_error', 'The provider answered with a status that HTTP does not have.');
  lifeline.cut(error);
  return error;
}

/** What the client is told of a request that was not answered. */
function toldOf({ reason, wasSent }: NoAnswer, quoted: Quoted): KeyPassError {
  const error = errorOf(reason);
  return wasSent && quoted !== null ? onceOnly(error) : error;
}

/** The provider may have done the work, and bills it; clients that repeat by themselves would have it billed again. */
export function onceOnly({ code, message, param, retryAfter, details }: KeyPassError): KeyPassError {
  return new KeyPassError(code, message, {
    isFinal: true,
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(details === undefined ? {} : { details }),
  });
}
