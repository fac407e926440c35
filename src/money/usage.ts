/** Which API's usage numbers an answer carries, and where. */
export type UsageFormat =
  | 'openai-chat'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'anthropic-messages'
  | 'gemini'
  | 'gemini-embed'
  | 'groq-chat'
  | 'compatible-chat'
  | 'compatible-completions'
  | 'openrouter-chat'
  | 'xai-responses'
  | 'perplexity-chat'
  | 'cohere-chat'
  | 'cohere-embed'
  | 'openai-images'
  | 'openai-speech'
  | 'openai-transcription'
  | 'groq-speech'
  | 'groq-transcription';

/** What is billed by the use and not by the token. `otherTools` are known to have run and have no price here. */
export type FeeName = 'webSearch' | 'fileSearch' | 'otherTools';

export type Fees = { readonly [Name in FeeName]?: number };

/** Pictures that were made, all alike. Null where neither the request nor the answer says. */
export interface ImageCount {
  readonly count: number;
  /** As the API names it, such as "1024x1024". */
  readonly size: string | null;
  /** As the API names it, such as "hd". */
  readonly quality: string | null;
}

/**
 * What one call used, in buckets that do not overlap: a token is in exactly one of them, whatever the provider's own
 * totals include. `reasoning` alone is informative: those tokens are part of `output`. What is billed by another unit
 * than the token stands beside them.
 */
export interface Usage {
  readonly uncachedInput: number;
  readonly cacheRead: number;
  /** Written to a cache of the shorter life: Anthropic's 5 minutes, OpenAI's 30. */
  readonly cacheWrite5m: number;
  /** Written to a cache of the longer life: Anthropic's hour, OpenAI's 12 hours. */
  readonly cacheWrite1h: number;
  readonly audioInput: number;
  readonly output: number;
  readonly audioOutput: number;
  readonly reasoning: number;
  readonly audioCacheRead?: number;
  readonly imageInput?: number;
  readonly imageCacheRead?: number;
  readonly videoInput?: number;
  readonly imageOutput?: number;
  readonly videoOutput?: number;
  /** Of audio that was sent, as long as it is: what the provider rounds is rounded with its price. May have a fraction. */
  readonly seconds?: number;
  /** Of text that was made into speech, as the provider counts them. */
  readonly characters?: number;
  /** Where pictures are billed by the piece. */
  readonly images?: ImageCount;
  readonly fees?: Fees;
  /** What the provider says that it charges for the call, in US dollars: then that is the cost, whatever a list says. */
  readonly statedUsd?: string;
  /** The provider's usage object as it came, for the receipt. */
  readonly raw: unknown;
}

export const inputBuckets = [
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'audioCacheRead',
  'imageInput',
  'imageCacheRead',
  'videoInput',
] as const;

export const outputBuckets = ['output', 'audioOutput', 'imageOutput', 'videoOutput'] as const;

export const tokenBuckets = [...inputBuckets, ...outputBuckets] as const;

export type InputBucket = (typeof inputBuckets)[number];
export type OutputBucket = (typeof outputBuckets)[number];
export type TokenBucket = InputBucket | OutputBucket;

/** What is billed by another unit than the token. */
export type UnitBucket = 'seconds' | 'characters' | 'images';

export const noTokens = {
  uncachedInput: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  audioInput: 0,
  output: 0,
  audioOutput: 0,
  reasoning: 0,
} as const;

/** No context window, file or text comes near this; a larger count is an error or a lie. */
const most = 1_000_000_000;
/** The same of searches, tools and images, which cost thousands of times as much each. */
const mostUses = 1_000_000;

/** A count that must be there. What is none becomes NaN, which every sum carries on to `soundUsage`. */
export function requiredCount(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : Number.NaN;
}

/** A count that may be left out or null, which means none. */
export function optionalCount(value: unknown): number {
  return value === undefined || value === null ? 0 : requiredCount(value);
}

/**
 * The usage if every count in it is a plausible whole number, else undefined: numbers that contradict each other (more
 * cached than sent) or are no counts are treated as missing, so that no answer can make a cost negative or absurd.
 */
export function soundUsage(usage: Usage): Usage | undefined {
  const { reasoning, characters = 0, seconds = 0, images, fees } = usage;
  for (const bucket of tokenBuckets) if (!isCount(usage[bucket] ?? 0, most)) return undefined;
  if (!isCount(reasoning, most) || !isCount(characters, most) || !(seconds >= 0 && seconds <= most)) return undefined;
  if (images !== undefined && !isCount(images.count, mostUses)) return undefined;
  if (fees === undefined) return usage;
  return Object.values(fees).every((count) => isCount(count, mostUses)) ? usage : undefined;
}

function isCount(count: number, atMost: number): boolean {
  return Number.isSafeInteger(count) && count >= 0 && count <= atMost;
}

/** Tokens of these buckets together. */
export function tokensIn(usage: Usage, buckets: readonly TokenBucket[]): number {
  let sum = 0;
  for (const bucket of buckets) sum += usage[bucket] ?? 0;
  return sum;
}

/** Only the fees that were incurred, so that a usage without any has no `fees` member to look at. */
export function incurred(fees: Required<Fees>): { readonly fees?: Fees } {
  const { webSearch, fileSearch, otherTools } = fees;
  if (webSearch === 0 && fileSearch === 0 && otherTools === 0) return noFees;
  return { fees: Object.fromEntries(Object.entries(fees).filter(([, count]) => count !== 0)) };
}

const noFees = Object.freeze({});
