import { describe, expect, test } from 'bun:test';
import { PriceBook } from './price-book.ts';
import { parsePriceFile, PriceFileError } from './price-file.ts';

const entry = (peak: string) => `[[price]]
  provider = "openai"
  models = ["house"]
  input_mtok = { base = "0.15", above = { 1000 = "0.30" } }
  output_mtok = "0.003"
  peak = ${peak}`;

const workdays = 'days = ["mon", "tue", "wed", "thu", "fri"]';
const deepSeeks = entry(`{ hours = ["01:00-04:00", "06:00-10:00"], ${workdays}, times = "2" }`);

function ratesAt(text: string, at: string) {
  const price = new PriceBook({ ...parsePriceFile(text, ['openai']), hash: '0' }).find('openai', 'house', new Date(at));
  return [...(price?.rates.input ?? []), ...(price?.rates.output ?? [])].map(({ usd, above }) => `${usd} ${above}`);
}

const usual = ['0.15 -1', '0.3 1000', '0.003 -1'];
const dear = ['0.3 -1', '0.6 1000', '0.006 -1'];

describe('a peak', () => {
  // 2026-11-23 is a Monday.
  test.each([
    ['2026-11-23T00:59:59.999Z', usual],
    ['2026-11-23T01:00:00Z', dear],
    ['2026-11-23T03:59:59.999Z', dear],
    ['2026-11-23T04:00:00Z', usual],
    ['2026-11-23T06:00:00Z', dear],
    ['2026-11-23T10:00:00Z', usual],
    ['2026-11-20T09:59:00Z', dear],
    ['2026-11-21T02:00:00Z', usual],
    ['2026-11-22T07:00:00Z', usual],
  ])('at %s', (at, rates) => {
    expect(ratesAt(deepSeeks, at)).toEqual(rates);
  });

  test('is on every day unless it names some, and may last until midnight', () => {
    const text = entry('{ hours = ["22:30-24:00"], times = "1.5" }');
    expect(ratesAt(text, '2026-11-22T23:59:59Z')).toEqual(['0.225 -1', '0.45 1000', '0.0045 -1']);
    expect(ratesAt(text, '2026-11-22T22:29:59Z')).toEqual(usual);
  });

  test.each([
    ['2'],
    ['{}'],
    ['{ hours = [], times = "2" }'],
    ['{ hours = ["1:00-4:00"], times = "2" }'],
    ['{ hours = ["04:00-01:00"], times = "2" }'],
    ['{ hours = ["01:00-24:01"], times = "2" }'],
    ['{ hours = ["01:00-04:00"], times = 2 }'],
    ['{ hours = ["01:00-04:00"], times = "-2" }'],
    ['{ hours = ["01:00-04:00"], times = "2", days = ["monday"] }'],
    ['{ hours = ["01:00-04:00"], times = "2", days = "mon" }'],
    ['{ hours = ["01:00-04:00"], times = "2", zone = "Asia/Shanghai" }'],
  ])('is refused where it is malformed: %s', (peak) => {
    expect(() => parsePriceFile(entry(peak), ['openai'])).toThrow(PriceFileError);
  });
});

test("DeepSeek's own, in the supplement", () => {
  const book = new PriceBook();
  const inputAt = (model: string, at: string) => book.find('deepseek', model, new Date(at))?.rates.input?.[0].usd;
  expect(inputAt('deepseek-flash', '2026-11-23T12:00:00Z')).toBe('0.15');
  expect(inputAt('deepseek-flash', '2026-11-23T08:00:00Z')).toBe('0.3');
  // What is completed in the peak is billed as such, whenever it began.
  expect(inputAt('deepseek-flash', '2026-11-23T00:44:59Z')).toBe('0.15');
  expect(inputAt('deepseek-flash', '2026-11-23T00:45:00Z')).toBe('0.3');
  expect(inputAt('deepseek-v4-pro', '2026-11-23T05:45:00Z')).toBe('1.32');
  expect(inputAt('deepseek-v4-pro', '2026-11-22T08:00:00Z')).toBe('0.66');
  expect(inputAt('deepseek-v4-pro', '2026-11-24T08:00:00Z')).toBe('1.32');
});
