import { isAbsent, isObject, type JsonObject, memberAt } from '../../money/json.ts';
import type { AudioPart, CacheHint, FilePart, ImagePart, InlineSource, Part, TextPart } from './message.ts';
import { malformed, refuseOthers, unsupported } from './refusal.ts';

/** Reads `content` where only texts may stand; a refusal among an assistant's is the text that it is. */
export function parseTexts(content: unknown, place: string, kinds: readonly string[] = ['text']): TextPart[] {
  return parseList(content, place, (part, at) => {
    const type = memberAt(part, 'type');
    if (typeof type !== 'string' || !kinds.includes(type)) {
      throw unsupported(`${at}.type`, 'Only text can stand in a message of this role.');
    }
    return textPart(part, type, at);
  });
}

/** Reads the `content` of a user's or a tool's message: a text, or parts of text, images, audio and files. */
export function parseParts(content: unknown, place: string): Part[] {
  return parseList(content, place, (part, at) => {
    const type = memberAt(part, 'type');
    const read = typeof type === 'string' && Object.hasOwn(readers, type) ? readers[type] : undefined;
    if (read === undefined) throw unsupported(`${at}.type`, 'This kind of part cannot be said to this provider.');
    return read(part, at);
  });
}

/** Reads `cache_control`, which is Anthropic's own word for where to cache a prompt; `place` is empty for the whole request. */
export function parseCacheHint(value: unknown, place: string): { cache?: CacheHint } {
  if (isAbsent(value)) return {};
  const at = place === '' ? 'cache_control' : `${place}.cache_control`;
  if (!isObject(value) || value['type'] !== 'ephemeral') throw malformed(at, '{ "type": "ephemeral" }, or with a ttl');
  const { type, ttl, ...others } = value;
  refuseOthers(others, at);
  if (isAbsent(ttl)) return { cache: { type } };
  if (ttl !== '5m' && ttl !== '1h') throw malformed(`${at}.ttl`, '5m or 1h');
  return { cache: { type, ttl } };
}

const readers: Readonly<Record<string, (part: JsonObject, place: string) => Part>> = {
  text: (part, place) => textPart(part, 'text', place),
  image_url: imagePart,
  input_audio: audioPart,
  file: filePart,
};

function parseList<T>(content: unknown, place: string, read: (part: JsonObject, place: string) => T): T[] {
  // A text alone is the same as one part of text.
  if (typeof content === 'string') return [read({ type: 'text', text: content }, place)];
  if (!Array.isArray(content)) throw malformed(place, 'a text or a list of parts');
  return content.map((part: unknown, index) => {
    const at = `${place}.${index}`;
    if (!isObject(part)) throw malformed(at, 'an object');
    return read(part, at);
  });
}

function textPart(part: JsonObject, type: string, place: string): TextPart {
  const { type: _, [type]: text, cache_control, ...others } = part;
  refuseOthers(others, place);
  if (typeof text !== 'string') throw malformed(`${place}.${type}`, 'a text');
  return { type: 'text', text, place, ...parseCacheHint(cache_control, place) };
}

function imagePart(part: JsonObject, place: string): ImagePart {
  const { type: _, image_url: image, cache_control, ...others } = part;
  refuseOthers(others, place);
  const at = `${place}.image_url`;
  if (!isObject(image)) throw malformed(at, 'an object');
  const { url, detail, ...rest } = image;
  refuseOthers(rest, at);
  if (typeof url !== 'string') throw malformed(`${at}.url`, 'an address or a data URL');
  if (!isAbsent(detail) && typeof detail !== 'string') throw malformed(`${at}.detail`, 'a text');
  return {
    type: 'image',
    source: url.startsWith('data:') ? inlineSource(url, `${at}.url`) : { kind: 'url', url },
    detail: detail === 'auto' ? undefined : (detail ?? undefined),
    place,
    ...parseCacheHint(cache_control, place),
  };
}

function audioPart(part: JsonObject, place: string): AudioPart {
  const { type: _, input_audio: audio, cache_control, ...others } = part;
  refuseOthers(others, place);
  const at = `${place}.input_audio`;
  if (!isObject(audio)) throw malformed(at, 'an object');
  const { data, format, ...rest } = audio;
  refuseOthers(rest, at);
  if (typeof data !== 'string') throw malformed(`${at}.data`, 'base64');
  if (typeof format !== 'string') throw malformed(`${at}.format`, 'a format such as wav');
  return { type: 'audio', format, data, place, ...parseCacheHint(cache_control, place) };
}

function filePart(part: JsonObject, place: string): FilePart {
  const { type: _, file, cache_control, ...others } = part;
  refuseOthers(others, place);
  const at = `${place}.file`;
  if (!isObject(file)) throw malformed(at, 'an object');
  const { file_data: data, filename, ...rest } = file;
  refuseOthers(rest, at);
  if (typeof data !== 'string') throw malformed(`${at}.file_data`, 'a data URL');
  if (!isAbsent(filename) && typeof filename !== 'string') throw malformed(`${at}.filename`, 'a text');
  return {
    type: 'file',
    source: inlineSource(data, `${at}.file_data`),
    filename: filename ?? undefined,
    place,
    ...parseCacheHint(cache_control, place),
  };
}

/** `data:image/png;base64,…`. https://www.rfc-editor.org/rfc/rfc2397 */
function inlineSource(url: string, place: string): InlineSource {
  const comma = url.indexOf(',');
  const [mediaType = '', ...parameters] = url.slice('data:'.length, Math.max(comma, 0)).toLowerCase().split(';');
  if (!url.startsWith('data:') || parameters.at(-1) !== 'base64' || !/^[\w.+-]+\/[\w.+-]+$/.test(mediaType)) {
    throw malformed(place, 'a data URL in base64 that names its media type');
  }
  // No registered name, but one that many give and OpenAI takes.
  return {
    kind: 'inline',
    mediaType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType,
    data: url.slice(comma + 1),
  };
}
