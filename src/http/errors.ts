import { ValueErrorType } from '@sinclair/typebox/errors';
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
    return new KeyPassError(
      'not_found',
      'There is nothing at this path with this method. See /docs/api. Base URLs for clients of AI APIs are /openai/v1, /anthropic, /google and /groq: see /docs/proxy.',
    );
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
  const fault = nearestFault(error.all.slice(0, 1).map(readFault));
  const param = (fault?.path ?? '').replace(/^\//, '').replaceAll('/', '.') || error.type;
  if (/unexpected property/i.test(fault?.message ?? '')) {
    const message = `The ${error.type} has a member that this endpoint does not know. Remove it.`;
    return new KeyPassError('unknown_member', message, { param });
  }
  const expected = fault === undefined ? '' : expectationOf(fault);
  const rule = expected === '' ? 'see /docs/api for what is expected' : `expected ${expected}`;
  return new KeyPassError('invalid_request', `The ${error.type} does not fit: ${rule}.`, { param });
}

/** What TypeBox says of a value; where it may have several forms, what it says under each of them, to be read once. */
interface StatedFault {
  readonly type?: ValueErrorType;
  readonly path?: string;
  readonly message?: string;
  readonly schema?: { readonly const?: unknown; readonly description?: string };
  readonly errors?: readonly Iterable<StatedFault>[];
}

interface Fault extends Omit<StatedFault, 'errors'> {
  readonly forms: readonly (readonly Fault[])[];
}

function readFault({ errors = [], ...fault }: StatedFault): Fault {
  return { ...fault, forms: errors.map((form) => Array.from(form, readFault)) };
}

/**
 * The first fault. Of several forms, the one with the fewest faults is taken for the one that was meant; if the value as a
 * whole is none of them, the fault is that of all.
 */
function nearestFault(faults: readonly Fault[]): Fault | undefined {
  const [first] = faults;
  if (first === undefined || isAsWhole(first)) return first;
  const [nearest = []] = first.forms.toSorted((a, b) => a.length - b.length);
  return nearestFault(nearest) ?? first;
}

/** Whether the value itself is at fault, and nothing inside it, whichever form was meant. */
function isAsWhole({ path, forms }: Fault): boolean {
  return forms.every((faults) => faults.length === 1 && faults[0]?.path === path);
}

/** What should have stood there, in words: each choice by its name, and a pattern by what its schema says of it. */
function expectationOf(fault: Fault): string {
  const { type, message = '', schema = {}, forms } = fault;
  if (forms.length > 0) {
    // A number in a query may come as text, which is nothing to be told of.
    const stated = forms.flat().filter((form) => form.type !== ValueErrorType.StringFormat);
    const choices = [...new Set(stated.map(expectationOf))];
    return choices.length > 2 ? `one of ${choices.join(', ')}` : choices.join(' or ');
  }
  if (type === ValueErrorType.Literal) return String(schema.const);
  if (type === ValueErrorType.StringPattern) return schema.description ?? 'text of another form; see /docs/api';
  const rule = message.replace(/^expected /i, '');
  return rule.charAt(0).toLowerCase() + rule.slice(1);
}
