import { describe, expect, test } from 'bun:test';
import { until } from '../../../test/harness/proxy.ts';
import { KeyPassError } from '../../errors.ts';
import { AnthropicStream } from './anthropic-stream.ts';
import type { ChatChunk, ChunkReader } from './chunks.ts';
import { GoogleStream } from './google-stream.ts';
import { chatStream } from './stream.ts';

const facts = { id: 'chatcmpl-1', created: 1, model: 'm' };
const encoder = new TextEncoder();

const anthropicEvents = encoder.encode(
  [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"claude","usage":{"input_tokens":9,"output_tokens":1}}}',
    ': a comment',
    'event: content_block_delta\r\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Grüße"}}',
    'event: ping\ndata: {"type":"ping"}',
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":" 🙂\\n"}}',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ].join('\n\n'),
);
const googleEvents = encoder.encode(
  'data: {"candidates":[{"content":{"parts":[{"text":"Grüße"}]}}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":1}}\r\n\r\n' +
    'data: {"candidates":[{"content":{"parts":[{"text":" 🙂\\n"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":7}}\r\n\r\n',
);

function bodyOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

const textOf = (body: ReadableStream<Uint8Array>) => new Response(body).text();

function read(text: string) {
  const events = text.split('\n\n').filter((event) => event !== '');
  expect(events.every((event) => event.startsWith('data: '))).toBe(true);
  const data = events.map((event) => event.slice('data: '.length));
  const chunks = data.filter((event) => event !== '[DONE]').map((event): ChatChunk => JSON.parse(event));
  return {
    text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
    finishes: chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)).filter(Boolean),
    usage: chunks.at(-1)?.usage,
    isDone: data.at(-1) === '[DONE]',
  };
}

describe.each([
  ['anthropic', anthropicEvents, () => new AnthropicStream(facts, true)],
  ['google', googleEvents, () => new GoogleStream(facts, true)],
] as const)('a stream of %s', (_, events, reader: () => ChunkReader) => {
  test('split at every byte is the same text, stop and usage', async () => {
    for (let at = 0; at <= events.length; at += 1) {
      const body = bodyOf(events.slice(0, at), events.slice(at));
      expect(read(await textOf(chatStream(body, reader(), 10_000)))).toMatchObject({
        text: 'Grüße 🙂\n',
        finishes: ['stop'],
        usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 },
        isDone: true,
      });
    }
  });

  test('byte by byte, too', async () => {
    const body = bodyOf(...Array.from(events, (byte) => Uint8Array.of(byte)));
    expect(read(await textOf(chatStream(body, reader(), 10_000)))).toMatchObject({ text: 'Grüße 🙂\n', isDone: true });
  });

  test('without its last blank line is whole all the same', async () => {
    const body = bodyOf(events.slice(0, -2));
    expect(read(await textOf(chatStream(body, reader(), 10_000)))).toMatchObject({ isDone: true });
  });

  test('that is cut anywhere before its stop never looks whole', async () => {
    const stop = Buffer.from(events).lastIndexOf('\n\n', events.length - 60);
    for (let at = 0; at < stop; at += 7) {
      const { events: told, failure } = await broken(chatStream(bodyOf(events.slice(0, at)), reader(), 10_000));
      expect(told).not.toContain('[DONE]');
      expect(told).toContain('"code":"provider_unreachable"');
      expect(failure).toBeInstanceOf(KeyPassError);
    }
  });
});

/** Reads a stream that fails: what came before, and what it failed with. */
async function broken(body: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let events = '';
  try {
    for await (const bytes of body) events += decoder.decode(bytes, { stream: true });
  } catch (failure) {
    return { events, failure };
  }
  throw new Error('it ended well');
}

describe('a stream that fails', () => {
  test("tells KeyPass's own reason in an event, after what had come", async () => {
    const begun = anthropicEvents.slice(0, Buffer.from(anthropicEvents).indexOf('event: ping'));
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (pulls++ === 0) controller.enqueue(begun);
          else controller.error(new KeyPassError('connection_revoked', 'Revoked.'));
        },
      },
      { highWaterMark: 0 },
    );
    const { events, failure } = await broken(chatStream(body, new AnthropicStream(facts, false), 10_000));
    expect(events).toContain('Grüße');
    expect(events).toEndWith(
      'data: {"error":{"message":"Revoked.","type":"permission_error","code":"connection_revoked"}}\n\n',
    );
    expect(failure).toMatchObject({ code: 'connection_revoked' });
  });

  test("tells the provider's reason, after what came in the same piece, and lets the provider go", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const error =
          'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
        const begun = Buffer.from(anthropicEvents).toString().split('event: ping')[0];
        controller.enqueue(encoder.encode(begun + error));
      },
      cancel() {
        isCancelled = true;
      },
    });
    const events = await textOf(chatStream(body, new AnthropicStream(facts, false), 10_000));
    expect(events.indexOf('Grüße')).toBeGreaterThan(0);
    expect(events).toContain('"code":"provider_error"');
    expect(events).not.toContain('[DONE]');
    await until(() => isCancelled);
  });

  test("a failure that the provider told is the provider's end: its stream is read out, not left", async () => {
    let pulls = 0;
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1;
          if (pulls === 1) controller.enqueue(encoder.encode('data: {"error":{"message":"Overloaded"}}\n\n'));
          else if (pulls === 2) controller.enqueue(encoder.encode('data: {"candidates":[]}\n\n'));
          else controller.close();
        },
        cancel() {
          isCancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const events = await textOf(chatStream(body, new GoogleStream(facts, false), 10_000));
    expect(events.split('\n\n')).toEqual([expect.stringContaining('Overloaded'), '']);
    await until(() => pulls === 3);
    expect(isCancelled).toBe(false);
  });

  test('an event beyond the limit is not held', async () => {
    const body = bodyOf(encoder.encode(`data: ${'x'.repeat(200)}`));
    const { events } = await broken(chatStream(body, new GoogleStream(facts, false), 100));
    expect(events).toContain('"code":"provider_error"');
  });
});

const long = 'x'.repeat(1_000_000);
test.each([
  [
    'thoughts',
    new AnthropicStream(facts, false),
    { type: 'content_block_delta', delta: { type: 'thinking_delta', thinking: long } },
  ],
  [
    'sealed thoughts',
    new AnthropicStream(facts, false),
    { type: 'content_block_start', content_block: { type: 'redacted_thinking', data: long } },
  ],
  [
    'signatures',
    new GoogleStream(facts, false),
    { candidates: [{ content: { parts: [{ text: '', thoughtSignature: long }] } }] },
  ],
])('%s without end are not held', (_, reader: ChunkReader, event) => {
  reader.push('{"type":"content_block_start","content_block":{"type":"thinking"}}');
  const many = () => Array.from({ length: 9 }, () => reader.push(JSON.stringify(event)));
  expect(many).toThrow(expect.objectContaining({ code: 'provider_error' }));
});

test('nothing is read ahead, and leaving lets the provider go', async () => {
  let pulls = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulls += 1;
        controller.enqueue(googleEvents.slice(0, Buffer.from(googleEvents).indexOf('\r\n\r\n') + 4));
      },
      cancel() {
        isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const reader = chatStream(body, new GoogleStream(facts, false), 10_000).getReader();
  expect(pulls).toBe(0);
  await reader.read();
  await reader.read();
  expect(pulls).toBe(2);
  await reader.cancel();
  expect(isCancelled).toBe(true);
});
