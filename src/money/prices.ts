import type { Match } from './catalogue.ts';
import type { Rate, RateName, Rates, RateStep } from './price-rates.ts';
import type { ImageCount, TokenBucket } from './usage.ts';

export { type Rate, type RateName, type RateStep, stepFor } from './price-rates.ts';

/** Where a price is from, as a receipt keeps it. */
export interface PriceSource {
  /** The catalogue, what this program adds to it, the operator's file, or the operator's word that all of it is free. */
  readonly list: 'catalogue' | 'supplement' | 'file' | 'configuration';
  /** The catalogue's release, the day of the supplement, `free`; of a file its own date, if it has one, and its hash. */
  readonly version: string;
  /** The list's own name of the entry, and whether the model's name is in it or fits its pattern. */
  readonly entry: string;
  readonly match: Match;
  /** Absent where it is the standard tier's price. */
  readonly tier?: Tier;
}

/** Service tiers that can have prices of their own. */
export const tiers = ['flex', 'priority'] as const;

export type Tier = (typeof tiers)[number];

/** The price of a picture by the piece; a null fits every size or quality. */
export interface ImagePrice {
  readonly size: string | null;
  readonly quality: string | null;
  readonly step: RateStep;
}

/** The list price of one model at one moment. A rate that is missing is unknown, never zero. */
export interface Price {
  readonly provider: string;
  readonly model: string;
  readonly source: PriceSource;
  readonly rates: Rates;
  /** Where pictures are billed by the piece. */
  readonly images?: readonly ImagePrice[];
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

/** No discount is listed, so none is given. */
const withoutDiscount: { readonly [Bucket in TokenBucket]?: TokenBucket } = {
  cacheRead: 'uncachedInput',
  imageCacheRead: 'imageInput',
};

/** The name of the rate that bills a bucket; undefined when no price is known for it. */
export function rateNameOf(price: Price, bucket: TokenBucket): RateName | undefined {
  const name = bucket === 'uncachedInput' ? 'input' : bucket;
  if (price.rates[name] !== undefined) return name;
  const other = withoutDiscount[bucket] ?? billedAs[price.provider]?.[bucket];
  return other === undefined ? undefined : rateNameOf(price, other);
}

export function rateOf(price: Price, bucket: TokenBucket): Rate | undefined {
  const name = rateNameOf(price, bucket);
  return name === undefined ? undefined : price.rates[name];
}

/**
 * The price of a picture of this size and quality: the most specific that fits. What is null, or "auto", may turn out as
 * any that is listed or none of them: the dearest of those that it may be.
 */
export function imagePriceOf(price: Price, asked: Pick<ImageCount, 'size' | 'quality'>): ImagePrice | undefined {
  const images = price.images ?? [];
  const sizes = possible(asked.size, (image) => image.size);
  const qualities = possible(asked.quality, (image) => image.quality);
  return sizes
    .flatMap((size) => qualities.map((quality) => mostSpecific(images, size, quality)))
    .reduce((best, image) => (best === undefined || (image !== undefined && isDearer(image, best)) ? image : best));

  function possible(value: string | null, listed: (image: ImagePrice) => string | null): (string | null)[] {
    return value === null || value === 'auto' ? [null, ...new Set(images.map(listed))] : [value.toLowerCase()];
  }
}

/** Null stands for one that is not listed. */
function mostSpecific(images: readonly ImagePrice[], size: string | null, quality: string | null) {
  const exactness = (image: ImagePrice) => (image.size === null ? 0 : 1) + (image.quality === null ? 0 : 1);
  return images
    .filter((image) => fits(image.size, size) && fits(image.quality, quality))
    .reduce<ImagePrice | undefined>((best, image) => {
      if (best === undefined || exactness(image) > exactness(best)) return image;
      return exactness(image) === exactness(best) && isDearer(image, best) ? image : best;
    }, undefined);
}

/**
 * How much of a recording is billed. OpenAI states whole seconds, 9 for 8.47 in its reference
 * (https://platform.openai.com/docs/api-reference/audio); Groq bills ten at least
 * (https://console.groq.com/docs/speech-to-text); the others as long as it is.
 */
export function billedSeconds({ provider }: Price, seconds: number): number {
  if (provider === 'openai') return Math.ceil(seconds);
  return provider === 'groq' && seconds > 0 ? Math.max(seconds, 10) : seconds;
}

function fits(listed: string | null, actual: string | null): boolean {
  return listed === null || listed === actual;
}

function isDearer({ step: { pico: a } }: ImagePrice, { step: { pico: b } }: ImagePrice): boolean {
  return a.numerator * b.denominator > b.numerator * a.denominator;
}
