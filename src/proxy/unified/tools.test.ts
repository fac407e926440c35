import { describe, expect, test } from 'bun:test';
import { refusal } from '../../../test/harness/refusal.ts';
import { parseResponseFormat } from './response-format.ts';
import { parseToolChoice, parseTools } from './tools.ts';

const weather = { type: 'function', function: { name: 'weather' } };
const tools = parseTools([weather, { type: 'function', function: { name: 'time' } }]);

function allowed(mode: string, ...names: string[]) {
  const listed = names.map((name) => ({ type: 'function', function: { name } }));
  return { type: 'allowed_tools', allowed_tools: { mode, tools: listed } };
}

describe('parseTools', () => {
  test('reads functions', () => {
    const definition = { name: 'f', description: 'Does.', parameters: { type: 'object' }, strict: true };
    const cache_control = { type: 'ephemeral' };
    expect(parseTools([{ type: 'function', function: definition, cache_control }, weather])).toEqual([
      { ...definition, cache: { type: 'ephemeral' }, place: 'tools.0' },
      { name: 'weather', description: undefined, parameters: undefined, strict: false, place: 'tools.1' },
    ]);
    expect(parseTools(null)).toEqual([]);
  });

  test.each([
    [{ type: 'custom', custom: { name: 'f' } }, 'unsupported_parameter', 'tools.0.type'],
    [{ type: 'web_search_20250305', name: 'web_search' }, 'unsupported_parameter', 'tools.0.type'],
    [{ ...weather, defer_loading: true }, 'unsupported_parameter', 'tools.0.defer_loading'],
    [{ type: 'function', function: { name: 'f', extra: 1 } }, 'unsupported_parameter', 'tools.0.function.extra'],
    [{ type: 'function' }, 'invalid_request', 'tools.0.function'],
    [{ type: 'function', function: { name: '' } }, 'invalid_request', 'tools.0.function.name'],
    [{ type: 'function', function: { name: 'f', description: 5 } }, 'invalid_request', 'tools.0.function.description'],
    [{ type: 'function', function: { name: 'f', parameters: [] } }, 'invalid_request', 'tools.0.function.parameters'],
    [{ type: 'function', function: { name: 'f', strict: 1 } }, 'invalid_request', 'tools.0.function.strict'],
  ])('refuses %j', (tool, code, param) => {
    expect(refusal(() => parseTools([tool]))).toEqual([code, param]);
  });
});

describe('parseToolChoice', () => {
  test.each([
    [undefined, undefined],
    ['none', { mode: 'none' }],
    ['auto', { mode: 'auto' }],
    ['required', { mode: 'required' }],
    [weather, { mode: 'required', only: ['weather'] }],
    [allowed('auto', 'weather', 'time'), { mode: 'auto', only: ['weather', 'time'] }],
  ] as const)('reads %j', (value, choice) => {
    expect(parseToolChoice(value, tools)).toEqual(choice);
  });

  test.each([
    [{ type: 'custom', custom: { name: 'f' } }, 'unsupported_parameter', 'tool_choice'],
    ['any', 'unsupported_parameter', 'tool_choice'],
    [{ type: 'function', function: {} }, 'invalid_request', 'tool_choice'],
    [{ type: 'function', function: { name: 'missing' } }, 'invalid_request', 'tool_choice'],
    [allowed('none', 'time'), 'invalid_request', 'tool_choice.allowed_tools.mode'],
    [allowed('required'), 'invalid_request', 'tool_choice.allowed_tools.tools'],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'auto' } }, 'invalid_request', 'tool_choice.allowed_tools.tools'],
  ])('refuses %j', (value, code, param) => {
    expect(refusal(() => parseToolChoice(value, tools))).toEqual([code, param]);
  });
});

describe('parseResponseFormat', () => {
  const definition = { name: 'n', description: 'D', schema: { type: 'object' }, strict: true };

  test.each([
    [null, undefined],
    [{ type: 'text' }, undefined],
    [{ type: 'json_object' }, { type: 'json_object' as const }],
    [
      { type: 'json_schema', json_schema: definition },
      { type: 'json_schema' as const, ...definition },
    ],
    [
      { type: 'json_schema', json_schema: { name: 'n', schema: {} } },
      { type: 'json_schema' as const, name: 'n', description: undefined, schema: {}, strict: false },
    ],
  ])('reads %j', (value, format) => {
    expect(parseResponseFormat(value)).toEqual(format);
  });

  test.each([
    [{ type: 'grammar', grammar: 'x' }, 'unsupported_parameter', 'response_format.grammar'],
    [{ type: 'python' }, 'invalid_request', 'response_format.type'],
    [{ type: 'json_schema' }, 'invalid_request', 'response_format.json_schema'],
    [{ type: 'json_schema', json_schema: { schema: {} } }, 'invalid_request', 'response_format.json_schema.name'],
    [{ type: 'json_schema', json_schema: { name: 'n' } }, 'invalid_request', 'response_format.json_schema.schema'],
  ])('refuses %j', (value, code, param) => {
    expect(refusal(() => parseResponseFormat(value))).toEqual([code, param]);
  });
});
