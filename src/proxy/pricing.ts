import type { Pico } from '../money/amount.ts';
import { boundOf, leastUsefulCost, lowerOutput, type Bound, type BoundableCall } from '../money/bounds.ts';
import { costOf } from '../money/cost.ts';
import type { MediaDemand } from '../money/demand-media.ts';
import { estimateUsage } from '../money/estimate.ts';
import type { ModelLimits } from '../money/limits.ts';
import { maxTokensMembers } from '../money/output-limit.ts';
import { chargesRefusals, refusalUsage } from '../money/provider-fees.ts';
import { priceServed, type CallPrices } from '../money/price-tiers.ts';
import type { Price } from '../money/prices.ts';
import type { UsageReading } from '../money/reader.ts';
import type { Usage, UsageFormat } from '../money/usage.ts';
import type { JsonObject } from '../money/json.ts';
import type { Hold, Settlement } from '../money/ledger.ts';
import { formContent } from './multipart.ts';
import { cleanText, storable } from './receipt-text.ts';
import type { RelayEnd } from './relay.ts';

/** What a metered call may cost, and what its settlement needs of it. */
export interface Quote {
  readonly format: UsageFormat;
  readonly prices: CallPrices;
  readonly bound: Bound;
}

/** What the cost of a call rests on: null where it is known to have none. */
export type Quoted = Quote | 'unmetered' | null;

/** A call as far as its price goes. */
export interface PricedCall {
  readonly provider: string;
  readonly model: string;
  readonly format: UsageFormat;
  /** What the model can take and give, as far as it is known. */
  readonly limits: ModelLimits | undefined;
  /** In force when the call began, and for all of it. */
  readonly prices: CallPrices;
  readonly content: Content;
}

/** A body in both forms: what was checked, and the bytes that are sent, which say the same. */
export interface Content {
  readonly body: JsonObject;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As the header states it; of a form, with its boundary. */
  readonly type: string;
}

export const jsonType = 'application/json';

const openingBrace = 0x7b;
const encoder = new TextEncoder();

export function contentOf(body: JsonObject): Content {
  return { body, bytes: encoder.encode(JSON.stringify(body)), type: jsonType };
}

/**
 * The content with members of KeyPass's. Those that are only added are written into the client's own bytes, so that all
 * else goes up as it came: numbers beyond 2⁵³, their spelling, the order. A member that was replaced costs that.
 */
export function contentWith(content: Content, members: JsonObject): Content {
  const names = Object.keys(members);
  if (names.every((name) => Object.is(members[name], content.body[name]))) return content;
  const body = { ...content.body, ...members };
  if (content.type !== jsonType) return { body, ...formContent(body) };
  const isAdding = names.every((name) => !Object.hasOwn(content.body, name));
  if (!isAdding || Object.keys(content.body).length === 0) return contentOf(body);
  return { body, bytes: bytesWith(content.bytes, members), type: jsonType };
}

/** The bytes of an object that is not empty, with these members before its own. */
function bytesWith(object: Uint8Array, members: JsonObject): Uint8Array<ArrayBuffer> {
  const added = encoder.encode(`${JSON.stringify(members).slice(1, -1)},`);
  const start = object.indexOf(openingBrace) + 1;
  const bytes = new Uint8Array(object.length + added.length);
  bytes.set(object, added.length);
  bytes.copyWithin(0, added.length, added.length + start);
  bytes.set(added, start);
  return bytes;
}

/** Throws `unbounded_cost`, `price_unknown` for what the price lacks, or `invalid_request` for a malformed limit. */
export function quote(call: PricedCall): Quote {
  return { format: call.format, prices: call.prices, bound: boundOf(boundable(call)) };
}

/** The least that is of use of a call whose bound does not fit; undefined where less output would not make it cheaper. */
export function leastUseful(call: PricedCall): Pico | undefined {
  return leastUsefulCost(boundable({ ...call, content: widestLimit(call) }));
}

