import { concat, utf8 } from '../../src/crypto/index.ts';

/** Recordings made frame by frame, each with a length that is known; their sound is silence or noise. */

type Bytes = Uint8Array<ArrayBuffer>;

export const bytesOf = (...values: number[]): Bytes => new Uint8Array(values);

const littleEndian = (value: number, length: number): Bytes =>
  Uint8Array.from({ length }, (_, at) => Math.floor(value / 256 ** at) % 256);

const bigEndian = (value: number, length: number): Bytes => littleEndian(value, length).toReversed();

interface WavOptions {
  readonly rate?: number;
  readonly format?: number;
  readonly bits?: number;
  /** Of the data, as the header states it. */
  readonly stated?: number;
}

/** 16 bits in one channel, unless told otherwise. */
export function wav(seconds: number, { rate = 8_000, format = 1, bits = 16, stated }: WavOptions = {}): Bytes {
  const frame = bits / 8;
  const data = new Uint8Array(seconds * rate * frame);
  const head = concat(
    littleEndian(format, 2),
    littleEndian(1, 2),
    littleEndian(rate, 4),
    littleEndian(rate * frame, 4),
    littleEndian(frame, 2),
    littleEndian(bits, 2),
  );
  const chunks = concat(chunk('fmt ', head), utf8('data'), littleEndian(stated ?? data.length, 4), data);
  return concat(utf8('RIFF'), littleEndian(chunks.length + 4, 4), utf8('WAVE'), chunks);
}

function chunk(name: string, data: Uint8Array): Bytes {
  return concat(utf8(name), littleEndian(data.length, 4), data);
}

/** Frames of MPEG 1, layer III, 44,100 samples and 128,000 bits a second: 1,152 samples in 417 bytes each. */
export function mp3(frames: number): Bytes {
  const frame = new Uint8Array(417);
  frame.set([0xff, 0xfb, 0x90, 0x00]);
  return concat(...Array.from({ length: frames }, () => frame));
}

/** One frame of silence for each, 4,096 samples at 8,000 a second; the header may state another number of samples. */
export function flac(frames: number, stated = frames * 4096): Bytes {
  const streamInfo = concat(
    bytesOf(0x80, 0, 0, 34),
    bytesOf(0x10, 0, 0x10, 0),
    new Uint8Array(6),
    rateAndSamples(stated),
  );
  return concat(
    utf8('fLaC'),
    streamInfo,
    new Uint8Array(16),
    ...Array.from({ length: frames }, (_, at) => flacFrame(at)),
  );
}

/** 20 bits of the rate, 3 of the channels, 5 of the sample's size, 36 of the samples in all. */
function rateAndSamples(samples: number): Bytes {
  return concat(bytesOf(8_000 >> 12, (8_000 >> 4) & 0xff, (8_000 & 0x0f) << 4, 0xf0), bigEndian(samples, 4));
}

function flacFrame(number: number): Bytes {
  const head = bytesOf(0xff, 0xf8, 0xc4, 0x08, number % 128);
  return concat(head, bytesOf(crc8(head)), new Uint8Array(5));
}

function crc8(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => {
    let next = sum ^ byte;
    for (let bit = 0; bit < 8; bit += 1) next = next & 0x80 ? ((next << 1) ^ 0x07) & 0xff : next << 1;
    return next;
  }, 0);
}

/** A packet of Opus of one frame of 20 milliseconds (CELT, 31 << 3), and of 60 (SILK, 3 << 3). */
export const opusPacket = (length = 40): Bytes => concat(bytesOf(31 << 3), new Uint8Array(length - 1));
export const longOpusPacket = (length = 40): Bytes => concat(bytesOf(3 << 3), new Uint8Array(length - 1));

/** One page for each packet; the stream's clock says what is stated. */
export function oggOpus(packets: readonly Uint8Array[], statedSeconds = 0): Bytes {
  const head = concat(utf8('OpusHead'), new Uint8Array(11));
  const all = [head, concat(utf8('OpusTags'), new Uint8Array(8)), ...packets];
  return concat(...all.map((packet) => oggPage(packet, statedSeconds * 48_000)));
}

