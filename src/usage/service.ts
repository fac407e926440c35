import type { Clock } from '../clock.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import { windowAt } from '../money/window.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import { momentForm, type Filters, type Grouping, type Splitting } from './model.ts';
import * as store from './store.ts';

interface Parts {
  database: Database;
  clock: Clock;
  /** Resolves when what has ended here until now can be read. */
  booked(): Promise<void>;
  /** Receipts older than this many days are deleted; null keeps them. */
  receiptDays: number | null;
  /** What costs nothing at its provider, as `openai GET /v1/models`. */
  freeCalls: readonly string[];
}

/** Of an export: what is held in memory of it at a time. */
const exportPageSize = 250;
/** Rows of totals in one answer: a year by hour, or a month by day of three hundred models. */
const mostTotals = 10_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Receipts deleted by one statement, which others wait for in the embedded database, and statements of one sweep. */
const sweepBatch = 1000;
const sweepBatches = 100;

/** What the owner's connections have spent, and on what. */
export class UsageReports {
  readonly #parts: Parts;
  #nextSweep = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Totals between two moments; without them, of this calendar month (UTC). Throws `invalid_request` where they would be
   * more than 10,000 rows.
   */
  async totals(userId: string, query: Filters & { by?: Grouping | undefined; split?: Splitting | undefined }) {
    const now = this.#parts.clock.now();
    const { by = 'day', split } = query;
    if (by === split) throw new KeyPassError('invalid_request', '`split` must differ from `by`.', { param: 'split' });
    const from = moment(query.from, 'from') ?? new Date(windowAt('month', now).start);
    const to = moment(query.to, 'to') ?? new Date(now.getTime() + 1);
    const wanted = { ...query, userId, freeCalls: this.#parts.freeCalls, ...spanOf(from, to) };
    await this.#parts.booked();
    const rows = await store.listTotals(this.#parts.database.sql, wanted, { by, split, limit: mostTotals + 1 });
    if (rows.length > mostTotals) throw tooManyTotals();
    return { from, to, items: rows.map((row) => ({ ...row, cost: BigInt(row.cost) })) };
  }

  /** A page of receipts, newest first. */
  async calls(userId: string, query: Filters & { limit: number; cursor?: string | undefined }) {
    const { limit, cursor } = query;
    const page = { limit: limit + 1, after: cursor === undefined ? null : parseCursor(cursor) };
    await this.#parts.booked();
    const rows = await store.listReceipts(this.#parts.database.sql, this.#wanted(userId, query), page);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const nextCursor =
      rows.length > limit && last !== undefined ? formatCursor({ at: last.at, id: last.callId }) : null;
    return { items, nextCursor };
  }

  /**
   * All receipts, newest first, a page at a time as they are asked for. Each page is a statement of its own, so that
   * nothing in the database waits for whoever reads slowly.
   */
  async *allCalls(userId: string, query: Filters): AsyncGenerator<store.ReceiptRow[], void> {
    const wanted = this.#wanted(userId, query);
    let after: store.ReceiptRow | undefined;
    do {
      const place = after === undefined ? null : { at: after.at, id: after.callId };
      const rows = await store.listReceipts(this.#parts.database.sql, wanted, { limit: exportPageSize, after: place });
      after = rows.length < exportPageSize ? undefined : rows.at(-1);
      yield rows;
    } while (after !== undefined);
  }

  #wanted(userId: string, query: Filters): store.Wanted {
    const span = spanOf(moment(query.from, 'from'), moment(query.to, 'to'));
    return { ...query, userId, freeCalls: this.#parts.freeCalls, ...span };
  }

  /** Deletes receipts that are older than they are kept: some at a time, and hourly once there are no more. */
  async sweep(): Promise<void> {
    const { database, clock, receiptDays } = this.#parts;
    const now = clock.now().getTime();
    if (receiptDays === null || now < this.#nextSweep) return;
    const deadline = new Date(now - receiptDays * dayMs);
    for (let batch = 0; batch < sweepBatches; batch++) {
      const deleted = await store.deleteReceipts(database.sql, deadline, sweepBatch);
      if (deleted === sweepBatch) continue;
      this.#nextSweep = now + hourMs;
      return;
    }
  }
}

function spanOf(from: Date | undefined, to: Date | undefined) {
  if (from === undefined || to === undefined || from < to) return { from, to };
  throw new KeyPassError('invalid_request', '`from` must be before `to`.', { param: 'from' });
}

/** The moment that the text names; a day or an hour that no calendar has is refused. */
function moment(text: string | undefined, param: string): Date | undefined {
  if (text === undefined) return undefined;
  const [date, midnight] = [new Date(text), new Date(text.slice(0, 10))];
  const isReal = [date, midnight].every((each) => !Number.isNaN(each.getTime()));
  if (isReal && midnight.toISOString().startsWith(text.slice(0, 10))) return date;
  throw new KeyPassError('invalid_request', `Expected ${momentForm}.`, { param });
}

function tooManyTotals(): KeyPassError {
  const message = `These would be more than ${mostTotals} rows. Shorten the span, group more coarsely, or filter.`;
  return new KeyPassError('invalid_request', message, { param: 'by' });
}
