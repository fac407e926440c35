import { isAbsent, type JsonObject, listAt, memberAt, objectAt, parseObject, textAt } from './json.ts';
import { answerTexts, noOutput, type OutputText, StreamedText } from './tokens-output.ts';
import { mergeAnthropicUsage, usageFromAnthropicMessages, usageFromAnthropicUsage } from './usage-anthropic.ts';
import { usageFromSpeech, usageFromTranscription } from './usage-audio.ts';
import {
  usageFromCohereChat,
  usageFromCohereEmbed,
  usageFromCompatibleChat,
  usageFromOpenRouterChat,
  usageFromPerplexityChat,
} from './usage-compatible.ts';
import { usageFromGemini, usageFromGeminiEmbed } from './usage-gemini.ts';
import { usageFromOpenAiImages } from './usage-images.ts';
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
  readonly servedModel?: string | undefined;
  /** As the provider names it; for Anthropic a fast or regional answer is named `fast` or `geo:<region>`. */
  readonly serviceTier?: string | undefined;
  /** A stop reason was seen (the first one, where there are several choices), or the whole answer. */
  readonly finished: boolean;
  /** Nothing of any choice follows what was seen. */
  readonly ended?: true | undefined;
  /** The generated text as far as it came: what an estimate starts from. */
  readonly output: OutputText;
  /** How many there were of an answer that is no text. */
  readonly bytes?: number;
}

/** Reads one answer for its usage while it passes by; fed either one whole body or the events of its stream. */
export interface UsageReader {
  onJson(body: unknown): void;
  /** One server-sent event: its name, if it has one, and its data as text. */
  onEvent(event: string | undefined, data: string): void;
  /** The beginning of an event whose rest will not come: only its text counts. */
  onTorn(data: string): void;
  result(): UsageReading;
}

interface TextMember {
  readonly name: string;
  /** How it begins in a JSON text. */
  readonly opening: string;
}

interface FormatRules {
  read: (body: unknown) => Usage | undefined;
  /** The JSON members that generated text streams in, */
  textMembers: readonly TextMember[];
  /** in events whose data match this, if not in all. */
  textEvents?: RegExp;
  /** Where a stop reason shows in an event's text. */
  stop: RegExp;
}

const textIn = (...names: string[]): TextMember[] => names.map((name) => ({ name, opening: `"${name}":` }));

const chatText = textIn('content', 'name', 'arguments', 'reasoning', 'reasoning_content', 'refusal', 'transcript');
/** Of models whose answers are lists of parts, and of completions. */
const compatibleText = [...chatText, ...textIn('text')];
const chatStop = /"finish_reason"\s*:\s*"/;

const responsesRules: FormatRules = {
  read: usageFromOpenAiResponses,
  textMembers: textIn('delta', 'name'),
  // The events around them repeat the request and what the deltas have said.
  textEvents: /"type"\s*:\s*"response\.(?:[a-z_.]+\.delta|output_item\.added)"/,
  stop: /"type"\s*:\s*"response\.(?:completed|incomplete|failed)"/,
};

