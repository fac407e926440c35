import { KeyPassError } from '../errors.ts';
import type { EarlyEnd, Lifeline } from './lifeline.ts';
import type { Fetch } from './ports.ts';

export interface UpstreamRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  /** Nothing is billed for it or stored by it, so that a repeat can't do either twice; its body can be sent again. */
  readonly mayRepeat: boolean;
}

/** The provider did not answer: what the client is told, and whether the request can have reached the provider. */
export class NoAnswer extends Error {
  readonly reason: EarlyEnd;
  readonly wasSent: boolean;

  constructor(reason: EarlyEnd, wasSent: boolean) {
    super('the provider did not answer');
    this.reason = reason;
    this.wasSent = wasSent;
  }
}

/** Failures of finding, reaching or trusting the host: they come before the first byte of a request is written. */
const beforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPROTO',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Sends a request and returns the answer's headers with its unread body. Throws {@link NoAnswer}.
 *
 * Providers close idle connections, and a request that is written at that moment fails without anyone having read it.
 * From here that looks exactly like one that was read and then lost, so a request that bills is never repeated: `fetch`
 * can't prove that it did not arrive. One that bills and stores nothing is repeated once.
 */
export async function send(fetch: Fetch, request: UpstreamRequest, lifeline: Lifeline): Promise<Response> {
  try {
    return await sendOnce(fetch, request, lifeline);
  } catch (error) {
    const failure = asNoAnswer(error, lifeline);
    if (!request.mayRepeat || lifeline.ended !== undefined) throw failure;
  }
  return sendOnce(fetch, request, lifeline).catch((error: unknown) => {
    throw asNoAnswer(error, lifeline);
  });
}

function sendOnce(fetch: Fetch, request: UpstreamRequest, lifeline: Lifeline): Promise<Response> {
  const { url, method, headers, body } = request;
  // Never followed: `fetch` takes x-api-key and x-goog-api-key along to the host that a redirect names.
  const init: RequestInit = { method, headers, body, redirect: 'manual', signal: lifeline.signal };
  return fetch(url, body instanceof ReadableStream ? { ...init, ...streamed } : init);
}

/** What a stream as a body needs (Fetch standard, `RequestInit.duplex`). */
const streamed = { duplex: 'half' } as const;

function asNoAnswer(error: unknown, lifeline: Lifeline): NoAnswer {
  if (error instanceof NoAnswer) return error;
  if (lifeline.ended !== undefined) return new NoAnswer(lifeline.ended, true);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const wasSent = !(typeof code === 'string' && beforeSending.has(code));
  const message = wasSent
    ? 'The connection to the provider broke before it answered. Whether it did the work is not known, so what was held stays booked.'
    : 'The provider could not be reached. Nothing was sent.';
  return new NoAnswer(new KeyPassError('provider_unreachable', message), wasSent);
}
