import type { Hold, Settlement } from './ledger.ts';
import type { ReceiptRow } from './store.ts';
import type { Usage } from './usage.ts';

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

/** A provider's own usage object is kept as it came, unless it is longer than any real one. */
const mostUsageCharacters = 16_384;

/** What is kept of a call that has ended. */
export function receiptOf(hold: Hold, settlement: Settlement): ReceiptRow {
  const { usage, lines, servedModel, serviceTier, cost, flags, ...rest } = settlement;
  return {
    ...rest,
    callId: hold.callId,
    cost,
    flags: cost > hold.amount ? [...flags, 'overrun'] : flags,
    usage: usage === null ? null : usageText(usage),
    lines: storable(JSON.stringify(lines)),
    servedModel: servedModel ?? null,
    serviceTier: serviceTier ?? null,
  };
}

function usageText(usage: Usage): string {
  const text = storable(JSON.stringify(usage));
  return text.length <= mostUsageCharacters ? text : storable(JSON.stringify({ ...usage, raw: null }));
}

/**
 * JSON without the escapes that PostgreSQL's jsonb refuses (U+0000 and lone surrogates): what a provider wrote must not
 * keep its call from being booked.
 */
function storable(json: string): string {
  return json.replaceAll(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi, '$1');
}
