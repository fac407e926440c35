import type { JsonObject } from '../../money/json.ts';
import type { GeminiTraits } from './google-models.ts';
import type { AudioPart, ImagePart, Message, Part } from './message.ts';
import { unsupported } from './refusal.ts';
import { spoken } from './turns.ts';

/** The parts of a user's message. Throws `unsupported_parameter`. https://ai.google.dev/api/caching#Part */
export function userParts(parts: readonly Part[], traits: GeminiTraits): JsonObject[] {
  return spoken(parts).map((part) => {
    if (part.type === 'text') return { text: part.text };
    if (part.type === 'image') return imagePart(part, traits);
    return inlinePart(part.type === 'file' ? part.source : { mediaType: audioType(part), data: part.data });
  });
}

/** An image or a document within a function's result. Throws `unsupported_parameter`. */
export function resultMedia(part: Exclude<Part, { type: 'text' }>, { richResults }: GeminiTraits): JsonObject {
  if (!richResults || part.type === 'audio' || part.source.kind !== 'inline') {
    const why =
      'Of media, Gemini 3 and later take images and documents in a result, in base64. Others take text alone.';
    throw unsupported(`${part.place}.type`, why);
  }
  return inlinePart(part.source);
}

/**
 * `detail` is said for a whole request, as every Gemini model takes it: so all images must agree, and no document may
 * be there, whose pages it would be about too. Throws `unsupported_parameter`.
 * https://ai.google.dev/api/generate-content#MediaResolution
 */
export function mediaResolution(messages: readonly Message[]): string | undefined {
  const media = messages.flatMap(({ parts }): readonly Part[] => parts);
  const images = media.filter((part): part is ImagePart => part.type === 'image');
  const detailed = images.find(({ detail }) => detail !== undefined);
  if (detailed?.detail === undefined) return undefined;
  const { detail, place } = detailed;
  const resolution = Object.hasOwn(resolutions, detail) ? resolutions[detail] : undefined;
  const isForAll = images.every((image) => image.detail === detail) && media.every(({ type }) => type !== 'file');
  if (resolution === undefined || !isForAll) {
    const why = 'Google takes low or high, for all images of a request alike, and no files beside them.';
    throw unsupported(`${place}.image_url.detail`, why);
  }
  return resolution;
}

const resolutions: Readonly<Record<string, string>> = { low: 'MEDIA_RESOLUTION_LOW', high: 'MEDIA_RESOLUTION_HIGH' };

/** The kinds that Google fetches, by the endings of their addresses. https://ai.google.dev/gemini-api/docs/file-input-methods */
const fetched: Readonly<Record<string, string>> = {
  bmp: 'image/bmp',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
};

function imagePart({ source, place }: ImagePart, { addresses }: GeminiTraits): JsonObject {
  if (source.kind === 'inline') return inlinePart(source);
  const url = URL.parse(source.url);
  const [, ending = ''] = /\.(\w{1,10})$/.exec(url?.pathname.toLowerCase() ?? '') ?? [];
  const mimeType = Object.hasOwn(fetched, ending) ? fetched[ending] : undefined;
  if (!addresses || url?.protocol !== 'https:' || mimeType === undefined) {
    // Google must be told the kind of what it fetches, and KeyPass fetches nothing to find it out.
    const why = 'Google fetches https addresses that end in .png, .jpg, .webp or .bmp, for Gemini 2.5 and later.';
    throw unsupported(`${place}.image_url.url`, `${why} Send the image in base64.`);
  }
  return { fileData: { mimeType, fileUri: source.url } };
}

/** https://ai.google.dev/gemini-api/docs/audio#supported-formats */
const audioFormats = ['wav', 'mp3', 'aiff', 'aac', 'ogg', 'flac'];

function audioType({ format, place }: AudioPart): string {
  if (!audioFormats.includes(format)) {
    throw unsupported(`${place}.input_audio.format`, `Google takes ${audioFormats.join(', ')}.`);
  }
  return `audio/${format}`;
}

function inlinePart({ mediaType, data }: { mediaType: string; data: string }): JsonObject {
  return { inlineData: { mimeType: mediaType, data } };
}
