import { isObject, memberAt } from '../money/json.ts';

/** A value in a body, and the object or list that holds it. */
interface Found {
  readonly value: unknown;
  readonly holder: unknown;
}

/**
 * Everything that stands at a place as the providers' tables write it: members joined by dots, `*` for each item of a
 * list, or for the value itself where it is no list. A name in camelCase stands for its snake_case form too, because
 * Google takes both (protobuf.dev/programming-guides/json). null counts as absent.
 */
export function valuesAt(body: unknown, place: string): Found[] {
  return stepsOf(place).reduce<Found[]>(
    (found, step) => found.flatMap((from) => (step === null ? itemsOf(from) : membersOf(from.value, step))),
    [{ value: body, holder: undefined }],
  );
}

/** The spellings of a member's name, or null for the items of a list. */
type Step = readonly string[] | null;

/** Places come from the providers' tables alone, so there are only so many. */
const known = new Map<string, readonly Step[]>();

function stepsOf(place: string): readonly Step[] {
  const steps = known.get(place) ?? place.split('.').map((step) => (step === '*' ? null : spellings(step)));
  known.set(place, steps);
  return steps;
}

function spellings(name: string): readonly string[] {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return snake === name ? [name] : [name, snake];
}

function itemsOf(from: Found): Found[] {
  return Array.isArray(from.value) ? from.value.map((value: unknown) => ({ value, holder: from.value })) : [from];
}

function membersOf(holder: unknown, names: readonly string[]): Found[] {
  if (!isObject(holder)) return [];
  const values = names.map((name) => memberAt(holder, name));
  return values.filter((value) => value !== undefined && value !== null).map((value) => ({ value, holder }));
}
