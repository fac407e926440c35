import type { CallFacts, CompletionUsage, ExtraContent, FinishReason, Logprobs, TokenLogprob } from './completion.ts';
import type { ReasoningDetail } from './message.ts';

/** One event of a streamed answer in OpenAI's shape. https://platform.openai.com/docs/api-reference/chat/streaming */
export interface ChatChunk {
  readonly id: string;
  readonly object: 'chat.completion.chunk';
  readonly created: number;
  readonly model: string;
  readonly choices: readonly ChunkChoice[];
  /** With `include_usage`: null in every chunk but the last, which has no choices. */
  readonly usage?: CompletionUsage | null;
}

export interface ChunkChoice {
  readonly index: number;
  readonly delta: Delta;
  readonly logprobs: Logprobs | null;
  readonly finish_reason: FinishReason | null;
}

export interface Delta {
  readonly role?: 'assistant';
  readonly content?: string;
  readonly refusal?: string | null;
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly ReasoningDetail[];
  readonly tool_calls?: readonly ToolCallDelta[];
}

/** The first of a call has its id and name, the later ones pieces of its arguments; `index` says which call it is. */
export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
  readonly extra_content?: ExtraContent;
}

/** Reads a provider's events and says what OpenAI would have sent; of the answer it holds the reasoning alone. */
export interface ChunkReader {
  /** The chunks of one event's data. Throws KeyPassError where the event tells of a failure. */
  push(data: string): readonly object[];
  /** The last chunks. Throws `provider_unreachable` if the answer is not whole. */
  end(): readonly object[];
}

/** The most that a reader holds, in UTF-16 units: more than any model thinks, so that no stream can fill the memory. */
export const mostHeld = 8 * 1024 * 1024;

/** Writes the chunks of one answer. */
export class ChunkWriter {
  #facts: CallFacts;
  readonly #includeUsage: boolean;

  constructor(facts: CallFacts, includeUsage: boolean) {
    this.#facts = facts;
    this.#includeUsage = includeUsage;
  }

  /** What the provider itself says of the answer, from here on. */
  identify({ id, model }: { id?: string | undefined; model?: string | undefined }): void {
    this.#facts = { ...this.#facts, id: id ?? this.#facts.id, model: model ?? this.#facts.model };
  }

  begin(index = 0): ChatChunk {
    return this.#delta(index, { role: 'assistant', content: '', refusal: null });
  }

  text(content: string, index = 0, logprobs?: readonly TokenLogprob[]): ChatChunk {
    const told = logprobs === undefined ? null : { content: logprobs, refusal: null };
    return this.#chunk([{ index, delta: { content }, logprobs: told, finish_reason: null }]);
  }

  refusal(refusal: string, index = 0): ChatChunk {
    return this.#delta(index, { refusal });
  }

  thought(text: string, index = 0): ChatChunk {
    return this.#delta(index, { reasoning_content: text });
  }

  /**
   * All pieces of the reasoning, once and whole: some clients append what comes, others keep only what came last, and
   * both have it then. None if there is none.
   */
  reasoning(details: readonly ReasoningDetail[], index = 0): ChatChunk[] {
    return details.length === 0 ? [] : [this.#delta(index, { reasoning_details: details })];
  }

  toolCall(call: ToolCallDelta, index = 0): ChatChunk {
    return this.#delta(index, { tool_calls: [call] });
  }

  finish(reason: FinishReason, index = 0): ChatChunk {
    return this.#delta(index, {}, reason);
  }

  /** The usage, if the app asked for it. */
  usage(usage: CompletionUsage | undefined): ChatChunk[] {
    return this.#includeUsage && usage !== undefined ? [{ ...this.#chunk([]), usage }] : [];
  }

  #delta(index: number, delta: Delta, finish: FinishReason | null = null): ChatChunk {
    return this.#chunk([{ index, delta, logprobs: null, finish_reason: finish }]);
  }

  #chunk(choices: ChunkChoice[]): ChatChunk {
    const { id, created, model } = this.#facts;
    const usage = this.#includeUsage ? { usage: null } : {};
    return { id, object: 'chat.completion.chunk', created, model, choices, ...usage };
  }
}