/** The same call with its output lowered to what fits, or nothing if nothing useful does. */
export function lowered(
  call: PricedCall,
  available: Pico,
): { content: Content; quote: Quote; maxTokens: number } | undefined {
  const fitting = lowerOutput(boundable({ ...call, content: widestLimit(call) }), available);
  if (fitting === undefined) return undefined;
  const content = limited(call, fitting.maxTokens);
  // Quoted anew, so that what is held is the bound of the very body that is sent.
  const fresh = quote({ ...call, content });
  return fresh.bound.cost > available ? undefined : { content, quote: fresh, maxTokens: fitting.maxTokens };
}

/** A body that named no limit grows by the one that is written into it, and its bytes are part of the bound. */
function widestLimit(call: PricedCall): Content {
  return limited(call, boundOf(boundable(call)).maxTokens);
}

function limited({ format, content }: PricedCall, maxTokens: number): Content {
  return contentWith(content, maxTokensMembers(format, content.body, maxTokens));
}

/** What was seen of a call when it ended. */
export interface Ending {
  readonly end: RelayEnd;
  readonly status: number;
  readonly reading: UsageReading;
  /** Whether enough of the answer came by for an estimate to start from. */
  readonly hasSeen: boolean;
  /** The client had not read all that had come: what the provider wrote and nobody saw is not known. */
  readonly isBehind: boolean;
}

/** What a call costs, and what that rests on. */
export type Charge = Pick<Settlement, 'usage' | 'cost' | 'lines' | 'price' | 'quality' | 'flags'>;

/** What to book for a call: its charge and, of an answer, what the provider says of itself. */
export interface Booking {
  readonly charge: Charge;
  readonly served?: Pick<UsageReading, 'servedModel' | 'serviceTier'>;
}

/** The booking as a receipt can keep it. Written out: it is made for each call, and spreads cost the most of it. */
export function settlementOf(
  { charge, served }: Booking,
  { status, ttfbMs, durationMs }: Pick<Settlement, 'status' | 'ttfbMs' | 'durationMs'>,
): Settlement {
  const { usage, cost, lines, price, quality, flags } = charge;
  return {
    usage,
    cost,
    lines,
    price,
    quality,
    flags,
    servedModel: served?.servedModel === undefined ? undefined : cleanText(served.servedModel),
    serviceTier: served?.serviceTier === undefined ? undefined : cleanText(served.serviceTier),
    status,
    ttfbMs,
    durationMs,
  };
}

/** What a call that was answered costs. What can't be told costs what was held, and says so. */
export async function chargeOf(hold: Hold, quoted: Quoted, ending: Ending): Promise<Charge> {
  const isFailure = ending.status < 200 || ending.status >= 300;
  // Providers bill nothing for lists and token counts.
  if (quoted === null || (isFailure && quoted === 'unmetered')) return unbilled([]);
  if (quoted === 'unmetered') return unseen([]);
  return isFailure ? failed(hold, quoted, ending) : answered(hold, quoted, ending);
}

/** What an answer to a metered call costs. */
function answered(hold: Hold, quoted: Quote, ending: Ending): Charge | Promise<Charge> {
  const { reading, end } = ending;
  const ended = end === 'complete' ? [] : [`ended_${end}`];
  const price = priceServed(quoted.format, quoted.prices, reading.serviceTier);
  if (price === undefined) return unknown(hold, [...ended, 'tier_unpriced']);
  const { media } = quoted.bound;
  if (reading.usage !== undefined && media?.told?.isAll !== true && isFinal(quoted, ending)) {
    return booked(hold, price, asAsked(reading.usage, media), 'measured', ended);
  }
  const flags = media?.told?.quality === 'measured' ? ended : [...ended, 'usage_missing'];
  const told = media?.told?.usageOf({ isWhole: end === 'complete', bytes: reading.bytes ?? 0 });
  if (told !== undefined) return booked(hold, price, told, media?.told?.quality ?? 'estimated', flags);
  return estimated(hold, price, quoted, ending, flags);
}

