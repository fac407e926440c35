import { KeyPassError } from '../../errors.ts';
import { isAbsent, isObject, type JsonObject } from '../../money/json.ts';
import { parseMessages, type Message } from './messages.ts';
import { malformed, unsupported } from './refusal.ts';

/** A chat in OpenAI's shape, read and checked: what there is to translate. Absent members are undefined. */
export interface Chat {
  readonly model: string;
  readonly messages: readonly Message[];
  /** `max_completion_tokens`, or the older `max_tokens`. */
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly presencePenalty: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly choices: number;
  readonly user: string | undefined;
  readonly stream: boolean;
}

const translated = new Set([
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'seed',
  'stop',
  'n',
  'user',
  'stream',
  'stream_options',
]);

/** Values that ask for nothing but the default, so that leaving them out loses nothing. */
const saysNothing: Readonly<Record<string, (value: unknown) => boolean>> = {
  logit_bias: isEmpty,
  logprobs: (value) => value === false,
  metadata: isEmpty,
  modalities: (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text',
  response_format: (value) => isObject(value) && value['type'] === 'text',
  service_tier: (value) => value === 'auto' || value === 'default',
  store: (value) => value === false,
  tools: isEmpty,
};

/**
 * Reads a chat that is to be translated. Throws `invalid_request` for what OpenAI would not take either, and
 * `unsupported_parameter` for what is not translated; both name the parameter.
 * https://platform.openai.com/docs/api-reference/chat/create
 */
export function parseChat(body: unknown): Chat {
  if (!isObject(body)) throw new KeyPassError('invalid_request', 'The body must be a JSON object.');
  refuseUntranslated(body);
  const stream = flag(body, 'stream');
  readStreamOptions(body, stream);
  return {
    model: text(body, 'model') ?? '',
    messages: parseMessages(body['messages']),
    maxTokens: maxTokens(body),
    temperature: number(body, 'temperature', 0, 2),
    topP: number(body, 'top_p', 0, 1),
    presencePenalty: number(body, 'presence_penalty', -2, 2),
    frequencyPenalty: number(body, 'frequency_penalty', -2, 2),
    seed: integer(body, 'seed', Number.MIN_SAFE_INTEGER),
    stop: stops(body['stop']),
    choices: integer(body, 'n', 1) ?? 1,
    user: text(body, 'user'),
    stream,
  };
}

/** Whether a stream is to end with its usage. */
export function asksForUsage(body: JsonObject): boolean {
  const options = body['stream_options'];
  return isObject(options) && options['include_usage'] === true;
}

/** The members that have a value: providers take an absent member, not all of them take null. */
export function stated(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function refuseUntranslated(body: JsonObject): void {
  for (const [name, value] of Object.entries(body)) {
    if (translated.has(name) || isAbsent(value)) continue;
    if (Object.hasOwn(saysNothing, name) && saysNothing[name]?.(value) === true) continue;
    throw unsupported(name, 'This parameter cannot be said to this provider. Leave it out.');
  }
}

function readStreamOptions(body: JsonObject, stream: boolean): void {
  const options = body['stream_options'];
  if (isAbsent(options)) return;
  if (!isObject(options)) throw malformed('stream_options', 'an object');
  if (!stream) throw malformed('stream_options', 'absent where `stream` is not true');
  flag(options, 'include_usage', 'stream_options.include_usage');
  for (const [name, value] of Object.entries(options)) {
    // KeyPass pads no events, so `include_obfuscation: false` is what it does anyway.
    if (name === 'include_usage' || isAbsent(value) || (name === 'include_obfuscation' && value === false)) continue;
    throw unsupported(`stream_options.${name}`, 'This option cannot be given for this provider.');
  }
}

function maxTokens(body: JsonObject): number | undefined {
  const older = integer(body, 'max_tokens', 1);
  const current = integer(body, 'max_completion_tokens', 1);
  if (older !== undefined && current !== undefined) {
    throw malformed('max_tokens', 'absent where `max_completion_tokens` is given');
  }
  return current ?? older;
}

function stops(value: unknown): string[] {
  if (isAbsent(value)) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((stop) => {
    if (typeof stop !== 'string' || stop === '') throw malformed('stop', 'a text or a list of texts, none empty');
    return stop;
  });
}

function flag(holder: JsonObject, name: string, place = name): boolean {
  const value = holder[name];
  if (isAbsent(value)) return false;
  if (typeof value !== 'boolean') throw malformed(place, 'true or false');
  return value;
}

function text(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') throw malformed(name, 'a text');
  return value;
}

function number(body: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = body[name];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw malformed(name, `a number from ${least} to ${most}`);
  }
  return value;
}

function integer(body: JsonObject, name: string, least: number): number | undefined {
  const value = body[name];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw malformed(name, least > 0 ? `a whole number of at least ${least}` : 'a whole number');
  }
  return value;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
