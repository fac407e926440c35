import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { fromGoogle } from './google.ts';

const facts = {
  id: 'chatcmpl-0b1e4c7a-9d52-4f0e-8a67-3c1d5e9f2b48',
  created: 1_790_000_000,
  model: 'gemini-2.5-flash',
};

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
const read = (candidate: object) => fromGoogle({ ...answer, candidates: [candidate] }, facts).choices[0];
const readParts = (...parts: object[]) => read({ content: { parts }, finishReason: 'STOP' });

describe('fromGoogle', () => {
  test('a call of no function is no answer', () => {
    expect(() => readParts({ functionCall: { args: {} } })).toThrow(
      expect.objectContaining({ code: 'provider_error' }),
    );
  });

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
        prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 30 },
      },
    });
  });

  test('thoughts stand beside the text, and several candidates are several choices', () => {
    const parts = [{ text: 'Hm', thought: true }, { text: '.', thought: true }, { text: 'a' }, { text: 'b' }];
    const candidates = [
      { content: { parts }, finishReason: 'STOP' },
      { content: { parts: [{ text: 'c' }] }, finishReason: 'MAX_TOKENS', index: 1 },
    ];
    const { choices } = fromGoogle({ ...answer, candidates }, facts);
    expect(choices).toMatchObject([
      { index: 0, message: { content: 'ab', reasoning_content: 'Hm.' }, finish_reason: 'stop' },
      { index: 1, message: { content: 'c' }, finish_reason: 'length' },
    ]);
    expect(choices[1]?.message).not.toHaveProperty('reasoning_content');
  });

  test('calls, the first of them signed', () => {
    const choice = readParts(
      { functionCall: { id: 'f1', name: 'weather', args: { city: 'Bern' } }, thoughtSignature: 'c2ln' },
      { functionCall: { id: '', name: 'now' } },
      { functionCall: { name: 'now', args: {} } },
    );
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null, refusal: null } });
    expect(choice?.message.tool_calls).toEqual([
      {
        id: 'f1',
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Bern"}' },
        extra_content: { google: { thought_signature: 'c2ln' } },
      },
      { id: 'call_9d524f0e8a673c1d5e9f2b48_0_1', type: 'function', function: { name: 'now', arguments: '{}' } },
      { id: 'call_9d524f0e8a673c1d5e9f2b48_0_2', type: 'function', function: { name: 'now', arguments: '{}' } },
    ]);
  });

  test('text beside calls stays', () => {
    const message = readParts({ text: 'Let me see.' }, { functionCall: { id: 'f', name: 'now' } })?.message;
    expect(message).toMatchObject({ content: 'Let me see.', tool_calls: [{ id: 'f' }] });
  });

  test('the signatures of texts, each with its place', () => {
    const message = readParts(
      { text: 'Hello' },
      { text: ' you', thoughtSignature: 'b25l' },
      { text: '', thoughtSignature: 'dHdv' },
    )?.message;
    expect(message?.content).toBe('Hello you');
    expect(message?.reasoning_details).toEqual([
      { type: 'reasoning.encrypted', data: 'b25l', format: 'google-gemini-v1', index: 0, offset: 5 },
      { type: 'reasoning.encrypted', data: 'dHdv', format: 'google-gemini-v1', index: 1, offset: 9 },
    ]);
  });

  test('probabilities', () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'Hi', tokenId: 5, logProbability: -0.25 }, { token: '!' }],
      topCandidates: [
        {
          candidates: [
            { token: 'Hi', logProbability: -0.25 },
            { token: 'Ho', logProbability: -2 },
          ],
        },
        { candidates: [{ token: '!' }] },
      ],
    };
    expect(read({ content: { parts: [{ text: 'Hi!' }] }, finishReason: 'STOP', logprobsResult })?.logprobs).toEqual({
      content: [
        {
          token: 'Hi',
          logprob: -0.25,
          bytes: null,
          top_logprobs: [
            { token: 'Hi', logprob: -0.25, bytes: null },
            { token: 'Ho', logprob: -2, bytes: null },
          ],
        },
        { token: '!', logprob: 0, bytes: null, top_logprobs: [{ token: '!', logprob: 0, bytes: null }] },
      ],
      refusal: null,
    });
  });

  const call = { functionCall: { id: 'f', name: 'now' } };
  test.each([
    ['STOP', 'stop', 'tool_calls'],
    ['MAX_TOKENS', 'length', 'length'],
    ['CONTINUATION', 'length', 'length'],
    ['FUNCTION_CALL', 'content_filter', 'tool_calls'],
    ['SAFETY', 'content_filter', 'content_filter'],
    ['RECITATION', 'content_filter', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'content_filter', 'content_filter'],
    ['UNEXPECTED_TOOL_CALL', 'content_filter', 'content_filter'],
    ['OF_TOMORROW', 'content_filter', 'content_filter'],
    [undefined, 'content_filter', 'content_filter'],
  ] as const)('%s is told as %s, and with a call as %s', (finishReason, finish, withCall) => {
    expect(read({ content: { parts: [{ text: 'x' }] }, finishReason })?.finish_reason).toBe(finish);
    expect(read({ content: { parts: [call] }, finishReason })?.finish_reason).toBe(withCall);
  });

  test("Google's reason not to answer is a refusal; a reason to stop is none", () => {
    const finishMessage = 'Blocked by a filter.';
    expect(read({ finishReason: 'SAFETY', finishMessage })?.message).toEqual({
      role: 'assistant',
      content: null,
      refusal: finishMessage,
    });
    expect(read({ content: { parts: [{ text: 'a' }] }, finishReason: 'SAFETY', finishMessage })?.message).toMatchObject(
      {
        content: 'a',
        refusal: finishMessage,
      },
    );
    expect(read({ finishReason: 'MAX_TOKENS', finishMessage })?.message).toMatchObject({ content: '', refusal: null });
  });

  test('a blocked prompt is filtered; what is no answer is refused', () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 5 } };
    expect(fromGoogle(blocked, facts)).toMatchObject({
      id: facts.id,
      model: 'gemini-2.5-flash',
      choices: [{ message: { content: null }, finish_reason: 'content_filter' }],
      usage: { prompt_tokens: 5, completion_tokens: 0 },
    });
    expect(() => fromGoogle({}, facts)).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });

  test.each([{ inlineData: { mimeType: 'image/png', data: 'AA==' } }, { fileData: { fileUri: 'https://x/y' } }])(
    'media is never left out: %j',
    (part) => {
      expect(() => readParts({ text: 'Here:' }, part)).toThrow(expect.objectContaining({ code: 'provider_error' }));
    },
  );

  test('every text comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        expect(readParts(...texts.map((text) => ({ text })))?.message.content).toBe(texts.join(''));
      }),
    );
  });
});
