import { describe, expect, test } from 'bun:test';
import { objectAt } from '../../money/json.ts';
import { parseChat } from './chat.ts';
import { toGoogle } from './google.ts';

const model = 'gemini-2.5-flash';
const translate = (members: Record<string, unknown> = {}) =>
  toGoogle(parseChat({ model, messages: [{ role: 'user', content: 'Hi' }], ...members }));

const unsupported = (param: string) => expect.objectContaining({ code: 'unsupported_parameter', param });

const parameters = {
  type: 'object',
  properties: { city: { type: 'string', const: 'Bern' } },
  required: ['city'],
  additionalProperties: false,
};
const weather = { name: 'weather', description: 'Weather of a city', parameters };
const tools = [{ type: 'function', function: weather }];
const strictTools = [{ type: 'function', function: { ...weather, strict: true } }];

describe('toGoogle', () => {
  test('a chat with every number that Google can be told', () => {
    const body = translate({
      max_completion_tokens: 100,
      temperature: 2,
      top_p: 0.5,
      stop: ['END'],
      n: 2,
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
      logprobs: true,
      top_logprobs: 3,
      stream: true,
    });
    expect(body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
      generationConfig: {
        maxOutputTokens: 100,
        temperature: 2,
        topP: 0.5,
        stopSequences: ['END'],
        candidateCount: 2,
        seed: 7,
        presencePenalty: 0.5,
        frequencyPenalty: -0.5,
        responseLogprobs: true,
        logprobs: 3,
      },
    });
  });

  test('a bare chat is bare, and so is one that asks for what is so anyway', () => {
    const bare = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };
    expect(translate()).toEqual(bare);
    const defaults = { presence_penalty: 0, frequency_penalty: 0, n: 1, parallel_tool_calls: true, logit_bias: {} };
    expect(translate({ ...defaults, cache_control: { type: 'ephemeral' } })).toEqual(bare);
    const config = { responseLogprobs: true };
    expect(translate({ logprobs: true, top_logprobs: 0 })).toEqual({ ...bare, generationConfig: config });
  });

  test.each([
    ['user', { user: 'u' }],
    ['user', { safety_identifier: 'u' }],
    ['logit_bias', { logit_bias: { 5: 1 } }],
    ['parallel_tool_calls', { tools, parallel_tool_calls: false }],
    ['model', { model: 'gemini-2.5-flash-image' }],
    ['model', { model: 'models/gemini-3.1-flash-tts-preview' }],
  ])('refuses %s by its name: %j', (param, members) => {
    expect(() => translate(members)).toThrow(unsupported(param));
  });

  test.each([
    ['seed', { seed: 2 ** 31 }],
    ['top_logprobs', { top_logprobs: 2 }],
  ])('%s that cannot be is malformed', (param, members) => {
    expect(() => translate(members)).toThrow(expect.objectContaining({ code: 'invalid_request', param }));
  });
});

describe('tools', () => {
  test('their schemas go up as they are', () => {
    expect(translate({ tools: [...tools, { type: 'function', function: { name: 'now' } }] })).toMatchObject({
      tools: [
        {
          functionDeclarations: [
            { name: 'weather', description: 'Weather of a city', parametersJsonSchema: parameters },
            { name: 'now' },
          ],
        },
      ],
    });
  });

  const named = { type: 'function', function: { name: 'weather' } };
  const allowed = (mode: string) => ({ type: 'allowed_tools', allowed_tools: { mode, tools: [named] } });
  test.each([
    [undefined, tools, undefined],
    ['auto', tools, { mode: 'AUTO' }],
    ['none', tools, { mode: 'NONE' }],
    ['required', tools, { mode: 'ANY' }],
    [named, tools, { mode: 'ANY', allowedFunctionNames: ['weather'] }],
    [allowed('required'), tools, { mode: 'ANY', allowedFunctionNames: ['weather'] }],
    [allowed('auto'), tools, { mode: 'VALIDATED', allowedFunctionNames: ['weather'] }],
    [undefined, strictTools, { mode: 'VALIDATED' }],
    ['auto', strictTools, { mode: 'VALIDATED' }],
    ['none', strictTools, { mode: 'NONE' }],
    ['required', strictTools, { mode: 'ANY' }],
  ])('the choice %j', (choice, given, functionCallingConfig) => {
    const body = translate({ tools: given, tool_choice: choice });
    expect(body['toolConfig']).toEqual(functionCallingConfig && { functionCallingConfig });
  });
});

