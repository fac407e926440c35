import { listAt, objectAt, parseObject, textAt } from '../../money/json.ts';
import { usageFromGemini } from '../../money/usage-gemini.ts';
import type { Usage } from '../../money/usage.ts';
import { ChunkWriter, type ChatChunk, type ChunkReader } from './chunks.ts';
import { completionUsage, type CallFacts } from './completion.ts';
import { brokenOff, failureInStream, unreadable } from './failures.ts';
import { finishOf, indexOf, isBlocked, textOf } from './google.ts';

/**
 * Reads Gemini's events (`alt=sse`): each is an answer of its own with the text that is new. The usage is the last one
 * stated. Finish reasons are told at the end, because some models repeat `STOP` in every event.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class GoogleStream implements ChunkReader {
  readonly #write: ChunkWriter;
  readonly #begun = new Set<number>();
  readonly #reasons = new Map<number, string>();
  #isBlocked = false;
  #usage: Usage | undefined;

  constructor(facts: CallFacts, includeUsage: boolean) {
    this.#write = new ChunkWriter(facts, includeUsage);
  }

  push(data: string): ChatChunk[] {
    const event = parseObject(data);
    if (event === undefined) throw unreadable();
    if (objectAt(event, 'error') !== undefined) throw failureInStream(event);
    this.#write.identify({ id: textAt(event, 'responseId'), model: textAt(event, 'modelVersion') });
    this.#usage = usageFromGemini(event) ?? this.#usage;
    if (isBlocked(event)) {
      this.#isBlocked = true;
      return this.#begun.size === 0 ? this.#begin(0) : [];
    }
    return listAt(event, 'candidates').flatMap((candidate, position) => this.#candidate(candidate, position));
  }

  end(): ChatChunk[] {
    const finishes = [...this.#begun].map((index) => {
      const reason = this.#reasons.get(index);
      if (reason === undefined && !this.#isBlocked) throw brokenOff();
      return this.#write.finish(finishOf(reason), index);
    });
    if (finishes.length === 0) throw brokenOff();
    return [...finishes, ...this.#write.usage(this.#usage === undefined ? undefined : completionUsage(this.#usage))];
  }

  #candidate(candidate: unknown, position: number): ChatChunk[] {
    const index = indexOf(candidate, position);
    const reason = textAt(candidate, 'finishReason');
    if (reason !== undefined) this.#reasons.set(index, reason);
    const text = textOf(candidate);
    const chunks = this.#begin(index);
    return text === '' ? chunks : [...chunks, this.#write.text(text, index)];
  }

  #begin(index: number): ChatChunk[] {
    if (this.#begun.has(index)) return [];
    this.#begun.add(index);
    return [this.#write.begin(index)];
  }
}
