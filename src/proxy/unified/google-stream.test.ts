import { describe, expect, test } from 'bun:test';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import type { ChatChunk } from './chunks.ts';
import { fromGoogle } from './google.ts';
import { GoogleStream } from './google-stream.ts';
import { chatStream } from './stream.ts';

const facts = { id: 'chatcmpl-1', created: 1_790_000_000, model: 'gemini-2.5-flash' };

function streamed(sent: readonly object[], includeUsage = false): ChatChunk[] {
  const stream = new GoogleStream(facts, includeUsage);
  const chunks = sent.flatMap((event) => stream.push(JSON.stringify(event)));
  return [...chunks, ...stream.end()];
}

const ofParts = (parts: object[], more: object = {}) => ({
  candidates: [{ content: { parts, role: 'model' }, ...more }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 },
  modelVersion: 'gemini-2.5-flash-001',
  responseId: 'abc',
});
const piece = (text: string, more: object = {}) => ofParts([{ text }], more);
const signed = (text: string, data: string, more: object = {}) => ofParts([{ text, thoughtSignature: data }], more);
const last = {
  ...piece(' 🙂!', { finishReason: 'STOP' }),
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 6, thoughtsTokenCount: 4, totalTokenCount: 20 },
};
const deltas = (chunks: readonly ChatChunk[]): unknown[] => chunks.map(({ choices }) => choices[0]?.delta);
const begin = { role: 'assistant', content: '', refusal: null };

const called = (index: number, id: string, name: string, args: string) => ({
  index,
  id,
  type: 'function',
  function: { name, arguments: args },
});

describe('GoogleStream', () => {
  test('events become chunks; the last usage counts', () => {
    const chunks = streamed([piece('Hello'), last], true);
    expect(deltas(chunks)).toEqual([begin, { content: 'Hello' }, { content: ' 🙂!' }, {}, undefined]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({
      id: 'abc',
      model: 'gemini-2.5-flash-001',
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 4 } },
    });
    expect(streamed([piece('Hello'), last]).every((chunk) => !('usage' in chunk))).toBe(true);
  });

  test('thoughts, calls and signatures', () => {
    const chunks = streamed([
      ofParts([{ text: 'Hm.', thought: true }]),
      ofParts([{ text: 'Look: ' }]),
      ofParts([{ functionCall: { id: 'f1', name: 'weather', args: { city: 'Bern' } }, thoughtSignature: 'c2ln' }]),
      ofParts([{ functionCall: { name: 'now' } }, { functionCall: { id: 'f3', name: 'now', args: {} } }]),
      ofParts([{ text: '', thoughtSignature: 'ZW5k' }], { finishReason: 'STOP' }),
    ]);
    expect(deltas(chunks)).toEqual([
      begin,
      { reasoning_content: 'Hm.' },
      { content: 'Look: ' },
      {
        tool_calls: [
          {
            ...called(0, 'f1', 'weather', '{"city":"Bern"}'),
            extra_content: { google: { thought_signature: 'c2ln' } },
          },
        ],
      },
      { tool_calls: [called(1, 'call_chatcmpl1_0_1', 'now', '{}')] },
      { tool_calls: [called(2, 'f3', 'now', '{}')] },
      {
        reasoning_details: [
          { type: 'reasoning.encrypted', data: 'ZW5k', format: 'google-gemini-v1', index: 0, offset: 6 },
        ],
      },
      {},
    ]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason).filter(Boolean)).toEqual(['tool_calls']);
  });

  test('probabilities come with their text', () => {
    const logprobsResult = { chosenCandidates: [{ token: 'Hi', logProbability: -1 }] };
    const chunks = streamed([piece('Hi', { logprobsResult, finishReason: 'STOP' })]);
    expect(chunks[1]?.choices[0]).toMatchObject({
      delta: { content: 'Hi' },
      logprobs: { content: [{ token: 'Hi', logprob: -1, bytes: null, top_logprobs: [] }], refusal: null },
    });
    expect(chunks[0]?.choices[0]?.logprobs).toBeNull();
    const alone = streamed([ofParts([], { logprobsResult, finishReason: 'STOP' })]);
    expect(alone[1]?.choices[0]?.logprobs?.content).toHaveLength(1);
  });

  test('signatures of several events are numbered and placed in the whole', () => {
    const chunks = streamed([signed('ab', 'b25l'), signed('c', 'dHdv', { finishReason: 'STOP' })]);
    expect(chunks.at(-2)?.choices[0]?.delta.reasoning_details).toMatchObject([
      { data: 'b25l', index: 0 },
      { data: 'dHdv', index: 1, offset: 2 },
    ]);
  });

  test('a model that repeats STOP stops once', () => {
    const chunks = streamed([piece('a', { finishReason: 'STOP' }), piece('b', { finishReason: 'STOP' })]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, 'stop']);
  });

  test('a reason and its explanation hold, though later events have none', () => {
    const chunks = streamed([piece('a', { finishReason: 'SAFETY', finishMessage: 'No.' }), piece('')]);
    expect(chunks.slice(-2).map(({ choices }) => choices[0])).toMatchObject([
      { delta: { refusal: 'No.' } },
      { finish_reason: 'content_filter' },
    ]);
  });

  test('choices are told apart, and so are their calls', () => {
    const call = { functionCall: { id: 'f', name: 'now' } };
    const both = {
      candidates: [
        { content: { parts: [{ text: 'a' }, call] }, finishReason: 'STOP' },
        { content: { parts: [{ text: 'b' }, call] }, finishReason: 'SAFETY', finishMessage: 'No.', index: 1 },
      ],
    };
    const told = streamed([both]).map(({ choices: [choice] }) => [
      choice?.index,
      choice?.delta.content ?? choice?.delta.tool_calls?.[0]?.index ?? choice?.delta.refusal,
      choice?.finish_reason,
    ]);
    expect(told).toEqual([
      [0, '', null],
      [0, 'a', null],
      [0, 0, null],
      [1, '', null],
      [1, 'b', null],
      [1, 0, null],
      [0, undefined, 'tool_calls'],
      [1, 'No.', null],
      [1, undefined, 'content_filter'],
    ]);
  });

  test('a prompt that is blocked is filtered, before or in the middle of an answer', () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } };
    expect(streamed([blocked]).map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, 'content_filter']);
    expect(streamed([piece('a'), blocked]).at(-1)?.choices[0]?.finish_reason).toBe('content_filter');
  });

  test('a stream without its finish reason is not whole', () => {
    expect(() => streamed([piece('Hello')])).toThrow(expect.objectContaining({ code: 'provider_unreachable' }));
    expect(() => streamed([])).toThrow(expect.objectContaining({ code: 'provider_unreachable' }));
    const one = { candidates: [...last.candidates, { content: { parts: [{ text: 'b' }] }, index: 1 }] };
    expect(() => streamed([one])).toThrow(expect.objectContaining({ code: 'provider_unreachable' }));
  });

  test('an error or a picture in mid-stream is a failure', () => {
    const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
    expect(() => streamed([piece('Hello'), error])).toThrow(
      expect.objectContaining({ code: 'provider_error', details: { providerCode: 'UNAVAILABLE' } }),
    );
    const picture = ofParts([{ inlineData: { mimeType: 'image/png', data: 'AA==' } }]);
    expect(() => streamed([piece('Hello'), picture])).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });
});

