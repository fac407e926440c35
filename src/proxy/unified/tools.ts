import { isAbsent, isObject, type JsonObject, listAt, memberAt, objectAt, textAt } from '../../money/json.ts';
import type { CacheHint } from './message.ts';
import { parseCacheHint } from './parts.ts';
import { malformed, refuseOthers, unsupported } from './refusal.ts';

/** A function that the app runs. No other kind of tool comes from here, so none that a provider runs and bills. */
export interface Tool {
  readonly name: string;
  readonly description: string | undefined;
  /** A JSON schema; undefined for a function without parameters. */
  readonly parameters: JsonObject | undefined;
  readonly strict: boolean;
  readonly cache?: CacheHint;
  /** Where it stands in the request: `tools.0`. */
  readonly place: string;
}

/** `only` are the functions that may be called; absent for all. One that is named is required, and only that. */
export interface ToolChoice {
  readonly mode: 'none' | 'auto' | 'required';
  readonly only?: readonly string[];
}

/**
 * Reads `tools`. Throws `unsupported_parameter` for what is no function, and `invalid_request`.
 * https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools
 */
export function parseTools(value: unknown): Tool[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw malformed('tools', 'a list of tools');
  return value.map((tool: unknown, index) => parseTool(tool, `tools.${index}`));
}

/** Reads `tool_choice`; undefined where it is left to the provider. */
export function parseToolChoice(value: unknown, tools: readonly Tool[]): ToolChoice | undefined {
  if (isAbsent(value)) return undefined;
  const choice = toolChoice(value);
  if (choice.mode === 'required' && tools.length === 0)
    throw malformed('tool_choice', 'absent where no tools are given');
  const names = tools.map(({ name }) => name);
  if (choice.only?.some((name) => !names.includes(name)) === true) {
    throw malformed('tool_choice', 'about functions that are among the tools');
  }
  return choice;
}

function parseTool(tool: unknown, place: string): Tool {
  if (!isObject(tool)) throw malformed(place, 'an object');
  const { type, function: definition, cache_control, ...others } = tool;
  if (type !== 'function') throw unsupported(`${place}.type`, 'Only functions can be said to this provider.');
  refuseOthers(others, place);
  if (!isObject(definition)) throw malformed(`${place}.function`, 'an object');
  const { name, description, parameters, strict, ...rest } = definition;
  refuseOthers(rest, `${place}.function`);
  if (typeof name !== 'string' || name === '') throw malformed(`${place}.function.name`, 'a name');
  if (!isAbsent(description) && typeof description !== 'string') {
    throw malformed(`${place}.function.description`, 'a text');
  }
  if (!isAbsent(parameters) && !isObject(parameters)) throw malformed(`${place}.function.parameters`, 'a JSON schema');
  if (!isAbsent(strict) && typeof strict !== 'boolean') throw malformed(`${place}.function.strict`, 'true or false');
  return {
    name,
    description: description ?? undefined,
    parameters: parameters ?? undefined,
    strict: strict ?? false,
    ...parseCacheHint(cache_control, place),
    place,
  };
}

function toolChoice(value: unknown): ToolChoice {
  if (value === 'none' || value === 'auto' || value === 'required') return { mode: value };
  const type = textAt(value, 'type');
  if (type === 'function') return { mode: 'required', only: [functionName(value, 'tool_choice')] };
  if (type !== 'allowed_tools') throw unsupported('tool_choice', 'This choice cannot be said to this provider.');
  const allowed = objectAt(value, 'allowed_tools');
  const mode = memberAt(allowed, 'mode');
  if (mode !== 'auto' && mode !== 'required') throw malformed('tool_choice.allowed_tools.mode', 'auto or required');
  const place = 'tool_choice.allowed_tools.tools';
  const only = listAt(allowed, 'tools').map((tool) => functionName(tool, place));
  if (only.length === 0) throw malformed(place, 'a list of at least one function');
  return { mode, only };
}

function functionName(holder: unknown, place: string): string {
  const name = textAt(objectAt(holder, 'function'), 'name');
  if (name === undefined) throw malformed(place, 'about functions by their names');
  return name;
}
