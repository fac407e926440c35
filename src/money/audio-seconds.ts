import { flacSeconds } from './audio-flac.ts';
import { mp4Seconds } from './audio-mp4.ts';
import { oggSeconds } from './audio-ogg.ts';
import { webmSeconds } from './audio-webm.ts';
import { afterTag, hasText, type MediaKind } from './media-kind.ts';

/**
 * The most seconds that a decoder can get out of a recording: counted frame by frame, because a header can promise less
 * than follows it. Undefined where that can't be told, or where there is nothing to decode: no price is zero. docs/decisions/audio-by-frames.md
 */
export function audioSeconds({ kind, bytes }: { kind: MediaKind; bytes: Uint8Array }): number | undefined {
  const count = counters[kind.extension];
  if (count === undefined) return undefined;
  try {
    const seconds = count(bytes);
    return seconds !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
  } catch (error) {
    // Read past the end: the file breaks off in the middle of what it says it has.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const counters: { readonly [Extension in MediaKind['extension']]?: (bytes: Uint8Array) => number | undefined } = {
  wav: wavSeconds,
  mp3: mp3Seconds,
  flac: flacSeconds,
  ogg: oggSeconds,
  m4a: mp4Seconds,
  webm: webmSeconds,
};

/** PCM, float, A-law and µ-law: every sample has its own bytes. The compressed formats of a WAV file have not. */
const plainFormats = new Set([1, 3, 6, 7]);
const extensible = 0xfffe;
/** Nobody has more notes in a WAV file. */
const mostChunks = 256;

/** RIFF WAVE: all bytes from the data on, whatever size is stated for them. */
function wavSeconds(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let bytesPerSecond: number | undefined;
  let chunks = 0;
  for (let at = 12; at + 8 <= bytes.length && chunks < mostChunks; chunks += 1) {
    const size = view.getUint32(at + 4, true);
    if (hasText(bytes, at, 'data')) {
      return bytesPerSecond === undefined ? undefined : (bytes.length - at - 8) / bytesPerSecond;
    }
    if (hasText(bytes, at, 'fmt ')) {
      // Which of two would count is not said.
      if (bytesPerSecond !== undefined) return undefined;
      bytesPerSecond = wavRate(view, at + 8, size);
      if (bytesPerSecond === undefined) return undefined;
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}

function wavRate(view: DataView, at: number, size: number): number | undefined {
  const tag = view.getUint16(at, true);
  const format = tag === extensible && size >= 26 ? view.getUint16(at + 24, true) : tag;
  const channels = view.getUint16(at + 2, true);
  const bits = view.getUint16(at + 14, true);
  const frame = (channels * bits) / 8;
  if (!plainFormats.has(format) || bits % 8 !== 0 || frame === 0 || frame !== view.getUint16(at + 12, true)) {
    return undefined;
  }
  return view.getUint32(at + 4, true) * frame;
}

/** In thousands of bits a second, by the index in a header of layer III, for MPEG 1 and for its half rates. */
const bitRates = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const halfBitRates = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const sampleRates = [44_100, 48_000, 32_000];

/** The lowest bit rate that a frame of any layer can state: 8,000 a second. */
const leastBytesPerSecond = 1_000;

/** MPEG audio: frames as long as each follows the last; from where one does not, all bytes at the lowest bit rate. */
function mp3Seconds(bytes: Uint8Array): number {
  let seconds = 0;
  let at = Math.min(afterTag(bytes), bytes.length);
  for (let frame = mp3Frame(bytes, at); frame !== undefined; frame = mp3Frame(bytes, at)) {
    seconds += frame.seconds;
    at += frame.length;
  }
  return seconds + Math.max(0, bytes.length - at) / leastBytesPerSecond;
}

function mp3Frame(bytes: Uint8Array, at: number): { length: number; seconds: number } | undefined {
  const [sync = 0, version = 0, rates = 0] = bytes.subarray(at, at + 3);
  const isLayer3 = sync === 0xff && (version & 0xe6) === 0xe2;
  // 0: MPEG 2.5, 2: MPEG 2, 3: MPEG 1.
  const generation = (version >> 3) & 3;
  const isWhole = generation === 3;
  const kilobits = (isWhole ? bitRates : halfBitRates)[(rates >> 4) - 1];
  const base = sampleRates[(rates >> 2) & 3];
  if (!isLayer3 || generation === 1 || kilobits === undefined || base === undefined) return undefined;
  const rate = base / (isWhole ? 1 : generation === 2 ? 2 : 4);
  const samples = isWhole ? 1152 : 576;
  const length = Math.floor(((samples / 8) * kilobits * 1000) / rate) + ((rates >> 1) & 1);
  return { length, seconds: samples / rate };
}
