import { describe, expect, test } from 'bun:test';
import { fromAnthropic } from './anthropic-answer.ts';

const facts = { id: 'chatcmpl-1', created: 1_790_000_000, model: 'claude-opus-4-8' };

/** As in the API reference: platform.claude.com/docs/en/api/messages/create */
const message = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8-20260528',
  content: [{ type: 'text', text: 'Hi! My name is Claude.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 2095,
    cache_creation_input_tokens: 10,
    cache_read_input_tokens: 1000,
    output_tokens: 503,
    output_tokens_details: { thinking_tokens: 300 },
    service_tier: 'standard',
  },
};

describe('fromAnthropic', () => {
  test('a message is a completion', () => {
    expect(fromAnthropic(message, facts)).toEqual({
      id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
      object: 'chat.completion',
      created: 1_790_000_000,
      model: 'claude-opus-4-8-20260528',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi! My name is Claude.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 3105,
        completion_tokens: 503,
        total_tokens: 3608,
        prompt_tokens_details: { cached_tokens: 1000, cache_write_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 300 },
      },
    });
  });

  test('thinking, text and calls are told apart', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm.', signature: 's1' },
      { type: 'text', text: 'Let me ' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'text', text: 'see.' },
      { type: 'thinking', thinking: '', signature: 's2' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln' }, caller: { type: 'direct' } },
      { type: 'tool_use', id: 'toolu_2', name: 'time', input: {} },
      { type: 'of_tomorrow', text: 'what?' },
    ];
    const format = 'anthropic-claude-v1';
    expect(fromAnthropic({ ...message, content, stop_reason: 'tool_use' }, facts).choices[0]).toEqual({
      index: 0,
      message: {
        role: 'assistant',
        content: 'Let me see.',
        refusal: null,
        reasoning_content: 'Hm.',
        reasoning_details: [
          { type: 'reasoning.text', text: 'Hm.', signature: 's1', format, index: 0 },
          { type: 'reasoning.encrypted', data: 'x', format, index: 1, offset: 7 },
          { type: 'reasoning.text', text: '', signature: 's2', format, index: 2, offset: 11 },
        ],
        tool_calls: [
          { id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
          { id: 'toolu_2', type: 'function', function: { name: 'time', arguments: '{}' } },
        ],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    });
  });

  test('calls alone have no content', () => {
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'time', input: {} }];
    expect(fromAnthropic({ ...message, content }, facts).choices[0]?.message.content).toBeNull();
    expect(() => fromAnthropic({ ...message, content: [{ type: 'tool_use', id: 5 }] }, facts)).toThrow(
      expect.objectContaining({ code: 'provider_error' }),
    );
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['of_tomorrow', 'content_filter'],
    ['toString', 'content_filter'],
    [null, 'content_filter'],
  ] as const)('%s is told as %s', (reason, finish) => {
    expect(fromAnthropic({ ...message, stop_reason: reason }, facts).choices[0]?.finish_reason).toBe(finish);
  });

  test('a refusal says why', () => {
    const stop_details = { type: 'refusal', category: 'cyber', explanation: 'I will not.' };
    const refused = { ...message, content: [], stop_reason: 'refusal', stop_details };
    expect(fromAnthropic(refused, facts).choices[0]).toMatchObject({
      message: { content: null, refusal: 'I will not.' },
      finish_reason: 'content_filter',
    });
  });

  test('usage that cannot be believed is left out; what is no message is refused', () => {
    expect(fromAnthropic({ ...message, usage: { input_tokens: -1, output_tokens: 1 } }, facts)).not.toHaveProperty(
      'usage',
    );
    expect(() => fromAnthropic({ hello: 'world' }, facts)).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });
});
