import { t } from 'elysia';
import { fromBase64Url, fromUtf8, isUuid, toBase64Url, utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

/** `?limit=…&cursor=…` of every list. A query is text, and much that is no number reads as one: `1e2`, `0x32`, ` 50`. */
export const pageQuery = {
  limit: t.Optional(
    t.String({
      pattern: String.raw`^([1-9]\d?|1\d\d|200)$`,
      description: 'a whole number from 1 to 200; without it, 50',
    }),
  ),
  cursor: t.Optional(t.String({ maxLength: 200, description: 'nextCursor of the page before' })),
};

/** The place after which a page begins: the sort key of the last item shown. */
export interface Position {
  readonly at: Date;
  readonly id: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly after: Position | null;
}

export function pageRequest(query: { limit?: string | undefined; cursor?: string | undefined }): PageRequest {
  return { limit: limitOf(query), after: query.cursor === undefined ? null : parseCursor(query.cursor) };
}

/** How many items a page has at most. */
export function limitOf({ limit = '50' }: { limit?: string | undefined }): number {
  return Number(limit);
}

/** Of `limit + 1` rows read, the page and the cursor to the next one. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => Position,
  show: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? formatCursor(position(last)) : null;
  return { items: shown.map(show), nextCursor };
}

function formatCursor({ at, id }: Position): string {
  return toBase64Url(utf8(`${at.toISOString()} ${id}`));
}

function parseCursor(cursor: string): Position {
  try {
    const [at = '', id = ''] = fromUtf8(fromBase64Url(cursor)).split(' ');
    if (isUuid(id) && isMoment(at)) return { at: new Date(at), id };
  } catch {
    // Falls through to the one refusal below.
  }
  throw new KeyPassError('invalid_request', 'This cursor was not made here. Start from the first page.', {
    param: 'cursor',
  });
}

/** In the form of `toISOString`, in a year that PostgreSQL has too. */
function isMoment(text: string): boolean {
  return /^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text));
}
