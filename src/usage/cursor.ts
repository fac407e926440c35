import { fromBase64Url, fromUtf8, isUuid, toBase64Url, utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

/**
 * The receipt after which a page begins. `at` has microseconds, as the database keeps them: cut to a Date's milliseconds,
 * it would skip or repeat the calls of that millisecond.
 */
export interface Place {
  readonly at: string;
  readonly id: string;
}

export function formatCursor({ at, id }: Place): string {
  return toBase64Url(utf8(`${at} ${id}`));
}

/** Throws `invalid_request` for anything that was not made here. */
export function parseCursor(cursor: string): Place {
  try {
    const [at = '', id = '', ...rest] = fromUtf8(fromBase64Url(cursor)).split(' ');
    if (rest.length === 0 && isUuid(id) && isMoment(at)) return { at, id };
  } catch {
    // Falls through to the one refusal below.
  }
  throw new KeyPassError('invalid_request', 'This cursor was not made here. Start from the first page.', {
    param: 'cursor',
  });
}

/** With six decimals, in a year and on a day that PostgreSQL has too. */
function isMoment(text: string): boolean {
  const moment = /^([12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\d{3}Z$/.exec(text)?.[1];
  if (moment === undefined) return false;
  const date = new Date(`${moment}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString() === `${moment}Z`;
}
