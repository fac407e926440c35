import { KeyPassError } from '../errors.ts';
import { formatUsd, parseUsd, type Pico, priceOf } from './amount.ts';
import {
  billedSeconds,
  imagePriceOf,
  type ImagePrice,
  type Price,
  type RateName,
  rateNameOf,
  type RateStep,
  stepFor,
} from './prices.ts';
import {
  type FeeName,
  inputBuckets,
  tokenBuckets,
  type TokenBucket,
  tokensIn,
  type UnitBucket,
  type Usage,
} from './usage.ts';

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

type Charged = Pick<CostLine, 'bucket' | 'quantity' | 'rate'>;

const feeNames: readonly FeeName[] = ['webSearch', 'fileSearch', 'otherTools'];

/**
 * What a call cost: for each bucket used, quantity × price / unit, rounded up once. The tier of long contexts follows
 * from all input tokens together and holds for the whole call. Throws `price_unknown` when a used bucket has no price.
 * Where the provider says what it charges, that is the cost (docs/decisions/stated-costs.md).
 */
export function costOf(usage: Usage, price: Price): { cost: Pico; lines: CostLine[] } {
  if (usage.statedUsd !== undefined) return statedCost(usage.statedUsd);
  const inputTokens = tokensIn(usage, inputBuckets);
  const lines: CostLine[] = [];
  let cost = 0n;
  const charge = ({ bucket, quantity, rate }: Charged, { pico, usd, per }: RateStep, variant?: string) => {
    const amount = priceOf(quantity, pico);
    cost += amount;
    const line = { bucket, quantity, rate, usd, per, cost: formatUsd(amount) };
    lines.push(variant === undefined ? line : { ...line, variant });
  };
  const chargeAt = (rate: RateName | undefined, bucket: CostLine['bucket'], quantity: number) => {
    const steps = rate === undefined ? undefined : price.rates[rate];
    if (rate === undefined || steps === undefined) throw priceUnknown(price.model, bucket);
    charge({ bucket, quantity, rate }, stepFor(steps, inputTokens));
  };
  for (const bucket of tokenBuckets) {
    const quantity = usage[bucket] ?? 0;
    if (quantity !== 0) chargeAt(rateNameOf(price, bucket), bucket, quantity);
  }
  const { seconds = 0, characters = 0, images, fees } = usage;
  if (seconds !== 0) chargeAt('audioSecond', 'seconds', billedSeconds(price, seconds));
  if (characters !== 0) chargeAt('character', 'characters', characters);
  if (images !== undefined && images.count !== 0) {
    const found = imagePriceOf(price, images);
    if (found === undefined) throw priceUnknown(price.model, 'images');
    charge({ bucket: 'images', quantity: images.count, rate: 'image' }, found.step, variantOf(found));
  }
  for (const name of feeNames) {
    const quantity = fees?.[name] ?? 0;
    if (quantity !== 0) chargeAt(name, name, quantity);
  }
  if (price.rates.request !== undefined) chargeAt('request', 'request', 1);
  return { cost, lines };
}

function statedCost(usd: string): { cost: Pico; lines: CostLine[] } {
  return { cost: parseUsd(usd), lines: [{ bucket: 'stated', quantity: 1, rate: 'stated', usd, per: 1, cost: usd }] };
}

function variantOf({ size, quality }: ImagePrice): string | undefined {
  const variant = [size, quality].filter((part) => part !== null).join(' ');
  return variant === '' ? undefined : variant;
}

/** The model's name comes from a request that named it to be called: it is no secret. */
export function priceUnknown(model: string, what: string, hint = ''): KeyPassError {
  const message = `The price of ${what} with the model ${shownModel(model)} is not known. ${hint}`;
  return new KeyPassError('price_unknown', message.trim(), {
    details: { model: shownModel(model), what },
  });
}

/** A model's name cut to what names look like, as it goes into a message. */
export function shownModel(model: string): string {
  return model.replace(/[^\w.:@/-]/g, '?').slice(0, 100);
}
