import { expect, test } from 'bun:test';
import { lastMonths } from './months.ts';

test('months are those of UTC, one after the other, across the year', () => {
  const months = lastMonths(3, 'en', new Date('2027-01-31T23:59:59.999Z'));
  expect(months).toEqual([
    { name: 'January', from: '2027-01-01T00:00:00.000Z', to: '2027-02-01T00:00:00.000Z' },
    { name: 'December 2026', from: '2026-12-01T00:00:00.000Z', to: '2027-01-01T00:00:00.000Z' },
    { name: 'November 2026', from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' },
  ]);
});
