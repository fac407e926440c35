import { isAbsent, isObject, type JsonObject } from '../../money/json.ts';
import { malformed, refuseOthers } from './refusal.ts';

/** The form that an answer is asked in; text is the default and is left out. */
export type ResponseFormat = { readonly type: 'json_object' } | JsonSchemaFormat;

export interface JsonSchemaFormat {
  readonly type: 'json_schema';
  /** A label for OpenAI's own caches and logs, which the model does not read. */
  readonly name: string;
  readonly description: string | undefined;
  readonly schema: JsonObject;
  readonly strict: boolean;
}

/** The schema, for providers that have no other place for a description of the format: before the schema's own. */
export function describedSchema({ description, schema }: JsonSchemaFormat): JsonObject {
  if (description === undefined) return schema;
  const own = schema['description'];
  return { ...schema, description: typeof own === 'string' ? `${description}\n${own}` : description };
}

/** Reads `response_format`. https://platform.openai.com/docs/api-reference/chat/create#chat-create-response_format */
export function parseResponseFormat(value: unknown): ResponseFormat | undefined {
  if (isAbsent(value)) return undefined;
  if (!isObject(value)) throw malformed('response_format', 'an object');
  const { type, json_schema: definition, ...others } = value;
  refuseOthers(others, 'response_format');
  if (type === 'json_schema') return parseDefinition(definition);
  if (type !== 'text' && type !== 'json_object') {
    throw malformed('response_format.type', 'text, json_object or json_schema');
  }
  return type === 'text' ? undefined : { type };
}

function parseDefinition(definition: unknown): JsonSchemaFormat {
  const place = 'response_format.json_schema';
  if (!isObject(definition)) throw malformed(place, 'an object');
  const { name, description, schema, strict, ...others } = definition;
  refuseOthers(others, place);
  if (typeof name !== 'string') throw malformed(`${place}.name`, 'a name');
  if (!isAbsent(description) && typeof description !== 'string') throw malformed(`${place}.description`, 'a text');
  if (!isObject(schema)) throw malformed(`${place}.schema`, 'a JSON schema');
  if (!isAbsent(strict) && typeof strict !== 'boolean') throw malformed(`${place}.strict`, 'true or false');
  return { type: 'json_schema', name, description: description ?? undefined, schema, strict: strict ?? false };
}
