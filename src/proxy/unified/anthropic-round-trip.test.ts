import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { isObject, type JsonObject, listAt, objectAt, parseObject, textAt } from '../../money/json.ts';
import { fromAnthropic } from './anthropic-answer.ts';
import { promptOf } from './anthropic-messages.ts';
import { traitsOf } from './anthropic-models.ts';
import { AnthropicStream } from './anthropic-stream.ts';
import { parseMessages } from './messages.ts';
import { chatStream } from './stream.ts';

const model = 'claude-opus-5';
const facts = { id: 'msg_1', created: 1, model };
const prompt = (messages: unknown) => promptOf(parseMessages(messages), traitsOf(model));

/** Anthropic takes no text of white space alone. */
const words = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== '');
const name = fc.stringMatching(/^[a-z_]{1,12}$/);
const base64 = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => bytes.toBase64());
const cached = fc.option(fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }), { nil: undefined });
const marked = <T extends object>(part: fc.Arbitrary<T>) =>
  fc.tuple(part, cached).map(([said, mark]) => (mark === undefined ? said : { ...said, cache_control: mark }));

const text = marked(words.map((said) => ({ type: 'text', text: said })));
const image = marked(
  fc
    .oneof(
      base64.map((data) => `data:image/png;base64,${data}`),
      fc.webUrl({ validSchemes: ['https'] }),
    )
    .map((url) => ({ type: 'image_url', image_url: { url } })),
);
const file = marked(
  fc.tuple(base64, words).map(([data, filename]) => ({
    type: 'file',
    file: { file_data: `data:application/pdf;base64,${data}`, filename },
  })),
);
const parts = fc.array(fc.oneof(text, image, file), { minLength: 1, maxLength: 4 });
const user = parts.map((content) => ({ role: 'user', content }));

const args = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value));
const format = 'anthropic-claude-v1';
const thought = fc.oneof(
  fc.tuple(fc.string(), words).map(([said, signature]) => ({ type: 'reasoning.text', text: said, signature, format })),
  words.map((data) => ({ type: 'reasoning.encrypted', data, format })),
);

/** An answer, with as many results as it has calls. */
const round = fc
  .record({
    content: fc.option(words),
    thoughts: fc.array(thought, { maxLength: 2 }),
    calls: fc.array(fc.tuple(name, args, parts), { maxLength: 3 }),
    question: fc.option(user),
  })
  .filter(({ content, calls }) => content !== null || calls.length > 0);

type Round = typeof round extends fc.Arbitrary<infer T> ? T : never;

function messagesOf({ content, thoughts, calls, question }: Round, at: number): object[] {
  const id = (index: number) => `call_${at}_${index}`;
  const answer = {
    role: 'assistant',
    content,
    ...(thoughts.length === 0 ? {} : { reasoning_details: thoughts.map((detail, index) => ({ ...detail, index })) }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(([called, json], index) => ({
            id: id(index),
            type: 'function',
            function: { name: called, arguments: json },
          })),
        }),
  };
  const results = calls.map(([, , given], index) => ({ role: 'tool', tool_call_id: id(index), content: given }));
  // Two answers in a row would be one turn.
  const next = question ?? { role: 'user', content: [{ type: 'text', text: 'Go on.' }] };
  return [answer, ...results, next];
}

/** The way back, for what a user and the tools say; an answer's is KeyPass's own. */
function backFrom(turn: JsonObject): object[] {
  const content = listAt(turn, 'content').filter(isObject);
  if (turn['role'] === 'assistant') {
    const {
      refusal: _,
      reasoning_content: __,
      ...answer
    } = fromAnthropic({ content }, facts).choices[0]?.message ?? {};
    return [answer];
  }
  const results = content.filter((block) => block['type'] === 'tool_result');
  const said = content.filter((block) => block['type'] !== 'tool_result').map(partFrom);
  return [
    ...results.map((block) => ({
      role: 'tool',
      tool_call_id: block['tool_use_id'],
      content: listAt(block, 'content').filter(isObject).map(partFrom),
    })),
    ...(said.length === 0 ? [] : [{ role: 'user', content: said }]),
  ];
}

function partFrom(block: JsonObject): object {
  const { type, cache_control } = block;
  const mark = cache_control === undefined ? {} : { cache_control };
  const source = objectAt(block, 'source');
  const data = `data:${textAt(source, 'media_type')};base64,${textAt(source, 'data')}`;
  if (type === 'image') return { type: 'image_url', image_url: { url: textAt(source, 'url') ?? data }, ...mark };
  if (type === 'document') return { type: 'file', file: { file_data: data, filename: block['title'] }, ...mark };
  return { type, text: block['text'], ...mark };
}

