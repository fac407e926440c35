import { KeyPassError } from '../errors.ts';
import { isObject, type JsonObject, noMembers } from './json.ts';

/**
 * Google's JSON takes each field by its camelCase name and by its snake_case name. The object with camelCase names alone;
 * a field that is there under both is refused with `invalid_request`, since which of them holds is Google's choice.
 * https://protobuf.dev/programming-guides/json/
 */
export function camelMembers(value: unknown): JsonObject {
  if (!isObject(value)) return noMembers;
  if (Object.keys(value).every((name) => !name.includes('_') && name.length <= longestName)) return value;
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const camel = camelName(name);
    if (members.has(camel)) {
      throw new KeyPassError('invalid_request', `${camel} is there twice, in two spellings.`, { param: camel });
    }
    members.set(camel, member);
  }
  return Object.fromEntries(members);
}

/** The name under which an object has this field, whichever spelling it uses. */
export function spelledName(value: JsonObject, camel: string): string {
  return Object.keys(value).find((name) => camelName(name) === camel) ?? camel;
}

/** Of names that are refused: no field has one as long. */
const longestName = 64;

function camelName(name: string): string {
  return name.replace(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()).slice(0, longestName);
}
