import { expect, test } from 'bun:test';
import { Pace } from './pace.ts';

/** What is told after these steps: a number lets that many milliseconds go by. */
function isBehindAfter(...steps: ('begin' | 'end' | number)[]): boolean {
  let time = 1_000;
  const pace = new Pace(() => time);
  for (const step of steps) {
    if (typeof step === 'number') time += step;
    else pace[step]();
  }
  return pace.isBehind;
}

test.each<[string, ('begin' | 'end' | number)[]]>([
  ['reads at once', ['begin']],
  ['waits for what has not come', ['begin', 60_000]],
  ['has just read', ['begin', 10, 'end', 20]],
  ['reads piece after piece', ['begin', 'end', 100, 'begin', 'end', 100, 'begin']],
  ['paused and has caught up', ['begin', 'end', 5_000, 'begin', 'end', 'begin', 20, 'end']],
  ['paused and waits again', ['begin', 'end', 5_000, 'begin', 20]],
])('a client keeps up that %s', (_, steps) => {
  expect(isBehindAfter(...steps)).toBe(false);
});

test.each<[string, ('begin' | 'end' | number)[]]>([
  ['does not begin', [300]],
  ['pauses', ['begin', 20, 'end', 300]],
  ['paused and has begun to read what came meanwhile', ['begin', 'end', 5_000, 'begin']],
  [
    'paused and has read only a part of what came meanwhile',
    ['begin', 'end', 5_000, 'begin', 1, 'end', 'begin', 1, 'end'],
  ],
])('a client is behind that %s', (_, steps) => {
  expect(isBehindAfter(...steps)).toBe(true);
});
