import { describe, expect, test } from 'bun:test';
import { budgetText, exactUsd, fromCents, parseBudget, parseUsd, share } from './amount.ts';

describe('amounts', () => {
  test('are exact beyond what a float can hold', () => {
    expect(exactUsd(parseUsd('90071992547409.910000000001'), 'en-US')).toBe('$90,071,992,547,409.910000000001');
    expect(exactUsd(parseUsd('0.1') + parseUsd('0.2'), 'en-US')).toBe('$0.30');
    expect(exactUsd(parseUsd('0.0001375'), 'en-US')).toBe('$0.0001375');
    expect(exactUsd(parseUsd('-0.5'), 'en-US')).toBe('-$0.50');
  });

  test('show cents, and every digit beyond them', () => {
    expect(exactUsd(0n, 'en-US')).toBe('$0.00');
    expect(exactUsd(fromCents(123_456), 'en-US')).toBe('$1,234.56');
    expect(exactUsd(1n, 'en-US')).toBe('$0.000000000001');
  });

  test('follow the reader’s language', () => {
    expect(exactUsd(parseUsd('1234.5'), 'de')).toBe('1.234,50\u00A0$');
  });

  test('refuse what is no decimal', () => {
    for (const text of ['', '1e3', '.5', '1.', '0x1', '1.0000000000001', 'NaN']) {
      expect(() => parseUsd(text)).toThrow(RangeError);
    }
  });

  test('budgets are whole cents', () => {
    expect(parseBudget('12')).toBe(1200);
    expect(parseBudget(' $12.5 ')).toBe(1250);
    expect(parseBudget('12,50')).toBe(1250);
    expect(parseBudget('0.29')).toBe(29);
    expect(parseBudget('1.234')).toBeUndefined();
    expect(parseBudget('-1')).toBeUndefined();
    expect(parseBudget('ten')).toBeUndefined();
    expect([1250, 1200, 5].map(budgetText)).toEqual(['12.50', '12', '0.05']);
  });

  test('shares stay within the bar', () => {
    expect(share(1n, 4n)).toBe(0.25);
    expect(share(5n, 4n)).toBe(1);
    expect(share(1n, 0n)).toBe(1);
    expect(share(0n, 0n)).toBe(0);
  });
});
