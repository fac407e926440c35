/** A month of budgets, which is a month of UTC: from its first instant to before the next one's. */
export interface Month {
  name: string;
  from: string;
  to: string;
}

/** This month and those before it, with the year where it is another. */
export function lastMonths(count: number, language: string, now = new Date()): [Month, ...Month[]] {
  const name = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' });
  const nameOfYear = new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  const first = (back: number): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1));
  const month = (back: number): Month => {
    const from = first(back);
    const format = from.getUTCFullYear() === now.getUTCFullYear() ? name : nameOfYear;
    return { name: format.format(from), from: from.toISOString(), to: first(back - 1).toISOString() };
  };
  return [month(0), ...Array.from({ length: count - 1 }, (_, index) => month(index + 1))];
}
