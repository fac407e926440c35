import { isObject, type JsonObject, listAt, memberAt, textAt } from './json.ts';
import { camelMembers } from './proto.ts';
import { tokenizerOf } from './tokens-model.ts';
import { countTokens, type TokenCount } from './tokens.ts';
import type { UsageFormat } from './usage.ts';

/** A prompt that is all there in its request, and what was held for the parts of it that are no text. */
export interface Prompt {
  readonly provider: string;
  readonly model: string;
  readonly format: TextFormat;
  readonly body: JsonObject;
  /** The documented most of inline media. */
  readonly mediaTokens: number;
  /** The most that a provider adds for tools and schemas, their definitions included. */
  readonly toolTokens: number;
}

/** Where an API's prompt is, and what frames it. */
interface Layout {
  /** Members whose texts are read by the model. */
  readonly texts: readonly string[];
  /** Members that it reads as JSON, or in a notation that is no longer. Absent: `toolTokens` stands for them. */
  readonly definitions?: readonly string[];
  /** The list whose items are framed one by one. */
  readonly list: string;
  readonly perItem: number;
  readonly perCall: number;
  readonly perTools: number;
}

/**
 * OpenAI documents 3 tokens for a message, 1 more for a name, 3 that prime the answer, 12 that end definitions of tools.
 * https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
 */
const openAi = { perItem: 3, perCall: 3, perTools: 12 };

/** Of Llama's, gpt-oss's and others' templates: marks around each message, and a preamble with dates. Nothing known is longer. */
const openModels = { perItem: 6, perCall: 128, perTools: 0 };

/** Not documented; nothing known comes near it. */
const others = { perItem: 8, perCall: 32, perTools: 0 };

/** Texts to embed stand by themselves; Google's models mark the beginning and the end of each. */
const bare = { perItem: 2, perCall: 0, perTools: 0 };

const layouts = {
  'openai-chat': {
    texts: ['messages'],
    definitions: ['tools', 'functions', 'response_format'],
    list: 'messages',
    ...openAi,
  },
  'openai-responses': {
    texts: ['instructions', 'input'],
    definitions: ['tools', 'text'],
    list: 'input',
    ...openAi,
  },
  'xai-responses': { texts: ['instructions', 'input'], list: 'input', ...openModels },
  'groq-chat': { texts: ['messages'], list: 'messages', ...openModels },
  'compatible-chat': { texts: ['messages'], list: 'messages', ...openModels },
  'compatible-completions': { texts: ['prompt', 'suffix'], list: 'prompt', ...bare },
  'openrouter-chat': { texts: ['messages'], list: 'messages', ...openModels },
  'perplexity-chat': { texts: ['messages'], list: 'messages', ...openModels },
  'cohere-chat': { texts: ['messages'], list: 'messages', ...openModels },
  'cohere-embed': { texts: ['texts', 'inputs'], list: 'texts', ...bare },
  'anthropic-messages': { texts: ['system', 'messages'], list: 'messages', ...others },
  gemini: { texts: ['systemInstruction', 'contents'], list: 'contents', ...others },
  'openai-embeddings': { texts: ['input'], list: 'input', ...bare },
  'gemini-embed': { texts: ['content', 'title', 'requests'], list: 'requests', ...bare },
} as const satisfies { readonly [Format in UsageFormat]?: Layout };

/** An API whose prompts are texts. */
type TextFormat = keyof typeof layouts;

export function hasTextPrompt(format: UsageFormat): format is TextFormat {
  return Object.hasOwn(layouts, format);
}

/** Tokens of a prompt, as its provider would bill them: an estimate, rounded towards more. */
export async function countPrompt(prompt: Prompt): Promise<TokenCount> {
  const { provider, model, mediaTokens, toolTokens } = prompt;
  const { texts, frame } = promptTexts(prompt);
  const { vocabulary, percent } = tokenizerOf(provider, model);
  const { tokens, isBounded } = await countTokens(texts, vocabulary);
  const layout: Layout = layouts[prompt.format];
  const definitions = layout.definitions === undefined ? toolTokens : 0;
  return { tokens: Math.ceil(((tokens + frame) * percent) / 100) + mediaTokens + definitions, isBounded };
}

/** The texts of a prompt, and the tokens of the frame that an API puts around them. */
export function promptTexts({ format, body }: Pick<Prompt, 'format' | 'body'>): { texts: string[]; frame: number } {
  const layout: Layout = layouts[format];
  const members = format.startsWith('gemini') ? camelMembers(body) : body;
  const texts = layout.texts.flatMap((name) => textsIn(memberAt(members, name)));
  const definitions = (layout.definitions ?? []).map((name) => memberAt(members, name)).filter(isObjectOrList);
  const items = listAt(members, layout.list);
  const names = items.filter((item) => textAt(item, 'name') !== undefined).length;
  const frame =
    layout.perCall +
    Math.max(1, items.length) * layout.perItem +
    names +
    (definitions.length > 0 ? layout.perTools : 0);
  return { texts: [...texts, ...definitions.map((value) => JSON.stringify(value))], frame };
}

/** Words of the protocol, which the model does not read. Longer ones are no such words. */
const labels = new Set(
  'type id tool_call_id tool_use_id call_id mimeType mime_type media_type model taskType task_type'.split(' '),
);
const longestLabel = 128;

/** Members that are objects of the app's own making: their names and numbers are read, too. */
const ownObjects = new Set(['args', 'response', 'input', 'arguments']);

/** Every text in a JSON value but labels and inline media. Walked without recursion: depth is free. */
function textsIn(value: unknown): string[] {
  const texts: string[] = [];
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next === 'string') texts.push(next);
    // An input of embeddings can be tokens themselves: a digit is no less than one.
    else if (typeof next === 'number') texts.push('0');
    else if (Array.isArray(next)) for (const item of next) pending.push(item);
    else if (isObject(next)) addMembers(next, texts, pending);
  }
  return texts;
}

function addMembers(holder: JsonObject, texts: string[], pending: unknown[]): void {
  for (const [name, member] of Object.entries(holder)) {
    if (typeof member === 'string') {
      if (!isLabel(name, member) && !isMedia(name, member, holder)) texts.push(member);
    } else if (ownObjects.has(name) && isObject(member)) texts.push(JSON.stringify(member));
    else if (isObjectOrList(member)) pending.push(member);
  }
}

function isLabel(name: string, text: string): boolean {
  return labels.has(name) && text.length <= longestLabel;
}

/** Inline bytes, which `mediaTokens` stands for. A plain-text document of Anthropic's has `data`, too, and is text. */
function isMedia(name: string, text: string, holder: JsonObject): boolean {
  if (name === 'url' || name === 'image_url') return text.startsWith('data:image/');
  if (name !== 'data') return false;
  return memberAt(holder, 'type') === 'base64' || ['mimeType', 'mime_type', 'format'].some((kind) => kind in holder);
}

function isObjectOrList(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
