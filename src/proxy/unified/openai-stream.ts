import { isAbsent, type JsonObject, listAt, objectAt, parseObject } from '../../money/json.ts';
import { CallNumbers } from './call-numbers.ts';
import type { ChunkReader } from './chunks.ts';
import type { CallFacts } from './completion.ts';
import { brokenOff, failureInStream, unreadable } from './failures.ts';
import { choiceOf, factsOf, usageIn } from './openai.ts';

/**
 * Reads the events of a stream in OpenAI's shape, as far as its provider keeps to it: comments are gone by here, usage
 * comes at the end and only if it was asked for, whether the provider states it in each event, in the last, or apart.
 * https://platform.openai.com/docs/api-reference/chat/streaming
 */
export class OpenAiStream implements ChunkReader {
  #facts: CallFacts;
  readonly #includeUsage: boolean;
  #usage: JsonObject | undefined;
  #isDone = false;
  /** Of each choice that has begun. */
  readonly #calls = new Map<number, CallNumbers>();
  readonly #finished = new Set<number>();

  constructor(facts: CallFacts, includeUsage: boolean) {
    this.#facts = facts;
    this.#includeUsage = includeUsage;
  }

  push(data: string): JsonObject[] {
    if (data.trim() === '[DONE]') this.#isDone = true;
    if (this.#isDone) return [];
    const event = parseObject(data);
    if (event === undefined) throw unreadable();
    if (!isAbsent(event['error']) || event['object'] === 'error') throw failureInStream(event);
    this.#facts = factsOf(event, this.#facts);
    this.#usage = usageIn(event) ?? usageIn(objectAt(event, 'x_groq')) ?? this.#usage;
    const choices = listAt(event, 'choices').map((choice, position) => this.#choice(choice, position));
    return choices.length === 0 ? [] : [this.#chunk(event, choices)];
  }

  end(): JsonObject[] {
    const isWhole = this.#isDone || this.#calls.size === this.#finished.size;
    if (this.#calls.size === 0 || !isWhole) throw brokenOff();
    return this.#includeUsage && this.#usage !== undefined ? [{ ...this.#chunk({}, []), usage: this.#usage }] : [];
  }

  #choice(choice: unknown, position: number): JsonObject {
    const { said, ...others } = choiceOf(choice, position, 'delta');
    const begun = this.#calls.get(others.index);
    const numbers = begun ?? new CallNumbers();
    this.#calls.set(others.index, numbers);
    if (others.finish_reason !== null) this.#finished.add(others.index);
    const { role: _, tool_calls: calls = [], ...delta } = said;
    const numbered = calls.map((call) => ({ ...call, index: numbers.numberOf(call) }));
    return {
      ...others,
      delta: {
        ...(begun === undefined ? { role: 'assistant' } : {}),
        ...delta,
        ...(numbered.length === 0 ? {} : { tool_calls: numbered }),
      },
    };
  }

  #chunk(event: JsonObject, choices: readonly JsonObject[]): JsonObject {
    const { usage: _, ...others } = event;
    const usage = this.#includeUsage ? { usage: null } : {};
    return { ...others, ...this.#facts, object: 'chat.completion.chunk', choices, ...usage };
  }
}
