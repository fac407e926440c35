import { isObject, type JsonObject } from '../../money/json.ts';

/** The members of a JSON schema that are schemas, lists of schemas, and schemas by names. */
const single = new Set(['items', 'additionalProperties']);
const listed = new Set(['anyOf', 'oneOf', 'prefixItems', 'allOf']);
const named = new Set(['properties', '$defs', 'definitions']);

/**
 * A JSON schema with each text or number that is demanded by `const` as an `enum` of one, which means the same: Google
 * knows `enum` alone, and would let every value pass. https://ai.google.dev/gemini-api/docs/structured-output
 */
export function namedConstants(schema: JsonObject): JsonObject {
  const { const: constant, ...others } = schema;
  const isTold = typeof constant === 'string' || typeof constant === 'number';
  const members = Object.entries(isTold ? { ...others, enum: [constant] } : schema);
  return Object.fromEntries(members.map(([name, value]) => [name, withinMember(name, value)]));
}

function withinMember(name: string, value: unknown): unknown {
  if (listed.has(name) && Array.isArray(value)) return value.map(within);
  if (single.has(name)) return within(value);
  if (!named.has(name) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, schema]) => [key, within(schema)]));
}

function within(schema: unknown): unknown {
  return isObject(schema) ? namedConstants(schema) : schema;
}
