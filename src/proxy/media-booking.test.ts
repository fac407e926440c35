import { expect, test } from 'bun:test';
import { PriceBook } from '../money/price-book.ts';
import { parsePriceFile } from '../money/price-file.ts';
import { callPrices } from '../money/price-tiers.ts';
import { createUsageReader } from '../money/reader.ts';
import { chargeOf, contentOf, quote } from './pricing.ts';

const file = `
[[price]]
provider = "openai"
models = ["drawn-by-the-piece"]
images = [
  { size = "1024x1024", quality = "standard", usd = "0.04" },
  { size = "1024x1024", quality = "hd", usd = "0.08" },
  { size = "1792x1024", quality = "standard", usd = "0.06" },
]
`;
const book = new PriceBook({ ...parsePriceFile(file, ['openai']), hash: 'abc' });

async function booked(asked: object, answer: object) {
  const body = { model: 'drawn-by-the-piece', prompt: 'x', ...asked };
  const named = { provider: 'openai', model: body.model, format: 'openai-images' } as const;
  const prices = callPrices(book, { ...named, body }, new Date('2026-11-01T00:00:00Z'));
  const quoted = quote({ ...named, limits: undefined, prices, content: contentOf(body) });
  const reader = createUsageReader('openai-images');
  reader.onJson(answer);
  const hold = { callId: 'c', amount: quoted.bound.cost };
  const ending = { end: 'complete', status: 200, reading: reader.result(), hasSeen: false, isBehind: false } as const;
  const { cost, quality, usage } = await chargeOf(hold, quoted, ending);
  return { held: quoted.bound.cost, cost, quality, usage };
}

const cent = 10_000_000_000n;

test('images by the piece: as many as came, made as they were asked for', async () => {
  const asked = { n: 3, size: '1024x1024', quality: 'standard' };
  expect(await booked(asked, { data: [{}, {}] })).toMatchObject({
    held: 12n * cent,
    cost: 8n * cent,
    quality: 'measured',
  });
});

test('where neither the request nor the answer says how, at the dearest price', async () => {
  expect(await booked({}, { data: [{}] })).toMatchObject({ held: 8n * cent, cost: 8n * cent, quality: 'measured' });
  const said = { data: [{}], size: '1024x1024', quality: 'standard' };
  expect(await booked({}, said)).toMatchObject({ held: 8n * cent, cost: 4n * cent, quality: 'measured' });
});

test('an answer without an image costs what was held: nobody knows what was made', async () => {
  expect(await booked({}, { data: [] })).toMatchObject({ cost: 8n * cent, quality: 'unknown' });
});

test('what an answer calls a size is kept as short as its other texts', async () => {
  const { usage } = await booked({}, { data: [{}], size: `big\u0000${'x'.repeat(100_000)}`, quality: 'hd' });
  expect(usage).toMatchObject({ images: { count: 1, size: `big${'x'.repeat(197)}`, quality: 'hd' }, raw: null });
});
