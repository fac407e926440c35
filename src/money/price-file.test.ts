import { describe, expect, test } from 'bun:test';
import { parsePriceFile, PriceFileError, type PriceEntry } from './price-file.ts';

const providers = ['openai', 'google'];

function only(toml: string): PriceEntry {
  const [entry, ...others] = parsePriceFile(toml, providers).entries;
  if (entry === undefined || others.length > 0) throw new Error('one price');
  return entry;
}

/** `place: what was expected`, for each fault. */
function faultsOf(toml: string): string[] {
  try {
    parsePriceFile(toml, providers);
    return [];
  } catch (error) {
    if (!(error instanceof PriceFileError)) throw error;
    return error.faults.map(({ place, expected }) => `${place}: ${expected}`);
  }
}

const head = '[[price]]\nprovider = "openai"\nmodels = ["a"]\n';

describe('a sound file', () => {
  test('states exact fractions, in the catalogue’s units', () => {
    const { rates, tier, models } = only(`${head}input_mtok = "0.15"\ninput_audio_hours = "0.1"\ninput_mchars = "15.00"
      requests_kcount = "0.000000000001"`);
    expect({ tier, models }).toEqual({ tier: null, models: ['a'] });
    expect(rates).toEqual({
      input: [{ above: -1, usd: '0.15', per: 1_000_000, pico: { numerator: 150_000n, denominator: 1n } }],
      // A tenth of a dollar for 3,600 seconds: no decimal could say it.
      audioSecond: [{ above: -1, usd: '0.1', per: 3_600, pico: { numerator: 250_000_000n, denominator: 9n } }],
      character: [{ above: -1, usd: '15', per: 1_000_000, pico: { numerator: 15_000_000n, denominator: 1n } }],
      request: [{ above: -1, usd: '0.000000000001', per: 1_000, pico: { numerator: 1n, denominator: 1_000n } }],
    });
  });

  test('states what long contexts cost, in any order', () => {
    const { rates } = only(`${head}input_mtok = { above = { 400000 = "5", 200000 = "2.50" }, base = "1.25" }`);
    expect(rates.input?.map(({ above, usd }) => [above, usd])).toEqual([
      [-1, '1.25'],
      [200_000, '2.5'],
      [400_000, '5'],
    ]);
  });

  test('states pictures by size and quality', () => {
    const { images } = only(`${head}images = [{ size = "1024X1024", quality = "HD", usd = "0.08" }, { usd = "0.04" }]`);
    expect(images.map(({ size, quality, step }) => [size, quality, step.usd, step.per])).toEqual([
      ['1024x1024', 'hd', '0.08', 1],
      [null, null, '0.04', 1],
    ]);
  });

  test('zero is a price, of a tier as well', () => {
    const { rates, tier } = only(`${head}tier = "flex"\noutput_mtok = "0"`);
    expect(tier).toBe('flex');
    expect(rates.output?.[0].pico).toEqual({ numerator: 0n, denominator: 1n });
  });

  test('may say what day it is of, and may be empty', () => {
    expect(parsePriceFile('updated = 2026-11-20', providers)).toEqual({ updated: '2026-11-20', entries: [] });
    expect(parsePriceFile('# nothing yet\n', providers)).toEqual({ updated: null, entries: [] });
  });
});

