import { ConnectionError, errorFromWire, isRecord } from './errors.ts';
import { isChunk } from './guards.ts';
import { EventStreamParser, type ServerSentEvent } from './sse.ts';
import { connectionError } from './transport.ts';
import type { ChatCompletionChunk } from './types.ts';

/**
 * The chunks of a streamed completion, to be looped over once. Leaving the loop, by `break`, `return` or a throw, aborts
 * the request, so that the provider stops and the budget is charged for what came.
 */
export class ChatStream implements AsyncIterable<ChatCompletionChunk> {
  readonly #body: ReadableStream<Uint8Array>;
  readonly #abort: () => void;
  readonly #signal: AbortSignal | undefined;
  #started = false;
  #ended = false;

  constructor(body: ReadableStream<Uint8Array>, abort: () => void, signal: AbortSignal | undefined) {
    this.#body = body;
    this.#abort = abort;
    this.#signal = signal;
  }

  /** Ends the request, also one whose chunks nobody reads. A running loop ends without an error. */
  abort(): void {
    this.#ended = true;
    this.#abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    if (this.#started) throw new TypeError('A stream can be looped over once');
    this.#started = true;
    let complete = false;
    try {
      for await (const { event, data } of this.#events()) {
        // The rest is read too, so that the connection ends on its own terms and can be used again.
        if (complete) continue;
        if (data === '[DONE]') complete = true;
        else yield chunkOf(event, data);
      }
      if (!complete && !this.#ended)
        throw new ConnectionError('The stream ended before it was complete', { code: 'stream_truncated' });
    } finally {
      if (!complete) this.#abort();
    }
  }

  async *#events(): AsyncGenerator<ServerSentEvent, void, undefined> {
    const parser = new EventStreamParser();
    const reader = this.#body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        if (this.#signal?.aborted === true) throw this.#signal.reason;
        if (this.#ended) return { done: true as const, value: undefined };
        throw connectionError(error);
      });
      if (done) return;
      yield* parser.push(value);
    }
  }
}

function chunkOf(event: string, data: string): ChatCompletionChunk {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw errorFromWire({ code: 'unexpected_answer', message: 'The stream holds something that is not JSON' });
  }
  if (event === 'error' || (isRecord(value) && isRecord(value['error']))) {
    throw errorFromWire(isRecord(value) ? value['error'] : undefined);
  }
  if (isChunk(value)) return value;
  throw errorFromWire({ code: 'unexpected_answer', message: 'The stream holds something that is not a chunk' });
}
