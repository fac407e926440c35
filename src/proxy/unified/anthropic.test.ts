import { describe, expect, test } from 'bun:test';
import type { ChatCompletionCreateParamsBase } from 'openai/resources/chat/completions/completions';
import { refusal } from '../../../test/harness/refusal.ts';
import { KeyPassError } from '../../errors.ts';
import { toAnthropic } from './anthropic.ts';
import { parseChat } from './chat.ts';

const model = 'claude-sonnet-4-5';
const messages = [{ role: 'user', content: 'Hi' }];
const asked = [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }];
const translate = (members: object = {}) => toAnthropic(parseChat({ model, messages, ...members }));
const tool = { type: 'function', function: { name: 'weather' } };
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

function allowed(mode: string, names: string[]) {
  const tools = names.map((name) => ({ type: 'function', function: { name } }));
  return { type: 'allowed_tools', allowed_tools: { mode, tools } };
}

function format(json_schema: object) {
  return { response_format: { type: 'json_schema', json_schema } };
}

describe('toAnthropic', () => {
  test('translates what Anthropic can be told', () => {
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
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.5,
      stop: 'END',
      user: 'u1',
      n: 1,
      presence_penalty: 0,
      logprobs: false,
      logit_bias: {},
      cache_control: { type: 'ephemeral' },
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(body).toEqual({
      model,
      max_tokens: 100,
      cache_control: { type: 'ephemeral' },
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'Hi!' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'How' },
            { type: 'text', text: 'are you?' },
          ],
        },
      ],
      temperature: 0.5,
      top_p: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
      stream: true,
    });
  });

  test('a chat without a limit gets one: 16,384, or what the model can write if that is less', () => {
    expect(translate()).toEqual({ model, max_tokens: 16_384, messages: asked });
    expect(translate({ model: 'claude-3-haiku-20240307' })).toMatchObject({ max_tokens: 4096 });
    expect(translate({ model: 'claude-of-tomorrow' })).toMatchObject({ max_tokens: 16_384 });
  });

  test.each([
    ['n', 2, 'unsupported_parameter'],
    ['seed', 1, 'unsupported_parameter'],
    ['presence_penalty', 0.5, 'unsupported_parameter'],
    ['frequency_penalty', -0.5, 'unsupported_parameter'],
    ['logprobs', true, 'unsupported_parameter'],
    ['top_logprobs', 1, 'unsupported_parameter'],
    ['logit_bias', { '1': 1 }, 'unsupported_parameter'],
    ['stop', ['END', '\n'], 'unsupported_parameter'],
    ['response_format', { type: 'json_object' }, 'unsupported_parameter'],
    ['temperature', 1.01, 'invalid_request'],
  ])('refuses %s %j by its name', (param, value, code) => {
    expect(refusal(() => translate({ [param]: value }))).toEqual([code, param]);
  });

  test.each(['temperature', 'top_p'])('refuses %s where the model has none any more', (param) => {
    for (const name of ['claude-opus-4-7', 'claude-sonnet-5-20260301', 'claude-opus-5-5']) {
      expect(refusal(() => translate({ model: name, [param]: 0.5 }))).toEqual(['unsupported_parameter', param]);
      expect(translate({ model: name, [param]: 1 })).toEqual(translate({ model: name }));
    }
    expect(translate({ model: 'claude-of-tomorrow', [param]: 0.5 })).toMatchObject({ [param]: 0.5 });
  });
});

