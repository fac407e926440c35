import { describe, expect, test } from 'bun:test';
import { refusal } from '../../../test/harness/refusal.ts';
import { parseChat } from './chat.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const chat = (members: Record<string, unknown> = {}) => ({ model: 'm', messages, ...members });
function streamed(options: unknown) {
  return refusal(() => parseChat(chat({ stream: true, stream_options: options })));
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
        safety_identifier: 'u',
        tools: [{ type: 'function', function: { name: 'f' } }],
        tool_choice: 'required',
        parallel_tool_calls: false,
        response_format: { type: 'json_object' },
        reasoning_effort: 'low',
        logprobs: true,
        top_logprobs: 3,
        logit_bias: { '1': 2 },
        cache_control: { type: 'ephemeral', ttl: '1h' },
        stream: true,
        stream_options: { include_usage: true, include_obfuscation: false },
      }),
    );
    const tool = { name: 'f', strict: false, place: 'tools.0', description: undefined, parameters: undefined };
    expect(parsed).toStrictEqual({
      model: 'm',
      messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi', place: 'messages.0.content' }] }],
      maxTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      presencePenalty: -1,
      frequencyPenalty: 1,
      seed: 7,
      stop: ['a', 'b'],
      choices: 2,
      user: 'u',
      tools: [tool],
      toolChoice: { mode: 'required' },
      parallelToolCalls: false,
      responseFormat: { type: 'json_object' },
      reasoningEffort: 'low',
      logprobs: true,
      topLogprobs: 3,
      logitBias: { '1': 2 },
      cache: { type: 'ephemeral', ttl: '1h' },
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
      verbosity: 'medium',
      n: 1,
      functions: [],
      top_logprobs: 0,
      user: '',
      safety_identifier: '',
    };
    expect(parseChat(chat(defaults))).toEqual(plain);
  });

  test.each([
    ['functions', [{ name: 'f' }]],
    ['metadata', { a: 'b' }],
    ['modalities', ['text', 'audio']],
    ['audio', { voice: 'alloy' }],
    ['prediction', { type: 'content', content: 'x' }],
    ['service_tier', 'priority'],
    ['store', true],
    ['function_call', 'auto'],
    ['moderation', { model: 'm' }],
    ['prompt_cache_key', 'k'],
    ['prompt_cache_options', { mode: 'explicit' }],
    ['prompt_cache_retention', '24h'],
    ['verbosity', 'low'],
    ['reasoning', { effort: 'low' }],
    ['thinking', { type: 'enabled' }],
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
    ['safety_identifier', 5],
    ['tools', {}],
    ['tools', ['f']],
    ['tool_choice', 'required'],
    ['parallel_tool_calls', 1],
    ['response_format', 'json'],
    ['reasoning_effort', 'much'],
    ['logprobs', 2],
    ['top_logprobs', -1],
    ['logit_bias', []],
    ['cache_control', { type: 'forever' }],
    ['messages', []],
    ['messages', 'Hi'],
    ['stream_options', { include_usage: true }],
  ])('refuses a malformed %s', (name, value) => {
    const [code, param] = refusal(() => parseChat(chat({ [name]: value })));
    expect([code, param?.split('.')[0]]).toEqual(['invalid_request', name]);
  });

  test('refuses two identifiers that differ', () => {
    expect(parseChat(chat({ user: 'u', safety_identifier: 'u' })).user).toBe('u');
    expect(refusal(() => parseChat(chat({ user: 'u', safety_identifier: 'v' })))).toEqual(['invalid_request', 'user']);
  });

  test('refuses two limits, and what a stream option cannot be', () => {
    expect(refusal(() => parseChat(chat({ max_tokens: 1, max_completion_tokens: 1 })))).toEqual([
      'invalid_request',
      'max_tokens',
    ]);
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