/** Images of which the answer does not say how they were made were made as they were asked for. */
function asAsked(usage: Usage, media: MediaDemand | undefined): Usage {
  const { images } = usage;
  const asked = media?.most.images;
  if (images === undefined || asked === undefined) return usage;
  const { count, size, quality } = images;
  return { ...usage, images: { count, size: size ?? asked.size, quality: quality ?? asked.quality } };
}

/** Nothing came back, or nothing that can be read: what was held is booked. */
function unknown(hold: Hold, flags: readonly string[]): Charge {
  return { usage: null, cost: hold.amount, lines: [], quality: 'unknown', flags };
}

/** It was sent and there is no answer to read: for all that is known, the provider did the work. */
export function unanswered(hold: Hold, quoted: Quoted, flag: string): Charge {
  if (quoted === null) return unbilled([flag]);
  return quoted === 'unmetered' ? unseen([flag]) : unknown(hold, [flag]);
}

/** The owner allowed it without a bound: what the provider bills for it does not pass by here. */
function unseen(flags: readonly string[]): Charge {
  return { usage: null, cost: 0n, lines: [], quality: 'unknown', flags: [...flags, 'unmetered'] };
}

/** Known to cost nothing. */
export function unbilled(flags: readonly string[]): Charge {
  return { usage: null, cost: 0n, lines: [], quality: 'measured', flags };
}

/** Providers bill no failures, but for one, of which all has to be read. */
function failed(hold: Hold, { format, prices }: Quote, { end, reading }: Ending): Charge {
  if (end !== 'complete' && chargesRefusals(format)) return unknown(hold, [`ended_${end}`]);
  const usage = refusalUsage(format, reading);
  return usage === undefined ? unbilled([]) : booked(hold, prices.highest, usage, 'measured', []);
}

/**
 * Anthropic states usage from the first event on: it is the whole only once the stop reason has come. Of several choices
 * the first to stop is not the last, and some providers state the usage of each by itself.
 */
function isFinal({ format, bound }: Quote, { end, reading }: Ending): boolean {
  if (end === 'complete') return reading.finished || format !== 'anthropic-messages';
  return reading.finished && (bound.choices === 1 || reading.ended === true);
}

/** The charge for an answer of which the usage did not come, by what was seen of it. */
async function estimated(
  hold: Hold,
  price: Price,
  { bound, prices }: Quote,
  { reading, hasSeen, isBehind }: Ending,
  flags: readonly string[],
): Promise<Charge> {
  if (!hasSeen && !reading.finished) return unknown(hold, flags);
  const { provider, model } = prices.highest;
  // Of an answer that has ended, nothing more is written.
  const isUnread = isBehind && !reading.finished;
  const seen = { provider, model, output: reading.output, stated: reading.usage, isBehind: isUnread };
  const estimate = await estimateUsage(seen, bound);
  if (estimate === undefined) return unknown(hold, flags);
  return booked(hold, price, estimate.usage, 'estimated', [...flags, ...estimate.flags]);
}

function booked(
  hold: Hold,
  price: Price,
  stated: Usage,
  quality: 'measured' | 'estimated',
  flags: readonly string[],
): Charge {
  const usage = kept(stated);
  try {
    const { cost, lines } = costOf(usage, price);
    return { usage, cost, lines, price: price.source, quality, flags };
  } catch {
    // A bucket without a price: the usage is on the receipt, its cost is not known.
    return { ...unknown(hold, [...flags, 'price_unknown']), usage };
  }
}

/** The usage as a receipt can keep it: what others wrote into it is as short as their other texts. */
function kept(usage: Usage): Usage {
  const { images } = usage;
  const raw = storable(usage.raw);
  if (images === undefined) return raw === usage.raw ? usage : { ...usage, raw };
  const [size, quality] = [images.size, images.quality].map((text) => (text === null ? null : cleanText(text)));
  return { ...usage, raw, images: { count: images.count, size: size ?? null, quality: quality ?? null } };
}

function boundable({ provider, model, format, limits, prices, content }: PricedCall): BoundableCall {
  const { body, bytes } = content;
  return { provider, model, format, price: prices.highest, limits, body, bodyBytes: bytes.length };
}
