import { KeyPassError } from '../errors.ts';

/** An amount of money in pico-dollars: 10⁻¹² USD, so that one token of any price list is a whole number or close to it. */
export type Pico = bigint;

/** An exact ratio, reduced, with a positive denominator. Prices are ratios: no float ever holds money. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const picoDigits = 12;
const picoPerUsd = 10n ** BigInt(picoDigits);
const picoPerCent = picoPerUsd / 100n;

/** Whole US cents, as budgets are stated, in pico-dollars. */
export function picoFromCents(cents: number): Pico {
  if (!Number.isSafeInteger(cents) || cents < 0)
    throw new KeyPassError('invalid_request', 'An amount must be a whole number of cents.');
  return BigInt(cents) * picoPerCent;
}

/** The exact amount in US dollars as a plain decimal: "0.0001375", "5", "0"; never an exponent, never rounded. */
export function formatUsd(amount: Pico): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(picoDigits + 1, '0');
  const point = digits.length - picoDigits;
  let end = digits.length;
  while (end > point && digits[end - 1] === '0') end -= 1;
  const sign = amount < 0n ? '-' : '';
  const whole = sign + digits.slice(0, point);
  return end === point ? whole : `${whole}.${digits.slice(point, end)}`;
}

/** Reads a plain decimal of US dollars with at most twelve decimals; anything else is refused with `invalid_request`. */
export function parseUsd(text: string): Pico {
  const parts = /^(\d{1,15})(?:\.(\d{1,12}))?$/.exec(text);
  if (parts === null) throw new KeyPassError('invalid_request', 'An amount must be a plain decimal of US dollars.');
  return BigInt(parts[1] ?? '') * picoPerUsd + BigInt((parts[2] ?? '').padEnd(picoDigits, '0'));
}

/**
 * The exact value of a number from a price list: the decimal that the list's author wrote, which is the shortest text
 * of the parsed number. Undefined for what cannot be a price (negative, not finite).
 */
export function exactDecimal(value: number): Fraction | undefined {
  const parts = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (parts === null) return undefined;
  const decimals = parts[2] ?? '';
  const exponent = Number(parts[3] ?? 0) - decimals.length;
  const digits = BigInt((parts[1] ?? '') + decimals);
  return exponent < 0 ? reduced(digits, 10n ** BigInt(-exponent)) : reduced(digits * 10n ** BigInt(exponent), 1n);
}

/** The exact value of a plain decimal such as "0.15", at most nine digits before the point and twelve after it. */
export function exactText(text: string): Fraction | undefined {
  const parts = /^(\d{1,9})(?:\.(\d{1,12}))?$/.exec(text);
  if (parts === null) return undefined;
  const decimals = parts[2] ?? '';
  return reduced(BigInt((parts[1] ?? '') + decimals), 10n ** BigInt(decimals.length));
}

/** Pico-dollars for one unit, where `usd` dollars buy `per` units: 0.15 per 1,000,000 tokens is 150,000 a token. */
export function picoPerUnit(usd: Fraction, per: number): Fraction {
  return reduced(usd.numerator * picoPerUsd, usd.denominator * BigInt(per));
}

/** `quantity` units at this price, rounded up to a whole pico-dollar, once. A quantity with decimals is taken as written. */
export function priceOf(quantity: number, perUnit: Fraction): Pico {
  if (Number.isSafeInteger(quantity)) return ceilDivide(BigInt(quantity) * perUnit.numerator, perUnit.denominator);
  const exact = exactDecimal(quantity);
  if (exact === undefined) throw new RangeError('A quantity is finite and not negative.');
  return ceilDivide(exact.numerator * perUnit.numerator, exact.denominator * perUnit.denominator);
}

/** The price of one unit, rounded up: `n` times this is never less than what any split of `n` units costs. */
export function ceiling(perUnit: Fraction): Pico {
  return ceilDivide(perUnit.numerator, perUnit.denominator);
}

/** The exact decimal text of a price-list number, without an exponent where twelve decimals suffice. */
export function decimalText(usd: Fraction): string {
  const scaled = usd.numerator * picoPerUsd;
  return scaled % usd.denominator === 0n ? formatUsd(scaled / usd.denominator) : `${usd.numerator}/${usd.denominator}`;
}

/** Most prices are whole pico-dollars a token. */
function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  if (divisor === 1n) return dividend;
  return (dividend + divisor - 1n) / divisor;
}

function reduced(numerator: bigint, denominator: bigint): Fraction {
  let [a, b] = [numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}
