import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';
import { decimalText, exactDecimal, type Fraction, picoPerUnit } from './amount.ts';
import { catalogueVersion, findEntry, type Match } from './catalogue.ts';
import { isObject } from './json.ts';
import type { FeeName, InputBucket, OutputBucket, TokenBucket } from './usage.ts';

/** A price that holds when a call's whole input is more than `above` tokens, until a dearer step holds. */
export interface RateStep {
  readonly above: number;
  /** The list's own figures, exact: `usd` dollars for `per` units. */
  readonly usd: string;
  readonly per: number;
  readonly pico: Fraction;
}

/** Ascending by `above`; the first is the base. The step that holds reprices the whole call, not only the excess. */
export type Rate = readonly [RateStep, ...RateStep[]];

export type RateName = Exclude<InputBucket, 'uncachedInput'> | OutputBucket | 'input' | 'request' | FeeName;

/** The list price of one model at one moment. A rate that is missing is unknown, never zero. */
export interface Price {
  readonly provider: string;
  readonly model: string;
  /** The catalogue's own name of the entry, and how it was found. */
  readonly entry: string;
  readonly match: Match;
  readonly catalogue: string;
  readonly rates: { readonly [Name in RateName]?: Rate };
}

const million = 1_000_000;
const thousand = 1_000;

/** The catalogue's keys that this code can bill. An entry with any other key is not used at all. */
const rateNames = new Map<string, { name: RateName; per: number }>([
  ['input_mtok', { name: 'input', per: million }],
  ['cache_read_mtok', { name: 'cacheRead', per: million }],
  ['cache_write_mtok', { name: 'cacheWrite5m', per: million }],
  ['cache_write_1h_mtok', { name: 'cacheWrite1h', per: million }],
  ['input_audio_mtok', { name: 'audioInput', per: million }],
  ['cache_audio_read_mtok', { name: 'audioCacheRead', per: million }],
  ['input_image_mtok', { name: 'imageInput', per: million }],
  ['input_video_mtok', { name: 'videoInput', per: million }],
  ['output_mtok', { name: 'output', per: million }],
  ['output_audio_mtok', { name: 'audioOutput', per: million }],
  ['output_image_mtok', { name: 'imageOutput', per: million }],
  ['web_searches_kcount', { name: 'webSearch', per: thousand }],
  ['storage_searches_kcount', { name: 'fileSearch', per: thousand }],
  ['requests_kcount', { name: 'request', per: thousand }],
]);

/** Parsed once for each entry of the catalogue: null when the entry cannot be used. */
const parsed = new WeakMap<ModelPrice, Price['rates'] | null>();

/**
 * The price of a model at a moment, or undefined when it is not known: no entry, an entry without figures (the list
 * marks free models so, and a zero price must be stated to be believed), or one that bills in a unit unknown here.
 */
export function findPrice(provider: string, model: string, at: Date): Price | undefined {
  const found = findEntry(provider, model);
  if (found === undefined) return undefined;
  const listed = pricesAt(found.info, at);
  const rates = listed === undefined ? null : ratesOf(listed);
  if (rates === null) return undefined;
  return { provider, model, entry: found.info.id, match: found.match, catalogue: catalogueVersion, rates };
}

/**
 * Where a price list states no price of its own because there is none, the tokens are billed as others are. Otherwise a
 * missing price stays unknown.
 */
const billedAs: Record<string, { readonly [Bucket in TokenBucket]?: TokenBucket }> = {
  // Before GPT-5.6 a cache write has no surcharge; images in a chat are ordinary input.
  openai: { cacheWrite5m: 'uncachedInput', imageInput: 'uncachedInput' },
  anthropic: { imageInput: 'uncachedInput' },
  // "Input price (text, image, video)": audio stands apart only where it is dearer.
  google: {
    audioInput: 'uncachedInput',
    imageInput: 'uncachedInput',
    videoInput: 'uncachedInput',
    audioCacheRead: 'audioInput',
    audioOutput: 'output',
    imageOutput: 'output',
  },
};

/** The rate that bills a bucket, with its name; undefined when no price is known for it. */
export function rateOf(price: Price, bucket: TokenBucket): { name: RateName; rate: Rate } | undefined {
  const name = bucket === 'uncachedInput' ? 'input' : bucket;
  const rate = price.rates[name];
  if (rate !== undefined) return { name, rate };
  // No discount is listed, so none is given.
  const other = bucket === 'cacheRead' ? 'uncachedInput' : billedAs[price.provider]?.[bucket];
  return other === undefined ? undefined : rateOf(price, other);
}

/** The step that holds for a call with this much input in all. */
export function stepFor(rate: Rate, inputTokens: number): RateStep {
  return rate.findLast((step) => inputTokens > step.above) ?? rate[0];
}

/** The last entry whose condition holds; the list puts the newest last and the unconditional first. */
function pricesAt(info: ModelInfo, at: Date): ModelPrice | undefined {
  if (!Array.isArray(info.prices)) return info.prices;
  return info.prices.findLast((entry) => holds(entry.constraint, at))?.prices;
}

function holds(constraint: ConditionalPrice['constraint'], at: Date): boolean {
  if (constraint === undefined) return true;
  if (constraint.type === 'start_date') return at.getTime() >= Date.parse(`${constraint.start_date}T00:00:00Z`);
  const start = secondsOfDay(constraint.start_time);
  const end = secondsOfDay(constraint.end_time);
  const now = Math.floor(at.getTime() / 1000) % 86_400;
  return start <= end ? now >= start && now < end : now >= start || now < end;
}

/** "16:30:00Z" or with an offset, in seconds of the UTC day. */
function secondsOfDay(time: string): number {
  return (Math.floor(Date.parse(`1970-01-02T${time}`) / 1000) + 86_400) % 86_400;
}

function ratesOf(listed: ModelPrice): Price['rates'] | null {
  const known = parsed.get(listed);
  if (known !== undefined) return known;
  const rates = parseRates(listed);
  parsed.set(listed, rates);
  return rates;
}

function parseRates(listed: ModelPrice): Price['rates'] | null {
  const rates: { [Name in RateName]?: Rate } = {};
  for (const [key, value] of Object.entries(listed)) {
    if (value === undefined) continue;
    const target = rateNames.get(key);
    const rate = target === undefined ? undefined : parseRate(value, target.per);
    if (target === undefined || rate === undefined) return null;
    rates[target.name] = rate;
  }
  return Object.keys(rates).length === 0 ? null : rates;
}

function parseRate(value: unknown, per: number): Rate | undefined {
  const base = parseStep(-1, isObject(value) ? value['base'] : value, per);
  const tiers = isObject(value) && Array.isArray(value['tiers']) ? value['tiers'] : [];
  const steps = tiers.map((tier: unknown) =>
    isObject(tier) ? parseStep(tier['start'], tier['price'], per) : undefined,
  );
  if (base === undefined || !steps.every((step) => step !== undefined)) return undefined;
  return [base, ...steps.toSorted((a, b) => a.above - b.above)];
}

function parseStep(above: unknown, price: unknown, per: number): RateStep | undefined {
  const usd = typeof price === 'number' ? exactDecimal(price) : undefined;
  if (usd === undefined || typeof above !== 'number' || !Number.isSafeInteger(above)) return undefined;
  return { above, usd: decimalText(usd), per, pico: picoPerUnit(usd, per) };
}
