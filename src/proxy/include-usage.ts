import { isObject, memberAt, parseObject, type JsonObject } from '../money/json.ts';
import type { ServerSentEvent } from './sse.ts';

/**
 * OpenAI's and Groq's streams state their usage only if `stream_options.include_usage` asks for it. KeyPass always
 * asks; an app that did not ask must get the very bytes that it would have got. What asking adds, and what is taken out
 * again: an event of its own with `choices: []`, and `"usage":null` in every other event.
 * https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options
 */
export function includeUsageMembers(body: JsonObject): JsonObject | undefined {
  const options = body['stream_options'];
  if (body['stream'] !== true || memberAt(options, 'include_usage') === true) return undefined;
  return { stream_options: { ...(isObject(options) ? options : {}), include_usage: true } };
}

const nothing = new Uint8Array();
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Within a text of the JSON its quotes would be escaped, so this is always a member; which object's is seen by parsing. */
const nullUsage = /,[ \t]*"usage"[ \t]*:[ \t]*null|"usage"[ \t]*:[ \t]*null[ \t]*,[ \t]*/;

/** The bytes of an event as they would have come without `include_usage`; none for the event that only it brings. */
export function withoutAddedUsage(event: ServerSentEvent): Uint8Array {
  if (!event.data.includes('"usage"')) return event.bytes;
  const chunk = parseObject(event.data);
  if (chunk === undefined) return event.bytes;
  const choices = chunk['choices'];
  if (Array.isArray(choices) && choices.length === 0 && isObject(chunk['usage'])) return nothing;
  if (chunk['usage'] !== null) return event.bytes;
  const text = decoder.decode(event.bytes);
  const found = nullUsage.exec(text);
  if (found === null) return event.bytes;
  const rest = text.slice(found.index + found[0].length);
  // More than one place, and the one at the top can't be told by its text: a null too many harms nobody.
  return nullUsage.test(rest) ? event.bytes : encoder.encode(text.slice(0, found.index) + rest);
}
