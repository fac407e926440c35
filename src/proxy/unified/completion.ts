import { textAt } from '../../money/json.ts';
import { inputBuckets, outputBuckets, type Usage } from '../../money/usage.ts';
import type { ReasoningDetail } from './message.ts';

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
  readonly message: AnswerMessage;
  readonly logprobs: Logprobs | null;
  readonly finish_reason: FinishReason;
}

export interface AnswerMessage {
  readonly role: 'assistant';
  readonly content: string | null;
  readonly refusal: string | null;
  /** The model's thoughts to be read, as DeepSeek and others name them; absent where none are shown. */
  readonly reasoning_content?: string;
  /** The same to be sent back, with what proves that the model wrote them. */
  readonly reasoning_details?: readonly ReasoningDetail[];
  readonly tool_calls?: readonly AnswerToolCall[];
}

/** Google's proof that the model wrote a call, as its own OpenAI-shaped endpoint gives it; to be sent back. */
export interface ExtraContent {
  readonly google: { readonly thought_signature: string };
}

export interface AnswerToolCall {
  readonly id: string;
  readonly type: 'function';
  /** The arguments are JSON as a text. */
  readonly function: { readonly name: string; readonly arguments: string };
  readonly extra_content?: ExtraContent;
}

/** https://platform.openai.com/docs/api-reference/chat/object#chat-object-choices-logprobs */
export interface Logprobs {
  readonly content: readonly TokenLogprob[] | null;
  readonly refusal: null;
}

export interface TokenLogprob extends TopLogprob {
  readonly top_logprobs: readonly TopLogprob[];
}

export interface TopLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
}

/** Why a model stopped. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Counts of tokens; the details are parts of the counts above them. */
export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** What an answer says that its provider need not have said: used where the provider is silent. */
export interface CallFacts {
  readonly id: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
}

/**
 * A name that a provider gives to its answer or model. Every chunk of a stream repeats it: what is too long to be a name
 * would make the stream longer without end.
 */
export function labelAt(answer: unknown, member: string): string | undefined {
  const label = textAt(answer, member);
  return label !== undefined && label.length <= longestLabel ? label : undefined;
}

const longestLabel = 500;

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
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead + (usage.audioCacheRead ?? 0) + (usage.imageCacheRead ?? 0),
      cache_write_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

/** What a model answered; what is empty is left out. */
export interface Answer {
  /** Null where there is no answer at all. */
  readonly text: string | null;
  readonly refusal?: string | null;
  readonly thoughts?: string;
  readonly reasoning?: readonly ReasoningDetail[];
  readonly toolCalls?: readonly AnswerToolCall[];
  readonly logprobs?: readonly TokenLogprob[];
}

/** Content is null where something else stands in its place: calls, or a refusal. */
export function choice(index: number, answer: Answer, finish: FinishReason): Choice {
  const { text, refusal = null, thoughts = '', reasoning = [], toolCalls = [], logprobs } = answer;
  const isElsewhere = text === '' && (refusal !== null || toolCalls.length > 0);
  const message: AnswerMessage = {
    role: 'assistant',
    content: isElsewhere ? null : text,
    refusal,
    ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
    ...(reasoning.length === 0 ? {} : { reasoning_details: reasoning }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  };
  return {
    index,
    message,
    logprobs: logprobs === undefined ? null : { content: logprobs, refusal: null },
    finish_reason: finish,
  };
}
