import { isAbsent, isObject, type JsonObject } from '../../money/json.ts';
import { malformed, unsupported } from './refusal.ts';

/** A piece of a message. */
export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

/** One message; `developer` is OpenAI's newer name for `system` and is read as that. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly parts: readonly TextPart[];
}

/** The messages in the form that Anthropic and Google take. */
export interface Conversation {
  /** One text for each part of each system message. */
  readonly system: readonly string[];
  /** Turns that alternate. */
  readonly turns: readonly Turn[];
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly parts: readonly TextPart[];
}

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
};

/**
 * Reads OpenAI's `messages`. Throws `invalid_request` for what OpenAI would not take and `unsupported_parameter` for
 * what is not translated, each with the place: `messages.2.content.0.type`.
 * https://platform.openai.com/docs/api-reference/chat/create
 */
export function parseMessages(value: unknown): Message[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed('messages', 'a list of at least one message');
  return value.map((message: unknown, index) => parseMessage(message, `messages.${index}`));
}

/**
 * Takes the system messages out and joins consecutive messages of one role. System messages count from the beginning,
 * wherever they stand: the same as at both providers' own OpenAI-compatible endpoints. Texts without a character are
 * left out; both providers refuse them, and nothing is said in them.
 * https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
 */
export function conversationOf(messages: readonly Message[]): Conversation {
  const system: string[] = [];
  const turns: { role: Turn['role']; parts: TextPart[] }[] = [];
  for (const { role, parts } of messages) {
    const said = parts.filter(({ text }) => text !== '');
    const last = turns.at(-1);
    if (role === 'system') system.push(...said.map(({ text }) => text));
    else if (last?.role === role) last.parts.push(...said);
    else if (said.length > 0) turns.push({ role, parts: said });
  }
  if (turns.length === 0) throw malformed('messages', 'a conversation: this provider answers no system message alone');
  return { system, turns };
}

function parseMessage(message: unknown, place: string): Message {
  if (!isObject(message)) throw malformed(place, 'an object');
  const { role: name, content, refusal, ...others } = message;
  const role = typeof name === 'string' && Object.hasOwn(roles, name) ? roles[name] : undefined;
  if (name === 'tool' || name === 'function') throw unsupported(`${place}.role`, 'Tools are not translated yet.');
  if (role === undefined) throw malformed(`${place}.role`, 'system, developer, user or assistant');
  refuseOthers(others, place);
  if (role !== 'assistant') {
    refuseOthers({ refusal }, place);
    return { role, parts: parseContent(content, role, `${place}.content`) };
  }
  // An answer that was refused comes back as what the model said.
  const refused = isAbsent(refusal) ? [] : [textPart(refusal, `${place}.refusal`)];
  const parts = isAbsent(content) ? [] : parseContent(content, role, `${place}.content`);
  return { role, parts: [...parts, ...refused] };
}

function parseContent(content: unknown, role: Message['role'], place: string): TextPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw malformed(place, 'a text or a list of parts');
  return content.map((part: unknown, index) => parsePart(part, role, `${place}.${index}`));
}

function parsePart(part: unknown, role: Message['role'], place: string): TextPart {
  if (!isObject(part)) throw malformed(place, 'an object');
  const { type, ...members } = part;
  if (type !== 'text' && !(type === 'refusal' && role === 'assistant')) {
    throw unsupported(`${place}.type`, 'Only parts of text are translated for this provider yet.');
  }
  const { [type]: text, ...others } = members;
  refuseOthers(others, place);
  return textPart(text, `${place}.${type}`);
}

function textPart(text: unknown, place: string): TextPart {
  if (typeof text !== 'string') throw malformed(place, 'a text');
  return { type: 'text', text };
}

/** A client sends an answer back as it got it, with members that are null or empty: those say nothing. */
function refuseOthers(others: JsonObject, place: string): void {
  for (const [name, value] of Object.entries(others)) {
    if (isAbsent(value) || (Array.isArray(value) && value.length === 0)) continue;
    throw unsupported(`${place}.${name}`, 'This member of a message cannot be said to this provider.');
  }
}
