import { concat } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import type { Pico } from '../money/amount.ts';
import { boundOf, leastUsefulCost, lowerOutput, type Bound, type BoundableCall } from '../money/bounds.ts';
import { costOf } from '../money/cost.ts';
import { estimateUsage } from '../money/estimate.ts';
import { modelLimits } from '../money/limits.ts';
import { applyMaxTokens } from '../money/output-limit.ts';
import { findPrice, type Price } from '../money/prices.ts';
import type { UsageReading } from '../money/reader.ts';
import { hasListPrice } from '../money/tier.ts';
import type { Usage, UsageFormat } from '../money/usage.ts';
import type { JsonObject } from '../money/json.ts';
import type { Hold, Settlement } from '../money/ledger.ts';
import { cleanText, storable } from './receipt-text.ts';
import type { RelayEnd } from './relay.ts';

/** What a metered call may cost, and what its settlement needs of it. */
export interface Quote {
  readonly format: UsageFormat;
  readonly price: Price;
  readonly bound: Bound;
}

/** A call as far as its price goes. */
export interface PricedCall {
  readonly provider: string;
  readonly model: string;
  readonly format: UsageFormat;
  readonly content: Content;
}

/** A JSON body in both forms: what was checked, and the bytes that are sent, which say the same. */
export interface Content {
  readonly body: JsonObject;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const openingBrace = 0x7b;

export function contentOf(body: JsonObject): Content {
  return { body, bytes: new TextEncoder().encode(JSON.stringify(body)) };
}

/**
 * The content with a changed body. Members that are only added are written into the client's own bytes, so that all else
 * goes up as it came: numbers beyond 2⁵³, their spelling, the order. A member that was replaced costs that.
 */
export function contentWith(content: Content, body: JsonObject): Content {
  if (body === content.body) return content;
  const changed = Object.entries(body).filter(([name, value]) => !Object.is(value, content.body[name]));
  const isAdding = changed.every(([name]) => !Object.hasOwn(content.body, name));
  const isSame = Object.keys(body).length - changed.length === Object.keys(content.body).length;
  if (!isAdding || !isSame || Object.keys(content.body).length === 0) return contentOf(body);
  if (changed.length === 0) return { body, bytes: content.bytes };
  const start = content.bytes.indexOf(openingBrace) + 1;
  const members = new TextEncoder().encode(`${JSON.stringify(Object.fromEntries(changed)).slice(1, -1)},`);
  return { body, bytes: concat(content.bytes.subarray(0, start), members, content.bytes.subarray(start)) };
}

/** Throws `price_unknown`, `unbounded_cost`, or `invalid_request` for a malformed limit. */
export function quote(call: PricedCall, at: Date): Quote {
  const priced = boundable(call, at);
  return { format: call.format, price: priced.price, bound: boundOf(priced) };
}

/** The least that is of use of a call whose bound does not fit; undefined where less output would not make it cheaper. */
export function leastUseful(call: PricedCall, at: Date): Pico | undefined {
  return leastUsefulCost(boundable({ ...call, content: widestLimit(call, at) }, at));
}

/** The same call with its output lowered to what fits, or nothing if nothing useful does. */
export function lowered(
  call: PricedCall,
  available: Pico,
  at: Date,
): { content: Content; quote: Quote; maxTokens: number } | undefined {
  const fitting = lowerOutput(boundable({ ...call, content: widestLimit(call, at) }, at), available);
  if (fitting === undefined) return undefined;
  const content = limited(call, fitting.maxTokens);
  // Quoted anew, so that what is held is the bound of the very body that is sent.
  const fresh = quote({ ...call, content }, at);
  return fresh.bound.cost > available ? undefined : { content, quote: fresh, maxTokens: fitting.maxTokens };
}

/** A body that named no limit grows by the one that is written into it, and its bytes are part of the bound. */
function widestLimit(call: PricedCall, at: Date): Content {
  return limited(call, boundOf(boundable(call, at)).maxTokens);
}

function limited({ format, content }: PricedCall, maxTokens: number): Content {
  return contentWith(content, applyMaxTokens(format, content.body, maxTokens));
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

/** The part of a settlement that is about money. */
export type Booking = Pick<
  Settlement,
  'usage' | 'cost' | 'lines' | 'price' | 'quality' | 'flags' | 'servedModel' | 'serviceTier'
>;

/** What to book for a call that was answered. Never throws: what can't be told costs what was held, and says so. */
export function bookingOf(hold: Hold, quoted: Quote | null, ending: Ending): Booking {
  // Providers bill no failures, and nothing for lists and token counts.
  if (quoted === null || ending.status < 200 || ending.status >= 300) return unbilled([]);
  const { reading, end } = ending;
  const served = servedAs(reading);
  const ended = end === 'complete' ? [] : [`ended_${end}`];
  if (!hasListPrice(quoted.format, reading.serviceTier)) {
    return { ...unknown(hold, [...ended, 'tier_unpriced']), ...served };
  }
  if (reading.usage !== undefined && isFinal(quoted.format, ending)) {
    return { ...booked(hold, quoted, reading.usage, 'measured', ended), ...served };
  }
  const flags = [...ended, 'usage_missing'];
  const usage = estimated(quoted, ending);
  if (usage === undefined) return { ...unknown(hold, flags), ...served };
  return { ...booked(hold, quoted, usage, 'estimated', flags), ...served };
}

/** Nothing came back, or nothing that can be read: what was held is booked. */
function unknown(hold: Hold, flags: readonly string[]): Booking {
  return { usage: null, cost: hold.amount, lines: [], quality: 'unknown', flags };
}

/** It was sent and there is no answer to read: for all that is known, the provider did the work. */
export function unanswered(hold: Hold, quoted: Quote | null, flag: string): Booking {
  return quoted === null ? unbilled([flag]) : unknown(hold, [flag]);
}

/** Known to cost nothing. */
export function unbilled(flags: readonly string[]): Booking {
  return { usage: null, cost: 0n, lines: [], quality: 'measured', flags };
}

/** Anthropic states usage from the first event on: it is the whole only once the stop reason has come. */
function isFinal(format: UsageFormat, { end, reading }: Ending): boolean {
  return reading.finished || (end === 'complete' && format !== 'anthropic-messages');
}

function estimated({ bound }: Quote, { reading, hasSeen, isBehind }: Ending): Usage | undefined {
  if (!hasSeen && !reading.finished) return undefined;
  const explained = isBehind && !reading.finished ? { ...bound.explained, output: false } : bound.explained;
  const { outputTokens } = bound;
  return estimateUsage({ outputBytes: reading.outputBytes, stated: reading.usage, bound: { outputTokens, explained } });
}

/** What the provider says of itself, as a receipt can keep and a page can show it. */
function servedAs({ servedModel, serviceTier }: UsageReading): Pick<Booking, 'servedModel' | 'serviceTier'> {
  return {
    ...(servedModel === undefined ? {} : { servedModel: cleanText(servedModel) }),
    ...(serviceTier === undefined ? {} : { serviceTier: cleanText(serviceTier) }),
  };
}

function booked(
  hold: Hold,
  { price }: Quote,
  stated: Usage,
  quality: 'measured' | 'estimated',
  flags: readonly string[],
): Booking {
  const usage = { ...stated, raw: storable(stated.raw) };
  try {
    const { entry, match, catalogue } = price;
    return { usage, ...costOf(usage, price), price: { entry, match, catalogue }, quality, flags };
  } catch {
    // A bucket without a price: the usage is on the receipt, its cost is not known.
    return { ...unknown(hold, [...flags, 'price_unknown']), usage };
  }
}

function boundable({ provider, model, format, content }: PricedCall, at: Date): BoundableCall {
  const price = findPrice(provider, model, at);
  if (price === undefined) {
    throw new KeyPassError('price_unknown', 'The price of this model is not known, so it is not called.', {
      param: 'model',
      details: { model: model.slice(0, 100) },
    });
  }
  const limits = modelLimits(provider, model);
  return { provider, model, format, price, limits, body: content.body, bodyBytes: content.bytes.length };
}
