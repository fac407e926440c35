import type { JsonObject } from './json.ts';

/** What a file's own bytes say that it is, in the name and type under which it is sent. */
export interface MediaKind {
  readonly extension: 'png' | 'jpg' | 'webp' | 'wav' | 'mp3' | 'flac' | 'ogg' | 'm4a' | 'webm';
  readonly type: string;
}

/** A file of a form. Neither its name nor its stated type is kept: a reader could take it for what it is not. */
export class MediaFile {
  readonly kind: MediaKind;
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(kind: MediaKind, bytes: Uint8Array<ArrayBuffer>) {
    this.kind = kind;
    this.bytes = bytes;
  }
}

/** All files among the fields of a form, those of lists too. */
export function filesIn(form: JsonObject): MediaFile[] {
  return Object.values(form)
    .flat()
    .filter((value) => value instanceof MediaFile);
}

const kinds: readonly [MediaKind, (bytes: Uint8Array) => boolean][] = [
  [{ extension: 'png', type: 'image/png' }, (bytes) => hasText(bytes, 1, 'PNG\r\n')],
  [{ extension: 'jpg', type: 'image/jpeg' }, (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff],
  [{ extension: 'webp', type: 'image/webp' }, (bytes) => hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP')],
  [{ extension: 'wav', type: 'audio/wav' }, (bytes) => hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WAVE')],
  [{ extension: 'flac', type: 'audio/flac' }, (bytes) => hasText(bytes, 0, 'fLaC')],
  [{ extension: 'ogg', type: 'audio/ogg' }, (bytes) => hasText(bytes, 0, 'OggS')],
  [{ extension: 'm4a', type: 'audio/mp4' }, (bytes) => hasText(bytes, 4, 'ftyp')],
  [{ extension: 'webm', type: 'audio/webm' }, (bytes) => hasText(bytes, 0, '\x1a\x45\xdf\xa3')],
  [{ extension: 'mp3', type: 'audio/mpeg' }, isMp3],
];

/** The kind of a file by its first bytes; undefined for what neither images nor recordings are sent as. */
export function mediaKind(bytes: Uint8Array): MediaKind | undefined {
  return kinds.find(([, fits]) => fits(bytes))?.[0];
}

/** Whether `text` (one byte a character) stands at `at`. */
export function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** Where the frames of an MP3 begin: after the tag that may stand before them (ID3v2, its size in seven bits a byte). */
export function afterTag(bytes: Uint8Array): number {
  if (!hasText(bytes, 0, 'ID3')) return 0;
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((bytes[at] ?? 0) & 0x7f), 0);
  const footer = ((bytes[5] ?? 0) & 0x10) === 0 ? 0 : 10;
  return 10 + size + footer;
}

/** A frame of MPEG audio. Layer 0 would be AAC, which the providers do not list. */
function isMp3(bytes: Uint8Array): boolean {
  const at = afterTag(bytes);
  const [first = 0, second = 0] = bytes.subarray(at, at + 2);
  return first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) !== 0;
}
