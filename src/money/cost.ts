import { KeyPassError } from '../errors.ts';
import { formatUsd, parseUsd, type Pico, priceOf } from './amount.ts';
import {
  billedSeconds,
  imagePriceOf,
  type ImagePrice,
  type Price,
  type Rate,
  type RateName,
  rateOf,
  type RateStep,
  stepFor,
} from './prices.ts';
import { type FeeName, inputBuckets, outputBuckets, type TokenBucket, type UnitBucket, type Usage } from './usage.ts';

/** One line of a receipt, as it is stored: plain JSON, money as exact decimal text in US dollars. */
export interface CostLine {
  readonly bucket: TokenBucket | UnitBucket | FeeName | 'request' | 'stated';
  /** As it is billed. A whole number, except of seconds. */
  readonly quantity: number;
  /** The rate applied; not the bucket's own where the list bills the bucket as another. */
  readonly rate: RateName | 'image' | 'stated';
  /** Which of the prices of pictures it is: size and quality as the list has them. */
  readonly variant?: string;
  /** `usd` dollars for `per` units, the list's own figures. */
  readonly usd: string;
  readonly per: number;
  readonly cost: string;
}

const feeNames: readonly FeeName[] = ['webSearch', 'fileSearch', 'otherTools'];

/**
 * What a call cost: for each bucket used, quantity × price / unit, rounded up once. The tier of long contexts follows
 * from all input tokens together and holds for the whole call. Throws `price_unknown` when a used bucket has no price.
 * Where the provider says what it charges, that is the cost (docs/decisions/stated-costs.md).
 */
export function costOf(usage: Usage, price: Price): { cost: Pico; lines: CostLine[] } {
  if (usage.statedUsd !== undefined) return statedCost(usage.statedUsd);
  const inputTokens = totalInput(usage);
  const lines: CostLine[] = [];
  let cost = 0n;
  const charge = (bucket: CostLine['bucket'], quantity: number, found: Applied | undefined) => {
    if (quantity === 0) return;
    if (found === undefined) throw priceUnknown(price.model, bucket);
    const { step, ...applied } = found;
    const amount = priceOf(quantity, step.pico);
    cost += amount;
    lines.push({ bucket, quantity, ...applied, usd: step.usd, per: step.per, cost: formatUsd(amount) });
  };
  const at = (found: { name: RateName; rate: Rate } | undefined): Applied | undefined =>
    found === undefined ? undefined : { rate: found.name, step: stepFor(found.rate, inputTokens) };
  for (const bucket of [...inputBuckets, ...outputBuckets])
    charge(bucket, usage[bucket] ?? 0, at(rateOf(price, bucket)));
  charge('seconds', billedSeconds(price, usage.seconds ?? 0), at(named(price, 'audioSecond')));
  charge('characters', usage.characters ?? 0, at(named(price, 'character')));
  if (usage.images !== undefined) charge('images', usage.images.count, ofImage(imagePriceOf(price, usage.images)));
  for (const name of feeNames) charge(name, usage.fees?.[name] ?? 0, at(named(price, name)));
  const request = named(price, 'request');
  if (request !== undefined) charge('request', 1, at(request));
  return { cost, lines };
}

function statedCost(usd: string): { cost: Pico; lines: CostLine[] } {
  return { cost: parseUsd(usd), lines: [{ bucket: 'stated', quantity: 1, rate: 'stated', usd, per: 1, cost: usd }] };
}

/** What a line of a receipt says of its price. */
interface Applied extends Pick<CostLine, 'rate' | 'variant'> {
  readonly step: RateStep;
}

function ofImage(found: ImagePrice | undefined): Applied | undefined {
  if (found === undefined) return undefined;
  const { size, quality, step } = found;
  const variant = [size, quality].filter((part) => part !== null).join(' ');
  return { rate: 'image', step, ...(variant === '' ? {} : { variant }) };
}

function totalInput(usage: Usage): number {
  return inputBuckets.reduce((sum, bucket) => sum + (usage[bucket] ?? 0), 0);
}

/** The model's name comes from a request that named it to be called: it is no secret. */
export function priceUnknown(model: string, what: string, hint = ''): KeyPassError {
  const message = `The price of ${what} with the model ${shownModel(model)} is not known. ${hint}`;
  return new KeyPassError('price_unknown', message.trim(), {
    details: { model: shownModel(model), what },
  });
}

function named(price: Price, name: RateName): { name: RateName; rate: Rate } | undefined {
  const rate = price.rates[name];
  return rate === undefined ? undefined : { name, rate };
}

/** A model's name cut to what names look like, as it goes into a message. */
export function shownModel(model: string): string {
  return model.replace(/[^\w.:@/-]/g, '?').slice(0, 100);
}
