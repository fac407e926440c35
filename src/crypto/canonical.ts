import { CryptoError } from './errors.ts';

/**
 * Canonical JSON (RFC 8785): no white space, members sorted by UTF-16 code units, one spelling for each string.
 * Of numbers only safe integers are taken: floats are where two implementations disagree. What JSON cannot say (undefined,
 * class instances, sparse arrays, lone surrogates) throws CryptoError, never a value in the message.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') return canonicalInteger(value);
  if (Array.isArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`;
  if (!isPlainObject(value))
    throw new CryptoError('canonical JSON has strings, integers, booleans, null, arrays, objects');
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonicalString(name)}:${canonicalJson(member)}`).join(',')}}`;
}

function canonicalString(text: string): string {
  // JSON.stringify escapes exactly as RFC 8785 asks, but lets a lone surrogate pass as an escape.
  if (!text.isWellFormed()) throw new CryptoError('canonical JSON has well-formed Unicode');
  return JSON.stringify(text);
}

function canonicalInteger(value: number): string {
  // Minus zero would be written as zero: one text for two values.
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new CryptoError('canonical JSON has safe integers');
  return String(value);
}

/** Whether a value is an object as JSON.parse makes them, not an array or an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