describe('a fault is named with its place and what was expected', () => {
  const amount = 'US dollars as a text such as "0.15"';
  test.each([
    ['updated = ', ['line 1, column 11: TOML']],
    ['a = 1\na = 2', ['line 2, column 1: TOML']],
    ['[__proto__]\na = 1', ['line 1, column 2: TOML']],
    ['prices = []', ['prices: only `updated` and `[[price]]` at the top']],
    ['[price]\nprovider = "openai"', ['price: `[[price]]` tables']],
    ['price = [1]', ['price: `[[price]]` tables']],
    ['updated = "2026-11-20"', ['updated: a date such as 2026-11-20']],
    ['updated = 2026-11-20T10:00:00Z', ['updated: a date such as 2026-11-20']],
    ['[[price]]\nmodels = ["a"]\ninput_mtok = "1"', ['price 1, provider: one of openai, google']],
    ['[[price]]\nprovider = "OpenAI"\nmodels = ["a"]\ninput_mtok = "1"', ['price 1, provider: one of openai, google']],
    [`${head}tier = "batch"\ninput_mtok = "1"`, ['price 1, tier: one of flex, priority']],
    [head, ['price 1: at least one rate, "0" if it is free']],
    [`${head}input_mtok = 0.15`, [`price 1, input_mtok: ${amount}, in quotes: a number would not be exact`]],
    [`${head}input_mtok = true`, [`price 1, input_mtok: ${amount}`]],
    [
      `${head}input_mtok = { base = "1", above = { 10 = 2 } }`,
      [`price 1, input_mtok.above.10: ${amount}, in quotes: a number would not be exact`],
    ],
    [`${head}input_mtok = { base = "1", above = "2" }`, ['price 1, input_mtok.above: amounts by tokens']],
    [`${head}input_mtok = { above = { 10 = "2" } }`, [`price 1, input_mtok.base: ${amount}`]],
    [
      `${head}input_mtok = { base = "1", above = { 10 = "2" }, over = "3" }`,
      ['price 1, input_mtok.over: `base` and `above` only'],
    ],
    [
      `${head}input_mtok = { base = "1", above = { many = "2" } }`,
      ['price 1, input_mtok.above: whole numbers of input tokens, as in `above = { 200000 = "2.50" }`'],
    ],
    [`${head}input_mchars = { base = "1", above = { 10 = "2" } }`, [`price 1, input_mchars: ${amount}`]],
    [`${head}images = []`, ['price 1, images: a list such as [{ size = "1024x1024", quality = "hd", usd = "0.08" }]']],
    [
      `${head}images = [{ size = "auto", usd = "1" }]`,
      ['price 1, images 1, size: a word as the API names it; left out, it fits any'],
    ],
    [`${head}images = [{ usd = "1", price = "2" }]`, ['price 1, images 1, price: `size`, `quality` and `usd` only']],
    [
      `${head}images = [{ size = "1x1", usd = "1" }, { size = "1X1", usd = "2" }]`,
      ['price 1, images: each size and quality once'],
    ],
    [
      `${head}input_mtok = "1"\n${head}output_mtok = "1"`,
      ['price 2, models: each model once in a tier: one of these is in price 1'],
    ],
    [
      '[[price]]\nprovider = "openai"\nmodels = ["a", "A"]\ninput_mtok = "1"',
      ['price 1, models: each model once in a tier: one of these is in price 1'],
    ],
  ])('%j', (toml, faults) => {
    expect(faultsOf(toml)).toEqual(faults);
  });

  test.each(['-1', '+1', '1e3', '.5', '1.', ' 1', '1,5', '$1', '', '1234567890', '0.0000000000001', 'NaN'])(
    '%j is no amount',
    (text) => {
      expect(faultsOf(`${head}input_mtok = ${JSON.stringify(text)}`)).toEqual([`price 1, input_mtok: ${amount}`]);
    },
  );

  test.each(['"a"', '[]', '[1]', '[""]', '["a b"]', '["*"]', '["a*b"]', `["${'x'.repeat(201)}"]`])(
    'models = %s',
    (models) => {
      const [fault, ...others] = faultsOf(`[[price]]\nprovider = "openai"\nmodels = ${models}\ninput_mtok = "1"`);
      expect([fault, others]).toEqual([expect.stringMatching(/^price 1, models: a list of names such as/), []]);
    },
  );

  test('a rate that is not known here lists those that are', () => {
    const [fault] = faultsOf(`${head}input_mtoks = "1"\noutput_mtok = "1"`);
    expect(fault).toMatch(/^price 1, input_mtoks: one of .*input_mtok, .*input_audio_hours, input_mchars/);
  });

  test('the same model in another tier, or at another provider, is another price', () => {
    const others = `${head}tier = "flex"\ninput_mtok = "1"\n${head.replace('openai', 'google')}input_mtok = "1"`;
    expect(faultsOf(`${head}input_mtok = "1"\n${others}`)).toEqual([]);
  });

  test('all of them at once', () => {
    const faults = faultsOf(`color = "red"\n${head}input_mtok = 1\n[[price]]\nprovider = "nobody"\nmodels = 7`);
    expect(faults.map((fault) => fault.replace(/: .*/, ''))).toEqual([
      'color',
      'price 1, input_mtok',
      'price 2, provider',
      'price 2, models',
      'price 2',
    ]);
  });

  test('without a value of the file: it may be a file of secrets that was given by mistake', () => {
    const secret = `s${'3cr3t'.repeat(8)}`;
    const faults =
      faultsOf(`"${secret}!" = 1\n[[price]]\nprovider = "${secret}"\nmodels = ["${secret} "]\ninput_mtok = "${secret}"
      tier = "${secret}"\nimages = [{ size = "${secret} ", usd = "${secret}" }]`);
    expect(faults).toHaveLength(7);
    expect(faults.join()).not.toContain(secret);
    expect(faultsOf(`{"${secret}": 1}`).join()).not.toContain(secret);
  });
});
