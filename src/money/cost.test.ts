import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../errors.ts';
import { parseUsd } from './amount.ts';
import { costOf } from './cost.ts';
import { PriceBook } from './price-book.ts';
import type { Price } from './prices.ts';
import { noTokens, type Usage } from './usage.ts';

const november = new Date('2026-11-15T12:00:00Z');
const book = new PriceBook();

function priceOfModel(provider: string, model: string): Price {
  const price = book.find(provider, model, november);
  if (price === undefined) throw new Error(`${model} is listed`);
  return price;
}

const cost = (provider: string, model: string, used: Partial<Usage>) =>
  costOf({ ...noTokens, raw: null, ...used }, priceOfModel(provider, model)).cost;

describe('costs computed by hand', () => {
  test.each<[string, string, string, Partial<Usage>, bigint]>([
    // 1,000 × $2.50/M = $0.0025; 200 × $10/M = $0.002.
    ['input and output', 'openai', 'gpt-4o', { uncachedInput: 1000, output: 200 }, 4_500_000_000n],
    // 76 × $2.50/M = $0.00019; 1,024 × $1.25/M = $0.00128; 10 × $10/M = $0.0001.
    ['a cached prompt', 'openai', 'gpt-4o', { uncachedInput: 76, cacheRead: 1024, output: 10 }, 1_570_000_000n],
    // 17 × $0.15/M = $0.00000255; 9 × $0.60/M = $0.0000054.
    ['a few tokens', 'openai', 'gpt-4o-mini', { uncachedInput: 17, output: 9 }, 7_950_000n],
    // Reasoning is part of the output: 500 × $2/M alone.
    ['reasoning, once', 'openai', 'gpt-5-mini', { output: 500, reasoning: 448 }, 1_000_000_000n],
    // 10 × $3 + 1,000 × $3.75 + 2,000 × $6 + 4,000 × $0.30 + 100 × $15, per million: 30+3,750+12,000+1,200+1,500 µ$.
    [
      'all of the cache',
      'anthropic',
      'claude-sonnet-4-5',
      { uncachedInput: 10, cacheWrite5m: 1000, cacheWrite1h: 2000, cacheRead: 4000, output: 100 },
      18_480_000_000n,
    ],
    // 3 searches × $10/1,000 = $0.03; 1,000 × $1/M = $0.001.
    ['web searches', 'anthropic', 'claude-haiku-4-5', { uncachedInput: 1000, fees: { webSearch: 3 } }, 31_000_000_000n],
    // 100 × $0.30 + 320 audio × $1 + 50 × $2.50, per million: 30 + 320 + 125 µ$.
    ['audio in', 'google', 'gemini-2.5-flash', { uncachedInput: 100, audioInput: 320, output: 50 }, 475_000_000n],
    // No audio price is listed for this model: "$1.25 (text, image, video, audio)": 320 × $1.25/M.
    ['audio as input', 'google', 'gemini-2.5-pro', { audioInput: 320 }, 400_000_000n],
    // 200,000 is still the base: 200,000 × $1.25/M = $0.25; 1,000 × $10/M = $0.01.
    ['up to the tier', 'google', 'gemini-2.5-pro', { uncachedInput: 200_000, output: 1000 }, 260_000_000_000n],
    // One more reprices the whole call: 200,001 × $2.50/M = $0.5000025; 1,000 × $15/M = $0.015.
    ['above the tier', 'google', 'gemini-2.5-pro', { uncachedInput: 200_001, output: 1000 }, 515_002_500_000n],
    // Cached input counts towards the tier: 1 × $2.50/M + 200,000 × $0.25/M + 1 × $15/M.
    [
      'above the tier by its cache',
      'google',
      'gemini-2.5-pro',
      { uncachedInput: 1, cacheRead: 200_000, output: 1 },
      50_017_500_000n,
    ],
    // 250 × $0.59/M = $0.0001475; 40 × $0.79/M = $0.0000316.
    ['Groq', 'groq', 'llama-3.3-70b-versatile', { uncachedInput: 250, output: 40 }, 179_100_000n],
    // 1,000 × $0.0375/M: half of the input's price.
    ['Groq, cached', 'groq', 'openai/gpt-oss-20b', { cacheRead: 1000 }, 37_500_000n],
    // 8 × $0.02/M.
    ['an embedding', 'openai', 'text-embedding-3-small', { uncachedInput: 8 }, 160_000n],
    // 100 × $2.50/M + 50 audio × $32/M + 20 audio out × $64/M.
    [
      'speech',
      'openai',
      'gpt-audio',
      { uncachedInput: 100, audioInput: 50, audioOutput: 20 },
      250_000_000n + 1_600_000_000n + 1_280_000_000n,
    ],
    // Written to the cache at 1.25 × $2: 2,000 × $2.50/M.
    ['an OpenAI cache write', 'openai', 'gpt-6-sol', { cacheWrite5m: 2000 }, 5_000_000_000n],
    // 60 × $0.36 / 3,600.
    ['a minute of audio', 'openai', 'whisper-1', { seconds: 60 }, 6_000_000_000n],
    // Whole seconds: 9 × $0.0001, and 9 × $0.27 / 3,600.
    ['audio that is rounded up', 'openai', 'whisper-1', { seconds: 8.470000267028809 }, 900_000_000n],
    ['audio that is whole', 'openai', 'gpt-transcribe', { seconds: 9 }, 675_000_000n],
    // As long as it is: 125.5 × $0.111 / 3,600 = $0.00386958333….
    ['audio that is not rounded', 'groq', 'whisper-large-v3', { seconds: 125.5 }, 3_869_583_334n],
    // Ten seconds at least: 10 × $0.04 / 3,600 = $0.000111…, and 10.01 × $0.04 / 3,600 = $0.00011122….
    ['audio below the least', 'groq', 'whisper-large-v3-turbo', { seconds: 0.2 }, 111_111_112n],
    ['audio above the least', 'groq', 'whisper-large-v3-turbo', { seconds: 10.01 }, 111_222_223n],
    ['no audio', 'groq', 'whisper-large-v3-turbo', { seconds: 0 }, 0n],
    // 4,095 × $15 / 1,000,000.
    ['characters', 'openai', 'tts-1', { characters: 4095 }, 61_425_000_000n],
    // 100 × $5 + 300 × $10 + 200 × $2.50 + 1,056 × $40, per million.
    [
      'a picture by its tokens',
      'openai',
      'gpt-image-1',
      { uncachedInput: 100, imageInput: 300, imageCacheRead: 200, imageOutput: 1056 },
      500_000_000n + 3_000_000_000n + 500_000_000n + 42_240_000_000n,
    ],
    // A cached picture with no price of its own costs what a fresh one does: 10 × $2.50/M.
    ['a cached picture without a discount', 'openai', 'gpt-4o', { imageCacheRead: 10 }, 25_000_000n],
    // 50 × $40/M in, 20 × $80/M out.
    [
      'speech of the supplement',
      'openai',
      'gpt-4o-audio-preview',
      { audioInput: 50, audioOutput: 20 },
      2_000_000_000n + 1_600_000_000n,
    ],
    ['nothing', 'openai', 'gpt-4o', {}, 0n],
  ])('%s', (_, provider, model, used, expected) => {
    expect(cost(provider, model, used)).toBe(expected);
  });
});