const configOf = (response_format: object) => translate({ response_format })['generationConfig'];

const describedBy = (description: string, schema: object) =>
  configOf({ type: 'json_schema', json_schema: { name: 'x', description, schema } });

/** A schema with this one in every place. */
const schemaOf = (part: object) => ({
  type: 'object',
  properties: { const: part, list: { type: 'array', items: part, prefixItems: [part, true] } },
  additionalProperties: { anyOf: [part, { oneOf: [{ const: 5 }] }] },
  $defs: { Part: part },
  default: { const: 'a' },
  required: ['const'],
});

describe('response_format', () => {
  test('JSON, and JSON by a schema', () => {
    expect(configOf({ type: 'text' })).toBeUndefined();
    expect(configOf({ type: 'json_object' })).toEqual({ responseMimeType: 'application/json' });
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
    expect(configOf({ type: 'json_schema', json_schema: { name: 'x', strict: true, schema } })).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    });
  });

  test('what describes the answer describes the schema', () => {
    expect(describedBy('A city.', { type: 'object' })).toMatchObject({
      responseJsonSchema: { type: 'object', description: 'A city.' },
    });
    expect(describedBy('A city.', { description: 'In Europe.' })).toMatchObject({
      responseJsonSchema: { description: 'A city.\nIn Europe.' },
    });
  });

  test('a constant is an enumeration of one wherever a schema stands, and nowhere else', () => {
    const one = { const: 'a', description: 'd' };
    const same = { enum: ['a'], description: 'd' };
    const sent = configOf({ type: 'json_schema', json_schema: { name: 'x', schema: schemaOf(one) } });
    const expected = { ...schemaOf(same), additionalProperties: { anyOf: [same, { oneOf: [{ enum: [5] }] }] } };
    expect(sent).toEqual({ responseMimeType: 'application/json', responseJsonSchema: expected });
    // Google's enumerations are of texts and numbers.
    const yes = configOf({ type: 'json_schema', json_schema: { name: 'x', schema: { const: true } } });
    expect(yes).toMatchObject({ responseJsonSchema: { const: true } });
  });
});

const thinking = (name: string, reasoning_effort: string) =>
  objectAt(objectAt(translate({ model: name, reasoning_effort }), 'generationConfig'), 'thinkingConfig');

describe('reasoning_effort', () => {
  test.each([
    ['gemini-3.1-pro-preview', 'low', { thinkingLevel: 'low', includeThoughts: true }],
    ['gemini-3-flash-preview', 'minimal', { thinkingLevel: 'minimal', includeThoughts: true }],
    ['gemini-flash-latest', 'medium', { thinkingLevel: 'medium', includeThoughts: true }],
    ['models/gemini-3.8-flash', 'high', { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-4-hydrogen', 'xhigh', { thinkingLevel: 'xhigh', includeThoughts: true }],
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }],
    ['gemini-2.5-flash', 'minimal', { thinkingBudget: 1_024, includeThoughts: true }],
    ['gemini-2.5-pro', 'low', { thinkingBudget: 1_024, includeThoughts: true }],
    ['gemini-2.5-flash-lite', 'medium', { thinkingBudget: 8_192, includeThoughts: true }],
    ['gemini-2.5-pro', 'high', { thinkingBudget: 24_576, includeThoughts: true }],
    ['gemini-2.0-flash', 'none', undefined],
  ])('%s, %s', (name, effort, config) => {
    expect(thinking(name, effort)).toEqual(config);
  });

  test.each([
    ['gemini-3.1-pro-preview', 'none'],
    ['gemini-3.1-pro-preview', 'xhigh'],
    ['gemini-4-hydrogen', 'max'],
    ['gemini-2.5-pro', 'none'],
    ['gemini-2.5-flash', 'xhigh'],
    ['gemini-2.0-flash', 'low'],
  ])('%s refuses %s', (name, effort) => {
    expect(() => thinking(name, effort)).toThrow(unsupported('reasoning_effort'));
  });
});
