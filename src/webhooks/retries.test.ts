import { expect, test } from 'bun:test';
import { attemptsInARound, pauseAfter } from './retries.ts';

const hourMs = 3600 * 1000;

test('soon at first, then ever later, for almost three days', () => {
  const pauses = Array.from({ length: attemptsInARound - 1 }, (_, index) => pauseAfter(index + 1, 0.5));
  expect(pauses.slice(0, 3)).toEqual([10_000, 30_000, 90_000]);
  expect(pauses.at(-1)).toBe(10 * hourMs);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  const total = pauses.reduce((sum, pause) => sum + pause, 0);
  expect(total).toBeGreaterThan(60 * hourMs);
  expect(total).toBeLessThan(73 * hourMs);
});

test('a fifth more or less', () => {
  expect([pauseAfter(1, 0), pauseAfter(1, 1)]).toEqual([8000, 12_000]);
});
