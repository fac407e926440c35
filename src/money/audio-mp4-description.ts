import { hasText } from './media-kind.ts';

/** Samples a second by the index in AAC's own header. A rate that is written out instead is refused: it may be any. */
const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
/** AAC's profile LC, and the two extensions that double its rate and its samples alike. */
const plain = 2;
const extensions = new Set([5, 29]);

/** What a description's entry may have beside its one `esds`: bit rates and places of the channels. */
const harmless = new Set(['btrt', 'chan']);
/** An entry's head and the fixed part of a sound's: channels, bits, rate. */
const entryHead = 36;

const tags = { stream: 3, decoder: 4, specific: 5, sync: 6 } as const;
/** ISO/IEC 14496-3 in a decoder's description. */
const aac = 0x40;

/** A part of the file from `data` to `end`. */
interface Span {
  readonly data: number;
  readonly end: number;
}

/**
 * Samples a second by the contents of an `stsd` that has one entry, `mp4a` with one `esds` (ISO/IEC 14496-1, 7.2.6) and
 * nothing that could hold another; else zero. Readers differ in which of two they take.
 */
export function aacRate(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isOne = view.getUint32(0) === 0 && view.getUint32(4) === 1 && hasText(bytes, 12, 'mp4a');
  // Another version of the entry has a longer head, for some readers.
  if (!isOne || view.getUint32(8) !== bytes.length - 8 || view.getUint16(24) !== 0) return 0;
  let found: Span | undefined;
  for (let at = 8 + entryHead; at < bytes.length;) {
    const size = view.getUint32(at);
    const end = at + size;
    if (size < 8 || end > bytes.length) return 0;
    if (!hasText(bytes, at + 4, 'esds')) {
      if (!harmless.has(String.fromCharCode(...bytes.subarray(at + 4, at + 8)))) return 0;
    } else if (found === undefined) found = { data: at + 8, end };
    else return 0;
    at = end;
  }
  return found === undefined ? 0 : rateIn(bytes, found);
}

/** Down to AAC's header, each descriptor filling the last: what is left over could be read as another. */
function rateIn(bytes: Uint8Array, esds: Span): number {
  const stream = descriptorAt(bytes, esds.data + 4, esds.end, tags.stream);
  // No member of a stream's head is optional here.
  if (stream === undefined || stream.end !== esds.end || bytes[stream.data + 2] !== 0) return 0;
  const decoder = descriptorAt(bytes, stream.data + 3, stream.end, tags.decoder);
  if (decoder === undefined || bytes[decoder.data] !== aac) return 0;
  const sync = descriptorAt(bytes, decoder.end, stream.end, tags.sync);
  if ((sync ?? decoder).end !== stream.end) return 0;
  const config = descriptorAt(bytes, decoder.data + 13, decoder.end, tags.specific);
  if (config === undefined || config.end !== decoder.end) return 0;
  return configuredRate(bytes.subarray(config.data, config.end));
}

/** Of AAC's own header: profile, index of the rate, channels; in an extension its own rate, and the profile inside. */
function configuredRate([first = 0, second = 0, third = 0]: Uint8Array): number {
  const profile = first >> 3;
  const rate = sampleRates[((first & 7) << 1) | (second >> 7)] ?? 0;
  if (profile === plain) return rate;
  // What is inside may be another codec, with frames of another length.
  const isExtended = sampleRates[((second & 7) << 1) | (third >> 7)] !== undefined && ((third >> 2) & 31) === plain;
  return extensions.has(profile) && isExtended ? rate : 0;
}

/** A length is seven bits a byte, in four bytes at the most: readers stop there. */
const longestLength = 4;

function descriptorAt(bytes: Uint8Array, at: number, limit: number, tag: number): Span | undefined {
  if (at >= limit || bytes[at] !== tag) return undefined;
  let length = 0;
  for (let data = at + 1; data <= at + longestLength;) {
    const byte = bytes[data] ?? 0;
    length = length * 128 + (byte & 0x7f);
    data += 1;
    if (byte < 0x80) return { data, end: data + length };
  }
  return undefined;
}
