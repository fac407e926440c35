/** A JSON object as it came from outside: nothing about its members is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const noMembers: JsonObject = Object.freeze({});

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at `name`, or undefined when there is none: never an inherited member, never a throw. */
export function objectAt(value: unknown, name: string): JsonObject | undefined {
  const member = memberAt(value, name);
  return isObject(member) ? member : undefined;
}

export function listAt(value: unknown, name: string): readonly unknown[] {
  const member = memberAt(value, name);
  return Array.isArray(member) ? member : [];
}

export function textAt(value: unknown, name: string): string | undefined {
  const member = memberAt(value, name);
  return typeof member === 'string' ? member : undefined;
}

export function memberAt(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** null and absent mean the same in most of the providers' APIs. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** The parsed text, or undefined when it is no JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  const value = parse(text);
  return isObject(value) ? value : undefined;
}

const decoder = new TextDecoder();

/** What a text's bytes say, or undefined when they are no JSON. */
export function parseBytes(bytes: Uint8Array): unknown {
  return parse(decoder.decode(bytes));
}

/** No API nests anything nearly as deep. A value of a hundred thousand levels takes seconds to be written again. */
const deepest = 256;

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isDeep(text) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Whether a text that is known to be valid JSON is nested too deep. Most are too short to be, or have too few brackets. */
function isDeep(text: string): boolean {
  return text.length > 2 * deepest && countOf(text, '[') + countOf(text, '{') > deepest && depthOf(text) > deepest;
}

/** How often a bracket stands in a text, as far as it matters. */
function countOf(text: string, bracket: string): number {
  let found = 0;
  for (let at = text.indexOf(bracket); at >= 0 && found <= deepest; at = text.indexOf(bracket, at + 1)) found += 1;
  return found;
}

/** Levels, as far as they matter. */
function depthOf(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= deepest; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
  }
  return depth;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
}
