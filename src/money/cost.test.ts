import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../errors.ts';
import { parseUsd } from './amount.ts';
import { costOf } from './cost.ts';
import { findPrice, type Price } from './prices.ts';
import { noTokens, type Usage } from './usage.ts';

const november = new Date('2026-11-15T12:00:00Z');

function priceOfModel(provider: string, model: string): Price {
  const price = findPrice(provider, model, november);
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
    entry: 'thirds',
    match: 'exact',
    catalogue: '0',
    rates: { input: [step], output: [step] },
  };
  expect(costOf({ ...noTokens, uncachedInput: 1, output: 1, raw: null }, price).cost).toBe(2n);
});

test('a charge for each request is one line', () => {
  const step = { above: -1, usd: '5', per: 1000, pico: { numerator: 5_000_000_000n, denominator: 1n } };
  const price: Price = { ...priceOfModel('openai', 'gpt-4o'), rates: { request: [step] } };
  expect(costOf({ ...noTokens, raw: null }, price).cost).toBe(5_000_000_000n);
});

test.each<[string, string, string, Partial<Usage>]>([
  ['audio into a model with no audio price', 'openai', 'gpt-4o-audio-preview', { audioInput: 1 }],
  ['audio out of it', 'openai', 'gpt-4o-audio-preview', { audioOutput: 1 }],
  ['an hour in a cache with one price', 'openai', 'gpt-6-sol', { cacheWrite1h: 1 }],
  ['a cache write that is not listed', 'groq', 'openai/gpt-oss-20b', { cacheWrite5m: 1 }],
  ['a tool that nobody prices', 'anthropic', 'claude-haiku-4-5', { fees: { otherTools: 1 } }],
  ['output of an embedding', 'openai', 'text-embedding-3-small', { output: 1 }],
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