const events = [
  ofParts([{ text: 'Grübeln 🤔', thought: true }]),
  ofParts([{ text: 'Grüße' }]),
  ofParts([{ text: ' 🙂\n', thoughtSignature: 'c2ln' }]),
  ofParts([{ functionCall: { id: 'f1', name: 'weather', args: { city: 'Zürich 🏔' } }, thoughtSignature: 'b25l' }]),
  ofParts([{ functionCall: { name: 'now', args: {} } }]),
  { ...ofParts([], { finishReason: 'STOP' }), usageMetadata: last.usageMetadata },
];
const bytes = new TextEncoder().encode(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(''));

function chatOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of pieces) controller.enqueue(part);
      controller.close();
    },
  });
  return chatStream(body, new GoogleStream(facts, true), 10_000);
}

describe('a stream with thoughts, calls and signatures', () => {
  test('split at every byte tells the same', async () => {
    const whole = await new Response(chatOf(bytes)).text();
    expect(whole).toEndWith('data: [DONE]\n\n');
    for (let at = 1; at < bytes.length; at += 1) {
      expect(await new Response(chatOf(bytes.slice(0, at), bytes.slice(at))).text()).toBe(whole);
    }
  });

  test("put together by OpenAI's client, it is what the whole answer is", async () => {
    const chunks = streamed(events, true).map((chunk) => `${JSON.stringify(chunk)}\n`);
    const body = new Blob(chunks).stream();
    const { choices, usage } = await ChatCompletionStream.fromReadableStream(body).finalChatCompletion();
    const parts = events.flatMap(({ candidates }) => candidates.flatMap(({ content }) => content.parts));
    const candidates = [{ content: { parts }, finishReason: 'STOP' }];
    const expected = fromGoogle({ candidates, usageMetadata: last.usageMetadata }, facts);
    const [message, other] = [choices[0]?.message, expected.choices[0]?.message];
    expect(message?.content).toBe('Grüße 🙂\n');
    for (const name of ['content', 'refusal', 'reasoning_content', 'reasoning_details'] as const) {
      expect(Object(message)[name]).toEqual(other?.[name] ?? null);
    }
    const calls = message?.tool_calls?.map((call) => JSON.parse(JSON.stringify(call)));
    expect(calls).toMatchObject([...(other?.tool_calls ?? [])]);
    expect(usage).toMatchObject({ ...expected.usage });
  });
});
