import { type JsonObject, memberAt, objectAt, parseObject, textAt } from '../../money/json.ts';
import { mergeAnthropicUsage, usageFromAnthropicUsage } from '../../money/usage-anthropic.ts';
import { finishOf, refusalOf, thoughtOf } from './anthropic-answer.ts';
import { ChunkWriter, mostHeld, type ChatChunk, type ChunkReader } from './chunks.ts';
import { completionUsage, labelAt, type CallFacts } from './completion.ts';
import { brokenOff, failureInStream, unreadable } from './failures.ts';
import type { ReasoningDetail } from './message.ts';

/**
 * Reads Anthropic's events: `message_start`, then for each block `content_block_start`, `…_delta`, `…_stop`, then
 * `message_delta` with the stop reason and the usage, then `message_stop`; `ping` anywhere. One block is written at a
 * time. https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class AnthropicStream implements ChunkReader {
  readonly #write: ChunkWriter;
  readonly #reasoning: ReasoningDetail[] = [];
  #held = 0;
  #usage: JsonObject | undefined;
  #isWhole = false;
  /** UTF-16 units of the answer so far. */
  #length = 0;
  /** The thinking that is being written. */
  #thinking: { thinking: string; signature: string } | undefined;
  /** The call that is being written: its number, and whether any of its arguments have come. */
  #call: { index: number; hasArguments: boolean } | undefined;
  #calls = 0;

  constructor(facts: CallFacts, includeUsage: boolean) {
    this.#write = new ChunkWriter(facts, includeUsage);
  }

  push(data: string): ChatChunk[] {
    const event = parseObject(data);
    if (event === undefined) throw unreadable();
    this.#usage = mergeAnthropicUsage(this.#usage, event);
    const type = textAt(event, 'type');
    // Behind the end there is nothing to tell but a failure.
    if (this.#isWhole && type !== 'error') return [];
    switch (type) {
      case 'message_start':
        return this.#start(objectAt(event, 'message'));
      case 'content_block_start':
        return this.#open(objectAt(event, 'content_block'));
      case 'content_block_delta':
        return this.#continue(objectAt(event, 'delta'));
      case 'content_block_stop':
        return this.#close();
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
    this.#write.identify({ id: labelAt(message, 'id'), model: labelAt(message, 'model') });
    return [this.#write.begin()];
  }

  #open(block: JsonObject | undefined): ChatChunk[] {
    const type = textAt(block, 'type');
    if (type === 'text') return this.#text(textAt(block, 'text'));
    if (type === 'tool_use') return this.#openCall(block);
    if (type === 'thinking') {
      this.#thinking = { thinking: '', signature: textAt(block, 'signature') ?? '' };
      return this.#think(textAt(block, 'thinking'));
    }
    this.#hold(textAt(block, 'data') ?? '');
    this.#keep(block);
    return [];
  }

  #hold(text: string): string {
    this.#held += text.length;
    if (this.#held > mostHeld) throw unreadable();
    return text;
  }

  #continue(delta: JsonObject | undefined): ChatChunk[] {
    switch (textAt(delta, 'type')) {
      case 'text_delta':
        return this.#text(textAt(delta, 'text'));
      case 'thinking_delta':
        return this.#think(textAt(delta, 'thinking'));
      case 'signature_delta':
        if (this.#thinking !== undefined) this.#thinking.signature += this.#hold(textAt(delta, 'signature') ?? '');
        return [];
      case 'input_json_delta':
        return this.#arguments(textAt(delta, 'partial_json'));
      default:
        return [];
    }
  }

  #close(): ChatChunk[] {
    if (this.#thinking !== undefined) this.#keep({ type: 'thinking', ...this.#thinking });
    // A call without arguments has no JSON at all here; in OpenAI's shape they are an empty object.
    const chunks = this.#call?.hasArguments === false ? this.#arguments('{}') : [];
    this.#thinking = undefined;
    this.#call = undefined;
    return chunks;
  }

  #text(text: string | undefined): ChatChunk[] {
    if (text === undefined || text === '') return [];
    this.#length += text.length;
    return [this.#write.text(text)];
  }

  #think(text: string | undefined): ChatChunk[] {
    if (text === undefined || text === '' || this.#thinking === undefined) return [];
    this.#thinking.thinking += this.#hold(text);
    return [this.#write.thought(text)];
  }

  #keep(block: JsonObject | undefined): void {
    const thought = thoughtOf(block, this.#reasoning.length, this.#length);
    if (thought !== undefined) this.#reasoning.push(thought);
  }

  #openCall(block: JsonObject | undefined): ChatChunk[] {
    const [id, name] = [textAt(block, 'id'), textAt(block, 'name')];
    if (id === undefined || name === undefined) throw unreadable();
    const index = this.#calls;
    this.#calls += 1;
    this.#call = { index, hasArguments: false };
    const opened = this.#write.toolCall({ index, id, type: 'function', function: { name, arguments: '' } });
    const input = memberAt(block, 'input');
    const given = isFilled(input) ? JSON.stringify(input) : undefined;
    return [opened, ...this.#arguments(given)];
  }

  #arguments(json: string | undefined): ChatChunk[] {
    if (json === undefined || json === '' || this.#call === undefined) return [];
    this.#call.hasArguments = true;
    return [this.#write.toolCall({ index: this.#call.index, function: { arguments: json } })];
  }

  #stop(delta: JsonObject | undefined): ChatChunk[] {
    const reason = textAt(delta, 'stop_reason');
    if (reason === undefined) return [];
    this.#isWhole = true;
    const refusal = refusalOf(delta);
    return [
      ...this.#write.reasoning(this.#reasoning),
      ...(refusal === null ? [] : [this.#write.refusal(refusal)]),
      this.#write.finish(finishOf(reason)),
    ];
  }
}

/** Arguments come in deltas; a call may also have them from its beginning. */
function isFilled(input: unknown): boolean {
  return typeof input === 'object' && input !== null && Object.keys(input).length > 0;
}
