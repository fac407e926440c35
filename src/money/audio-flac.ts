import { hasText } from './media-kind.ts';

/** Samples a second by the code in a frame's header; the first stands for what the stream's own header says. */
const sampleRates = [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

/**
 * FLAC (RFC 9639): every place where a frame can begin, told by the checksum of its header. A place inside of another
 * frame that happens to have one counts too, which only adds.
 */
export function flacSeconds(bytes: Uint8Array): number | undefined {
  if (!hasOneHeader(bytes)) return undefined;
  const streamRate = ((bytes[18] ?? 0) << 12) | ((bytes[19] ?? 0) << 4) | ((bytes[20] ?? 0) >> 4);
  if (streamRate === 0) return undefined;
  let seconds = 0;
  for (let at = 4; at < bytes.length; at += 1) {
    // Another stream: its frames may go by its own rate.
    if (bytes[at] === 0x66 && isStreamAt(bytes, at)) return undefined;
    if (bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xfe) === 0xf8) seconds += frameSeconds(bytes, at, streamRate);
  }
  return Math.max(seconds, statedSamples(bytes) / streamRate);
}

/** The stream's header is the first block, 34 bytes. Which of two counts is not said: none of the blocks after is one. */
function hasOneHeader(bytes: Uint8Array): boolean {
  for (let at = 4; at + 4 <= bytes.length;) {
    const [kind = 0, high = 0, middle = 0, low = 0] = bytes.subarray(at, at + 4);
    const length = (high << 16) | (middle << 8) | low;
    const isHeader = kind % 128 === 0;
    if (isHeader !== (at === 4) || (isHeader && length !== 34)) return false;
    at += 4 + length;
    if (kind >= 128) return at <= bytes.length;
  }
  return false;
}

function isStreamAt(bytes: Uint8Array, at: number): boolean {
  return hasText(bytes, at, 'fLaC') && (bytes[at + 4] ?? 1) % 128 === 0 && hasText(bytes, at + 5, '\0\0\x22');
}

function statedSamples(bytes: Uint8Array): number {
  const high = (bytes[21] ?? 0) % 16;
  return [22, 23, 24, 25].reduce((sum, at) => sum * 256 + (bytes[at] ?? 0), high);
}

/** Zero where no frame begins. */
function frameSeconds(bytes: Uint8Array, at: number, streamRate: number): number {
  const sizes = bytes[at + 2] ?? 0;
  const sizeCode = sizes >> 4;
  const rateCode = sizes % 16;
  if (sizeCode === 0 || rateCode === 15 || (bytes[at + 3] ?? 1) % 2 !== 0) return 0;
  let end = at + 4 + numberLength(bytes[at + 4] ?? 0);
  let samples = samplesOf(sizeCode);
  if (sizeCode === 6) samples = (bytes[end++] ?? 0) + 1;
  if (sizeCode === 7) samples = (bytes[end++] ?? 0) * 256 + (bytes[end++] ?? 0) + 1;
  let rate = rateCode === 0 ? streamRate : (sampleRates[rateCode] ?? 0);
  if (rateCode === 12) rate = (bytes[end++] ?? 0) * 1000;
  if (rateCode > 12) rate = ((bytes[end++] ?? 0) * 256 + (bytes[end++] ?? 0)) * (rateCode === 14 ? 10 : 1);
  if (end >= bytes.length || rate === 0 || checksum(bytes, at, end) !== bytes[end]) return 0;
  return samples / rate;
}

function samplesOf(code: number): number {
  if (code === 1) return 192;
  return code < 6 ? 576 * 2 ** (code - 2) : 256 * 2 ** (code - 8);
}

/** A frame's number is written as UTF-8 writes a code point, in up to seven bytes. */
function numberLength(first: number): number {
  const ones = Math.clz32(~(first << 24));
  return ones === 0 ? 1 : ones;
}

/** CRC-8 with the polynomial x⁸ + x² + x + 1, by the byte: a file may be full of what looks like frames. */
function checksum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum = table[sum ^ (bytes[at] ?? 0)] ?? 0;
  return sum;
}

const table = Uint8Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum << 1) ^ ((sum & 0x80) === 0 ? 0 : 0x107);
  return sum;
});
