import { NotFoundError, ParseError, ValidationError } from 'elysia';
import { asDatabaseError } from '../database/failures.ts';
import { KeyPassError } from '../errors.ts';
import type { Log } from './log.ts';

/** Any failure as one that may be shown; what has no name of its own is logged and told as `internal_error`. */
export function asKeyPassError(error: unknown, log: Log, requestId: string): KeyPassError {
  if (error instanceof KeyPassError) return error;
  if (error instanceof ValidationError) return asInvalidRequest(error);
  if (error instanceof NotFoundError)
    return new KeyPassError('not_found', 'There is nothing at this path with this method. See /docs/api.');
  if (error instanceof ParseError) {
    return error.cause instanceof KeyPassError
      ? error.cause
      : new KeyPassError('invalid_json', 'The body could not be read as JSON.');
  }
  const known = asDatabaseError(error);
  log.fault('request_failed', error, requestId);
  return (
    known ??
    new KeyPassError(
      'internal_error',
      'KeyPass failed. Nothing was charged for it; quote the request id when you report it.',
    )
  );
}

/** Names the place and the rule of the first fault, never the value that stands there. */
function asInvalidRequest(error: ValidationError): KeyPassError {
  const schema = error.validator as {
    Errors?: (value: unknown) => { First(): { path: string; message: string } | undefined };
  };
  const fault = schema.Errors?.(error.value).First();
  const param = (fault?.path ?? '').replace(/^\//, '').replaceAll('/', '.') || error.type;
  const where = error.type === 'body' ? 'body' : error.type;
  if (fault !== undefined && /unexpected property/i.test(fault.message)) {
    return new KeyPassError(
      'unknown_member',
      `The ${where} has a member that this endpoint does not know. Remove it.`,
      { param },
    );
  }
  return new KeyPassError('invalid_request', `The ${where} does not fit: ${ruleOf(fault)}.`, { param });
}

function ruleOf(fault: { message: string } | undefined): string {
  return fault === undefined
    ? 'see /docs/api for what is expected'
    : fault.message.charAt(0).toLowerCase() + fault.message.slice(1);
}
