import { decimalText, type Fraction, picoPerUnit } from './amount.ts';
import type { FeeName, InputBucket, OutputBucket } from './usage.ts';

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

export type RateName =
  | Exclude<InputBucket, 'uncachedInput'>
  | OutputBucket
  | 'input'
  | 'audioSecond'
  | 'character'
  | 'request'
  | FeeName;

/** A rate that is missing is unknown, never zero. */
export type Rates = { readonly [Name in RateName]?: Rate };

/** What a list calls a rate, and how many units its figure is for. */
interface RateKey {
  readonly name: RateName;
  readonly per: number;
}

const million = 1_000_000;
const thousand = 1_000;
const hour = 3_600;

/** The catalogue's keys that this code can bill; a price file has the same. An entry with any other key is not used. */
export const rateKeys: ReadonlyMap<string, RateKey> = new Map<string, RateKey>([
  ['input_mtok', { name: 'input', per: million }],
  ['cache_read_mtok', { name: 'cacheRead', per: million }],
  ['cache_write_mtok', { name: 'cacheWrite5m', per: million }],
  ['cache_write_1h_mtok', { name: 'cacheWrite1h', per: million }],
  ['input_audio_mtok', { name: 'audioInput', per: million }],
  ['cache_audio_read_mtok', { name: 'audioCacheRead', per: million }],
  ['input_image_mtok', { name: 'imageInput', per: million }],
  ['cache_image_read_mtok', { name: 'imageCacheRead', per: million }],
  ['input_video_mtok', { name: 'videoInput', per: million }],
  ['output_mtok', { name: 'output', per: million }],
  ['output_audio_mtok', { name: 'audioOutput', per: million }],
  ['output_image_mtok', { name: 'imageOutput', per: million }],
  ['output_video_mtok', { name: 'videoOutput', per: million }],
  ['input_audio_hours', { name: 'audioSecond', per: hour }],
  ['input_mchars', { name: 'character', per: million }],
  ['web_searches_kcount', { name: 'webSearch', per: thousand }],
  ['storage_searches_kcount', { name: 'fileSearch', per: thousand }],
  ['requests_kcount', { name: 'request', per: thousand }],
]);

/** Every rate at nothing. Not that of pictures: a model that makes them is bounded as if no limit held for it. */
export function zeroRates(): Rates {
  const rates: { [Name in RateName]?: Rate } = {};
  for (const { name, per } of rateKeys.values())
    if (name !== 'imageOutput') rates[name] = [rateStep(-1, { numerator: 0n, denominator: 1n }, per)];
  return rates;
}

export function rateStep(above: number, usd: Fraction, per: number): RateStep {
  return { above, usd: decimalText(usd), per, pico: picoPerUnit(usd, per) };
}

/** The step that holds for a call with this much input in all. */
export function stepFor(rate: Rate, inputTokens: number): RateStep {
  let held = rate[0];
  for (const step of rate) if (inputTokens > step.above) held = step;
  return held;
}
