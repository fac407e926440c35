import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import { testLimits } from '../../test/harness/proxy.ts';
import { KeyPassError } from '../errors.ts';
import { Lifeline } from './lifeline.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function dispatched(): Lifeline {
  const limits = { ...testLimits, firstByteMs: 100, totalMs: 1_000 };
  const lifeline = new Lifeline({ client: new AbortController().signal, limits, listenForCut: () => () => {} });
  lifeline.dispatched();
  return lifeline;
}

const codeOf = ({ ended }: Lifeline) => (ended instanceof KeyPassError ? ended.code : ended);

test('a provider that does not answer is waited for as long as the limit says', () => {
  const lifeline = dispatched();
  jest.advanceTimersByTime(99);
  expect(codeOf(lifeline)).toBeUndefined();
  jest.advanceTimersByTime(1);
  expect(codeOf(lifeline)).toBe('provider_timeout');
});

test('its time begins anew with each piece of a body that goes up, and ends with its answer', () => {
  const lifeline = dispatched();
  for (let pieces = 0; pieces < 5; pieces += 1) {
    jest.advanceTimersByTime(99);
    lifeline.sending();
  }
  lifeline.answered(() => {});
  lifeline.sending();
  jest.advanceTimersByTime(400);
  expect(codeOf(lifeline)).toBeUndefined();
});

test('one that reads nothing more has no more time than one that says nothing', () => {
  const lifeline = dispatched();
  lifeline.sending();
  jest.advanceTimersByTime(100);
  expect(codeOf(lifeline)).toBe('provider_timeout');
});

test('the call as a whole has its limit all the same', () => {
  const lifeline = dispatched();
  for (let pieces = 0; pieces < 20; pieces += 1) {
    jest.advanceTimersByTime(50);
    lifeline.sending();
  }
  expect(codeOf(lifeline)).toBe('provider_timeout');
});

test('once closed, nothing ends it', () => {
  const lifeline = dispatched();
  lifeline.close();
  lifeline.sending();
  jest.advanceTimersByTime(10_000);
  expect(codeOf(lifeline)).toBeUndefined();
});
