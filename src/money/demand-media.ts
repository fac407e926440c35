import { speechDemand, transcriptionDemand } from './demand-audio.ts';
import { imagesDemand } from './demand-images.ts';
import type { JsonObject } from './json.ts';
import type { Price } from './prices.ts';
import type { Usage, UsageFormat } from './usage.ts';

/** A call whose answer is no text, or whose prompt is a recording. */
export interface MediaCall {
  readonly model: string;
  readonly body: JsonObject;
  readonly price: Price;
  /** UTF-8 bytes of the body as it is sent, its files included. */
  readonly bodyBytes: number;
}

/** What such a call uses at most, and what is known of it before the answer. */
export interface MediaDemand {
  readonly most: Usage;
  readonly told?: ToldUsage;
}

/** The usage as far as the request tells it: for answers that state none. */
export interface ToldUsage {
  /** `estimated`: the provider counts it on its own. */
  readonly quality: 'measured' | 'estimated';
  /** The answer is not asked: it states nothing, or is text in which a recording could say anything. */
  readonly isAll: boolean;
  /** Of an answer that came whole, by its length; undefined where that does not tell. */
  readonly usageOf: (answer: { isWhole: boolean; bytes: number }) => Usage | undefined;
}

const demands = {
  'openai-images': imagesDemand,
  'openai-speech': (call: MediaCall) => speechDemand('openai', call),
  'groq-speech': (call: MediaCall) => speechDemand('groq', call),
  'openai-transcription': (call: MediaCall) => transcriptionDemand('openai', call),
  'groq-transcription': (call: MediaCall) => transcriptionDemand('groq', call),
} satisfies { readonly [Format in UsageFormat]?: (call: MediaCall) => MediaDemand };

export type MediaFormat = keyof typeof demands;

export function isMediaFormat(format: UsageFormat): format is MediaFormat {
  return Object.hasOwn(demands, format);
}

export function mediaDemand(format: MediaFormat, call: MediaCall): MediaDemand {
  return demands[format](call);
}
