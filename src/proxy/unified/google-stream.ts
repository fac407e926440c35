import { objectAt, parseObject } from '../../money/json.ts';
import { usageFromGemini } from '../../money/usage-gemini.ts';
import type { Usage } from '../../money/usage.ts';
import { ChunkWriter, mostHeld, type ChatChunk, type ChunkReader } from './chunks.ts';
import { completionUsage, labelAt, type CallFacts } from './completion.ts';
import { brokenOff, failureInStream, unreadable } from './failures.ts';
import { candidatesOf, finishOf, isBlocked, signatureDetails, toolCall, type Candidate } from './google-answer.ts';
import type { ReasoningEncrypted } from './message.ts';

/** What is known of a choice so far. */
interface Progress {
  /** The length of its text. */
  said: number;
  calls: number;
  readonly signatures: ReasoningEncrypted[];
  reason: string | undefined;
  message: string | undefined;
}

/**
 * Reads Gemini's events (`alt=sse`): each is an answer of its own with what is new, and a call comes whole in one of
 * them. The usage is the last one stated. Finish reasons are told at the end, because some models repeat `STOP` in every
 * event. https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class GoogleStream implements ChunkReader {
  readonly #write: ChunkWriter;
  readonly #facts: CallFacts;
  readonly #choices = new Map<number, Progress>();
  #isBlocked = false;
  /** The length of all signatures. */
  #held = 0;
  #usage: Usage | undefined;

  constructor(facts: CallFacts, includeUsage: boolean) {
    this.#facts = facts;
    this.#write = new ChunkWriter(facts, includeUsage);
  }

  push(data: string): ChatChunk[] {
    const event = parseObject(data);
    if (event === undefined) throw unreadable();
    if (objectAt(event, 'error') !== undefined) throw failureInStream(event);
    this.#write.identify({ id: labelAt(event, 'responseId'), model: labelAt(event, 'modelVersion') });
    this.#usage = usageFromGemini(event) ?? this.#usage;
    if (isBlocked(event)) {
      this.#isBlocked = true;
      return this.#choices.size === 0 ? this.#begin(0).chunks : [];
    }
    return candidatesOf(event).flatMap((candidate) => this.#candidate(candidate));
  }

  end(): ChatChunk[] {
    if (this.#choices.size === 0) throw brokenOff();
    const finishes = [...this.#choices].flatMap(([index, progress]) => this.#finish(index, progress));
    return [...finishes, ...this.#write.usage(this.#usage === undefined ? undefined : completionUsage(this.#usage))];
  }

  #candidate(candidate: Candidate): ChatChunk[] {
    const { index, text, thoughts, calls, logprobs, reason, message } = candidate;
    const { progress, chunks } = this.#begin(index);
    if (thoughts !== '') chunks.push(this.#write.thought(thoughts, index));
    if (text !== '' || logprobs !== undefined) chunks.push(this.#write.text(text, index, logprobs));
    for (const call of calls) {
      const position = progress.calls++;
      const told = toolCall(call, index, position, this.#facts);
      chunks.push(this.#write.toolCall({ index: position, ...told }, index));
    }
    for (const { data } of candidate.signatures) this.#held += data.length;
    if (this.#held > mostHeld) throw unreadable();
    progress.signatures.push(...signatureDetails(candidate, progress.signatures.length, progress.said));
    progress.said += text.length;
    progress.reason = reason ?? progress.reason;
    progress.message = message ?? progress.message;
    return chunks;
  }

  #begin(index: number): { progress: Progress; chunks: ChatChunk[] } {
    const known = this.#choices.get(index);
    if (known !== undefined) return { progress: known, chunks: [] };
    const progress = { said: 0, calls: 0, signatures: [], reason: undefined, message: undefined };
    this.#choices.set(index, progress);
    return { progress, chunks: [this.#write.begin(index)] };
  }

  #finish(index: number, { reason, message, calls, signatures }: Progress): ChatChunk[] {
    if (reason === undefined && !this.#isBlocked) throw brokenOff();
    const finish = finishOf(reason, calls > 0);
    const refusal = finish === 'content_filter' && message !== undefined ? [this.#write.refusal(message, index)] : [];
    return [...this.#write.reasoning(signatures, index), ...refusal, this.#write.finish(finish, index)];
  }
}
