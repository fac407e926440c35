import { KeyPassError } from '../errors.ts';
import { failureBody, failureHeaders } from '../http/envelope.ts';
import { statusOf } from '../http/status.ts';
import type { UsageFormat } from '../money/usage.ts';
import type { ErrorShape } from '../providers/index.ts';

/** `envelope` for KeyPass's own paths; else the API's own shape, so that its official client shows the reason. */
export type AnswerShape = 'envelope' | ErrorShape;

/** A failure that KeyPass itself made, before anything of an answer was sent. */
export function errorResponse(error: KeyPassError, shape: AnswerShape, requestId: string): Response {
  const body = shape === 'envelope' ? failureBody(error, requestId) : errorBody(error, shape);
  return Response.json(body, {
    status: answerStatus(error),
    headers: { ...failureHeaders(error), 'x-request-id': requestId, 'x-content-type-options': 'nosniff' },
  });
}

/** The same failure in an API's own shape. */
export function errorBody(error: KeyPassError, shape: ErrorShape): object {
  const { type, code, message, param, details } = error;
  const more = { ...(param === undefined ? {} : { param }), ...(details === undefined ? {} : { details }) };
  if (shape === 'openai') return { error: { message, type, code, ...more } };
  if (shape === 'anthropic') return { type: 'error', error: { type, message, code, ...more } };
  const status = answerStatus(error);
  return { error: { code: status, message, status: googleStatus(status), details: [googleReason(error)] } };
}

/** What a good key may not do is a 403, as it is at the provider; a dead one is a fault behind KeyPass. */
function answerStatus({ code, details }: KeyPassError): number {
  return code === 'provider_key_rejected' && details?.['verdict'] === 'restricted' ? 403 : statusOf(code);
}

/** The event with which an API tells, in mid-stream, that it can't go on. */
export function errorEvent(error: KeyPassError, format: UsageFormat): Uint8Array {
  if (format === 'anthropic-messages') return event(errorBody(error, 'anthropic'), 'error');
  if (format === 'gemini' || format === 'gemini-embed') return event(errorBody(error, 'google'));
  if (format !== 'openai-responses' && format !== 'xai-responses') return event(errorBody(error, 'openai'));
  // The reference has code and message at the top; the official client throws on an `error` member.
  const { code, message } = error;
  return event({ type: 'error', code, message, param: null, ...errorBody(error, 'openai') }, 'error');
}

function event(data: object, name?: string): Uint8Array {
  return new TextEncoder().encode(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
}

/** The canonical code of an HTTP status: google.rpc.Code, cloud.google.com/apis/design/errors. */
function googleStatus(status: number): string {
  const names: Record<number, string> = {
    401: 'UNAUTHENTICATED',
    402: 'RESOURCE_EXHAUSTED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    409: 'ABORTED',
    429: 'RESOURCE_EXHAUSTED',
    500: 'INTERNAL',
    502: 'UNAVAILABLE',
    503: 'UNAVAILABLE',
    504: 'DEADLINE_EXCEEDED',
  };
  return names[status] ?? 'INVALID_ARGUMENT';
}

/**
 * Google's `code` is the HTTP status, so KeyPass's stable code goes where Google puts its own reasons, with what else
 * there is to say as texts. https://cloud.google.com/apis/design/errors#error_info
 */
function googleReason({ code, param, details = {} }: KeyPassError): object {
  const named: [string, string | number | boolean | null][] = param === undefined ? [] : [['param', param]];
  const told = [...named, ...Object.entries(details)];
  const metadata = Object.fromEntries(told.map(([name, value]) => [name, String(value)]));
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: code,
    domain: 'keypass',
    ...(told.length === 0 ? {} : { metadata }),
  };
}
