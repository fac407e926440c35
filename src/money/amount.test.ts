import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../errors.ts';
import {
  ceiling,
  decimalText,
  exactDecimal,
  exactText,
  formatUsd,
  parseUsd,
  picoFromCents,
  picoPerUnit,
  priceOf,
} from './amount.ts';

describe('amounts of money', () => {
  test.each([
    [0n, '0'],
    [1n, '0.000000000001'],
    [137_500_000n, '0.0001375'],
    [5_000_000_000_000n, '5'],
    [-1_500_000_000_000n, '-1.5'],
    [12_345_678_901_234_567_890n, '12345678.90123456789'],
  ])('%p pico-dollars are written as %p', (amount, text) => {
    expect(formatUsd(amount)).toBe(text);
  });

  const amounts = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 26n }), fc.integer({ min: 0, max: 26 }))
    .map(([amount, zeros]) => amount - (amount % 10n ** BigInt(zeros)));

  test('what is written is read back exactly', () => {
    fc.assert(
      fc.property(amounts, (amount) => parseUsd(formatUsd(amount)) === amount),
      { seed: 1 },
    );
  });

  test('nothing is written that says nothing: no zero at either end, no bare point, no sign of plus', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(formatUsd(amount)).toMatch(/^(?:0|[1-9]\d*)(?:\.\d{0,11}[1-9])?$/);
        expect(formatUsd(-amount)).toBe(amount === 0n ? '0' : `-${formatUsd(amount)}`);
      }),
      { seed: 2 },
    );
  });

  test.each(['', '.5', '5.', '1e3', '-1', '1.0000000000001', '1,5', ' 1', '0x1', 'NaN'])('%p is no amount', (text) => {
    expect(() => parseUsd(text)).toThrow(KeyPassError);
  });

  test('cents are whole and not negative', () => {
    expect(picoFromCents(500)).toBe(5_000_000_000_000n);
    for (const cents of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => picoFromCents(cents)).toThrow(KeyPassError);
    }
  });
});

describe('prices as exact fractions', () => {
  test.each([
    [0.15, '0.15', 150_000n],
    [0.0375, '0.0375', 37_500n],
    [1e-7, '0.0000001', 1n],
    [75, '75', 75_000_000n],
    [0.1 + 0.2, '0.30000000000000004', 300_001n],
    [1e21, '1000000000000000000000', 10n ** 27n],
  ])('%p dollars for a million', (value, text, picoForOne) => {
    const usd = exactDecimal(value);
    if (usd === undefined) throw new Error('a price');
    expect(ceiling(picoPerUnit(usd, 1_000_000))).toBe(picoForOne);
    if (value !== 0.1 + 0.2) expect(decimalText(usd)).toBe(text);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%p is no price', (value) => {
    expect(exactDecimal(value)).toBeUndefined();
  });

  test('a cost is rounded up once, for the whole quantity', () => {
    // 1/3 pico for one: three cost exactly 1, four cost 1.33…, so 2.
    const third = { numerator: 1n, denominator: 3n };
    expect([0, 1, 3, 4].map((quantity) => priceOf(quantity, third))).toEqual([0n, 1n, 1n, 2n]);
  });

  test('a quantity with decimals is what it is written as, not the float behind it', () => {
    const million = { numerator: 10n ** 18n, denominator: 1n };
    // As a float, 1.1 is 1.100000000000000088…
    expect(priceOf(1.1, million)).toBe(11n * 10n ** 17n);
    expect(priceOf(0.1 + 0.2, million)).toBe(300_000_000_000_000_040n);
    expect(priceOf(3.4, { numerator: 1n, denominator: 34n })).toBe(1n);
    expect(() => priceOf(Number.NaN, million)).toThrow(RangeError);
    expect(() => priceOf(-1.5, million)).toThrow(RangeError);
  });

  test.each([
    ['0', 0n, 1n],
    ['0.15', 3n, 20n],
    ['2.50', 5n, 2n],
    ['999999999.999999999999', 999_999_999_999_999_999_999n, 10n ** 12n],
  ])('%s as it is written', (text, numerator, denominator) => {
    expect(exactText(text)).toEqual({ numerator, denominator });
  });
});
