/** A JSON object as it came from outside: nothing about its members is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

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
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a text's bytes say, or undefined when they are no JSON. */
export function parseBytes(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
