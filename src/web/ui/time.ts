import { language } from './texts.ts';

const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' });
const moment = new Intl.DateTimeFormat(language, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** RFC 3339 → "3 Dec", with the year when it is not this one. */
export function sayDay(time: string): string {
  const date = new Date(time);
  return (date.getFullYear() === new Date().getFullYear() ? day : dayOfYear).format(date);
}

export function sayMoment(time: string): string {
  return moment.format(new Date(time));
}
