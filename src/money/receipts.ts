import type { Hold, Settlement } from './ledger.ts';
import type { ReceiptRow } from './store.ts';

/** How a call that never left is told where it was charged before anybody knew. */
export const neverLeft: Settlement = {
  status: null,
  usage: null,
  cost: 0n,
  lines: [],
  quality: 'measured',
  flags: ['not_dispatched'],
  ttfbMs: null,
  durationMs: 0,
};

/** What is kept of a call that has ended. */
export function receiptOf(hold: Hold, settlement: Settlement): ReceiptRow {
  const { usage, lines, price, servedModel, serviceTier, cost, flags, ...rest } = settlement;
  return {
    ...rest,
    callId: hold.callId,
    cost,
    flags: cost > hold.amount ? [...flags, 'overrun'] : flags,
    usage: usage === null ? null : JSON.stringify(usage),
    lines: JSON.stringify(lines),
    price: price === undefined ? null : JSON.stringify(price),
    servedModel: servedModel ?? null,
    serviceTier: serviceTier ?? null,
  };
}
