import { isAbsent, isObject, type JsonObject, memberAt, parseObject, textAt } from '../../money/json.ts';
import type { AssistantMessage, CacheHint, Message, ToolCall, ToolMessage } from './message.ts';
import { parseCacheHint, parseParts, parseTexts } from './parts.ts';
import { parseReasoning } from './reasoning.ts';
import { malformed, refuseOthers, unsupported } from './refusal.ts';

/**
 * Reads OpenAI's `messages`. Throws `invalid_request` for what OpenAI would not take and `unsupported_parameter` for
 * what is not translated, each with the place: `messages.2.content.0.type`.
 * https://platform.openai.com/docs/api-reference/chat/create
 */
export function parseMessages(value: unknown): Message[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed('messages', 'a list of at least one message');
  return value.map((message: unknown, index) => parseMessage(message, `messages.${index}`));
}

function parseMessage(message: unknown, place: string): Message {
  if (!isObject(message)) throw malformed(place, 'an object');
  const { role, content, cache_control, ...others } = message;
  const { cache } = parseCacheHint(cache_control, place);
  switch (role) {
    case 'system':
    case 'developer':
      refuseOthers(others, place);
      return { role: 'system', parts: marked(parseTexts(content, `${place}.content`), cache) };
    case 'user':
      refuseOthers(others, place);
      return { role, parts: marked(parseParts(content, `${place}.content`), cache) };
    case 'assistant':
      return parseAssistant({ content, ...others }, cache, place);
    case 'tool':
      return parseToolMessage({ content, ...others }, cache, place);
    case 'function':
      throw unsupported(`${place}.role`, 'Functions have become tools. Send tool_calls and messages of the role tool.');
    default:
      throw malformed(`${place}.role`, 'system, developer, user, assistant or tool');
  }
}

function parseAssistant(message: JsonObject, cache: CacheHint | undefined, place: string): AssistantMessage {
  const { content, refusal, tool_calls, reasoning_details, ...rest } = message;
  // What is told of an answer a second time: thoughts without what proves them, where its words are from, and what a
  // client has parsed itself.
  const { reasoning_content: _, reasoning: __, annotations: ___, parsed: ____, ...others } = rest;
  refuseOthers(others, place);
  const said = isAbsent(content) ? [] : parseTexts(content, `${place}.content`, ['text', 'refusal']);
  // An answer that was refused comes back as what the model said.
  const refused = isAbsent(refusal) ? [] : parseTexts(refusal, `${place}.refusal`);
  return {
    role: 'assistant',
    parts: marked([...said, ...refused], cache),
    toolCalls: parseToolCalls(tool_calls, `${place}.tool_calls`),
    reasoning: parseReasoning(reasoning_details, `${place}.reasoning_details`),
  };
}

function parseToolMessage(message: JsonObject, cache: CacheHint | undefined, place: string): ToolMessage {
  // Its `name` is the function's, which the call says.
  const { content, tool_call_id: callId, name: _, ...others } = message;
  refuseOthers(others, place);
  if (typeof callId !== 'string') throw malformed(`${place}.tool_call_id`, 'the id of a tool call');
  const parts = parseParts(content, `${place}.content`);
  return { role: 'tool', callId, parts, ...(cache === undefined ? {} : { cache }), place };
}

function parseToolCalls(value: unknown, place: string): ToolCall[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw malformed(place, 'a list of tool calls');
  return value.map((call: unknown, index) => parseToolCall(call, `${place}.${index}`));
}

function parseToolCall(call: unknown, place: string): ToolCall {
  if (!isObject(call)) throw malformed(place, 'an object');
  // `index` is left over where a client has put a call together from a stream.
  const { id, type, function: called, extra_content, index: _, ...others } = call;
  if (type !== 'function') throw unsupported(`${place}.type`, 'Only calls of functions can be said to this provider.');
  refuseOthers(others, place);
  const name = textAt(called, 'name');
  if (typeof id !== 'string') throw malformed(`${place}.id`, 'a text');
  if (name === undefined) throw malformed(`${place}.function.name`, 'a name');
  const signature = parseSignature(extra_content, place);
  return { id, name, arguments: parseArguments(memberAt(called, 'arguments'), place), signature, place };
}

/** `extra_content` as Google's own OpenAI-shaped endpoint has it. */
function parseSignature(extra: unknown, place: string): string | undefined {
  if (isAbsent(extra)) return undefined;
  const at = `${place}.extra_content`;
  if (!isObject(extra)) throw malformed(at, 'an object');
  const { google, ...others } = extra;
  refuseOthers(others, at);
  const { thought_signature: signature, ...rest } = isObject(google) ? google : {};
  refuseOthers(rest, `${at}.google`);
  if (!isAbsent(signature) && typeof signature !== 'string')
    throw malformed(`${at}.google.thought_signature`, 'a text');
  return signature ?? undefined;
}

function parseArguments(text: unknown, place: string): JsonObject {
  // What a model writes for a call without arguments.
  if (text === '') return {};
  const given = typeof text === 'string' ? parseObject(text) : undefined;
  if (given === undefined) throw malformed(`${place}.function.arguments`, 'a JSON object as a text');
  return given;
}

/** A mark on a message stands for one on its last part. */
function marked<T extends { readonly cache?: CacheHint }>(parts: T[], cache: CacheHint | undefined): T[] {
  const last = parts.at(-1);
  return cache === undefined || last === undefined ? parts : [...parts.slice(0, -1), { ...last, cache }];
}
