import { describe, expect, test } from 'bun:test';
import { cleanText, storable } from './receipt-text.ts';

test.each([
  ['gpt-4o-mini-2024-07-18', 'gpt-4o-mini-2024-07-18'],
  [' a\t b\n', 'a b'],
  ['a\u0000b\u001b[31m', 'ab[31m'],
  ['left\u202eright\u200b', 'leftright'],
  ['half \ud83d of a pair', 'half of a pair'],
  ['🙂'.repeat(300), '🙂'.repeat(200)],
  ['x'.repeat(1_000_000), 'x'.repeat(200)],
])('a text is what can be seen of it: %#', (text, clean) => {
  expect(cleanText(text)).toBe(clean);
});

describe('a usage object', () => {
  test('is kept as it came', () => {
    const raw = { prompt_tokens: 9, details: [{ modality: 'TEXT' }], note: 'ü🙂' };
    expect(storable(raw)).toBe(raw);
    expect(storable(null)).toBeNull();
  });

  let deep: unknown = {};
  for (let level = 0; level < 200_000; level += 1) deep = [deep];
  test.each([
    ['with what PostgreSQL has no text for', { note: 'a\u0000' }],
    ['with a name of that kind', { 'a\u0000': 1 }],
    ['with half a pair', { note: '\udc00' }],
    ['too large', { note: 'x'.repeat(20_000) }],
    ['too deep', deep],
  ])('is left out %s', (_, raw) => {
    expect(storable(raw)).toBeNull();
  });
});