/** All that OpenAI's client knows, each with a value that asks for something. */
const everything: Required<{ [Name in keyof ChatCompletionCreateParamsBase]: unknown }> = {
  audio: { voice: 'alloy', format: 'wav' },
  frequency_penalty: 1,
  function_call: 'auto',
  functions: [{ name: 'f' }],
  logit_bias: { '1': 1 },
  logprobs: true,
  max_completion_tokens: 5,
  max_tokens: 5,
  messages: [{ role: 'user', content: 'Ho' }],
  metadata: { a: 'b' },
  modalities: ['audio'],
  model: 'claude-opus-4-5',
  moderation: { model: 'm' },
  n: 2,
  parallel_tool_calls: false,
  prediction: { type: 'content', content: 'x' },
  presence_penalty: 1,
  prompt_cache_key: 'k',
  prompt_cache_options: { mode: 'explicit' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'low',
  response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
  safety_identifier: 's',
  seed: 1,
  service_tier: 'flex',
  stop: 'x',
  store: true,
  stream: true,
  stream_options: { include_obfuscation: true },
  temperature: 0.5,
  tool_choice: 'required',
  tools: [],
  top_logprobs: 1,
  top_p: 0.5,
  user: 'u',
  verbosity: 'low',
  web_search_options: {},
};

/** What becomes of a parameter: a refusal is told with its code and its parameter. */
function fateOf(param: string, value: unknown): unknown[] {
  const base = { tools: [tool], ...(param === 'stream_options' ? { stream: true } : {}) };
  try {
    const body = translate({ ...base, [param]: value });
    return [Bun.deepEquals(body, translate(base)) ? 'is dropped' : 'arrives'];
  } catch (error) {
    return error instanceof KeyPassError ? [error.code, error.param?.split('.')[0]] : [error];
  }
}

test.each(Object.entries(everything))('%s arrives, or is refused by its name', (param, value) => {
  const fates: unknown[][] = [['arrives'], ['unsupported_parameter', param]];
  expect(fates).toContainEqual(fateOf(param, value));
});

test('temperature and top_p are told where they are not the default: newer models refuse both at once', () => {
  expect(translate({ temperature: 0.5, top_p: 1 })).toEqual(translate({ temperature: 0.5 }));
  expect(translate({ temperature: 1, top_p: 0.5 })).toEqual(translate({ top_p: 0.5 }));
  expect(translate({ temperature: 0 })).toMatchObject({ temperature: 0 });
});

describe('tools', () => {
  test('are functions with a schema', () => {
    const definition = { name: 'weather', description: 'Tells it.', parameters: schema, strict: true };
    const body = translate({
      tools: [{ type: 'function', function: definition, cache_control: { type: 'ephemeral' } }, tool],
    });
    expect(body).toEqual({
      model,
      max_tokens: 16_384,
      messages: asked,
      tools: [
        {
          name: 'weather',
          description: 'Tells it.',
          input_schema: schema,
          strict: true,
          cache_control: { type: 'ephemeral' },
        },
        { name: 'weather', input_schema: { type: 'object', properties: {} } },
      ],
    });
  });

  const named = { type: 'function', function: { name: 'weather' } };
  test.each([
    [{ tool_choice: 'none', parallel_tool_calls: false }, { type: 'none' }],
    [{ tool_choice: 'auto' }, { type: 'auto' }],
    [{ tool_choice: 'required', reasoning_effort: 'low', model: 'claude-opus-5' }, { type: 'any' }],
    [{ tool_choice: 'required', parallel_tool_calls: true }, { type: 'any' }],
    [{ tool_choice: named }, { type: 'tool', name: 'weather' }],
    [{ tool_choice: allowed('required', ['weather']) }, { type: 'tool', name: 'weather' }],
    [{ parallel_tool_calls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [
      { tool_choice: 'required', parallel_tool_calls: false },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [
      { tool_choice: named, parallel_tool_calls: false },
      { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
    ],
  ])('%j is %j', (members, choice) => {
    expect(translate({ tools: [tool], ...members })['tool_choice']).toEqual(choice);
  });

  test('are not chosen where there are none, nor where the choice is left to the model', () => {
    expect(translate({ tool_choice: 'auto', parallel_tool_calls: false })).toEqual(translate());
    expect(translate({ tools: [tool], parallel_tool_calls: true })).not.toHaveProperty('tool_choice');
  });

  test.each([
    [{ tool_choice: allowed('auto', ['weather']) }, 'tool_choice.allowed_tools'],
    [{ tool_choice: 'required', reasoning_effort: 'low' }, 'tool_choice'],
    [{ tool_choice: named, model: 'claude-opus-5-5' }, 'tool_choice'],
    [
      { tools: [{ ...tool, function: { name: 'f', strict: true } }], model: 'claude-opus-4-0' },
      'tools.0.function.strict',
    ],
  ])('refuses %j by its name', (members, param) => {
    expect(refusal(() => translate({ tools: [tool], ...members }))).toEqual(['unsupported_parameter', param]);
  });
});

describe('a JSON schema', () => {
  test('is the output format, with its description in the schema', () => {
    expect(translate(format({ name: 'place', schema, strict: true }))['output_config']).toEqual({
      format: { type: 'json_schema', schema },
    });
    expect(translate(format({ name: 'place', schema, description: 'A place.' }))['output_config']).toEqual({
      format: { type: 'json_schema', schema: { ...schema, description: 'A place.' } },
    });
    const described = { ...schema, description: 'In Germany.' };
    expect(translate(format({ name: 'place', schema: described, description: 'A place.' }))['output_config']).toEqual({
      format: { type: 'json_schema', schema: { ...schema, description: 'A place.\nIn Germany.' } },
    });
    const both = { ...format({ name: 'place', schema }), model: 'claude-opus-5', reasoning_effort: 'max' };
    expect(translate(both)['output_config']).toEqual({ effort: 'max', format: { type: 'json_schema', schema } });
  });

  test('is refused where the model keeps to none', () => {
    const asked4 = { ...format({ name: 'place', schema }), model: 'claude-sonnet-4-20250514' };
    expect(refusal(() => translate(asked4))).toEqual(['unsupported_parameter', 'response_format']);
  });
});

describe('reasoning_effort', () => {
  test.each([
    ['claude-opus-4-6', 'low'],
    ['claude-opus-4-8-20260528', 'xhigh'],
    ['claude-haiku-5-5', 'medium'],
    ['claude-of-tomorrow', 'max'],
  ])('is an effort for %s', (name, effort) => {
    expect(translate({ model: name, reasoning_effort: effort })).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort },
    });
  });

  test.each([
    ['minimal', 20_000, 2000],
    ['low', 20_000, 4000],
    ['medium', 20_000, 10_000],
    ['high', 20_000, 16_000],
    ['max', 20_000, 19_000],
    ['low', 1025, 1024],
    ['max', 1030, 1024],
  ])('%s of %i tokens is a budget of %i for older models', (effort, max_tokens, budget_tokens) => {
    const body = translate({ max_tokens, reasoning_effort: effort });
    expect(body['thinking']).toEqual({ type: 'enabled', budget_tokens });
    expect(body).not.toHaveProperty('output_config');
  });

  test('none turns it off where it is not off by itself', () => {
    expect(translate({ reasoning_effort: 'none' })).toEqual(translate());
    expect(translate({ model: 'claude-3-haiku-20240307', reasoning_effort: 'none' })).not.toHaveProperty('thinking');
    for (const name of ['claude-opus-5', 'claude-sonnet-5', 'claude-of-tomorrow']) {
      expect(translate({ model: name, reasoning_effort: 'none' })['thinking']).toEqual({ type: 'disabled' });
    }
  });

  test.each([
    ['claude-3-haiku-20240307', { reasoning_effort: 'low' }, 'reasoning_effort'],
    ['claude-opus-5-5', { reasoning_effort: 'none' }, 'reasoning_effort'],
    ['claude-opus-5', { reasoning_effort: 'minimal' }, 'reasoning_effort'],
    ['claude-opus-4-6', { reasoning_effort: 'xhigh' }, 'reasoning_effort'],
    ['claude-sonnet-4-5', { reasoning_effort: 'low', max_tokens: 1024 }, 'reasoning_effort'],
    ['claude-sonnet-4-5', { reasoning_effort: 'low', temperature: 0.5 }, 'temperature'],
  ])('%s refuses %j', (name, members, param) => {
    expect(refusal(() => translate({ model: name, ...members }))).toEqual(['unsupported_parameter', param]);
  });
});
