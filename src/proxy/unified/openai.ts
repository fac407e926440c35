import { isAbsent, isObject, type JsonObject, listAt, memberAt, objectAt, textAt } from '../../money/json.ts';
import type { OpenAiChat, Provider } from '../../providers/index.ts';
import { labelAt, type CallFacts } from './completion.ts';
import { saysNothing } from './defaults.ts';
import { failureInStream, unreadable } from './failures.ts';
import { malformed, unsupported } from './refusal.ts';

/**
 * A chat as the body that a provider of OpenAI's shape takes: the same one, but for what its data says of it, and
 * without what only another provider's answers have. Throws `unsupported_parameter` for what it does not heed.
 */
export function toOpenAi(provider: Provider, chat: OpenAiChat, body: JsonObject): JsonObject {
  const messages = messagesFor(chat, body['messages']);
  const own = messages === body['messages'] ? body : { ...body, messages };
  if (chat.isExact === true) return own;
  const { stream_options, ...stated } = Object.fromEntries(
    Object.entries(own).filter(([name, value]) => isHeeded(provider, chat, name, value)),
  );
  // A provider that states a stream's usage unasked need not know how to be asked.
  const options = asksForUsage(provider, chat) && stream_options !== undefined ? { stream_options } : {};
  return underNames(chat.names, { ...stated, ...options });
}

/** An answer of that shape, put into OpenAI's own where it differs. Throws `provider_error`. */
export function fromOpenAi(answer: JsonObject, facts: CallFacts): JsonObject {
  if (!isAbsent(answer['error'])) throw failureInStream(answer);
  if (!Array.isArray(answer['choices'])) throw unreadable();
  const choices = listAt(answer, 'choices').map((choice, position) => {
    const { said, ...others } = choiceOf(choice, position, 'message');
    const { content, ...message } = said;
    const isElsewhere = content === '' && message['tool_calls'] !== undefined;
    return {
      ...others,
      message: { role: 'assistant', refusal: null, ...message, content: isElsewhere ? null : content },
    };
  });
  const { usage: _, ...others } = answer;
  const usage = usageIn(answer);
  const stated = usage === undefined ? {} : { usage };
  return { ...others, ...factsOf(answer, facts), object: 'chat.completion', choices, ...stated };
}

