import type { JsonObject } from '../../money/json.ts';
import { stated } from './chat.ts';
import type { AssistantMessage, FilePart, ImagePart, Part, ReasoningDetail, TextPart, ToolMessage } from './message.ts';
import { malformed, unsupported } from './refusal.ts';

/** Whose reasoning it is, in OpenRouter's words. */
export const claudeFormat = 'anthropic-claude-v1';

/**
 * The parts of a user's message as Anthropic's blocks. Throws `unsupported_parameter`.
 * https://platform.claude.com/docs/en/api/messages/create
 */
export function userBlocks(parts: readonly Part[]): JsonObject[] {
  return parts.filter(isWorded).map((part) => {
    switch (part.type) {
      case 'text':
        return textBlock(part);
      case 'image':
        return imageBlock(part);
      case 'file':
        return documentBlock(part);
      default:
        throw unsupported(`${part.place}.type`, 'Claude hears no sound. Send its text.');
    }
  });
}

/** Anthropic refuses a text without a character, and one of white space alone. */
export function isWorded(part: Part): boolean {
  return part.type !== 'text' || hasWords(part.text);
}

function hasWords(text: string): boolean {
  return text.trim() !== '';
}

export function textBlock({ text, cache }: Pick<TextPart, 'text' | 'cache'>): JsonObject {
  return stated({ type: 'text', text, cache_control: cache });
}

/** What a tool gave is a block of the user's. */
export function resultBlock({ callId, parts, cache }: ToolMessage): JsonObject {
  const content = userBlocks(parts);
  return stated({
    type: 'tool_result',
    tool_use_id: idFor(callId),
    content: content.length === 0 ? undefined : content,
    cache_control: cache,
  });
}

/** An id that another provider gave to a call may have characters that Anthropic does not take. */
function idFor(id: string): string {
  if (/^[\w-]+$/.test(id)) return id;
  return new TextEncoder().encode(id).toBase64({ alphabet: 'base64url', omitPadding: true });
}

/**
 * What a model said, as it said it: its thoughts where they stood in the text, then its calls. Thoughts that no Claude
 * has signed are left out, since no Claude can read them.
 */
export function assistantBlocks({ parts, reasoning, toolCalls }: AssistantMessage): JsonObject[] {
  const thoughts = reasoning.flatMap((detail) => {
    const block = thoughtBlock(detail);
    return block === undefined ? [] : [{ block, offset: detail.offset ?? 0 }];
  });
  const blocks: JsonObject[] = [];
  const say = (said: Pick<TextPart, 'text' | 'cache'>) => {
    if (hasWords(said.text)) blocks.push(textBlock(said));
  };
  let start = 0;
  for (const part of parts) {
    const end = start + part.text.length;
    let said = start;
    while (thoughts[0] !== undefined && thoughts[0].offset < end) {
      const { block, offset } = thoughts[0];
      const next = Math.max(said, offset);
      say({ text: part.text.slice(said - start, next - start) });
      said = next;
      blocks.push(block);
      thoughts.shift();
    }
    say({ ...part, text: part.text.slice(said - start) });
    start = end;
  }
  const calls = toolCalls.map(({ id, name, arguments: input }) => ({ type: 'tool_use', id: idFor(id), name, input }));
  return [...blocks, ...thoughts.map(({ block }) => block), ...calls];
}

function thoughtBlock(detail: ReasoningDetail): JsonObject | undefined {
  if (detail.format !== claudeFormat) return undefined;
  if (detail.type === 'reasoning.encrypted') return { type: 'redacted_thinking', data: detail.data };
  const { text, signature } = detail;
  return signature === undefined ? undefined : { type: 'thinking', thinking: text, signature };
}

const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

/** An address is for Anthropic to fetch. https://platform.claude.com/docs/en/build-with-claude/vision */
function imageBlock({ source, detail, place, cache }: ImagePart): JsonObject {
  if (detail !== undefined) {
    throw unsupported(`${place}.image_url.detail`, 'Anthropic chooses the resolution itself. Leave it out.');
  }
  if (source.kind === 'inline' && !imageTypes.includes(source.mediaType)) {
    throw unsupported(`${place}.image_url.url`, 'Claude sees JPEG, PNG, GIF and WebP.');
  }
  if (source.kind === 'url' && !source.url.startsWith('https://')) {
    throw unsupported(`${place}.image_url.url`, 'Anthropic fetches images by https only. Send a data URL.');
  }
  const image =
    source.kind === 'url'
      ? { type: 'url', url: source.url }
      : { type: 'base64', media_type: source.mediaType, data: source.data };
  return stated({ type: 'image', source: image, cache_control: cache });
}

/** https://platform.claude.com/docs/en/build-with-claude/pdf-support */
function documentBlock({ source: { mediaType, data }, filename, place, cache }: FilePart): JsonObject {
  if (mediaType !== 'application/pdf' && mediaType !== 'text/plain') {
    throw unsupported(`${place}.file.file_data`, 'Claude reads PDF and plain text. Send a text part instead.');
  }
  const source =
    mediaType === 'text/plain'
      ? { type: 'text', media_type: mediaType, data: plainText(data, place) }
      : { type: 'base64', media_type: mediaType, data };
  return stated({ type: 'document', source, title: filename, cache_control: cache });
}

function plainText(base64: string, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(base64));
  } catch {
    throw malformed(`${place}.file.file_data`, 'UTF-8 in base64');
  }
}
