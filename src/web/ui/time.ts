import { language } from './texts.ts';

const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' });
const moment = new Intl.DateTimeFormat(language, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const month = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' });

/** RFC 3339 → "3 Dec", with the year when it is not this one. */
export function sayDay(time: string): string {
  const date = new Date(time);
  return (date.getFullYear() === new Date().getFullYear() ? day : dayOfYear).format(date);
}

export function sayMoment(time: string): string {
  return moment.format(new Date(time));
}

/** The month of budgets, which is a month of UTC: its name and its first instant. */
export function thisMonth(now = new Date()): { name: string; from: string } {
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
  return { name: month.format(first), from: first.toISOString() };
}
