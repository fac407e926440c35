import { expect, test } from 'bun:test';
import { estimateTokens, estimateUsage } from './estimate.ts';

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

test('an estimate is flagged and never above what is held', () => {
  const bound = { inputTokens: 1000, outputTokens: 50 };
  const { usage, estimated } = estimateUsage({ bodyBytes: 4_000_000, outputBytes: 30, bound });
  expect(estimated).toBe(true);
  expect(usage).toMatchObject({ uncachedInput: 1000, output: 15 });
});
