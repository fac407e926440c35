import { inputBuckets, outputBuckets, type Usage } from '../../money/usage.ts';

/** The answer to a chat in OpenAI's shape. https://platform.openai.com/docs/api-reference/chat/object */
export interface ChatCompletion {
  readonly id: string;
  readonly object: 'chat.completion';
  /** Unix time in seconds. */
  readonly created: number;
  /** The model that answered, as its provider names it. */
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly usage?: CompletionUsage;
}

export interface Choice {
  readonly index: number;
  readonly message: { readonly role: 'assistant'; readonly content: string | null; readonly refusal: string | null };
  readonly logprobs: null;
  readonly finish_reason: FinishReason;
}

/** Why a model stopped. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Counts of tokens; the details are parts of the counts above them. */
export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** What an answer says that its provider need not have said: used where the provider is silent. */
export interface CallFacts {
  readonly id: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
}

/** A provider's usage in OpenAI's shape, or no usage where the provider stated none that can be believed. */
export function withUsage(usage: Usage | undefined): { usage?: CompletionUsage } {
  return usage === undefined ? {} : { usage: completionUsage(usage) };
}

export function completionUsage(usage: Usage): CompletionUsage {
  const prompt = inputBuckets.reduce((sum, bucket) => sum + (usage[bucket] ?? 0), 0);
  const completion = outputBuckets.reduce((sum, bucket) => sum + (usage[bucket] ?? 0), 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cacheRead + (usage.audioCacheRead ?? 0) },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

export function choice(
  index: number,
  content: string | null,
  finish: FinishReason,
  refusal: string | null = null,
): Choice {
  return { index, message: { role: 'assistant', content, refusal }, logprobs: null, finish_reason: finish };
}
