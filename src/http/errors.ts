import { NotFoundError, ParseError, ValidationError } from 'elysia';
import { asDatabaseError } from '../database/failures.ts';
import { KeyPassError } from '../errors.ts';
import type { Log } from './log.ts';

/** Any failure as one that may be shown; what has no name of its own is logged and told as `internal_error`. */
export function asKeyPassError(error: unknown, log: Log, requestId: string): KeyPassError {
  if (error instanceof KeyPassError) return error;
  // An answer of ours that does not fit its schema is no fault of the caller's.
  if (error instanceof ValidationError && error.type !== 'response') return asInvalidRequest(error);
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

/** Names the place and the rule of a fault, never the value that stands there. */
function asInvalidRequest(error: ValidationError): KeyPassError {
  const { path: place = '', message: rule = '' } = nearestFault(error.all) ?? {};
  const param = place.replace(/^\//, '').replaceAll('/', '.') || error.type;
  if (/unexpected property/i.test(rule)) {
    const message = `The ${error.type} has a member that this endpoint does not know. Remove it.`;
    return new KeyPassError('unknown_member', message, { param });
  }
  const expected = rule === '' ? 'see /docs/api for what is expected' : rule.charAt(0).toLowerCase() + rule.slice(1);
  return new KeyPassError('invalid_request', `The ${error.type} does not fit: ${expected}.`, { param });
}

/** What TypeBox says of a value; where it may have several forms, what it says under each of them. */
interface Fault {
  readonly path?: string;
  readonly message?: string;
  readonly errors?: readonly Iterable<Fault>[];
}

/** The first fault. Of several forms, the one with the fewest faults is taken for the one that was meant. */
function nearestFault(faults: readonly Fault[]): Fault | undefined {
  const [first] = faults;
  const [nearest] = (first?.errors ?? []).map((form) => [...form]).toSorted((a, b) => a.length - b.length);
  return nearest === undefined ? first : (nearestFault(nearest) ?? first);
}