describe('a receipt', () => {
  test('states each bucket used, in text that JSON keeps exact', () => {
    const { lines } = costOf(
      { ...noTokens, uncachedInput: 17, output: 9, fees: { webSearch: 1 }, raw: null },
      priceOfModel('openai', 'gpt-4o-mini'),
    );
    expect(JSON.parse(JSON.stringify(lines))).toEqual([
      { bucket: 'uncachedInput', quantity: 17, rate: 'input', usd: '0.15', per: 1_000_000, cost: '0.00000255' },
      { bucket: 'output', quantity: 9, rate: 'output', usd: '0.6', per: 1_000_000, cost: '0.0000054' },
      { bucket: 'webSearch', quantity: 1, rate: 'webSearch', usd: '10', per: 1_000, cost: '0.01' },
    ]);
  });

  test('says which price stood in where the list has none of its own', () => {
    const { lines } = costOf({ ...noTokens, cacheRead: 100, raw: null }, priceOfModel('openai', 'gpt-5-pro'));
    expect(lines).toEqual([
      { bucket: 'cacheRead', quantity: 100, rate: 'input', usd: '15', per: 1_000_000, cost: '0.0015' },
    ]);
  });

  test('adds up to the cost', () => {
    const count = fc.nat(2_000_000);
    const used = fc.record({ uncachedInput: count, cacheRead: count, cacheWrite5m: count, output: count });
    fc.assert(
      fc.property(used, (counts) => {
        const result = costOf({ ...noTokens, ...counts, raw: null }, priceOfModel('anthropic', 'claude-sonnet-4-6'));
        return result.lines.reduce((sum, line) => sum + parseUsd(line.cost), 0n) === result.cost;
      }),
      { seed: 2 },
    );
  });
});

test('each bucket is rounded up on its own', () => {
  // A third of a pico-dollar for one token: 1 input and 1 output are one pico-dollar each, not one together.
  const step = { above: -1, usd: '1/3', per: 1, pico: { numerator: 1n, denominator: 3n } };
  const price: Price = {
    provider: 'openai',
    model: 'thirds',
    source: { list: 'file', version: '0', entry: 'thirds', match: 'exact' },
    rates: { input: [step], output: [step] },
  };
  expect(costOf({ ...noTokens, uncachedInput: 1, output: 1, raw: null }, price).cost).toBe(2n);
});

