import { expect, test } from 'bun:test';
import { receiptOf } from './receipts.ts';

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

test('a cost above its hold is flagged, once', () => {
  expect(receiptOf(hold, settlement).flags).toEqual([]);
  expect(receiptOf(hold, { ...settlement, cost: 6n }).flags).toEqual(['overrun']);
});
