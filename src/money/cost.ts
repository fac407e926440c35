import { KeyPassError } from '../errors.ts';
import { formatUsd, type Pico, priceOf } from './amount.ts';
import { type Price, type Rate, type RateName, rateOf, stepFor } from './prices.ts';
import { type FeeName, inputBuckets, outputBuckets, type TokenBucket, type Usage } from './usage.ts';

/** One line of a receipt, as it is stored: plain JSON, money as exact decimal text in US dollars. */
export interface CostLine {
  readonly bucket: TokenBucket | FeeName | 'request';
  readonly quantity: number;
  /** The rate applied; not the bucket's own where the list bills the bucket as another. */
  readonly rate: RateName;
  /** `usd` dollars for `per` units, the list's own figures. */
  readonly usd: string;
  readonly per: number;
  readonly cost: string;
}

const feeNames: readonly FeeName[] = ['webSearch', 'fileSearch', 'otherTools'];

/**
 * What a call cost: for each bucket used, quantity × price / unit, rounded up once. The tier of long contexts follows
 * from all input tokens together and holds for the whole call. Throws `price_unknown` when a used bucket has no price.
 */
export function costOf(usage: Usage, price: Price): { cost: Pico; lines: CostLine[] } {
  const inputTokens = totalInput(usage);
  const lines: CostLine[] = [];
  let cost = 0n;
  const charge = (bucket: CostLine['bucket'], quantity: number, found: { name: RateName; rate: Rate } | undefined) => {
    if (quantity === 0) return;
    if (found === undefined) throw priceUnknown(price.model, bucket);
    const step = stepFor(found.rate, inputTokens);
    const amount = priceOf(quantity, step.pico);
    cost += amount;
    lines.push({ bucket, quantity, rate: found.name, usd: step.usd, per: step.per, cost: formatUsd(amount) });
  };
  for (const bucket of [...inputBuckets, ...outputBuckets]) charge(bucket, usage[bucket] ?? 0, rateOf(price, bucket));
  for (const name of feeNames) charge(name, usage.fees?.[name] ?? 0, named(price, name));
  const request = named(price, 'request');
  if (request !== undefined) charge('request', 1, request);
  return { cost, lines };
}

function totalInput(usage: Usage): number {
  return inputBuckets.reduce((sum, bucket) => sum + (usage[bucket] ?? 0), 0);
}

/** The model's name comes from a request that named it to be called: it is no secret. */
export function priceUnknown(model: string, what: string, hint = ''): KeyPassError {
  const message = `The price of ${what} with the model ${shown(model)} is not known. ${hint}`;
  return new KeyPassError('price_unknown', message.trim(), {
    details: { model: shown(model), what },
  });
}

function named(price: Price, name: FeeName | 'request'): { name: RateName; rate: Rate } | undefined {
  const rate = price.rates[name];
  return rate === undefined ? undefined : { name, rate };
}

/** A model's name cut to what names look like, as it goes into a message. */
function shown(model: string): string {
  return model.replace(/[^\w.:@/-]/g, '?').slice(0, 100);
}
