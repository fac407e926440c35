import { isAbsent, type JsonObject, listAt, objectAt, parseObject } from '../../money/json.ts';
import type { ChunkReader } from './chunks.ts';
import type { CallFacts } from './completion.ts';
import { brokenOff, failureInStream, unreadable } from './failures.ts';
import { choiceOf, factsOf } from './openai.ts';

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
  readonly #begun = new Set<number>();
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
    this.#usage = objectAt(event, 'usage') ?? objectAt(objectAt(event, 'x_groq'), 'usage') ?? this.#usage;
    const choices = listAt(event, 'choices').map((choice, position) => this.#choice(choice, position));
    return choices.length === 0 ? [] : [this.#chunk(event, choices)];
  }

  end(): JsonObject[] {
    const isWhole = this.#isDone || this.#begun.size === this.#finished.size;
    if (this.#begun.size === 0 || !isWhole) throw brokenOff();
    return this.#includeUsage && this.#usage !== undefined ? [{ ...this.#chunk({}, []), usage: this.#usage }] : [];
  }

  #choice(choice: unknown, position: number): JsonObject {
    const { said, ...others } = choiceOf(choice, position, 'delta');
    const isFirst = !this.#begun.has(others.index);
    this.#begun.add(others.index);
    if (others.finish_reason !== null) this.#finished.add(others.index);
    return { ...others, delta: isFirst ? { role: 'assistant', ...said } : said };
  }

  #chunk(event: JsonObject, choices: readonly JsonObject[]): JsonObject {
    const { usage: _, ...others } = event;
    const usage = this.#includeUsage ? { usage: null } : {};
    return { ...others, ...this.#facts, object: 'chat.completion.chunk', choices, ...usage };
  }
}
