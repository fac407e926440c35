import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import { offTick, onTick } from './clock.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('all who look share one timer, and the last one to stop stops it', () => {
  const [first, second] = [jest.fn(), jest.fn()];
  onTick(first);
  onTick(second);
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(100);
  offTick(first);
  jest.advanceTimersByTime(50);
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([2, 3]);
  offTick(second);
  expect(jest.getTimerCount()).toBe(0);
  onTick(first);
  jest.advanceTimersByTime(50);
  expect(first.mock.calls.length).toBe(3);
  offTick(first);
});

test('whoever stops while others look is not asked again', () => {
  const last = jest.fn();
  const stopping = jest.fn(() => offTick(last));
  onTick(stopping);
  onTick(last);
  jest.advanceTimersByTime(100);
  expect([stopping.mock.calls.length, last.mock.calls.length]).toEqual([2, 0]);
  offTick(stopping);
});
