/**
 * Exact dollars for display: decimal strings and whole cents become bigints of 10⁻¹² dollars, so that no amount ever
 * passes through a float.
 */
const digits = 12;
const unit = 10n ** BigInt(digits);
const cent = unit / 100n;

/** "0.0001375" → 137500000n. Throws a RangeError for anything that is no decimal of up to twelve places. */
export function parseUsd(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(decimal);
  if (match === null) throw new RangeError('not a decimal amount');
  const [, sign, whole = '0', fraction = ''] = match;
  const value = BigInt(whole) * unit + BigInt(fraction.padEnd(digits, '0'));
  return sign === '-' ? -value : value;
}

export function fromCents(cents: number): bigint {
  return BigInt(cents) * cent;
}

/** Every digit that counts, at least two places: "$0.0001375", "$12.00". */
export function exactUsd(amount: bigint, language: string): string {
  const fraction = (absolute(amount) % unit).toString().padStart(digits, '0').replace(/0+$/, '');
  return compose(amount, fraction.padEnd(2, '0'), language);
}

/** The share of a whole as a number from 0 to 1, for drawing only. */
export function share(part: bigint, whole: bigint): number {
  if (whole <= 0n) return part > 0n ? 1 : 0;
  return Math.min(1, Math.max(0, Number((part * 10_000n) / whole) / 10_000));
}

/** "12", "12.5", "12,50", "$12.50" → 1250; undefined when it is no amount in whole cents. */
export function parseBudget(text: string): number | undefined {
  const match = /^\$?\s*(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}

/** 1250 → "12.50", 1200 → "12": what an input shows. */
export function budgetText(cents: number): string {
  const rest = cents % 100;
  return `${Math.trunc(cents / 100)}${rest === 0 ? '' : `.${String(rest).padStart(2, '0')}`}`;
}

function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

function compose(amount: bigint, fraction: string, language: string): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency: 'USD', minimumFractionDigits: 2 });
  const whole = absolute(amount) / unit;
  const parts = format.formatToParts(amount < 0n ? -whole : whole);
  const text = parts.map((part) => (part.type === 'fraction' ? fraction : part.value)).join('');
  return amount < 0n && whole === 0n ? `-${text}` : text;
}
