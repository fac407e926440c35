import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { canonicalJson } from './canonical.ts';
import { CryptoError } from './errors.ts';

fc.configureGlobal({ seed: 1 });

/** JSON as the kernel takes it: no floats. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('json'), { maxKeys: 4 }),
  ),
}));

describe('canonical JSON', () => {
  test('RFC 8785, section 3.2.3: members by UTF-16 code units', () => {
    const members = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const names = [...canonicalJson(members).matchAll(/"([^"]*)":/g)].map((match) => match[1]);
    expect(names).toEqual(['\\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
  });

  test('RFC 8785, section 3.2.2.2: one spelling for each string', () => {
    const text = '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"\u002f';
    expect(canonicalJson(text)).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  test('nested, without white space', () => {
    const value = { b: [1, { d: null, c: false }], a: { '': '' }, A: -1, aa: [] };
    expect(canonicalJson(value)).toBe('{"A":-1,"a":{"":""},"aa":[],"b":[1,{"c":false,"d":null}]}');
  });

  test('a member named __proto__ is a member', () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
  });

  test('means what it was made of, and is the same for any order of members', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  test.each([
    [0.5],
    [2 ** 53],
    [-0],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [1n],
    [undefined],
    [() => 1],
    [Symbol('s')],
    [new Date(0)],
    [new Map()],
    [new Uint8Array(1)],
    ['\ud800'],
    [{ '\udc00': 1 }],
    [{ a: undefined }],
    [Array(2)],
  ])('refuses what it cannot say in one way: %p', (value) => {
    expect(() => canonicalJson(value)).toThrow(CryptoError);
    expect(() => canonicalJson([{ a: value }])).toThrow(CryptoError);
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
