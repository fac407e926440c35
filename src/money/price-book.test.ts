import { describe, expect, test } from 'bun:test';
import { PriceBook, type OperatorPrices } from './price-book.ts';
import { parsePriceFile } from './price-file.ts';
import type { Tier } from './prices.ts';

const november = new Date('2026-11-15T12:00:00Z');

function fileOf(toml: string, hash = 'abcdef012345'): OperatorPrices {
  return { ...parsePriceFile(toml, ['openai', 'anthropic', 'google', 'groq']), hash };
}

const file = (prices: Record<string, string>, more = '') =>
  fileOf(
    Object.entries(prices)
      .map(([model, usd]) => `[[price]]\nprovider = "openai"\nmodels = ["${model}"]\n${more}\ninput_mtok = "${usd}"\n`)
      .join(''),
  );

/** Where a price is from, and what a million tokens of input cost. */
function found(book: PriceBook, model: string, tier: Tier | null = null, provider = 'openai') {
  const price = book.find(provider, model, november, tier);
  return price && `${price.source.list} ${price.source.match} ${price.source.entry} ${price.rates.input?.[0].usd}`;
}

describe('precedence', () => {
  const book = new PriceBook(
    file({ 'gpt-4o': '7', 'gpt-4o-*': '8', 'gpt-4o-mini-*': '9', 'gpt-4o-audio-preview-2025-06-03': '6' }),
  );

  test.each([
    ['the file before the catalogue', 'gpt-4o', 'file exact gpt-4o 7'],
    ['whatever the case', 'GPT-4o', 'file exact gpt-4o 7'],
    ['a prefix in the file before what the catalogue states', 'gpt-4o-2024-08-06', 'file pattern gpt-4o-* 8'],
    ['the longest prefix', 'gpt-4o-mini-2024-07-18', 'file pattern gpt-4o-mini-* 9'],
    ['a prefix in the file before what the supplement states', 'gpt-4o-audio-preview', 'file pattern gpt-4o-* 8'],
    ['a name before a prefix', 'gpt-4o-audio-preview-2025-06-03', 'file exact gpt-4o-audio-preview-2025-06-03 6'],
    ['the supplement before the catalogue', 'gpt-image-1', 'supplement exact gpt-image-1 5'],
    ['the catalogue', 'gpt-4.1', 'catalogue exact gpt-4.1 2'],
    ['a prefix that only begins alike', 'gpt-4', 'catalogue exact gpt-4 30'],
  ])('%s', (_, model, expected) => {
    expect(found(book, model)).toBe(expected);
  });

  test('a provider is not another', () => {
    const other = new PriceBook(file({ 'claude-haiku-4-5': '7', 'c*': '8' }));
    expect(found(other, 'claude-haiku-4-5', null, 'anthropic')).toBe('catalogue pattern claude-haiku-4-5 1');
  });

  test('a price is whole: what it leaves out is not filled in', () => {
    const price = book.find('openai', 'gpt-4o', november);
    expect(Object.keys(price?.rates ?? {})).toEqual(['input']);
  });

  test('Google’s own spelling', () => {
    const google = fileOf('[[price]]\nprovider = "google"\nmodels = ["gemini-9"]\ninput_mtok = "3"');
    expect(found(new PriceBook(google), 'models/gemini-9', null, 'google')).toBe('file exact gemini-9 3');
  });
});

const isKnown = (book: PriceBook, model: string) => found(book, model, null, 'azure') !== undefined;

describe("the operator's own servers", () => {
  const entry = '[[price]]\nprovider = "azure"\nmodels = ["big"]\ninput_mtok = "3"';
  const prices = { ...parsePriceFile(entry, ['azure', 'ollama']), hash: 'abcdef012345' };

  test('cost nothing where that is said, in every bucket that can be used', () => {
    const book = new PriceBook(prices, [{ provider: 'azure', isFree: true }]);
    expect(found(book, 'whatever', null, 'azure')).toBe('configuration pattern * 0');
    const rates = book.find('azure', 'whatever', november)?.rates ?? {};
    expect(Object.keys(rates)).toEqual(
      expect.arrayContaining(['input', 'cacheRead', 'output', 'imageInput', 'request']),
    );
    expect(Object.values(rates).every(([{ usd }]) => usd === '0')).toBe(true);
    expect(found(book, 'big', null, 'azure')).toBe('file exact big 3');
    expect(found(book, 'whatever', 'flex', 'azure')).toBeUndefined();
    expect(found(book, 'gpt-4o')).toBe('catalogue exact gpt-4o 2.5');
  });

  test('cost what the file says alone, although the catalogue knows a house of that name', () => {
    expect(isKnown(new PriceBook(), 'o1')).toBe(true);
    const book = new PriceBook(prices, [{ provider: 'azure', isFree: false }]);
    expect(isKnown(book, 'o1')).toBe(false);
    expect(found(book, 'big', null, 'azure')).toBe('file exact big 3');
    book.replace(undefined);
    expect(isKnown(book, 'big')).toBe(false);
  });
});

describe('tiers', () => {
  const book = new PriceBook(file({ 'gpt-4o': '1.25' }, 'tier = "flex"'));

  test('a tier has its own price, and the standard one keeps the catalogue’s', () => {
    expect(found(book, 'gpt-4o', 'flex')).toBe('file exact gpt-4o 1.25');
    expect(found(book, 'gpt-4o')).toBe('catalogue exact gpt-4o 2.5');
    expect(book.find('openai', 'gpt-4o', november, 'flex')?.source.tier).toBe('flex');
    expect(book.find('openai', 'gpt-4o', november)?.source).not.toHaveProperty('tier');
  });

  test('the standard price is none of a tier', () => {
    expect(found(book, 'gpt-4o', 'priority')).toBeUndefined();
    expect(found(new PriceBook(file({ 'gpt-4o': '7' })), 'gpt-4o', 'flex')).toBeUndefined();
  });
});

describe('a file that is replaced', () => {
  test('is in force for what is asked from then on; a price that was given stays as it is', () => {
    const book = new PriceBook(file({ 'gpt-4o': '7' }));
    const before = book.find('openai', 'gpt-4o', november);
    book.replace(file({ 'gpt-4o': '8', 'new-model': '1' }));
    expect([found(book, 'gpt-4o'), found(book, 'new-model')]).toEqual([
      'file exact gpt-4o 8',
      'file exact new-model 1',
    ]);
    expect(before?.rates.input?.[0].usd).toBe('7');
    book.replace(undefined);
    expect([found(book, 'gpt-4o'), found(book, 'new-model')]).toEqual(['catalogue exact gpt-4o 2.5', undefined]);
  });

  test('is named by its day and its hash', () => {
    const dated = fileOf('updated = 2026-11-20\n[[price]]\nprovider = "openai"\nmodels = ["a"]\ninput_mtok = "1"');
    const sources = [dated, file({ a: '1' })].map((one) => new PriceBook(one).find('openai', 'a', november)?.source);
    expect(sources.map((source) => source?.version)).toEqual(['2026-11-20 abcdef012345', 'abcdef012345']);
  });
});

test('more names than are remembered have their prices too', () => {
  const book = new PriceBook(file({ 'many-*': '3' }));
  const names = Array.from({ length: 2500 }, (_, index) => `many-${index}`);
  expect(names.every((name) => found(book, name) === 'file pattern many-* 3')).toBe(true);
  expect(found(book, 'many-0')).toBe('file pattern many-* 3');
  expect(found(book, `many-${'x'.repeat(300)}`)).toBeUndefined();
});
