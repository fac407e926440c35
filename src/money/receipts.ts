import { picoFromCents, type Pico } from './amount.ts';
import type { Hold, Settlement } from './ledger.ts';
import type { HoldEnd } from './settle-store.ts';
import { tokenBuckets, tokensIn } from './usage.ts';

/** The largest budget: more than that, a provider can only have misstated. */
const mostBooked = picoFromCents(100_000_000);

/** How a call that never left is told where it was charged before anybody knew. */
const neverLeft: Settlement = {
  status: null,
  usage: null,
  cost: 0n,
  lines: [],
  quality: 'measured',
  flags: ['not_dispatched'],
  ttfbMs: null,
  durationMs: 0,
};

/** The end of a call that was dispatched. */
export function settled(hold: Hold, settlement: Settlement): HoldEnd {
  const { status, usage, lines, price, servedModel, serviceTier, cost, quality, flags, ttfbMs, durationMs } =
    settlement;
  return {
    callId: hold.callId,
    isRelease: false,
    status,
    quality,
    cost: cost < mostBooked ? cost : mostBooked,
    flags: cost > hold.amount ? [...flags, 'overrun'] : flags,
    usage,
    lines,
    price: price ?? null,
    servedModel: servedModel ?? null,
    serviceTier: serviceTier ?? null,
    tokens: usage === null ? null : tokensIn(usage, tokenBuckets),
    ttfbMs,
    durationMs,
  };
}

/** The end of a call that never left. */
export function released(callId: string): HoldEnd {
  return { ...settled({ callId, amount: 0n }, neverLeft), isRelease: true, tokens: 0 };
}

/** Nobody may have looked for a month; the column ends here. */
const longestMs = 2 ** 31 - 1;

/** The end of a call whose instance died: the provider may have charged it, so all of its hold is booked. */
export function lost(hold: { callId: string; amount: Pico; createdAt: Date }, now: Date): HoldEnd {
  const { callId, amount, createdAt } = hold;
  return settled(
    { callId, amount },
    {
      ...neverLeft,
      cost: amount,
      quality: 'unknown',
      flags: [lostFlag],
      durationMs: Math.min(Math.max(0, now.getTime() - createdAt.getTime()), longestMs),
    },
  );
}

const lostFlag = 'instance_lost';

export function isLost({ flags }: HoldEnd): boolean {
  return flags.includes(lostFlag);
}

const detailsLostFlag = 'details_lost';

export function isWithoutDetails({ flags }: HoldEnd): boolean {
  return flags.includes(detailsLostFlag);
}

/** The same end with its cost alone, where the database refuses what came from the provider. */
export function withoutDetails(end: HoldEnd): HoldEnd {
  const details = { servedModel: null, serviceTier: null, usage: null, lines: [], price: null };
  return { ...end, ...details, flags: [...end.flags, detailsLostFlag] };
}
