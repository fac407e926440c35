import { KeyPassError } from '../errors.ts';
import { isFinal, statusOf } from './status.ts';

/** The envelope of every success: `{ success: true, data }`. */
export interface Success<T> {
  success: true;
  data: T;
}

export function success<T>(data: T): Success<T> {
  return { success: true, data };
}

/** The body of every failure: `{ success: false, error }`. */
export function failureBody(error: KeyPassError, requestId: string) {
  return {
    success: false as const,
    error: {
      type: error.type,
      code: error.code,
      message: error.message,
      ...(error.param === undefined ? {} : { param: error.param }),
      docUrl: `/docs/errors#${error.code}`,
      requestId,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

/** Headers that say, whatever the body's shape, that KeyPass itself refused and whether a repeat can help. */
export function failureHeaders(error: KeyPassError): Record<string, string> {
  return {
    'x-keypass-error': error.code,
    'cache-control': 'no-store',
    ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }),
    ...(error.isFinal || isFinal(error.code) ? { 'x-should-retry': 'false' } : {}),
  };
}

export function failureResponse(error: KeyPassError, requestId: string): Response {
  return Response.json(failureBody(error, requestId), { status: statusOf(error.code), headers: failureHeaders(error) });
}
