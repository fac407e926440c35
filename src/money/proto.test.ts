import { describe, expect, test } from 'bun:test';
import { camelMembers, spelledName } from './proto.ts';

describe('camelMembers', () => {
  test('gives every field its camelCase name', () => {
    expect(camelMembers({ max_output_tokens: 1, topK: 2, _responseJsonSchema: 3 })).toEqual({
      maxOutputTokens: 1,
      topK: 2,
      _responseJsonSchema: 3,
    });
  });

  test('refuses a field that is there in both spellings, whatever its values', () => {
    for (const body of [
      { top_k: 1, topK: 2 },
      { topK: 2, other: null, top_k: null },
    ]) {
      expect(() => camelMembers(body)).toThrow(expect.objectContaining({ code: 'invalid_request', param: 'topK' }));
    }
  });

  test('cuts a name that is longer than any, so that two of them can be the same', () => {
    const name = 'x'.repeat(64);
    expect(camelMembers({ [`${name}y`]: 1 })).toEqual({ [name]: 1 });
    expect(() => camelMembers({ [`${name}y`]: 1, [`${name}z`]: 2 })).toThrow('twice');
  });

  test('takes what is no object for one without fields', () => {
    for (const value of [null, undefined, 'text', 7, [{ topK: 1 }]]) expect(camelMembers(value)).toEqual({});
  });
});

test('spelledName tells the spelling that is there', () => {
  expect(spelledName({ top_k: 1 }, 'topK')).toBe('top_k');
  expect(spelledName({}, 'topK')).toBe('topK');
});
