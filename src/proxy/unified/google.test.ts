import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { parseChat } from './chat.ts';
import { fromGoogle, toGoogle } from './google.ts';
import { GoogleStream } from './google-stream.ts';

const facts = { id: 'chatcmpl-1', created: 1_790_000_000, model: 'gemini-2.5-flash' };
const translate = (members: Record<string, unknown> = {}) =>
  toGoogle(parseChat({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'Hi' }], ...members }));

describe('toGoogle', () => {
  test('a chat with everything that Google can be told', () => {
    const body = translate({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi!' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'How' },
            { type: 'text', text: 'are you?' },
          ],
        },
      ],
      max_completion_tokens: 100,
      temperature: 2,
      top_p: 0.5,
      stop: ['END'],
      n: 2,
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: 0,
      stream: true,
    });
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hello' }] },
        { role: 'model', parts: [{ text: 'Hi!' }] },
        { role: 'user', parts: [{ text: 'How' }, { text: 'are you?' }] },
      ],
      generationConfig: {
        maxOutputTokens: 100,
        temperature: 2,
        topP: 0.5,
        stopSequences: ['END'],
        candidateCount: 2,
        seed: 7,
        presencePenalty: 0.5,
        frequencyPenalty: 0,
      },
    });
  });

  test('a bare chat is bare', () => {
    expect(translate()).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
  });

  test('refuses `user` by its name', () => {
    expect(() => translate({ user: 'u' })).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param: 'user' }),
    );
  });
});

/** As in ai.google.dev/api/generate-content */
const answer = {
  candidates: [{ content: { parts: [{ text: 'Hi!' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata: {
    promptTokenCount: 100,
    cachedContentTokenCount: 40,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 30,
    totalTokenCount: 150,
  },
  modelVersion: 'gemini-2.5-flash-001',
  responseId: 'abc',
};
const withCandidate = (candidate: object) => ({ ...answer, candidates: [candidate] });

describe('fromGoogle', () => {
  test('an answer is a completion', () => {
    expect(fromGoogle(answer, facts)).toEqual({
      id: 'abc',
      object: 'chat.completion',
      created: 1_790_000_000,
      model: 'gemini-2.5-flash-001',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi!', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 40 },
        completion_tokens_details: { reasoning_tokens: 30 },
      },
    });
  });

  test('thoughts are not text, and several candidates are several choices', () => {
    const parts = [{ text: 'Hm.', thought: true }, { text: 'a' }, { text: 'b' }];
    const candidates = [
      { content: { parts }, finishReason: 'STOP' },
      { content: { parts: [{ text: 'c' }] }, finishReason: 'MAX_TOKENS', index: 1 },
    ];
    const { choices } = fromGoogle({ ...answer, candidates }, facts);
    expect(choices.map(({ index, message, finish_reason }) => [index, message.content, finish_reason])).toEqual([
      [0, 'ab', 'stop'],
      [1, 'c', 'length'],
    ]);
  });

  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['CONTINUATION', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
    ['OTHER', 'content_filter'],
    ['OF_TOMORROW', 'content_filter'],
    [undefined, 'content_filter'],
  ] as const)('%s is told as %s', (finishReason, finish) => {
    const [choice] = fromGoogle(withCandidate({ content: { parts: [{ text: 'x' }] }, finishReason }), facts).choices;
    expect(choice?.finish_reason).toBe(finish);
  });

  test('a candidate without content is an empty text', () => {
    expect(fromGoogle(withCandidate({ finishReason: 'MAX_TOKENS' }), facts).choices[0]?.message.content).toBe('');
  });

  test('a blocked prompt is filtered; what is no answer is refused', () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 5 } };
    expect(fromGoogle(blocked, facts)).toMatchObject({
      id: 'chatcmpl-1',
      model: 'gemini-2.5-flash',
      choices: [{ message: { content: null }, finish_reason: 'content_filter' }],
      usage: { prompt_tokens: 5, completion_tokens: 0 },
    });
    expect(() => fromGoogle({}, facts)).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });

  test('every text comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const parts = texts.map((text) => ({ text }));
        const read = fromGoogle(withCandidate({ content: { parts }, finishReason: 'STOP' }), facts);
        expect(read.choices[0]?.message.content).toBe(texts.join(''));
      }),
    );
  });
});

function streamed(sent: readonly object[], includeUsage = false) {
  const stream = new GoogleStream(facts, includeUsage);
  const chunks = sent.flatMap((event) => stream.push(JSON.stringify(event)));
  return [...chunks, ...stream.end()];
}

const piece = (text: string, more: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, ...more }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 },
  modelVersion: 'gemini-2.5-flash-001',
  responseId: 'abc',
});
const last = {
  ...piece(' 🙂!', { finishReason: 'STOP' }),
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 6, thoughtsTokenCount: 4, totalTokenCount: 20 },
};

describe('GoogleStream', () => {
  test('events become chunks; the last usage counts', () => {
    const chunks = streamed([piece('Hello'), last], true);
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hello' },
      { content: ' 🙂!' },
      {},
      undefined,
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({
      id: 'abc',
      model: 'gemini-2.5-flash-001',
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 4 } },
    });
    expect(streamed([piece('Hello'), last]).every((chunk) => !('usage' in chunk))).toBe(true);
  });

  test('a model that repeats STOP stops once', () => {
    const chunks = streamed([piece('a', { finishReason: 'STOP' }), piece('b', { finishReason: 'STOP' })]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, 'stop']);
  });

  test('choices are told apart', () => {
    const both = {
      candidates: [
        { content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' },
        { content: { parts: [{ text: 'b' }] }, finishReason: 'SAFETY', index: 1 },
      ],
    };
    const told = streamed([both]).map(({ choices: [choice] }) => [
      choice?.index,
      choice?.delta.content,
      choice?.finish_reason,
    ]);
    expect(told).toEqual([
      [0, '', null],
      [0, 'a', null],
      [1, '', null],
      [1, 'b', null],
      [0, undefined, 'stop'],
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
  });

  test('an error in mid-stream is a failure', () => {
    const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
    expect(() => streamed([piece('Hello'), error])).toThrow(
      expect.objectContaining({ code: 'provider_error', details: { providerCode: 'UNAVAILABLE' } }),
    );
  });
});