const picture = (size: string | null, quality: string | null, usd: string, cents: bigint) => ({
  size,
  quality,
  step: { above: -1, usd, per: 1, pico: { numerator: cents * 10_000_000_000n, denominator: 1n } },
});

describe('pictures by the piece', () => {
  const price: Price = {
    ...priceOfModel('openai', 'gpt-4o'),
    images: [
      picture(null, null, '0.1', 10n),
      picture('1024x1024', null, '0.05', 5n),
      picture('1024x1024', 'hd', '0.08', 8n),
      picture('1792x1024', 'hd', '0.12', 12n),
    ],
  };
  const made = (size: string | null, quality: string | null, count = 1) =>
    costOf({ ...noTokens, images: { count, size, quality }, raw: null }, price).lines;

  test.each([
    ['1024x1024', 'hd', '0.08', '1024x1024 hd'],
    ['1024X1024', 'HD', '0.08', '1024x1024 hd'],
    ['1024x1024', 'standard', '0.05', '1024x1024'],
    ['256x256', 'standard', '0.1', undefined],
    // What may turn out as any costs the dearest that it may be.
    ['1024x1024', 'auto', '0.08', '1024x1024 hd'],
    ['auto', 'hd', '0.12', '1792x1024 hd'],
    ['auto', null, '0.12', '1792x1024 hd'],
    [null, null, '0.12', '1792x1024 hd'],
  ])('%p at %p: $%s', (size, quality, usd, variant) => {
    const named = variant === undefined ? {} : { variant };
    expect(made(size, quality)).toEqual([
      { bucket: 'images', quantity: 1, rate: 'image', ...named, usd, per: 1, cost: usd },
    ]);
  });

  test('a quality left open may turn out as one that is listed for any size', () => {
    const images = [picture('1024x1024', 'standard', '0.04', 4n), picture(null, 'hd', '0.09', 9n)];
    const usage = { ...noTokens, images: { count: 1, size: '1024x1024', quality: null }, raw: null };
    expect(costOf(usage, { ...price, images }).lines[0]?.cost).toBe('0.09');
  });

  test('several are as many times the price; a size that is not listed has none', () => {
    expect(made('1024x1024', 'hd', 3)[0]?.cost).toBe('0.24');
    const listed = { ...price, images: price.images?.slice(1) ?? [] };
    expect(() =>
      costOf({ ...noTokens, images: { count: 1, size: '256x256', quality: 'hd' }, raw: null }, listed),
    ).toThrow(KeyPassError);
  });
});

test('seconds stand on a receipt as they were billed', () => {
  const { lines } = costOf({ ...noTokens, seconds: 125.5, raw: null }, priceOfModel('groq', 'whisper-large-v3'));
  expect(JSON.parse(JSON.stringify(lines))).toEqual([
    {
      bucket: 'seconds',
      quantity: 125.5,
      rate: 'audioSecond',
      usd: '0.111',
      per: 3_600,
      cost: '0.003869583334',
    },
  ]);
});

test('a charge for each request is one line', () => {
  const step = { above: -1, usd: '5', per: 1000, pico: { numerator: 5_000_000_000n, denominator: 1n } };
  const price: Price = { ...priceOfModel('openai', 'gpt-4o'), rates: { request: [step] } };
  expect(costOf({ ...noTokens, raw: null }, price).cost).toBe(5_000_000_000n);
});

test.each<[string, string, string, Partial<Usage>]>([
  ['audio into a model with no audio price', 'openai', 'gpt-4o-audio-preview-2024-10-01', { audioInput: 1 }],
  ['audio out of it', 'openai', 'gpt-4o-audio-preview-2024-10-01', { audioOutput: 1 }],
  ['an hour in a cache with one price', 'openai', 'gpt-6-sol', { cacheWrite1h: 1 }],
  ['a cache write that is not listed', 'groq', 'openai/gpt-oss-20b', { cacheWrite5m: 1 }],
  ['a tool that nobody prices', 'anthropic', 'claude-haiku-4-5', { fees: { otherTools: 1 } }],
  ['output of an embedding', 'openai', 'text-embedding-3-small', { output: 1 }],
  ['audio by the second into a model that bills tokens', 'openai', 'gpt-4o-transcribe', { seconds: 1 }],
  ['tokens of a model that bills seconds', 'openai', 'whisper-1', { uncachedInput: 1 }],
  ['characters', 'openai', 'gpt-4o', { characters: 1 }],
  ['pictures by the piece', 'openai', 'gpt-image-1', { images: { count: 1, size: null, quality: null } }],
])('%s is unknown, never free', (_, provider, model, used) => {
  try {
    cost(provider, model, used);
    throw new Error('was priced');
  } catch (error) {
    if (!(error instanceof KeyPassError)) throw error;
    expect(error.code).toBe('price_unknown');
    expect(error.details).toMatchObject({ model });
  }
});