export function oggVorbis(packets: number, rate = 8_000): Bytes {
  const head = concat(
    utf8('\x01vorbis'),
    new Uint8Array(5),
    littleEndian(rate, 4),
    new Uint8Array(12),
    bytesOf(0xb8, 1),
  );
  const rest = Array.from({ length: packets + 2 }, () => oggPage(new Uint8Array(30)));
  return concat(oggPage(head), ...rest);
}

export function oggPage(packet: Uint8Array, granules = 0, serial = 7): Bytes {
  const lacing = [...Array.from({ length: Math.floor(packet.length / 255) }, () => 255), packet.length % 255];
  const head = concat(
    utf8('OggS'),
    bytesOf(0, 0),
    littleEndian(granules, 8),
    littleEndian(serial, 4),
    new Uint8Array(8),
  );
  return concat(head, bytesOf(lacing.length, ...lacing), packet);
}

interface WebmOptions {
  readonly codec?: string;
  readonly lacing?: number;
}

/** As a browser records it: segment and cluster of unknown size, one block for each packet. */
export function webm(packets: readonly Uint8Array[], { codec = 'A_OPUS', lacing = 0 }: WebmOptions = {}): Bytes {
  const track = concat(element([0xd7], bytesOf(1)), element([0x83], bytesOf(2)), element([0x86], utf8(codec)));
  const blocks = packets.map((packet, at) =>
    element([0xa3], concat(bytesOf(0x81), bigEndian(at, 2), bytesOf(lacing), packet)),
  );
  return concat(
    element([0x1a, 0x45, 0xdf, 0xa3], new Uint8Array(4)),
    bytesOf(0x18, 0x53, 0x80, 0x67, ...unknownSize),
    element([0x16, 0x54, 0xae, 0x6b], element([0xae], track)),
    bytesOf(0x1f, 0x43, 0xb6, 0x75, ...unknownSize),
    element([0xe7], bytesOf(0)),
    ...blocks,
  );
}

const unknownSize = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

function element(id: readonly number[], data: Uint8Array): Bytes {
  return concat(bytesOf(...id), bytesOf(0x10, ...bigEndian(data.length, 3)), data);
}

interface Mp4Options {
  /** Of its two headers and its table of times, in seconds. */
  readonly stated?: number;
  /** Where each of its edits begins; a pause is at -1. */
  readonly edits?: readonly number[];
  readonly profile?: number;
  readonly codec?: string;
  /** In a fragment, beside those in the table. */
  readonly inFragment?: number;
}

/** How long, from where, how fast. */
const edit = (begins: number): Bytes => concat(bigEndian(0, 4), bigEndian(begins >>> 0, 4), bigEndian(1, 4));

/** AAC of 16,000 samples a second, 1,024 in a frame; the frames themselves are left out. */
export function mp4(frames: number, options: Mp4Options = {}): Bytes {
  const { stated = 0, edits = [0], profile = 2, codec = 'mp4a', inFragment = 0 } = options;
  const length = concat(new Uint8Array(12), bigEndian(1000, 4), bigEndian(stated * 1000, 4));
  const config = bytesOf((profile << 3) | (8 >> 1), 0);
  const specific = concat(bytesOf(0x05, config.length), config);
  const decoder = concat(bytesOf(0x04, 13 + specific.length, 0x40), new Uint8Array(12), specific);
  const stream = concat(bytesOf(0x03, 3 + decoder.length, 0, 1, 0), decoder);
  const entry = box(codec, concat(new Uint8Array(28), box('esds', concat(new Uint8Array(4), stream))));
  const table = box(
    'stbl',
    box('stsd', concat(bigEndian(1, 8), entry)),
    box('stts', concat(bigEndian(0, 8))),
    box('stsz', concat(bigEndian(0, 8), bigEndian(frames, 4))),
  );
  const handler = box('hdlr', concat(new Uint8Array(8), utf8('soun'), new Uint8Array(12)));
  const media = box('mdia', box('mdhd', length), handler, box('minf', table));
  const track = box('trak', box('edts', box('elst', bigEndian(edits.length, 8), ...edits.map(edit))), media);
  const fragment = box('moof', box('traf', box('trun', bigEndian(inFragment, 8))));
  return concat(box('ftyp', utf8('M4A ')), box('moov', box('mvhd', length), track), fragment);
}

function box(name: string, ...contents: readonly Uint8Array[]): Bytes {
  const data = concat(...contents);
  return concat(bigEndian(data.length + 8, 4), utf8(name), data);
}
