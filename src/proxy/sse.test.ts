import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { concat } from '../crypto/index.ts';
import { includeUsageMembers, withoutAddedUsage } from './include-usage.ts';
import { EventSplitter } from './sse.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function eventsOf(chunks: readonly Uint8Array[], longest = 10_000) {
  const splitter = new EventSplitter(longest);
  const events = chunks.flatMap((chunk) => splitter.push(chunk));
  return { events, pending: decode(splitter.pending), rest: splitter.rest(), isTooLong: splitter.isTooLong };
}

function splitAt(bytes: Uint8Array, ...places: number[]): Uint8Array[] {
  return [0, ...places].map((from, index) => bytes.slice(from, places[index] ?? bytes.length));
}

const stream =
  ': hello\n\n' +
  'event: message_start\ndata: {"text":"grüße 🙂"}\n\n' +
  'event: a\r\ndata: 1\r\ndata: 2\r\n\r\n' +
  'data:no space\n\n\n' +
  'id: 7\ndata: [DONE]\n\n';

describe('EventSplitter', () => {
  test('finds the same events and keeps every byte, wherever chunks split', () => {
    const bytes = encode(stream);
    const whole = eventsOf([bytes]).events.map(({ name, data }) => ({ name, data }));
    expect(whole.filter(({ data }) => data !== '')).toEqual([
      { name: 'message_start', data: '{"text":"grüße 🙂"}' },
      { name: 'a', data: '1\n2' },
      { name: null, data: 'no space' },
      { name: null, data: '[DONE]' },
    ]);
    for (let at = 0; at <= bytes.length; at += 1) {
      const { events, pending } = eventsOf(splitAt(bytes, at));
      expect(events.map(({ name, data }) => ({ name, data }))).toEqual(whole);
      expect(decode(concat(...events.map((event) => event.bytes))) + pending).toBe(stream);
    }
  });

  test('any text, split anywhere, comes out whole', () => {
    const pieces = fc.array(fc.constantFrom('data: x', '\n', '\r', '\r\n', ':', 'ä', 'event: y'), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, fc.nat(), (parts, seed) => {
        const bytes = encode(parts.join(''));
        const at = bytes.length === 0 ? 0 : seed % bytes.length;
        const { events, pending } = eventsOf(splitAt(bytes, at));
        expect(decode(concat(...events.map((event) => event.bytes))) + pending).toBe(parts.join(''));
      }),
    );
  });

  test('a long event comes out whole from chunks of one byte, and stays as it was', () => {
    const text = `data: ${'0123456789'.repeat(200)}\n\n`;
    const bytes = encode(text + text);
    const { events } = eventsOf([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(events.map((event) => decode(event.bytes))).toEqual([text, text]);
  });

  test('what has no last blank line is an event at the end', () => {
    expect(eventsOf([encode('data: {"a":1}\n')]).rest).toMatchObject({ data: '{"a":1}' });
  });

  test('a byte order mark is no text where the stream begins, and text anywhere else', () => {
    const { events } = eventsOf([encode('\u{FEFF}data: a\n\n\u{FEFF}data: b\n\ndata: \u{FEFF}c\n\n')]);
    expect(events.map(({ data }) => data)).toEqual(['a', '', '\u{FEFF}c']);
    expect(eventsOf([encode('\u{FEFF}data: a')]).rest).toMatchObject({ data: 'a' });
  });

  test('a field without a colon has no value', () => {
    expect(eventsOf([encode('event\ndata: a\ndata\ndata: b\n\n')]).events).toMatchObject([
      { name: '', data: 'a\n\nb' },
    ]);
  });

  test('holds no event longer than it may', () => {
    const { events, isTooLong, rest } = eventsOf(
      [encode('data: x\n\ndata: '), encode('y'.repeat(50)), encode('\n\ndata: z\n\n')],
      40,
    );
    expect(events.map(({ data }) => data)).toEqual(['x']);
    expect(isTooLong).toBe(true);
    expect(rest).toBeUndefined();
  });
});

function taken(text: string): string | undefined {
  const [event] = eventsOf([encode(text)]).events;
  return event === undefined ? undefined : decode(withoutAddedUsage(event));
}

describe('include_usage', () => {
  test('is asked for only where a stream does not already ask', () => {
    expect(includeUsageMembers({ model: 'm' })).toBeUndefined();
    expect(includeUsageMembers({ stream: true, stream_options: { include_usage: true } })).toBeUndefined();
    expect(includeUsageMembers({ stream: true })).toEqual({ stream_options: { include_usage: true } });
    expect(
      includeUsageMembers({ stream: true, stream_options: { include_obfuscation: false, include_usage: false } }),
    ).toEqual({
      stream_options: { include_obfuscation: false, include_usage: true },
    });
  });

  test.each([
    ['data: {"id":"1","choices":[],"usage":{"prompt_tokens":1}}\n\n', ''],
    ['data: {"id":"1","choices":[{"delta":{}}],"usage":null}\n\n', 'data: {"id":"1","choices":[{"delta":{}}]}\n\n'],
    ['data: {"usage": null, "id":"1"}\r\n\r\n', 'data: {"id":"1"}\r\n\r\n'],
    ['data: {"id":"1" , "usage" : null}\n\n', 'data: {"id":"1" }\n\n'],
  ])('%p becomes %p', (before, after) => {
    expect(taken(before)).toBe(after);
  });

  test.each([
    'data: [DONE]\n\n',
    'data: {"choices":[{"delta":{"content":"x"}}]}\n\n',
    // A text that looks like it, a member that is not at the top, a last chunk that states usage beside its choice.
    'data: {"choices":[{"delta":{"content":",\\"usage\\":null"}}]}\n\n',
    'data: {"x_groq":{"id":"1","usage":null}}\n\n',
    // Which of the two is the one at the top is not told by its text.
    'data: {"x_groq":{"id":"1","usage":null},"usage":null}\n\n',
    'data: {"choices":[{"delta":{}}],"usage":{"total_tokens":3}}\n\n',
    'data: {"choices":[],"prompt_filter_results":[]}\n\n',
    'data: "usage" broken\n\n',
  ])('%p stays as it is', (event) => {
    expect(taken(event)).toBe(event);
  });
});
