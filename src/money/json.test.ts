import { expect, test } from 'bun:test';
import { parseBytes, parseObject } from './json.ts';

const nested = (levels: number, inner = '1') => '{"a":'.repeat(levels) + inner + '}'.repeat(levels);

test('what is nested deeper than any API does is no JSON here', () => {
  expect(parseObject(nested(256))).toBeDefined();
  expect(parseObject(nested(257))).toBeUndefined();
  expect(parseObject(nested(100_000))).toBeUndefined();
  expect(parseBytes(new TextEncoder().encode('['.repeat(257) + ']'.repeat(257)))).toBeUndefined();
  expect(parseObject(`{"a":${'['.repeat(256)}1${']'.repeat(256)}}`)).toBeUndefined();
});

test('brackets in a text, or side by side, are not deep', () => {
  expect(parseObject(JSON.stringify({ a: '['.repeat(1000), b: '\\"{['.repeat(1000) }))).toBeDefined();
  expect(parseObject(JSON.stringify({ a: Array.from({ length: 1000 }, () => [{}]) }))).toBeDefined();
  expect(parseObject(nested(256, '"\\\\"'))).toBeDefined();
});
