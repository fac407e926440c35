import { KeyPassError } from '../../errors.ts';
import { isAbsent, isObject, type JsonObject } from '../../money/json.ts';
import type { CacheHint, Message } from './message.ts';
import { saysNothing } from './defaults.ts';
import { parseMessages } from './messages.ts';
import { parseCacheHint } from './parts.ts';
import { malformed, unsupported } from './refusal.ts';
import { parseResponseFormat, type ResponseFormat } from './response-format.ts';
import { parseToolChoice, parseTools, type Tool, type ToolChoice } from './tools.ts';

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
  /** Whose abuse it would be: `safety_identifier`, or the older `user`. */
  readonly user: string | undefined;
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | undefined;
  readonly parallelToolCalls: boolean | undefined;
  readonly responseFormat: ResponseFormat | undefined;
  readonly reasoningEffort: ReasoningEffort | undefined;
  readonly logprobs: boolean;
  /** Undefined for none. */
  readonly topLogprobs: number | undefined;
  /** By a token's number in OpenAI's vocabulary; undefined if it is empty. */
  readonly logitBias: JsonObject | undefined;
  /** Asks the provider to choose by itself where to cache the prompt. */
  readonly cache?: CacheHint;
  readonly stream: boolean;
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type ReasoningEffort = (typeof efforts)[number];

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
  'safety_identifier',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'cache_control',
  'stream',
  'stream_options',
]);

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
  const tools = parseTools(body['tools']);
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
    user: identifier(body),
    tools,
    toolChoice: parseToolChoice(body['tool_choice'], tools),
    parallelToolCalls: optionalFlag(body, 'parallel_tool_calls'),
    responseFormat: parseResponseFormat(body['response_format']),
    reasoningEffort: effort(body['reasoning_effort']),
    logprobs: flag(body, 'logprobs'),
    topLogprobs: integer(body, 'top_logprobs', 0) || undefined,
    logitBias: bias(body['logit_bias']),
    ...parseCacheHint(body['cache_control'], ''),
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
    if (translated.has(name) || isAbsent(value) || saysNothing(name, value)) continue;
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

function identifier(body: JsonObject): string | undefined {
  const older = text(body, 'user') || undefined;
  const current = text(body, 'safety_identifier') || undefined;
  if (older !== undefined && current !== undefined && older !== current) {
    throw malformed('user', 'absent where `safety_identifier` is given');
  }
  return current ?? older;
}

function effort(value: unknown): ReasoningEffort | undefined {
  if (isAbsent(value)) return undefined;
  const known = efforts.find((name) => name === value);
  if (known === undefined) throw malformed('reasoning_effort', `one of ${efforts.join(', ')}`);
  return known;
}

function bias(value: unknown): JsonObject | undefined {
  if (isAbsent(value)) return undefined;
  if (!isObject(value)) throw malformed('logit_bias', 'an object');
  return isEmpty(value) ? undefined : value;
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
  return optionalFlag(holder, name, place) ?? false;
}

function optionalFlag(holder: JsonObject, name: string, place = name): boolean | undefined {
  const value = holder[name];
  if (isAbsent(value)) return undefined;
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
