import { type JsonObject, parseObject } from '../../money/json.ts';
import { signatureFormat } from './google-answer.ts';
import { resultMedia, userParts } from './google-media.ts';
import type { GeminiTraits } from './google-models.ts';
import type { AssistantMessage, Message, SystemMessage, TextPart, ToolCall, ToolMessage } from './message.ts';
import { malformed } from './refusal.ts';
import { alternating, spoken, type Turn } from './turns.ts';

/** `systemInstruction` and `contents` of generateContent. */
export interface GooglePrompt {
  readonly systemInstruction: JsonObject | undefined;
  readonly contents: readonly JsonObject[];
}

/** Results are turns of their own: Gemini wants those of all calls together, right behind the calls. */
type Said = Turn<JsonObject, 'user' | 'results' | 'model'>;

/**
 * The messages as Gemini takes them. System messages are the system instruction, wherever they stand, as at Google's
 * own OpenAI-shaped endpoint. Throws `unsupported_parameter`, and `invalid_request` for a result without its call.
 * https://ai.google.dev/api/caching#Content
 */
export function promptOf(messages: readonly Message[], traits: GeminiTraits): GooglePrompt {
  const system = messages.flatMap((message) => (message.role === 'system' ? spoken(message.parts) : []));
  const said = turnsOf(messages, traits);
  return {
    systemInstruction: system.length === 0 ? undefined : { parts: system.map(({ text }) => ({ text })) },
    contents: alternating(said).map(({ role, blocks }) => ({ role: role === 'model' ? role : 'user', parts: blocks })),
  };
}

/**
 * A result has the id of its call alone, and Gemini matches by its function's name, too. It is the last such call's
 * before it: some servers number the calls of each answer alike.
 */
function turnsOf(messages: readonly Message[], traits: GeminiTraits): Said[] {
  const names = new Map<string, string>();
  return messages.flatMap((message) => {
    if (message.role === 'system') return [];
    if (message.role === 'assistant') for (const { id, name } of message.toolCalls) names.set(id, name);
    return [turnOf(message, names, traits)];
  });
}

function turnOf(
  message: Exclude<Message, SystemMessage>,
  names: ReadonlyMap<string, string>,
  traits: GeminiTraits,
): Said {
  if (message.role === 'user') return { role: 'user', blocks: userParts(message.parts, traits) };
  if (message.role === 'tool') {
    return { role: 'results', blocks: [resultPart(message, names.get(message.callId), traits)] };
  }
  return { role: 'model', blocks: [...textParts(message), ...callParts(message.toolCalls, traits)] };
}

/** The texts, cut where a signature of Gemini's stood: each belongs to the part that it came with. */
function textParts({ parts, reasoning }: AssistantMessage): JsonObject[] {
  const signatures = reasoning
    .flatMap((detail) => (detail.type === 'reasoning.encrypted' && detail.format === signatureFormat ? [detail] : []))
    .toSorted((one, other) => (one.offset ?? 0) - (other.offset ?? 0));
  if (signatures.length === 0) return spoken(parts).map(({ text }) => ({ text }));
  const text = parts.map((part) => part.text).join('');
  const starts = signatures.map(({ offset = 0 }) => offset);
  const unsigned = text.slice(0, starts[0]);
  const signed = signatures.map(({ data }, index) => ({
    text: text.slice(starts[index], starts[index + 1]),
    thoughtSignature: data,
  }));
  return unsigned === '' ? signed : [{ text: unsigned }, ...signed];
}

/**
 * What Google documents for calls whose signature is not known, since another model made them or the app did not keep
 * it: Gemini 3 refuses a history with neither. https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const unknownSignature = 'skip_thought_signature_validator';

/** Of calls made at once, Gemini signs the first. */
function callParts(calls: readonly ToolCall[], { signedCalls }: GeminiTraits): JsonObject[] {
  const standsIn = signedCalls && calls.every(({ signature }) => signature === undefined);
  return calls.map(({ id, name, arguments: args, signature }, index) => {
    const thoughtSignature = signature ?? (standsIn && index === 0 ? unknownSignature : undefined);
    return { functionCall: { id, name, args }, ...(thoughtSignature === undefined ? {} : { thoughtSignature }) };
  });
}

function resultPart(message: ToolMessage, name: string | undefined, traits: GeminiTraits): JsonObject {
  const { callId: id, parts, place } = message;
  if (name === undefined) throw malformed(`${place}.tool_call_id`, 'the id of a call in an earlier message');
  const texts = parts.filter((part): part is TextPart => part.type === 'text').map(({ text }) => text);
  const media = parts.flatMap((part) => (part.type === 'text' ? [] : [resultMedia(part, traits)]));
  return {
    functionResponse: { id, name, response: responseOf(texts), ...(media.length === 0 ? {} : { parts: media }) },
  };
}

/**
 * Gemini takes an object. A text that is one goes as it is; every other text, and an object that would mean something
 * else there, as the `output` that Google names for it, to the letter.
 * https://ai.google.dev/api/caching#FunctionResponse
 */
function responseOf(texts: readonly string[]): JsonObject {
  const [text = '', ...others] = texts;
  if (others.length > 0) return { output: texts };
  const object = parseObject(text);
  // `$ref` would be read as pointing to one of the media; numbers beyond a double's precision would change.
  const isPlain = object !== undefined && !Object.hasOwn(object, 'output') && JSON.stringify(object) === text;
  return isPlain && !text.includes('"$ref"') ? object : { output: text };
}