test('messages with images, files, thoughts, parallel calls and their results come back unchanged', () => {
  fc.assert(
    fc.property(user, fc.array(round, { maxLength: 4 }), (first, rounds) => {
      const messages = [first, ...rounds.flatMap(messagesOf)];
      expect(prompt(messages).messages.flatMap(backFrom)).toEqual(messages);
    }),
  );
});

/** Blocks as Claude writes them: thoughts and texts first, then calls; of two texts in a row it makes one. */
const blocks = fc
  .tuple(
    fc.array(
      fc.oneof(
        words.map((said) => ({ type: 'text', text: said })),
        fc.tuple(fc.string(), words).map(([thinking, signature]) => ({ type: 'thinking', thinking, signature })),
        words.map((data) => ({ type: 'redacted_thinking', data })),
      ),
    ),
    fc.array(fc.tuple(name, fc.dictionary(name, fc.jsonValue()))),
  )
  .map(([said, calls]) => [
    ...said.filter((block, index) => block.type !== 'text' || said[index - 1]?.type !== 'text'),
    ...calls.map(([called, input], index) => ({
      type: 'tool_use',
      id: `toolu_${index}`,
      name: called,
      input: parseObject(JSON.stringify(input)),
    })),
  ])
  .filter((content) => content.length > 0);

const answerOf = (content: object[]) => ({ id: 'msg_1', model, content, stop_reason: 'end_turn' });

describe('what Claude said', () => {
  test('goes back to it as it came, signatures and all', () => {
    fc.assert(
      fc.property(blocks, (content) => {
        const { message } = fromAnthropic(answerOf(content), facts).choices[0] ?? {};
        const [, turn] = prompt([{ role: 'user', content: 'Hi' }, message]).messages;
        expect(turn?.['content']).toEqual(content);
      }),
    );
  });

  test("is the same in a stream, put together by OpenAI's own client", async () => {
    await fc.assert(
      fc.asyncProperty(blocks, fc.integer({ min: 1, max: 7 }), async (content, size) => {
        const { choices } = fromAnthropic(answerOf(content), facts);
        const { reasoning_content: _, content: whole, ...message } = choices[0]?.message ?? {};
        const body = bodyOf(bytesOf(content, size));
        const stream = ChatCompletionStream.fromReadableStream(linesOf(await textOf(body)));
        const answer = (await stream.finalChatCompletion()).choices[0]?.message;
        expect({ ...answer }).toMatchObject(message);
        expect(answer?.content ?? '').toBe(whole ?? '');
      }),
      { numRuns: 50 },
    );
  });

  test('is the same wherever its stream is split', async () => {
    const content = [
      { type: 'thinking', thinking: 'Hm, Köln 🙂', signature: 's' },
      { type: 'text', text: 'Grüße' },
      { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Köln' } },
      { type: 'tool_use', id: 't2', name: 'time', input: {} },
    ];
    const bytes = bytesOf(content, 5);
    const whole = await textOf(bodyOf(bytes));
    expect(whole).toEndWith('data: [DONE]\n\n');
    for (let at = 1; at < bytes.length; at += 1) {
      expect(await textOf(bodyOf(bytes.slice(0, at), bytes.slice(at)))).toBe(whole);
    }
  });
});

/** A stream as Anthropic sends it, each delta of at most `size` UTF-16 units. */
function bytesOf(content: readonly JsonObject[], size: number): Uint8Array<ArrayBuffer> {
  const usage = { input_tokens: 9, output_tokens: 1 };
  const events = [
    { type: 'message_start', message: { id: 'msg_1', model, usage } },
    ...content.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: opened(block) },
      ...deltasOf(block, size).map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ];
  return new TextEncoder().encode(
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
  );
}

function opened(block: JsonObject): JsonObject {
  if (block['type'] === 'redacted_thinking') return block;
  return { ...block, ...(block['type'] === 'tool_use' ? { input: {} } : { text: '', thinking: '', signature: '' }) };
}

function deltasOf(block: JsonObject, size: number): object[] {
  const pieces = (said: unknown) =>
    Array.from(String(said)).flatMap((_, at, all) => (at % size === 0 ? [all.slice(at, at + size).join('')] : []));
  switch (block['type']) {
    case 'text':
      return pieces(block['text']).map((piece) => ({ type: 'text_delta', text: piece }));
    case 'thinking':
      return [
        ...pieces(block['thinking']).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
        { type: 'signature_delta', signature: block['signature'] },
      ];
    case 'tool_use':
      return pieces(JSON.stringify(block['input'])).map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
    default:
      return [];
  }
}

function bodyOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  return chatStream(body, new AnthropicStream(facts, true), 100_000);
}

function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(body).text();
}

/** The events' data a line each, which is how the client takes a stream from elsewhere. */
function linesOf(events: string): ReadableStream {
  const lines = events.split('\n\n').filter((event) => event.startsWith('data: {'));
  return new Response(lines.map((event) => `${event.slice('data: '.length)}\n`).join('')).body ?? new ReadableStream();
}
