import { isAbsent, type JsonObject, memberAt, objectAt, parseObject, textAt } from './json.ts';
import { mergeAnthropicUsage, usageFromAnthropicMessages, usageFromAnthropicUsage } from './usage-anthropic.ts';
import { usageFromGemini, usageFromGeminiEmbed } from './usage-gemini.ts';
import {
  usageFromGroqChat,
  usageFromOpenAiChat,
  usageFromOpenAiEmbeddings,
  usageFromOpenAiResponses,
} from './usage-openai.ts';
import type { Usage, UsageFormat } from './usage.ts';

export interface UsageReading {
  /** Undefined when the answer stated none, or none that can be believed. */
  readonly usage: Usage | undefined;
  readonly servedModel?: string;
  /** As the provider names it; for Anthropic a fast or regional answer is named `fast` or `geo:<region>`. */
  readonly serviceTier?: string;
  /** A stop reason was seen (the first one, where there are several choices), or the whole answer. */
  readonly finished: boolean;
  /** UTF-8 bytes of generated text seen, escapes included: what an estimate starts from. */
  readonly outputBytes: number;
}

/** Reads one answer for its usage while it passes by; fed either one whole body or the events of its stream. */
export interface UsageReader {
  onJson(body: unknown): void;
  /** One server-sent event: its name, if it has one, and its data as text. */
  onEvent(event: string | undefined, data: string): void;
  result(): UsageReading;
}

interface FormatRules {
  read: (body: unknown) => Usage | undefined;
  /** The JSON members that generated text streams in. */
  textMembers: readonly string[];
  /** Where a stop reason shows in an event's text. */
  stop: RegExp;
}

const chatText = ['content', 'arguments', 'reasoning', 'reasoning_content', 'refusal', 'transcript'];
const chatStop = /"finish_reason"\s*:\s*"/;

const rules: Record<UsageFormat, FormatRules> = {
  'openai-chat': { read: usageFromOpenAiChat, textMembers: chatText, stop: chatStop },
  'groq-chat': { read: usageFromGroqChat, textMembers: chatText, stop: chatStop },
  'openai-responses': {
    read: usageFromOpenAiResponses,
    textMembers: ['delta'],
    stop: /"type"\s*:\s*"response\.(?:completed|incomplete|failed)"/,
  },
  'openai-embeddings': { read: usageFromOpenAiEmbeddings, textMembers: [], stop: /^\b$/ },
  'anthropic-messages': {
    read: usageFromAnthropicMessages,
    textMembers: ['text', 'thinking', 'partial_json'],
    stop: /"stop_reason"\s*:\s*"/,
  },
  gemini: { read: usageFromGemini, textMembers: ['text', 'data'], stop: /"finishReason"\s*:\s*"/ },
  'gemini-embed': { read: usageFromGeminiEmbed, textMembers: [], stop: /^\b$/ },
};

/** Only an object counts: chunks before the last state `"usage": null`. Inside a text the quotes would be escaped. */
const statesUsage = /"usage(?:Metadata)?"\s*:\s*\{/;

export function createUsageReader(format: UsageFormat): UsageReader {
  const { read, textMembers, stop } = rules[format];
  const cumulative = format === 'anthropic-messages';
  let first: unknown;
  let whole: unknown;
  let lastWithUsage: string | undefined;
  let merged: JsonObject | undefined;
  let finished = false;
  let outputBytes = 0;

  const usageSoFar = (last: unknown) => {
    if (!cumulative || whole !== undefined) return read(last);
    return merged === undefined ? undefined : usageFromAnthropicUsage(merged);
  };

  return {
    onJson(body) {
      // Gemini streams one JSON array when the app asked for no event stream: its last element has the totals.
      whole = Array.isArray(body) ? body.findLast((chunk) => !isAbsent(memberAt(chunk, 'usageMetadata'))) : body;
      whole ??= {};
      finished = true;
      outputBytes = byteLength(JSON.stringify(body) ?? '');
    },
    onEvent(event, data) {
      if (data === '[DONE]') {
        finished = true;
        return;
      }
      first ??= parseObject(data);
      finished ||= event === 'message_stop' || stop.test(data);
      for (const member of textMembers) outputBytes += textBytes(data, member);
      // Gemini's calls are objects and come whole.
      if (data.includes('"functionCall":')) outputBytes += byteLength(data);
      if (!statesUsage.test(data)) return;
      // Parsing waits for the end where only the last statement counts: Gemini makes one on every chunk.
      if (cumulative) merged = mergeAnthropicUsage(merged, parseObject(data) ?? {});
      else lastWithUsage = data;
    },
    result() {
      const last = whole ?? (lastWithUsage === undefined ? undefined : parseObject(lastWithUsage));
      const servedModel = modelOf(last) ?? modelOf(first);
      const serviceTier = tierOf(merged === undefined ? last : { usage: merged }) ?? tierOf(first);
      return {
        usage: usageSoFar(last),
        ...(servedModel === undefined ? {} : { servedModel }),
        ...(serviceTier === undefined ? {} : { serviceTier }),
        finished,
        outputBytes,
      };
    },
  };
}

function modelOf(body: unknown): string | undefined {
  const inner = objectAt(body, 'response') ?? objectAt(body, 'message') ?? body;
  return textAt(inner, 'model') ?? textAt(inner, 'modelVersion');
}

function tierOf(body: unknown): string | undefined {
  const inner = objectAt(body, 'response') ?? objectAt(body, 'message') ?? body;
  const usage = objectAt(inner, 'usage') ?? objectAt(inner, 'usageMetadata');
  if (textAt(usage, 'speed') === 'fast') return 'fast';
  const region = textAt(usage, 'inference_geo');
  if (region !== undefined && region !== 'global' && region !== 'not_available') return `geo:${region}`;
  return textAt(inner, 'service_tier') ?? textAt(usage, 'service_tier') ?? textAt(usage, 'serviceTier');
}

/** The bytes of every string that `member` has in this JSON text, found without parsing it. */
function textBytes(json: string, member: string): number {
  const name = `"${member}":`;
  let bytes = 0;
  for (let at = json.indexOf(name); at !== -1; at = json.indexOf(name, at)) {
    at += name.length;
    while (json[at] === ' ') at += 1;
    if (json[at] !== '"') continue;
    const end = endOfString(json, at + 1);
    bytes += byteLength(json.slice(at + 1, end));
    at = end;
  }
  return bytes;
}

function endOfString(json: string, start: number): number {
  let at = start;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return Math.min(at, json.length);
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
