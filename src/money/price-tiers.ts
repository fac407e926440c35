import { KeyPassError } from '../errors.ts';
import { shownModel } from './cost.ts';
import type { JsonObject } from './json.ts';
import type { PriceBook } from './price-book.ts';
import { type Rate, type RateName, stepFor } from './price-rates.ts';
import { type Price, rateOf, type RateStep } from './prices.ts';
import { askedTier, servedTier } from './tier.ts';
import { tokenBuckets, type UsageFormat } from './usage.ts';

/** What a call can turn out to cost by: in the tier that it asks for, or in the standard one if that has no room. */
export interface CallPrices {
  /** No less than any of them, for the bound. */
  readonly highest: Price;
  /** The one of the tier that was asked for comes first. */
  readonly served: readonly [Price, ...Price[]];
}

interface PriceableCall {
  readonly provider: string;
  readonly model: string;
  readonly format: UsageFormat;
  readonly body: JsonObject;
}

/** The prices of a call at its start. Throws `price_unknown` when the model's is not known. */
export function callPrices(book: PriceBook, { provider, model, format, body }: PriceableCall, at: Date): CallPrices {
  const standard = book.find(provider, model, at);
  if (standard === undefined) {
    const message = `KeyPass knows no price of ${shownModel(model)} at ${provider}, so it is not called. Check the name: GET /openai/v1/models lists what can be called, other providers' models as provider/model.`;
    throw new KeyPassError('price_unknown', message, { param: 'model', details: { model: model.slice(0, 100) } });
  }
  const tier = askedTier(format, body);
  const special = tier === null ? undefined : book.find(provider, model, at, tier);
  if (special === undefined) return { highest: standard, served: [standard] };
  return { highest: dearer(special, standard), served: [special, standard] };
}

/** The price in the tier that an answer names; one that names none was served as asked. Undefined for any other tier. */
export function priceServed(format: UsageFormat, { served }: CallPrices, named: string | undefined): Price | undefined {
  if (named === undefined) return served[0];
  const tier = servedTier(format, named);
  return tier === undefined ? undefined : served.find(({ source }) => (source.tier ?? null) === tier);
}

/** For everything that both have a price for, the higher of the two; what one of them lacks stays unknown. */
function dearer(special: Price, standard: Price): Price {
  const rates: { [Name in RateName]?: Rate } = {};
  for (const bucket of tokenBuckets) {
    const [a, b] = [rateOf(special, bucket), rateOf(standard, bucket)];
    if (a !== undefined && b !== undefined) rates[bucket === 'uncachedInput' ? 'input' : bucket] = higher(a, b);
  }
  for (const name of ['audioSecond', 'character', 'webSearch', 'fileSearch', 'otherTools', 'request'] as const) {
    const [a, b] = [special.rates[name], standard.rates[name]];
    if (a !== undefined && b !== undefined) rates[name] = higher(a, b);
  }
  return { provider: special.provider, model: special.model, source: special.source, rates };
}

function higher(a: Rate, b: Rate): Rate {
  const [, ...above] = [...new Set([...a, ...b].map((step) => step.above))].toSorted((x, y) => x - y);
  const at = (tokens: number): RateStep => {
    const [one, other] = [stepFor(a, tokens + 1), stepFor(b, tokens + 1)];
    const isHigher = one.pico.numerator * other.pico.denominator >= other.pico.numerator * one.pico.denominator;
    return { ...(isHigher ? one : other), above: tokens };
  };
  return [at(-1), ...above.map(at)];
}
