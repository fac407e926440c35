/** The span of time that a budget covers. */
export type Period = 'month' | 'total';

export interface BudgetWindow {
  /** First day, `YYYY-MM-DD`: the window's name in the ledger. */
  readonly start: string;
  /** When the budget starts anew (the first of the next month, UTC), or null if it never does. */
  readonly resetsAt: Date | null;
}

/** The window of a connection's whole life starts before every call. */
const wholeLife = '1970-01-01';

/** The window that a call at this moment belongs to: its calendar month in UTC, or the connection's whole life. */
export function windowAt(period: Period, now: Date): BudgetWindow {
  if (period === 'total') return { start: wholeLife, resetsAt: null };
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return {
    start: `${year}-${String(month + 1).padStart(2, '0')}-01`,
    resetsAt: new Date(Date.UTC(year, month + 1, 1)),
  };
}
