import { expect, test } from 'bun:test';
import { receiptOf } from './receipts.ts';
import { noTokens } from './usage.ts';

const hold = { callId: 'c', amount: 5n };
const settlement = {
  status: 200,
  usage: null,
  cost: 5n,
  lines: [],
  quality: 'measured' as const,
  flags: [],
  ttfbMs: 1,
  durationMs: 2,
};

test('what a provider wrote can always be stored: no U+0000, no lone surrogate, nothing else lost', () => {
  const raw = { model: 'a\u0000b\u0000\u0000c', half: 'x\ud800y\udc00', path: 'C:\\u0000', pair: '🙂', '\u0000k': 1 };
  const { usage } = receiptOf(hold, { ...settlement, usage: { ...noTokens, raw } });
  expect(JSON.parse(usage ?? '').raw).toEqual({ model: 'abc', half: 'xy', path: 'C:\\u0000', pair: '🙂', k: 1 });
});

test('a usage object of absurd size is not kept; its numbers are', () => {
  const { usage } = receiptOf(hold, { ...settlement, usage: { ...noTokens, output: 7, raw: 'x'.repeat(100_000) } });
  expect(JSON.parse(usage ?? '')).toMatchObject({ output: 7, raw: null });
});

test('a cost above its hold is flagged, once', () => {
  expect(receiptOf(hold, settlement).flags).toEqual([]);
  expect(receiptOf(hold, { ...settlement, cost: 6n }).flags).toEqual(['overrun']);
});
