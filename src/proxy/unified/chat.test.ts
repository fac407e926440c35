import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../../errors.ts';
import { parseChat } from './chat.ts';
import { conversationOf, parseMessages } from './messages.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const chat = (members: Record<string, unknown> = {}) => ({ model: 'm', messages, ...members });

function refusal(act: () => unknown): [string, string | undefined] {
  try {
    act();
  } catch (error) {
    if (error instanceof KeyPassError) return [error.code, error.param];
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseChat', () => {
  test('reads every parameter that is translated', () => {
    const parsed = parseChat(
      chat({
        max_completion_tokens: 5,
        temperature: 0.5,
        top_p: 0.9,
        presence_penalty: -1,
        frequency_penalty: 1,
        seed: 7,
        stop: ['a', 'b'],
        n: 2,
        user: 'u',
        stream: true,
        stream_options: { include_usage: true, include_obfuscation: false },
      }),
    );
    expect(parsed).toEqual({
      model: 'm',
      messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
      maxTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      presencePenalty: -1,
      frequencyPenalty: 1,
      seed: 7,
      stop: ['a', 'b'],
      choices: 2,
      user: 'u',
      stream: true,
    });
  });

  test('takes null, and values that ask for the default, as absent', () => {
    const plain = parseChat(chat());
    expect(parseChat(chat({ max_tokens: null, stop: null, tools: null, anything: null }))).toEqual(plain);
    const defaults = {
      logit_bias: {},
      logprobs: false,
      metadata: {},
      modalities: ['text'],
      response_format: { type: 'text' },
      service_tier: 'auto',
      store: false,
      tools: [],
      n: 1,
    };
    expect(parseChat(chat(defaults))).toEqual(plain);
  });

  test.each([
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['tool_choice', 'auto'],
    ['functions', [{ name: 'f' }]],
    ['response_format', { type: 'json_object' }],
    ['logprobs', true],
    ['top_logprobs', 3],
    ['logit_bias', { '1': 2 }],
    ['metadata', { a: 'b' }],
    ['reasoning_effort', 'low'],
    ['modalities', ['text', 'audio']],
    ['audio', { voice: 'alloy' }],
    ['prediction', { type: 'content', content: 'x' }],
    ['service_tier', 'priority'],
    ['store', true],
    ['web_search_options', {}],
    ['provider', 'openai'],
    ['some_typo', 1],
    ['toString', 1],
  ])('refuses %s by its name', (name, value) => {
    expect(refusal(() => parseChat(chat({ [name]: value })))).toEqual(['unsupported_parameter', name]);
  });

  test.each([
    ['temperature', 2.1],
    ['temperature', '1'],
    ['temperature', Number.NaN],
    ['top_p', -0.1],
    ['presence_penalty', 3],
    ['frequency_penalty', -3],
    ['seed', 1.5],
    ['n', 0],
    ['max_tokens', 0],
    ['max_completion_tokens', 1.5],
    ['stop', ['']],
    ['stop', 5],
    ['stream', 'yes'],
    ['user', 5],
    ['messages', []],
    ['messages', 'Hi'],
    ['stream_options', { include_usage: true }],
  ])('refuses a malformed %s', (name, value) => {
    expect(refusal(() => parseChat(chat({ [name]: value })))).toEqual(['invalid_request', name]);
  });

  test('refuses two limits, and what a stream option cannot be', () => {
    expect(refusal(() => parseChat(chat({ max_tokens: 1, max_completion_tokens: 1 })))).toEqual([
      'invalid_request',
      'max_tokens',
    ]);
    const streamed = (options: unknown) => refusal(() => parseChat(chat({ stream: true, stream_options: options })));
    expect(streamed({ include_usage: 1 })).toEqual(['invalid_request', 'stream_options.include_usage']);
    expect(streamed({ include_obfuscation: true })).toEqual([
      'unsupported_parameter',
      'stream_options.include_obfuscation',
    ]);
    expect(refusal(() => parseChat([]))).toEqual(['invalid_request', undefined]);
  });

  test('names no value that was sent', () => {
    for (const members of [{ temperature: 'secret' }, { tools: ['secret'] }, { messages: [{ role: 'secret' }] }]) {
      expect(() => parseChat(chat(members))).toThrow(/^(?!.*secret)/);
    }
  });
});

describe('parseMessages', () => {
  test('reads texts, parts of text and refusals', () => {
    const read = parseMessages([
      { role: 'developer', content: 'D' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'assistant', content: null, refusal: 'No.', tool_calls: [], audio: null },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'Never.' }] },
    ]);
    expect(read.map(({ role, parts }) => [role, parts.map(({ text }) => text)])).toEqual([
      ['system', ['D']],
      ['user', ['a', 'b']],
      ['assistant', ['No.']],
      ['assistant', ['Never.']],
    ]);
  });

  test.each([
    [{ role: 'tool', content: 'x', tool_call_id: 'c' }, 'messages.0.role'],
    [{ role: 'assistant', content: null, tool_calls: [{ id: 'c' }] }, 'messages.0.tool_calls'],
    [{ role: 'user', content: 'x', name: 'Ann' }, 'messages.0.name'],
    [{ role: 'user', content: 'x', refusal: 'No.' }, 'messages.0.refusal'],
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }, 'messages.0.content.0.type'],
    [{ role: 'user', content: [{ type: 'refusal', refusal: 'No.' }] }, 'messages.0.content.0.type'],
    [{ role: 'user', content: [{ type: 'text', text: 'x', extra: 1 }] }, 'messages.0.content.0.extra'],
  ])('refuses by its place: %j', (message, place) => {
    expect(refusal(() => parseMessages([message]))).toEqual(['unsupported_parameter', place]);
  });

  test.each([
    [{ role: 'king', content: 'x' }, 'messages.0.role'],
    [{ role: 'toString', content: 'x' }, 'messages.0.role'],
    [{ content: 'x' }, 'messages.0.role'],
    [{ role: 'user', content: null }, 'messages.0.content'],
    [{ role: 'user', content: [{ type: 'text', text: 5 }] }, 'messages.0.content.0.text'],
    [{ role: 'assistant', content: 'x', refusal: 5 }, 'messages.0.refusal'],
    ['Hi', 'messages.0'],
  ])('refuses what is malformed: %j', (message, place) => {
    expect(refusal(() => parseMessages([message]))).toEqual(['invalid_request', place]);
  });
});

const said = (...turns: [string, string][]) =>
  conversationOf(parseMessages(turns.map(([role, content]) => ({ role, content }))));

describe('conversationOf', () => {
  test('takes system messages out and joins turns of one role', () => {
    const { system, turns } = said(
      ['system', 'S'],
      ['user', 'a'],
      ['developer', 'D'],
      ['user', 'b'],
      ['assistant', ''],
      ['user', 'c'],
      ['assistant', 'd'],
    );
    expect(system).toEqual(['S', 'D']);
    expect(turns.map(({ role, parts }) => [role, ...parts.map(({ text }) => text)])).toEqual([
      ['user', 'a', 'b', 'c'],
      ['assistant', 'd'],
    ]);
  });

  test('refuses a conversation without a turn', () => {
    expect(refusal(() => said(['system', 'S']))).toEqual(['invalid_request', 'messages']);
    expect(refusal(() => said(['user', '']))).toEqual(['invalid_request', 'messages']);
  });
});
