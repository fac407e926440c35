import type { JsonObject } from '../../money/json.ts';

/** A mark after which a provider is asked to cache the prompt, as Anthropic, OpenRouter and LiteLLM write it. */
export interface CacheHint {
  readonly type: 'ephemeral';
  readonly ttl?: '5m' | '1h';
}

/** `place` is where it stands in the request, for refusals: `messages.2.content.0`. */
interface Placed {
  readonly place: string;
  readonly cache?: CacheHint;
}

export interface TextPart extends Placed {
  readonly type: 'text';
  readonly text: string;
}

export interface ImagePart extends Placed {
  readonly type: 'image';
  readonly source: { readonly kind: 'url'; readonly url: string } | InlineSource;
  /** Undefined for `auto`, which is the default. */
  readonly detail: string | undefined;
}

export interface AudioPart extends Placed {
  readonly type: 'audio';
  /** Such as `wav`. */
  readonly format: string;
  /** Base64. */
  readonly data: string;
}

export interface FilePart extends Placed {
  readonly type: 'file';
  readonly source: InlineSource;
  readonly filename: string | undefined;
}

/** What a data URL says. */
export interface InlineSource {
  readonly kind: 'inline';
  /** In lower case, without parameters. */
  readonly mediaType: string;
  /** Base64. */
  readonly data: string;
}

export type Part = TextPart | ImagePart | AudioPart | FilePart;

/** `developer` is OpenAI's newer name for `system` and is read as that. */
export interface SystemMessage {
  readonly role: 'system';
  readonly parts: readonly TextPart[];
}

export interface UserMessage {
  readonly role: 'user';
  readonly parts: readonly Part[];
}

/** A refusal is among the parts, as the text that it is. */
export interface AssistantMessage {
  readonly role: 'assistant';
  readonly parts: readonly TextPart[];
  readonly toolCalls: readonly ToolCall[];
  /** `reasoning_details`; of `reasoning_content` nothing is read, since no provider takes back unsigned thoughts. */
  readonly reasoning: readonly ReasoningDetail[];
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  /** Google's proof of the call: `extra_content.google.thought_signature`. */
  readonly signature: string | undefined;
  readonly place: string;
}

/** What a tool gave for one call. */
export interface ToolMessage {
  readonly role: 'tool';
  readonly callId: string;
  readonly parts: readonly Part[];
  readonly cache?: CacheHint;
  readonly place: string;
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/**
 * A piece of a model's reasoning, in OpenRouter's shape, to be sent back as it came: the signature proves that the
 * model itself wrote it. `format` names whose it is, such as `anthropic-claude-v1`.
 * https://openrouter.ai/docs/use-cases/reasoning-tokens#reasoning_details-array-structure
 */
export type ReasoningDetail = ReasoningText | ReasoningEncrypted;

interface ReasoningFacts {
  readonly format: string;
  /** Its place among the pieces of one answer. */
  readonly index: number;
  /** How many UTF-16 units of the answer's `content` come before it; absent for none. */
  readonly offset?: number;
}

export interface ReasoningText extends ReasoningFacts {
  readonly type: 'reasoning.text';
  /** Empty where the provider shows no thoughts. */
  readonly text: string;
  readonly signature?: string;
}

export interface ReasoningEncrypted extends ReasoningFacts {
  readonly type: 'reasoning.encrypted';
  readonly data: string;
}
