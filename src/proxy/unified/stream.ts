import { KeyPassError } from '../../errors.ts';
import { parseObject } from '../../money/json.ts';
import { errorEvent } from '../errors.ts';
import { Farewell } from '../farewell.ts';
import { EventSplitter, type ServerSentEvent } from '../sse.ts';
import type { ChunkReader } from './chunks.ts';
import { brokenOff, ToldFailure, unreadable } from './failures.ts';

/** How long a provider may take to end its stream once it has told of a failure. */
const readOutMs = 200;

/**
 * A provider's event stream as OpenAI's: `data: {…}` for each chunk and `data: [DONE]` at the end. A failure is told in
 * an event of its own and there is no `[DONE]`: one that the provider told is the end, as OpenAI ends its own streams,
 * after any other the stream breaks. Nothing is read ahead of the client, and its leaving cancels the provider's stream. `longest` is the most bytes that one event may have.
 */
export function chatStream(
  body: ReadableStream<Uint8Array>,
  chunks: ChunkReader,
  longest: number,
): ReadableStream<Uint8Array> {
  const source = new ChatSource(body.getReader(), chunks, longest);
  return new ReadableStream<Uint8Array>(
    { pull: (controller) => source.pull(controller), cancel: () => source.cancel() },
    { highWaterMark: 0 },
  );
}

/** Half an event is no event of the provider's. A last one may lack only the blank line after it. */
function isHalf({ data }: ServerSentEvent): boolean {
  return data !== '' && data.trim() !== '[DONE]' && parseObject(data) === undefined;
}

class ChatSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: ChunkReader;
  readonly #events: EventSplitter;
  /** What the client has to get next. */
  #text = '';
  readonly #farewell = new Farewell();

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, chunks: ChunkReader, longest: number) {
    this.#reader = reader;
    this.#chunks = chunks;
    this.#events = new EventSplitter(longest);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (await this.#farewell.hasEnded(controller)) return;
    try {
      let isDone = await this.#step();
      // Many of a provider's events say nothing to the client, and a pull that passes nothing on would not be repeated.
      while (this.#text === '') isDone = await this.#step();
      controller.enqueue(this.#take());
      if (isDone) controller.close();
    } catch (error) {
      const failure = error instanceof KeyPassError ? error : brokenOff();
      this.#text += new TextDecoder().decode(errorEvent(failure, 'openai-chat'));
      if (failure instanceof ToldFailure) {
        controller.enqueue(this.#take());
        controller.close();
        await this.#readOut();
      } else {
        this.#farewell.say(controller, this.#take(), failure);
        await this.cancel().catch(() => {});
      }
    }
  }

  /** The provider ended the call, so its stream is read to the end: to leave it would be booked as the client's leaving. */
  async #readOut(): Promise<void> {
    const late = setTimeout(() => void this.cancel().catch(() => {}), readOutMs);
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // It ended by breaking.
    } finally {
      clearTimeout(late);
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  /** Reads what comes next; true when it was the last. */
  async #step(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) {
      const rest = this.#events.rest();
      if (rest !== undefined && isHalf(rest)) throw brokenOff();
      this.#push(rest);
      this.#write(this.#chunks.end());
      this.#text += 'data: [DONE]\n\n';
      return true;
    }
    for (const event of this.#events.push(value)) this.#push(event);
    if (this.#events.isTooLong) throw unreadable();
    return false;
  }

  /** An event without data is a comment, which keeps a connection open. */
  #push(event: ServerSentEvent | undefined): void {
    if (event !== undefined && event.data !== '') this.#write(this.#chunks.push(event.data));
  }

  #write(chunks: readonly object[]): void {
    for (const chunk of chunks) this.#text += `data: ${JSON.stringify(chunk)}\n\n`;
  }

  #take(): Uint8Array {
    const bytes = new TextEncoder().encode(this.#text);
    this.#text = '';
    return bytes;
  }
}
