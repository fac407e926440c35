import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
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

/** Names as they are written; some say the same in two ways. */
const numbered = Array.from({ length: 30 }, (_, at) => `n${at}`);
const odd = String.raw`a \u0061 1 __proto__ \/ / é \u00e9 \ud800 \\ \" constructor`.split(' ');
const names = fc.constantFrom(...numbered, ...odd);

interface Written {
  readonly json: string;
  readonly isTwice: boolean;
}

const space = fc.constantFrom('', ' ', '\t\r\n');
const { value } = fc.letrec<{ value: Written; list: Written; object: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('1', '""', String.raw`"a\":"`, '"{\\"a\\":1"', '"]"').map((json) => ({ json, isTwice: false })),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
    json: `[${items.map(({ json }) => json).join(',')}]`,
    isTwice: items.some(({ isTwice }) => isTwice),
  })),
  object: fc.array(fc.tuple(names, tie('value'), space, space), { maxLength: 24 }).map((members) => ({
    json: `{${members.map(([name, { json }, a, b]) => `${a}"${name}"${b}:${a}${json}${b}`).join(',')}}`,
    isTwice:
      new Set(members.map(([name]): unknown => JSON.parse(`"${name}"`))).size < members.length ||
      members.some(([, { isTwice }]) => isTwice),
  })),
}));

test('whatever is written, what is in it twice is found, and nothing else', () => {
  const verdict = fc.property(value, ({ json, isTwice }) => {
    expect(codeOf(json)).toEqual(isTwice ? 'duplicate_member' : JSON.parse(json));
  });
  fc.assert(verdict, { numRuns: 2_000 });
});

test('an object with very many members', () => {
  const members = Array.from({ length: 50_000 }, (_, at) => `"n${at}":${at}`);
  expect(codeOf(`{${members.join(',')}}`)).toBeObject();
  expect(codeOf(`{${members.join(',')},"n7":1}`)).toBe('duplicate_member');
  expect(codeOf(`{${members.join(',')},"\\u006e49999":1}`)).toBe('duplicate_member');
});
