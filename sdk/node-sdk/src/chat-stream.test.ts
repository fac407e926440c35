import { describe, expect, test } from 'bun:test';
import { chat, failure, rejection, startServer } from '../test/server.ts';
import { type ChatCompletionChunk, ConnectionError, KeyPassClient } from './index.ts';
import { EventStreamParser, type ServerSentEvent } from './sse.ts';

const server = startServer();
const client = new KeyPassClient({ baseUrl: server.baseUrl });
const streaming = { ...chat, stream: true as const };
const type = { headers: { 'content-type': 'text/event-stream; charset=utf-8' } };

const chunk = (content: string) => ({ id: 'c1', choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const frame = (content: string) => `data: ${JSON.stringify(chunk(content))}\n\n`;
const done = 'data: [DONE]\n\n';

function text(chunks: ChatCompletionChunk[]): string {
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
}

describe('event streams', () => {
  const stream =
    '\uFEFF: a comment\r\nid: 1\r\nretry: 5\r\ndata: {"a":"Ä€😀"}\r\n\r\n' +
    'event: error\ndata: first\ndata:second\ndata\n\n' +
    'data:  two spaces\r\revent: nothing\n\n\r\ndata: last\n\n' +
    'data: never ended\n';
  const events: ServerSentEvent[] = [
    { event: 'message', data: '{"a":"Ä€😀"}' },
    { event: 'error', data: 'first\nsecond\n' },
    { event: 'message', data: ' two spaces' },
    { event: 'message', data: 'last' },
  ];
  const bytes = new TextEncoder().encode(stream);

  test('are read in one piece', () => {
    expect(new EventStreamParser().push(bytes)).toEqual(events);
  });

  test('are the same when cut in two at any byte', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parser = new EventStreamParser();
      expect([...parser.push(bytes.subarray(0, cut)), ...parser.push(bytes.subarray(cut))]).toEqual(events);
    }
  });

  test('are the same byte by byte', () => {
    const parser = new EventStreamParser();
    expect([...bytes].flatMap((byte) => parser.push(new Uint8Array([byte])))).toEqual(events);
  });
});

describe('streamed chat', () => {
  test('gives the chunks, over the promise or over what it resolves to', async () => {
    server.answer = () => new Response(frame('Hel') + ': idle\n\n' + frame('lo') + done, type);
    expect(text(await Array.fromAsync(client.chatCompletion(streaming)))).toBe('Hello');
    expect(text(await Array.fromAsync(await client.chatCompletion(streaming)))).toBe('Hello');
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({ stream: true });
  });

  test('can be looped over once', async () => {
    server.answer = () => new Response(frame('x') + done, type);
    const stream = await client.chatCompletion(streaming);
    await Array.fromAsync(stream);
    expect(await rejection(Array.fromAsync(stream))).toBeInstanceOf(TypeError);
  });

  test('a break aborts the request, and the server sees it', async () => {
    const left = Promise.withResolvers<void>();
    server.answer = ({ signal }) => {
      signal.addEventListener('abort', () => left.resolve());
      return new Response(endless(), type);
    };
    let chunks = 0;
    for await (const _ of client.chatCompletion(streaming)) if (++chunks === 2) break;
    await left.promise;
    expect(server.seen).toHaveLength(1);
  });

  test('so do a throw in the loop, abort() and the caller’s signal', async () => {
    const gone: Promise<void>[] = [];
    server.answer = ({ signal }) => {
      gone.push(new Promise((resolve) => signal.addEventListener('abort', () => resolve())));
      return new Response(endless(), type);
    };
    const thrown = async () => {
      for await (const _ of client.chatCompletion(streaming)) throw new Error('mine');
    };
    expect(await rejection(thrown())).toHaveProperty('message', 'mine');

    const stream = await client.chatCompletion(streaming);
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 2) stream.abort();

    const controller = new AbortController();
    const aborted = async () => {
      const options = { signal: controller.signal };
      for await (const _ of client.chatCompletion(streaming, options)) controller.abort(new Error('reason'));
    };
    expect(await rejection(aborted())).toHaveProperty('message', 'reason');
    expect(gone).toHaveLength(3);
    await Promise.all(gone);
  });

  test('an error event is thrown as its class, after the chunks before it', async () => {
    const details = { connectionId: 'con_1', budgetCents: 500 };
    const error = { type: 'budget_error', code: 'budget_exceeded', message: 'spent', requestId: 'req_3', details };
    server.answer = () => new Response(`${frame('x')}event: error\ndata: ${JSON.stringify({ error })}\n\n`, type);
    const chunks: ChatCompletionChunk[] = [];
    const run = async () => {
      for await (const next of client.chatCompletion(streaming)) chunks.push(next);
    };
    expect(await rejection(run())).toMatchObject({
      name: 'BudgetExceededError',
      requestId: 'req_3',
      connectionId: 'con_1',
    });
    expect(text(chunks)).toBe('x');
  });

  test('a stream without its end is an error, never a short answer, and is not sent again', async () => {
    server.answer = () => new Response(frame('half'), type);
    const error = await rejection(Array.fromAsync(client.chatCompletion(streaming)));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'stream_truncated' });
    server.answer = () => new Response('data: {"choices"\n\n', type);
    expect(await rejection(Array.fromAsync(client.chatCompletion(streaming)))).toMatchObject({
      code: 'unexpected_answer',
    });
    expect(server.seen).toHaveLength(2);
  });

  test('before the first byte a refusal is retried and then thrown like any other', async () => {
    server.answer = (_, count) =>
      count === 1
        ? failure(429, 'budget_error', 'budget_held', {}, { 'retry-after': '0' })
        : failure(402, 'budget_error', 'budget_exceeded');
    expect(await rejection(client.chatCompletion(streaming))).toMatchObject({ code: 'budget_exceeded' });
    expect(server.seen).toHaveLength(2);
  });

  test('the timeout ends with the head: a slow model may go on', async () => {
    server.answer = () => new Response(slowly([frame('a'), frame('b') + done], 80), type);
    expect(text(await Array.fromAsync(client.chatCompletion(streaming, { timeout: 40 })))).toBe('ab');
  });

  test('an answer that is no event stream is refused', async () => {
    server.answer = () => Response.json({ success: true, data: {} });
    expect(await rejection(client.chatCompletion(streaming))).toMatchObject({ code: 'unexpected_answer' });
  });
});

/** Frames for as long as somebody reads. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(1);
      controller.enqueue(new TextEncoder().encode(frame('.')));
    },
  });
}

function slowly(parts: string[], pause: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      for (const [index, part] of parts.entries()) {
        if (index > 0) await Bun.sleep(pause);
        controller.enqueue(new TextEncoder().encode(part));
      }
      controller.close();
    },
  });
}
