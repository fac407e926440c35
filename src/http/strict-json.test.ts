import { expect, test } from 'bun:test';
import { utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { parseStrictJson } from './strict-json.ts';

const codeOf = (json: string | Uint8Array): unknown => {
  try {
    return parseStrictJson(typeof json === 'string' ? utf8(json) : json);
  } catch (error) {
    return error instanceof KeyPassError ? error.code : error;
  }
};

test.each([
  '{"model":"a","model":"b"}',
  String.raw`{"a":1,"\u0061":2}`,
  String.raw`{"\u0061":1,"a":2}`,
  String.raw`{"\/":1,"/":2}`,
  '{"a":1 , "b":{"a":2} , "a" \t\n:3}',
  '[{"b":[{"c":1,"c":1}]}]',
  '{"":1,"":2}',
  String.raw`{"a\"":1,"a\"":2}`,
  '{"__proto__":1,"__proto__":2}',
])('the same member twice: %s', (json) => {
  expect(codeOf(json)).toBe('duplicate_member');
});

test.each([
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
  String.raw`{"a":"\"a\":1,\"a\":2"}`,
  String.raw`{"a\\":"b","a":"\\"}`,
  '["a","a",{"a":[]}]',
  '"a"',
  'null',
])('nothing twice: %s', (json) => {
  expect(codeOf(json)).toEqual(JSON.parse(json));
});

test.each(['', '{', '{"a":1,}', '{"a":1}x', "{'a':1}", '{"a":NaN}', '\u{FEFF}{}', '{"a":"\n"}', '/**/{}'])(
  'not JSON: %j',
  (json) => {
    expect(codeOf(json)).toBe('invalid_json');
  },
);

test('bytes that are not UTF-8', () => {
  expect(codeOf(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).toBe('invalid_json');
  expect(codeOf(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toBe('invalid_json');
});

const nested = (depth: number) => utf8('['.repeat(depth) + ']'.repeat(depth));

test('nesting has an end', () => {
  expect(parseStrictJson(nested(256))).toBeArray();
  expect(() => parseStrictJson(nested(257))).toThrow('nested');
  expect(() => parseStrictJson(nested(60_000))).toThrow(KeyPassError);
});
