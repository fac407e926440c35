import { describe, expect, test } from 'bun:test';
import { estimateTokens, estimateUsage } from './estimate.ts';
import { noTokens } from './usage.ts';

test.each([
  ['', 0],
  ['a', 1],
  ['hello world', 6],
  // Four letters of three bytes each.
  ['こんにち', 6],
])('%p is about %p tokens', (text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
});

test('bytes alone are enough', () => {
  expect(estimateTokens({ bytes: 1001 })).toBe(501);
});

describe('what is booked where the usage was not stated', () => {
  const explained = { input: 400, output: true, isOpenEnded: false };
  const stated = { ...noTokens, uncachedInput: 90, cacheRead: 7, output: 3, raw: {} };
  const estimate = (change: Partial<typeof explained> | { input: undefined }, usage?: typeof stated) =>
    estimateUsage({
      outputBytes: 30,
      stated: usage,
      bound: { outputTokens: 50, explained: { ...explained, ...change } },
    });

  test('the prompt and what came of the answer, if they explain all', () => {
    expect(estimate({})).toMatchObject({ uncachedInput: 400, output: 15, raw: null });
  });

  test('never more output than was held', () => {
    const bound = { outputTokens: 50, explained };
    expect(estimateUsage({ outputBytes: 9_000, stated: undefined, bound })?.output).toBe(50);
  });

  test('nothing, if a part is not seen', () => {
    expect(estimate({ input: undefined })).toBeUndefined();
    expect(estimate({ output: false })).toBeUndefined();
    expect(estimate({ isOpenEnded: true })).toBeUndefined();
  });

  test('the input as the provider stated it, with all the output that was held where that is not seen', () => {
    expect(estimate({ input: undefined }, stated)).toMatchObject({ uncachedInput: 90, cacheRead: 7, output: 15 });
    expect(estimate({ input: undefined, output: false }, stated)).toMatchObject({ uncachedInput: 90, output: 50 });
    expect(estimate({}, { ...stated, output: 44 })?.output).toBe(44);
    expect(estimate({ output: false }, { ...stated, output: 77 })?.output).toBe(77);
    expect(estimate({ isOpenEnded: true }, stated)).toBeUndefined();
  });
});
