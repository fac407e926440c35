import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../errors.ts';
import { boundOf } from './bounds.ts';
import { costOf } from './cost.ts';
import type { JsonObject } from './json.ts';
import { modelLimits } from './limits.ts';
import { PriceBook } from './price-book.ts';
import { parsePriceFile } from './price-file.ts';
import { callPrices, priceServed } from './price-tiers.ts';
import { noTokens, type UsageFormat } from './usage.ts';

const november = new Date('2026-11-15T12:00:00Z');
const toml = `
[[price]]
provider = "openai"
models = ["gpt-4o"]
tier = "flex"
input_mtok = "1.25"
output_mtok = "5"

# Dearer for short contexts and cheaper for long ones, so that neither tier is the dearer one throughout.
[[price]]
provider = "openai"
models = ["gpt-5.4"]
tier = "priority"
input_mtok = "3"
cache_read_mtok = "0.60"
output_mtok = { base = "20", above = { 300000 = "25" } }`;
const book = new PriceBook({ ...parsePriceFile(toml, ['openai']), hash: '0' });

function priced(model: string, body: JsonObject, format: UsageFormat = 'openai-chat') {
  return callPrices(book, { provider: 'openai', model, format, body }, november);
}

function bounded(model: string, body: JsonObject) {
  const prices = priced(model, body);
  const limits = modelLimits('openai', model);
  const bodyBytes = JSON.stringify(body).length;
  const call = { provider: 'openai', model, format: 'openai-chat', body, price: prices.highest, limits } as const;
  return { prices, bound: boundOf({ ...call, bodyBytes }) };
}

const asked = (service_tier: string) => ({
  messages: [{ role: 'user', content: 'hello' }],
  max_tokens: 100,
  service_tier,
});

describe('what a call may be served at', () => {
  test('as it asked, and by the standard price', () => {
    const { served } = priced('gpt-4o', asked('flex'));
    expect(served.map(({ source, rates }) => [source.tier, rates.input?.[0].usd])).toEqual([
      ['flex', '1.25'],
      [undefined, '2.5'],
    ]);
  });

  test.each(['default', 'auto', 'scale'])('service_tier %p: by the standard price alone', (tier) => {
    const { served, highest } = priced('gpt-4o', asked(tier));
    expect(served).toEqual([highest]);
    expect(highest.source.list).toBe('catalogue');
  });

  test('a model without a price is refused by name', () => {
    expect(() => priced('gpt-99', asked('flex'))).toThrow(KeyPassError);
    try {
      priced('gpt-99', {});
    } catch (error) {
      expect(error).toMatchObject({ code: 'price_unknown', param: 'model', details: { model: 'gpt-99' } });
      expect(error).toHaveProperty('message', expect.stringContaining('no price of gpt-99 at openai'));
    }
  });
});

describe('the tier that an answer names', () => {
  test.each([
    ['flex', undefined, '1.25'],
    ['flex', 'flex', '1.25'],
    ['flex', 'default', '2.5'],
    ['flex', 'priority', undefined],
    ['default', 'flex', undefined],
    ['default', 'default', '2.5'],
    ['default', 'scale', undefined],
  ])('asked for %p, served as %p: %p for a million', (tier, served, usd) => {
    const price = priceServed('openai-chat', priced('gpt-4o', asked(tier)), served);
    expect(price?.rates.input?.[0].usd).toBe(usd);
  });

  test('fast is another name of priority', () => {
    for (const [tier, served] of [
      ['fast', 'priority'],
      ['priority', 'fast'],
    ] as const) {
      expect(priceServed('openai-chat', priced('gpt-5.4', asked(tier)), served)?.source.tier).toBe('priority');
    }
  });
});

describe('the bound', () => {
  test('of a cheaper tier covers the standard price, which it may be served at', () => {
    const standard = bounded('gpt-4o', asked('auto'));
    expect(bounded('gpt-4o', asked('flex')).bound.cost).toBe(standard.bound.cost);
  });

  test('of a tier without a price is refused', () => {
    expect(() => bounded('gpt-4o', asked('priority'))).toThrow(KeyPassError);
  });

  test('covers every price that the call can be served at, for short and for long contexts', () => {
    const { prices } = bounded('gpt-5.4', asked('priority'));
    expect(prices.highest.rates.input?.map(({ above, usd }) => [above, usd])).toEqual([
      [-1, '3'],
      [272_000, '5'],
    ]);
    const count = fc.nat(400_000);
    const used = fc.record({ uncachedInput: count, cacheRead: count, cacheWrite5m: count, output: count });
    fc.assert(
      fc.property(used, (counts) => {
        const usage = { ...noTokens, ...counts, raw: null };
        const most = costOf(usage, prices.highest).cost;
        return prices.served.every((price) => costOf(usage, price).cost <= most);
      }),
      { seed: 5 },
    );
  });

  test('has no price for what one of the tiers has none for', () => {
    const search = { ...asked('flex'), web_search_options: {} };
    const { highest, served } = priced('gpt-4o', search);
    expect(highest.rates.webSearch).toBeUndefined();
    expect(served[1]?.rates.webSearch).toBeDefined();
  });
});
