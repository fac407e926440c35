import { describe, expect, test } from 'bun:test';
import { countTokens as cl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base';
import { countTokens } from './tokens.ts';

const sentence = 'The quick brown fox jumps over the lazy dog, and then it reads a book of 1,024 pages. ';
const code = 'for (let at = 0; at < list.length; at += 1) {\n\t\tsum += list[at]?.value ?? 0; // so far\n}\n\n';

describe("the library's own count", () => {
  test.each([
    ['nothing', ''],
    ['a word', 'hello'],
    ['prose of many pieces', sentence.repeat(100)],
    ['code', code.repeat(60)],
    ['spaces before and after line breaks', 'a   \n\n   b \r\n\t c    '.repeat(100)],
    ['letters of other scripts', 'Grüße 🙂 こんにちは мир नमस्ते '.repeat(40)],
  ])('of %s', async (_, text) => {
    expect(await countTokens([text], 'o200k_base')).toEqual({ tokens: o200k(text), isBounded: false });
    expect(await countTokens([text], 'cl100k_base')).toEqual({ tokens: cl100k(text), isBounded: false });
  });

  test('of each text by itself', async () => {
    expect((await countTokens(['hel', 'lo'], 'o200k_base')).tokens).toBe(o200k('hel') + o200k('lo'));
  });

  test('of control tokens that are spelled out, as of any text', async () => {
    const text = 'a <|endoftext|> b';
    expect((await countTokens([text], 'o200k_base')).tokens).toBe(o200k(text, { disallowedSpecial: new Set() }));
  });
});

describe('what would take long', () => {
  // Two halves of a character are never torn apart: that would make more of it than there is.
  test.each([
    ['a', 1],
    ['漢', 3],
    ['🙂', 4],
    ['!', 1],
    ['\n', 1],
    ['\ud800', 3],
  ])('%p without an end is cut, and is no more than its bytes', async (character, bytes) => {
    const { tokens, isBounded } = await countTokens([character.repeat(5_000)], 'o200k_base');
    expect(isBounded).toBe(false);
    expect(tokens).toBeLessThanOrEqual(5_000 * bytes);
    expect(tokens).toBeGreaterThanOrEqual(5_000 / 128);
  });

  test('lets others have their turn meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    // More than a slice of work, whatever the machine.
    await Promise.all(Array.from({ length: 20 }, () => countTokens(['漢字仮名交じり文'.repeat(500)], 'o200k_base')));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  test('is bounded by its bytes beyond a limit', async () => {
    const counted = ' a'.repeat(2 ** 19);
    const { tokens, isBounded } = await countTokens([counted, 'é'.repeat(1_000)], 'o200k_base');
    expect(isBounded).toBe(true);
    expect(tokens).toBe(2 ** 19 + 2_000);
  });

  test('does not pile up: whoever comes when too much waits is bounded by its bytes at once', async () => {
    const large = ' a'.repeat(2 ** 19);
    const counts = await Promise.all(Array.from({ length: 6 }, () => countTokens([large], 'o200k_base')));
    expect(counts.map(({ isBounded }) => isBounded)).toEqual([false, false, false, false, true, true]);
    expect(counts.map(({ tokens }) => tokens)).toEqual([1, 1, 1, 1, 2, 2].map((each) => each * 2 ** 19));
    expect(await countTokens(['later'], 'o200k_base')).toEqual({ tokens: 1, isBounded: false });
  }, 30_000);
});
