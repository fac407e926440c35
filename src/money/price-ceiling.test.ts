import { expect, test } from 'bun:test';
import type { JsonObject } from './json.ts';
import { PriceBook } from './price-book.ts';
import { priceCeilingMembers } from './price-ceiling.ts';
import { parsePriceFile } from './price-file.ts';
import { callPrices } from './price-tiers.ts';

const model = 'anthropic/claude-sonnet-4.5';

function ceilingOf(body: JsonObject, book = new PriceBook()) {
  const prices = callPrices(book, { provider: 'openrouter', model, format: 'openrouter-chat', body }, new Date());
  return priceCeilingMembers('openrouter-chat', body, prices)['provider'];
}

const listed = { prompt: 3, completion: 15, request: 0 };

test.each<[string, JsonObject, unknown]>([
  ['nothing asked', {}, { max_price: listed }],
  [
    'routes',
    { provider: { order: ['a'], sort: 'throughput' } },
    { order: ['a'], sort: 'throughput', max_price: listed },
  ],
  ['lower', { provider: { max_price: { prompt: 1, image: 2 } } }, { max_price: { ...listed, prompt: 1, image: 2 } }],
  ['lower, as text', { provider: { max_price: { completion: '4.5' } } }, { max_price: { ...listed, completion: 4.5 } }],
  ['higher', { provider: { max_price: { prompt: 99, completion: '99' } } }, { max_price: listed }],
  ['none', { provider: { max_price: { prompt: -1, completion: 'a', request: '' } } }, { max_price: listed }],
  ['not an object', { provider: { max_price: 5 } }, { max_price: listed }],
  ['null', { provider: null }, { max_price: listed }],
])('a router is told the price that was held: %s', (_, body, provider) => {
  const before = structuredClone(body);
  expect(ceilingOf(body)).toEqual(provider);
  expect(body).toEqual(before);
});

test("the operator's file is the list, exactly", () => {
  const text = `[[price]]
    provider = "openrouter"
    models = ["${model}"]
    input_mtok = "0.0983"
    output_mtok = { base = "0.1966", above = { 1000 = "9" } }
    requests_kcount = "5"`;
  const book = new PriceBook({ ...parsePriceFile(text, ['openrouter']), hash: '0' });
  expect(ceilingOf({}, book)).toEqual({ max_price: { prompt: 0.0983, completion: 0.1966, request: 0.005 } });
});

test('no other API is told', () => {
  const body = { messages: [] };
  const prices = callPrices(
    new PriceBook(),
    { provider: 'mistral', model: 'mistral-large-2512', format: 'compatible-chat', body },
    new Date(),
  );
  expect(priceCeilingMembers('compatible-chat', body, prices)).toEqual({});
});
