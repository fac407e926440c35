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
  return place
    .split('.')
    .reduce<Found[]>(
      (found, step) => found.flatMap((from) => (step === '*' ? itemsOf(from) : membersOf(from.value, step))),
      [{ value: body, holder: undefined }],
    );
}

function itemsOf(from: Found): Found[] {
  return Array.isArray(from.value) ? from.value.map((value: unknown) => ({ value, holder: from.value })) : [from];
}

function membersOf(holder: unknown, name: string): Found[] {
  if (!isObject(holder)) return [];
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const values = (snake === name ? [name] : [name, snake]).map((spelling) => memberAt(holder, spelling));
  return values.filter((value) => value !== undefined && value !== null).map((value) => ({ value, holder }));
}