const rules: Record<UsageFormat, FormatRules> = {
  'openai-chat': { read: usageFromOpenAiChat, textMembers: chatText, stop: chatStop },
  'groq-chat': { read: usageFromGroqChat, textMembers: chatText, stop: chatStop },
  'compatible-chat': { read: usageFromCompatibleChat, textMembers: compatibleText, stop: chatStop },
  'compatible-completions': { read: usageFromCompatibleChat, textMembers: compatibleText, stop: chatStop },
  'openrouter-chat': { read: usageFromOpenRouterChat, textMembers: compatibleText, stop: chatStop },
  // Each event may repeat the message so far beside what is new: an estimate from it is too high, up to what was held.
  'perplexity-chat': { read: usageFromPerplexityChat, textMembers: chatText, stop: chatStop },
  'cohere-chat': {
    read: usageFromCohereChat,
    textMembers: textIn('text', 'thinking', 'name', 'arguments', 'tool_plan'),
    stop: /"type"\s*:\s*"message-end"/,
  },
  'cohere-embed': { read: usageFromCohereEmbed, textMembers: [], stop: /^\b$/ },
  'openai-responses': responsesRules,
  'xai-responses': responsesRules,
  'openai-embeddings': { read: usageFromOpenAiEmbeddings, textMembers: [], stop: /^\b$/ },
  'anthropic-messages': {
    read: usageFromAnthropicMessages,
    textMembers: textIn('text', 'name', 'thinking', 'partial_json'),
    stop: /"stop_reason"\s*:\s*"/,
  },
  gemini: { read: usageFromGemini, textMembers: textIn('text'), stop: /"finishReason"\s*:\s*"/ },
  'gemini-embed': { read: usageFromGeminiEmbed, textMembers: [], stop: /^\b$/ },
  'openai-images': {
    read: usageFromOpenAiImages,
    textMembers: [],
    stop: /"type"\s*:\s*"image_(?:generation|edit)\.completed"/,
  },
  'openai-speech': { read: usageFromSpeech, textMembers: [], stop: /"type"\s*:\s*"speech\.audio\.done"/ },
  'groq-speech': { read: usageFromSpeech, textMembers: [], stop: /^\b$/ },
  'openai-transcription': {
    read: usageFromTranscription,
    textMembers: [],
    stop: /"type"\s*:\s*"transcript\.text\.done"/,
  },
  'groq-transcription': { read: usageFromTranscription, textMembers: [], stop: /^\b$/ },
};

/** Only an object counts: chunks before the last state `"usage": null`. Inside a text the quotes would be escaped. */
const statesUsage = /"usage(?:Metadata)?"\s*:\s*\{/;

/** OpenAI's usage comes in an event of its own, behind all choices. */
const choosesNone = /"choices"\s*:\s*\[\s*\]/;

export function createUsageReader(format: UsageFormat): UsageReader {
  return new Reader(format);
}

class Reader implements UsageReader {
  readonly #format: UsageFormat;
  #first: unknown;
  #whole: unknown;
  #lastWithUsage: string | undefined;
  /** Of a format that states its usage bit by bit. */
  #merged: JsonObject | undefined;
  #finished = false;
  #ended = false;
  #output: OutputText = noOutput;
  #streamed: StreamedText | undefined;

  constructor(format: UsageFormat) {
    this.#format = format;
  }

  onJson(body: unknown): void {
    // Gemini streams one JSON array when the app asked for no event stream: its last element has the totals.
    this.#whole = Array.isArray(body) ? body.findLast((chunk) => !isAbsent(memberAt(chunk, 'usageMetadata'))) : body;
    this.#whole ??= {};
    this.#finished = true;
    this.#ended = true;
    this.#output = { texts: () => answerTexts(body), lostBytes: 0 };
  }

  onEvent(event: string | undefined, data: string): void {
    if (data === '[DONE]') {
      this.#finished = true;
      this.#ended = true;
      return;
    }
    this.#first ??= parseObject(data);
    this.#finished ||= event === 'message_stop' || rules[this.#format].stop.test(data);
    this.onTorn(data);
    if (!statesUsage.test(data)) return;
    this.#ended ||= choosesNone.test(data);
    // Parsing waits for the end where only the last statement counts: Gemini makes one on every chunk.
    if (this.#isCumulative) this.#merged = mergeAnthropicUsage(this.#merged, parseObject(data) ?? {});
    else this.#lastWithUsage = data;
  }

  onTorn(data: string): void {
    const { textMembers, textEvents } = rules[this.#format];
    const kind = textEvents === undefined ? '' : textEvents.exec(data)?.[0];
    if (kind === undefined || textMembers.length === 0) return;
    this.#streamed ??= new StreamedText();
    this.#output = this.#streamed;
    // Where answers to one prompt come in turns, each of them is a text of its own.
    const place = kind + indexIn(data);
    for (const member of textMembers) collect(this.#streamed, data, member, place);
    if (this.#format === 'gemini' && data.includes('"functionCall":')) addCalls(this.#streamed, data);
  }

  result(): UsageReading {
    const last = this.#whole ?? (this.#lastWithUsage === undefined ? undefined : parseObject(this.#lastWithUsage));
    return {
      usage: this.#usageSoFar(last),
      servedModel: modelOf(last) ?? modelOf(this.#first),
      serviceTier: tierOf(this.#merged === undefined ? last : { usage: this.#merged }) ?? tierOf(this.#first),
      finished: this.#finished,
      ended: this.#ended || undefined,
      output: this.#output,
    };
  }

  #usageSoFar(last: unknown): Usage | undefined {
    if (!this.#isCumulative || this.#whole !== undefined) return rules[this.#format].read(last);
    return this.#merged === undefined ? undefined : usageFromAnthropicUsage(this.#merged);
  }

  get #isCumulative(): boolean {
    return this.#format === 'anthropic-messages';
  }
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

/** Every string that a member has in this JSON text, found without parsing it. */
function collect(text: StreamedText, json: string, { name, opening }: TextMember, place: string): void {
  for (let at = json.indexOf(opening); at !== -1; at = json.indexOf(opening, at)) {
    at += opening.length;
    while (json[at] === ' ') at += 1;
    if (json[at] !== '"') continue;
    const end = endOfString(json, at + 1);
    text.add(name + place, json.slice(at + 1, end));
    at = end;
  }
}

/** Gemini's calls are objects, and each comes whole. */
function addCalls(text: StreamedText, data: string): void {
  const candidates = listAt(parseObject(data), 'candidates');
  const parts = candidates.flatMap((candidate) => listAt(objectAt(candidate, 'content'), 'parts'));
  const calls = parts.map((part) => objectAt(part, 'functionCall')).filter((call) => call !== undefined);
  // Of one that was torn off, what came of it.
  const found = calls.length > 0 ? calls.map((call) => JSON.stringify(call)) : [data];
  for (const [at, call] of found.entries()) text.add(`call ${at}`, JSON.stringify(call).slice(1, -1));
}

/** Where a JSON string ends that began at `start`; where it was torn off, the end of its last whole character. */
function endOfString(json: string, start: number): number {
  let at = start;
  while (at < json.length && json[at] !== '"') {
    const length = json[at] !== '\\' ? 1 : json[at + 1] === 'u' ? 6 : 2;
    if (at + length > json.length) return at;
    at += length;
  }
  return at;
}

const indexMember = 'index":';

/** The first index in an event: of the choice, the block or the item that it goes on with. */
function indexIn(json: string): string {
  const at = json.indexOf(indexMember);
  return at === -1 ? '' : String(Number.parseInt(json.slice(at + indexMember.length, at + indexMember.length + 4), 10));
}
