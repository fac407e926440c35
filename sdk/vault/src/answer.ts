import { fromBase64Url } from '../../../src/crypto/index.ts';
import { VaultError } from './errors.ts';

/** An object of JSON, its members still unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

/** The members that have a value: JSON bodies name nothing that is not meant. */
export function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function wrong(name: string, expected: string): VaultError {
  return new VaultError('invalid_answer', `The server's answer is not understood: ${name} is not ${expected}.`);
}

export function fieldsOf(value: unknown, name = 'data'): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'an object');
  return { ...value };
}

export function listOf(value: unknown, name: string): Fields[] {
  if (!Array.isArray(value)) throw wrong(name, 'a list');
  return value.map((entry: unknown, index) => fieldsOf(entry, `${name}[${index}]`));
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw wrong(name, 'text');
  return value;
}

export function textOrNull(fields: Fields, name: string): string | null {
  return fields[name] === undefined || fields[name] === null ? null : text(fields, name);
}

export function texts(fields: Fields, name: string): string[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw wrong(name, 'a list');
  return value.map((entry: unknown) => {
    if (typeof entry !== 'string') throw wrong(name, 'a list of texts');
    return entry;
  });
}

export function textsOrNull(fields: Fields, name: string): string[] | null {
  return fields[name] === undefined || fields[name] === null ? null : texts(fields, name);
}

export function integer(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(name, 'a whole number');
  return value;
}

/** A quantity that may have a fraction, such as seconds. */
export function quantityOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw wrong(name, 'a quantity');
  return value;
}

export function integerOrNull(fields: Fields, name: string): number | null {
  return fields[name] === undefined || fields[name] === null ? null : integer(fields, name);
}

export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw wrong(name, 'true or false');
  return value;
}

/** A sealed blob or other bytes, base64url. */
export function bytes(fields: Fields, name: string): Uint8Array {
  const value = text(fields, name);
  try {
    return fromBase64Url(value);
  } catch {
    throw wrong(name, 'base64url');
  }
}
