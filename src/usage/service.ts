import type { Clock } from '../clock.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import { pageOf, type PageRequest } from '../http/pages.ts';
import { windowAt } from '../money/window.ts';
import type { Grouping } from './model.ts';
import * as store from './store.ts';

interface Parts {
  database: Database;
  clock: Clock;
}

/** What the owner's connections have spent, and on what. */
export class UsageReports {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Totals between two moments; without them, of this calendar month (UTC). */
  async totals(
    userId: string,
    query: { from?: string | undefined; to?: string | undefined; by?: Grouping | undefined },
  ) {
    const now = this.#parts.clock.now();
    const from = query.from === undefined ? new Date(windowAt('month', now).start) : moment(query.from, 'from');
    const to = query.to === undefined ? new Date(now.getTime() + 1) : moment(query.to, 'to');
    if (from >= to) throw new KeyPassError('invalid_request', '`from` must be before `to`.', { param: 'from' });
    const rows = await store.listTotals(this.#parts.database.sql, userId, from, to, query.by ?? 'day');
    return { from, to, items: rows.map((row) => ({ ...row, cost: BigInt(row.cost) })) };
  }

  async calls(userId: string, connectionId: string | null, page: PageRequest) {
    const rows = await store.listReceipts(this.#parts.database.sql, userId, connectionId, page);
    return pageOf(
      rows,
      page.limit,
      (row) => ({ at: row.startedAt, id: row.callId }),
      (row) => row,
    );
  }
}

function moment(text: string, param: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new KeyPassError('invalid_request', 'Expected a day or an RFC 3339 time in UTC.', { param });
  return date;
}
