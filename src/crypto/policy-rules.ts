import { isPlainObject } from './canonical.ts';

/**
 * A policy that is none. `param` is the path of the member at fault, such as `providers[0].models` ('' for the whole);
 * the message adds what was expected there. Neither ever holds a value.
 */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly param: string;

  constructor(param: string, expected: string) {
    super(`${param === '' ? 'policy' : param}: ${expected}`);
    this.param = param;
  }
}

/** Returns the value, typed and copied, or throws PolicyError with this path. */
export type Rule<T> = (path: string, value: unknown) => T;

/** The object's own members, in their order. */
export function members(path: string, value: unknown): [string, unknown][] {
  if (!isPlainObject(value)) throw new PolicyError(path, 'an object');
  return Object.entries(value);
}

/** An object with exactly these members. */
export function objectOf<T extends object>(path: string, value: unknown, rules: { [M in keyof T]: Rule<T[M]> }): T {
  const given = new Map(members(path, value));
  for (const name of given.keys()) {
    if (!Object.hasOwn(rules, name)) throw new PolicyError(memberPath(path, nameable(name)), 'unknown member');
  }
  const copy: Partial<T> = {};
  for (const name in rules) {
    if (given.has(name)) copy[name] = rules[name](memberPath(path, name), given.get(name));
  }
  if (!isComplete(copy, rules)) {
    const missing = Object.keys(rules).find((name) => !given.has(name)) ?? '';
    throw new PolicyError(memberPath(path, missing), 'missing');
  }
  return copy;
}

function isComplete<T extends object>(copy: Partial<T>, rules: { [M in keyof T]: Rule<T[M]> }): copy is T {
  return Object.keys(rules).every((name) => Object.hasOwn(copy, name));
}

export function maybe<T>(rule: Rule<T>): Rule<T | null> {
  return (path, value) => (value === null ? null : rule(path, value));
}

export function oneOf<const T extends string | number | boolean>(choices: readonly T[]): Rule<T> {
  return (path, value) => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw new PolicyError(path, `one of ${choices.join(', ')}`);
    return choice;
  };
}

export function integer(least: number, most: number): Rule<number> {
  return (path, value) => {
    const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
    // Minus zero is no second zero: the canonical bytes have one.
    if (!fits || Object.is(value, -0)) throw new PolicyError(path, `an integer from ${least} to ${most}`);
    return value;
  };
}

export function text(holds: (value: string) => boolean, expected: string): Rule<string> {
  return (path, value) => {
    if (typeof value !== 'string' || !holds(value)) throw new PolicyError(path, expected);
    return value;
  };
}

/** An array in ascending order of `key` (UTF-16 code units), no key twice. */
export function sortedArray<T>(rule: Rule<T>, key: (item: T) => string, least: number): Rule<T[]> {
  return (path, value) => {
    if (!Array.isArray(value)) throw new PolicyError(path, 'an array');
    if (value.length < least) throw new PolicyError(path, `at least ${least} items`);
    const items = Array.from(value, (item: unknown, index) => rule(`${path}[${index}]`, item));
    const keys = items.map(key);
    if (keys.some((current, index) => index > 0 && current <= (keys[index - 1] ?? ''))) {
      throw new PolicyError(path, 'sorted and without repeats');
    }
    return items;
  };
}

function memberPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** A member is refused by its name, but only a name that looks like one is repeated. */
function nameable(name: string): string {
  return /^[A-Za-z_]\w{0,39}$/.test(name) ? name : '(unnamed)';
}