/** The usage that an answer or an event of one states, if it can be that. */
export function usageIn(answer: unknown): JsonObject | undefined {
  const usage = objectAt(answer, 'usage');
  const counts = ['prompt_tokens', 'completion_tokens', 'total_tokens'].map((name) => memberAt(usage, name));
  return counts.every((count) => isAbsent(count) || isCount(count)) ? usage : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** What an answer or an event of one says of itself, or else what is known without it. */
export function factsOf(answer: JsonObject, facts: CallFacts): CallFacts {
  const created = answer['created'];
  return {
    id: labelAt(answer, 'id') ?? facts.id,
    created: typeof created === 'number' && Number.isSafeInteger(created) ? created : facts.created,
    model: labelAt(answer, 'model') ?? facts.model,
  };
}

/** A choice in OpenAI's shape, and apart from it what was said there: its `message`, or its `delta`. */
export function choiceOf(choice: unknown, position: number, holder: 'message' | 'delta') {
  if (!isObject(choice)) throw unreadable();
  // Perplexity's events have both.
  const { message: _message, delta: _delta, index, finish_reason: reason, logprobs, ...others } = choice;
  if (reason === 'error' || reason === 'ERROR' || objectAt(choice, 'error') !== undefined)
    throw failureInStream(choice);
  const said = saidIn(objectAt(choice, holder) ?? {}, holder);
  return {
    ...others,
    index: isCount(index) ? index : position,
    said,
    logprobs: logprobs ?? null,
    finish_reason: finishOf(reason, holder),
  };
}

const finishes: Readonly<Record<string, string>> = {
  stop: 'stop',
  // Together, and Hugging Face's own servers.
  eos: 'stop',
  eos_token: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  // Mistral, and DeepSeek where it had to break off.
  model_length: 'length',
  insufficient_system_resource: 'length',
  // Cohere's own words, where its compatible endpoint lets one through.
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_calls',
  tool_calls: 'tool_calls',
  function_call: 'function_call',
  content_filter: 'content_filter',
};

/** One that is not known here may stand for an answer that is not whole, which `stop` would deny. */
function finishOf(reason: unknown, holder: 'message' | 'delta'): string | null {
  if ((isAbsent(reason) || reason === '') && holder === 'delta') return null;
  const known = typeof reason === 'string' && Object.hasOwn(finishes, reason) ? finishes[reason] : undefined;
  return known ?? 'content_filter';
}

/** A `message` or a `delta`. */
interface Said extends JsonObject {
  readonly tool_calls?: readonly JsonObject[];
}

/** Content is text, and reasoning has one name, whichever of the three in use its provider has chosen. */
function saidIn(said: JsonObject, holder: 'message' | 'delta'): Said {
  const { content, reasoning, reasoning_content: told, tool_calls: _calls, ...others } = said;
  const calls = listAt(said, 'tool_calls').map((call) => callIn(call, holder));
  const parts = Array.isArray(content) ? content : [];
  const thoughts = [told, reasoning, thinkingIn(parts)].find((text) => typeof text === 'string' && text !== '');
  const text = Array.isArray(content) ? textsIn(parts) : content;
  if (!isAbsent(text) && typeof text !== 'string') throw unreadable();
  return {
    ...others,
    ...(text === undefined && holder === 'delta' ? {} : { content: text ?? null }),
    ...(thoughts === undefined ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** In a delta, its `index` is still its provider's own. */
function callIn(call: unknown, holder: 'message' | 'delta'): JsonObject {
  if (!isObject(call)) throw unreadable();
  const { type, index, function: called, ...others } = call;
  const args = memberAt(called, 'arguments');
  return {
    ...(holder === 'delta' ? { index } : {}),
    ...others,
    ...(holder === 'message' || others['id'] !== undefined ? { type: type ?? 'function' } : {}),
    // Mistral documents an object, too.
    function: isObject(args) ? { ...(isObject(called) ? called : {}), arguments: JSON.stringify(args) } : called,
  };
}

/** The texts among parts of content. https://docs.mistral.ai/capabilities/reasoning */
function textsIn(parts: readonly unknown[]): string {
  return parts
    .filter((part) => textAt(part, 'type') === 'text')
    .map((part) => textAt(part, 'text') ?? '')
    .join('');
}

function thinkingIn(parts: readonly unknown[]): string {
  return parts
    .filter((part) => textAt(part, 'type') === 'thinking')
    .map((part) => textAt(part, 'thinking') ?? textsIn(listAt(part, 'thinking')))
    .join('');
}

/** Not every provider takes null for an absent member. */
function isHeeded({ name: who }: Provider, { lacks = [] }: OpenAiChat, name: string, value: unknown): boolean {
  if (isAbsent(value)) return false;
  if (!lacks.includes(name)) return true;
  if (saysNothing(name, value)) return false;
  throw unsupported(name, `${who} does not heed this parameter. Leave it out.`);
}

function asksForUsage({ endpoints }: Provider, { path }: OpenAiChat): boolean {
  const metering = endpoints.find((row) => row.method === 'POST' && row.path === path)?.metering;
  return typeof metering === 'object' && metering.includeUsage === true;
}

/** The members under a provider's own names. Throws `invalid_request` where one is given under both. */
export function underNames(names: Readonly<Record<string, string>> = {}, body: JsonObject): JsonObject {
  const given = Object.entries(body).map(
    ([name, value]) => [Object.hasOwn(names, name) ? (names[name] ?? name) : name, value] as const,
  );
  const twice = given.find(([name], index) => given.findIndex(([other]) => other === name) !== index);
  if (twice !== undefined) throw malformed(twice[0], "absent where OpenAI's newer name of it is given");
  return Object.fromEntries(given);
}

function messagesFor(chat: OpenAiChat, messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages;
  const own = messages.map((message: unknown) => messageFor(chat, message));
  return own.every((message, index) => message === messages[index]) ? messages : own;
}

function messageFor(chat: OpenAiChat, message: unknown): unknown {
  const role = textAt(message, 'role');
  if (!isObject(message)) return message;
  if (role === 'developer') return chat.developer === undefined ? message : { ...message, role: chat.developer };
  return role === 'assistant' ? answerFor(chat, message) : message;
}

/** An earlier answer, perhaps of another provider's: reasoning goes back only to those who take it, under their name. */
function answerFor(chat: OpenAiChat, message: JsonObject): JsonObject {
  const given = Object.entries(message);
  const members = given.flatMap(([name, value]) => memberFor(chat, name, value));
  const isSame = members.length === given.length && members.every(([name, value]) => message[name] === value);
  const thoughts = textAt(message, 'reasoning_content');
  if (chat.reasoning !== 'content' || thoughts === undefined) return isSame ? message : Object.fromEntries(members);
  const { content, ...others } = Object.fromEntries(members);
  const texts: unknown[] = Array.isArray(content) ? content : [{ type: 'text', text: content }];
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: thoughts }] };
  return { ...others, content: [thinking, ...(isAbsent(content) ? [] : texts)] };
}

function memberFor({ reasoning, isExact }: OpenAiChat, name: string, value: unknown): [string, unknown][] {
  if (name === 'content') return [[name, value]];
  // What Google signed is for Google.
  if (name === 'extra_content') return [];
  if (name === 'reasoning_content') return reasoning === name || reasoning === 'reasoning' ? [[reasoning, value]] : [];
  if (name === 'reasoning_details') return reasoning === name ? [[name, value]] : [];
  const isNothing = isAbsent(value) || (Array.isArray(value) && value.length === 0);
  if (isNothing && isExact !== true) return [];
  return [[name, name === 'tool_calls' ? callsFor(value) : value]];
}

function callsFor(calls: unknown): unknown {
  if (!Array.isArray(calls) || !calls.some((call) => memberAt(call, 'extra_content') !== undefined)) return calls;
  return calls.map((call: unknown) => {
    if (!isObject(call)) return call;
    const { extra_content: _, ...others } = call;
    return others;
  });
}
