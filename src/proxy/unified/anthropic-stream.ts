import { parseObject, textAt, objectAt, type JsonObject } from '../../money/json.ts';
import { mergeAnthropicUsage, usageFromAnthropicUsage } from '../../money/usage-anthropic.ts';
import { finishOf, refusalOf } from './anthropic.ts';
import { ChunkWriter, type ChatChunk, type ChunkReader } from './chunks.ts';
import { completionUsage, type CallFacts } from './completion.ts';
import { brokenOff, failureInStream, unreadable } from './failures.ts';

/**
 * Reads Anthropic's events: `message_start`, then for each block `content_block_start`, `…_delta`, `…_stop`, then
 * `message_delta` with the stop reason and the usage, then `message_stop`; `ping` anywhere. Thinking is not passed on:
 * it shows in the usage alone.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class AnthropicStream implements ChunkReader {
  readonly #write: ChunkWriter;
  #usage: JsonObject | undefined;
  #isWhole = false;

  constructor(facts: CallFacts, includeUsage: boolean) {
    this.#write = new ChunkWriter(facts, includeUsage);
  }

  push(data: string): ChatChunk[] {
    const event = parseObject(data);
    if (event === undefined) throw unreadable();
    this.#usage = mergeAnthropicUsage(this.#usage, event);
    switch (textAt(event, 'type')) {
      case 'message_start':
        return this.#start(objectAt(event, 'message'));
      case 'content_block_start':
        return this.#text(objectAt(event, 'content_block'), 'text');
      case 'content_block_delta':
        return this.#text(objectAt(event, 'delta'), 'text_delta');
      case 'message_delta':
        return this.#stop(objectAt(event, 'delta'));
      case 'error':
        throw failureInStream(event);
      default:
        // Anthropic adds kinds of events over time and asks clients to pass over those that they do not know.
        return [];
    }
  }

  end(): ChatChunk[] {
    if (!this.#isWhole) throw brokenOff();
    const usage = this.#usage === undefined ? undefined : usageFromAnthropicUsage(this.#usage);
    return this.#write.usage(usage === undefined ? undefined : completionUsage(usage));
  }

  #start(message: JsonObject | undefined): ChatChunk[] {
    this.#write.identify({ id: textAt(message, 'id'), model: textAt(message, 'model') });
    return [this.#write.begin()];
  }

  #text(holder: JsonObject | undefined, type: string): ChatChunk[] {
    const text = textAt(holder, 'type') === type ? textAt(holder, 'text') : undefined;
    return text === undefined || text === '' ? [] : [this.#write.text(text)];
  }

  #stop(delta: JsonObject | undefined): ChatChunk[] {
    const reason = textAt(delta, 'stop_reason');
    if (reason === undefined || this.#isWhole) return [];
    this.#isWhole = true;
    const refusal = refusalOf(delta);
    const finish = this.#write.finish(finishOf(reason));
    return refusal === null ? [finish] : [this.#write.refusal(refusal), finish];
  }
}
