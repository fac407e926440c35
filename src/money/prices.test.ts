import { describe, expect, test } from 'bun:test';
import { findProvider } from '@pydantic/genai-prices';
import { ceiling } from './amount.ts';
import { catalogueVersion } from './catalogue.ts';
import { PriceBook } from './price-book.ts';
import { catalogueRates } from './price-catalogue.ts';
import type { RateName } from './price-rates.ts';
import { stepFor } from './prices.ts';

const november = new Date('2026-11-15T12:00:00Z');
const book = new PriceBook();

/** Pico-dollars for one token or use at the base step. */
function base(provider: string, model: string, at = november): Record<string, bigint> {
  const price = book.find(provider, model, at);
  return Object.fromEntries(Object.entries(price?.rates ?? {}).map(([name, [step]]) => [name, ceiling(step.pico)]));
}

describe('the price catalogue', () => {
  test('is the release that receipts name', async () => {
    const manifest: unknown = await Bun.file(
      new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url),
    ).json();
    expect(manifest).toMatchObject({ version: catalogueVersion });
  });

  test.each([
    // Dollars per million tokens × 1,000,000 = pico-dollars per token.
    ['openai', 'gpt-4o', { input: 2_500_000n, cacheRead: 1_250_000n, output: 10_000_000n }],
    ['openai', 'gpt-4o-mini', { input: 150_000n, cacheRead: 75_000n, output: 600_000n }],
    [
      'anthropic',
      'claude-sonnet-4-5',
      {
        input: 3_000_000n,
        cacheWrite5m: 3_750_000n,
        cacheWrite1h: 6_000_000n,
        cacheRead: 300_000n,
        output: 15_000_000n,
      },
    ],
    [
      'anthropic',
      'claude-haiku-4-5',
      {
        input: 1_000_000n,
        cacheWrite5m: 1_250_000n,
        cacheWrite1h: 2_000_000n,
        cacheRead: 100_000n,
        output: 5_000_000n,
      },
    ],
    [
      'google',
      'gemini-2.5-flash',
      { input: 300_000n, cacheRead: 30_000n, audioInput: 1_000_000n, audioCacheRead: 100_000n, output: 2_500_000n },
    ],
    ['groq', 'llama-3.3-70b-versatile', { input: 590_000n, output: 790_000n }],
    // $10 for a thousand searches is a cent each.
    ['openai', 'gpt-4.1', { webSearch: 10_000_000_000n, fileSearch: 2_500_000_000n }],
  ])('%s %s', (provider, model, rates) => {
    expect(base(provider, model)).toMatchObject(rates);
  });

  test('says how a name was found', () => {
    const match = (provider: string, model: string) => book.find(provider, model, november)?.source.match;
    expect(match('openai', 'gpt-4o-2024-08-06')).toBe('exact');
    expect(match('openai', 'GPT-4o')).toBe('exact');
    expect(match('anthropic', 'claude-haiku-4-5-20251001')).toBe('pattern');
    expect(match('openai', 'gpt-6-sol-2026-10-01')).toBe('pattern');
    expect(book.find('google', 'models/gemini-2.5-flash', november)?.source.entry).toBe('gemini-2.5-flash');
  });

  test('a price changes on its date, at midnight UTC', () => {
    expect(base('openai', 'o3', new Date('2025-06-09T23:59:59.999Z'))).toMatchObject({ input: 10_000_000n });
    expect(base('openai', 'o3', new Date('2025-06-10T00:00:00Z'))).toMatchObject({ input: 2_000_000n });
    expect(base('google', 'gemini-3.8-flash', new Date('2026-12-31T23:59:59Z'))).toMatchObject({ output: 3_750_000n });
    expect(base('google', 'gemini-3.8-flash', new Date('2027-01-01T00:00:00Z'))).toMatchObject({ output: 7_500_000n });
  });

  test('a tier begins above its start', () => {
    const price = book.find('google', 'gemini-2.5-pro', november);
    const input = price?.rates.input;
    if (input === undefined) throw new Error('listed');
    expect([0, 200_000, 200_001].map((tokens) => stepFor(input, tokens).usd)).toEqual(['1.25', '1.25', '2.5']);
  });

  test.each([
    ['a model that is not listed', 'openai', 'gpt-99'],
    ['a provider that is not listed', 'nobody', 'gpt-4o'],
    ["a name that contains a provider's", 'my-openai-proxy', 'gpt-4o'],
    ['an entry without figures', 'google', 'gemma-3-27b-it'],
    ['an entry without figures, by pattern', 'openai', 'omni-moderation-latest'],
    ['an inherited name', 'openai', '__proto__'],
    ['an endless name', 'anthropic', `claude-haiku-4-5${'x'.repeat(10_000)}`],
  ])('%s has no price', (_, provider, model) => {
    expect(book.find(provider, model, november)).toBeUndefined();
  });

  test('every entry of the first four providers is either understood or refused as a whole', () => {
    const unusable: string[] = [];
    for (const id of ['openai', 'anthropic', 'google', 'groq']) {
      for (const { match, id: model, prices } of findProvider({ providerId: id })?.models ?? []) {
        const name = 'equals' in match ? match.equals : model;
        const listed = Array.isArray(prices) ? prices[0]?.prices : prices;
        if (Object.keys(listed ?? {}).length > 0 && book.find(id, name, november) === undefined) unusable.push(model);
      }
    }
    // A fine-tune's entry is named without the date that its names have; the others' names differ from their patterns.
    expect(unusable.filter((name) => !name.startsWith('ft:'))).toEqual([]);
  });

  test.each([
    ['openai', 'whisper-1', 'audioSecond', '0.36', 3600],
    ['openai', 'gpt-transcribe', 'audioSecond', '0.27', 3600],
    ['groq', 'whisper-large-v3', 'audioSecond', '0.111', 3600],
    ['groq', 'whisper-large-v3-turbo', 'audioSecond', '0.04', 3600],
    ['openai', 'gpt-image-1.5', 'imageCacheRead', '2', 1_000_000],
    ['openai', 'gpt-image-2', 'imageInput', '8', 1_000_000],
    ['google', 'gemini-omni-flash-preview', 'videoOutput', '17.5', 1_000_000],
  ] as const)('%s %s is billed by more than tokens of text', (provider, model, name, usd, per) => {
    expect(book.find(provider, model, november)?.rates[name]).toMatchObject([{ usd, per }]);
  });

  test('hours of audio that are not all input are not understood', () => {
    const model = { id: 'a', match: { equals: 'a' }, name: 'a' };
    const rates = (prices: Record<string, number>) => catalogueRates({ ...model, prices }, november);
    expect(rates({ audio_hours: 1, input_audio_hours: 1 })?.audioSecond).toMatchObject([{ usd: '1', per: 3600 }]);
    expect(rates({ audio_hours: 2, input_audio_hours: 1 })).toBeUndefined();
    expect(rates({ audio_hours: 2 })).toBeUndefined();
  });

  test('no rate is zero without saying so', () => {
    const price = book.find('openai', 'gpt-4o', november);
    const names: RateName[] = ['audioInput', 'audioOutput', 'cacheWrite1h', 'otherTools'];
    expect(names.map((name) => price?.rates[name])).toEqual([undefined, undefined, undefined, undefined]);
  });
});
