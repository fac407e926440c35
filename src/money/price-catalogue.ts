import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';
import { exactDecimal } from './amount.ts';
import { isObject } from './json.ts';
import { type Rate, rateKeys, type RateName, type Rates, rateStep, type RateStep } from './price-rates.ts';

/** Parsed once for each entry of the catalogue: null when the entry cannot be used. */
const parsed = new WeakMap<ModelPrice, Rates | null>();

/**
 * What a catalogue's entry states for a moment, or undefined: an entry without figures (the list marks free models so,
 * and a zero price must be stated to be believed), or one that bills in a unit unknown here.
 */
export function catalogueRates(info: ModelInfo, at: Date): Rates | undefined {
  const listed = pricesAt(info, at);
  return (listed === undefined ? null : ratesOf(listed)) ?? undefined;
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

function ratesOf(listed: ModelPrice): Rates | null {
  const known = parsed.get(listed);
  if (known !== undefined) return known;
  const rates = parseRates(listed);
  parsed.set(listed, rates);
  return rates;
}

function parseRates({ ['audio_hours']: audioHours, ...listed }: ModelPrice): Rates | null {
  // All audio by the hour, of which the input is a part that is billed once: here the input is all there is.
  if (audioHours !== listed['input_audio_hours']) return null;
  const rates: { [Name in RateName]?: Rate } = {};
  for (const [key, value] of Object.entries(listed)) {
    if (value === undefined) continue;
    const target = rateKeys.get(key);
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
    isObject(tier) ? parseStep(startOf(tier['start']), tier['price'], per) : undefined,
  );
  if (base === undefined || !steps.every((step) => step !== undefined)) return undefined;
  return [base, ...steps.toSorted((a, b) => a.above - b.above)];
}

/**
 * The catalogue writes 271,999 for some models and 272,000 for others of one rule, OpenAI's "more than 272K input
 * tokens" (https://developers.openai.com/api/docs/models). Elsewhere it means what it says: xAI's step of 199,999 begins
 * with the 200,000th token.
 */
function startOf(start: unknown): unknown {
  return start === 271_999 ? 272_000 : start;
}

function parseStep(above: unknown, price: unknown, per: number): RateStep | undefined {
  const usd = typeof price === 'number' ? exactDecimal(price) : undefined;
  if (usd === undefined || typeof above !== 'number' || !Number.isSafeInteger(above)) return undefined;
  return rateStep(above, usd, per);
}
