import { describe, expect, test } from 'bun:test';
import {
  bytesOf,
  flac,
  longOpusPacket,
  mp3,
  mp4,
  oggOpus,
  oggPage,
  oggVorbis,
  opusPacket,
  wav,
  webm,
} from '../../test/harness/recordings.ts';
import { concat, utf8 } from '../crypto/index.ts';
import { opusSeconds } from './audio-opus.ts';
import { audioSeconds } from './audio-seconds.ts';
import { mediaKind } from './media-kind.ts';

function secondsOf(bytes: Uint8Array): number | undefined {
  const kind = mediaKind(bytes);
  if (kind === undefined) throw new Error('no kind');
  return audioSeconds({ kind, bytes });
}

const packets = (count: number) => Array.from({ length: count }, () => opusPacket());
const mp3Frame = 1152 / 44_100;

describe('a recording is as long as its frames', () => {
  test.each([
    ['wav', wav(3), 3],
    ['wav of µ-law', wav(3, { format: 7, bits: 8 }), 3],
    ['mp3', mp3(50), 50 * mp3Frame],
    [
      'mp3 after a tag',
      concat(utf8('ID3'), bytesOf(4, 0, 0, 0, 0, 0, 100), new Uint8Array(100), mp3(50)),
      50 * mp3Frame,
    ],
    ['flac', flac(10), (10 * 4096) / 8_000],
    ['ogg with Opus', oggOpus(packets(50)), 1],
    ['ogg with Vorbis', oggVorbis(10), (10 * 1024) / 8_000],
    ['webm', webm(packets(50)), 1],
    ['mp4', mp4(100), 6.4],
    ['mp4 that begins with a pause', mp4(100, { edits: [-1, 0] }), 6.4],
    ['mp4 in fragments', mp4(0, { inFragment: 100 }), 6.4],
  ])('%s', (_, bytes, seconds) => {
    expect(secondsOf(bytes)).toBeCloseTo(seconds, 3);
  });
});

describe('what a header says to be shorter than it is, is not believed', () => {
  test.each([
    ['a size of no data', wav(3, { stated: 0 }), 3],
    ['a rate that makes it short', wav(1, { rate: 1_000_000 }), 1],
    ['no samples', flac(10, 0), 5.12],
    ['a clock that stands still', oggOpus(packets(100), 0), 2],
    ['blocks of one moment', webm([longOpusPacket(), longOpusPacket()]), 0.121],
    ['no time at all', mp4(100, { stated: 0 }), 6.4],
  ])('%s', (_, bytes, seconds) => {
    expect(secondsOf(bytes)).toBeCloseTo(seconds, 3);
  });

  test('bytes between the frames of an MP3 count as frames of the lowest bit rate', () => {
    expect(secondsOf(concat(mp3(10), new Uint8Array(5_000), mp3(10)))).toBeCloseTo(10 * mp3Frame + 9.17, 3);
    // Free format: no bit rate, no length.
    expect(secondsOf(concat(bytesOf(0xff, 0xfb, 0x00, 0x00), new Uint8Array(2_996)))).toBe(3);
  });

  test('what looks like a frame of FLAC and has no checksum is part of another', () => {
    const alike = bytesOf(0xff, 0xf8, 0xc4, 0x08, 0, 0);
    expect(secondsOf(concat(flac(10), alike, alike))).toBeCloseTo(5.12, 3);
  });

  // RFC 6716, 3.1: SILK of 10 to 60, hybrids of 10 and 20, CELT of 2.5 to 20 milliseconds.
  test.each([
    [0, 0, 10],
    [3, 0, 60],
    [12, 0, 10],
    [14, 0, 10],
    [15, 0, 20],
    [16, 0, 2.5],
    [31, 1, 40],
    [31, 3, 60],
    [3, 3, 120],
  ])('a packet of Opus with the configuration %d and the code %d has %d ms', (configuration, code, milliseconds) => {
    const packet = bytesOf((configuration << 3) | code, 3, 0, 0);
    expect(opusSeconds(packet, 0) * 1000).toBeCloseTo(milliseconds, 6);
  });

  test('packets without a byte are as long as the longest', () => {
    expect(secondsOf(oggOpus(Array.from({ length: 10 }, () => new Uint8Array())))).toBeCloseTo(1.2, 6);
  });

  test('packed blocks count as many of the longest packets as they say to be', () => {
    expect(secondsOf(webm([concat(bytesOf(9), opusPacket())], { lacing: 0x02 }))).toBeCloseTo(1.2, 6);
  });
});

test('what a header says to be longer than it is, counts', () => {
  expect(secondsOf(flac(10, 80_000))).toBe(10);
  expect(secondsOf(oggOpus(packets(50), 9))).toBe(9);
  expect(secondsOf(mp4(100, { stated: 9 }))).toBe(9);
});

/** With the box of this name so long that it would hide what follows its holder. */
function larger(bytes: Uint8Array, name: string): Uint8Array {
  const at = Buffer.from(bytes).indexOf(name) - 4;
  const changed = bytes.slice();
  changed.set([0, 0x10], at);
  return changed;
}

/** The track's codec, whose length is stated in three bytes after `86 10`. */
function largerCodec(bytes: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes).indexOf('A_OPUS') - 1;
  const changed = bytes.slice();
  changed[at] = 30;
  return changed;
}

/** The first says not to be the last; the second is as long and says another rate. */
const twoHeaders = concat(utf8('fLaC'), bytesOf(0), flac(0).slice(5), flac(10).slice(4));

describe('no length is told', () => {
  const page = oggPage(opusPacket());
  test.each([
    ['a compressed WAV', wav(1, { format: 0x11, bits: 8 })],
    ['a WAV with two formats', concat(wav(0).slice(0, 36), wav(0).slice(12))],
    ['a WAV without data', wav(0).slice(0, 36)],
    ['no sample in a WAV', wav(0)],
    ['no frame in a FLAC', flac(0)],
    ['no packet in Ogg', oggOpus([])],
    ['no frame in an MP4', mp4(0)],
    ['a FLAC with a second header', twoHeaders],
    ['a FLAC before another', concat(flac(10), flac(10))],
    ['a FLAC whose blocks do not end', concat(utf8('fLaC'), bytesOf(0), flac(1).slice(5))],
    ['bytes between pages', concat(oggOpus(packets(1)), bytesOf(0), page)],
    ['another stream', concat(oggOpus(packets(1)), oggPage(opusPacket(), 0, 8))],
    ['a page that breaks off', oggOpus(packets(2)).slice(0, -1)],
    ['an unknown codec in Ogg', oggPage(utf8('Speex   '))],
    ['another codec in WebM', webm(packets(2), { codec: 'A_VORBIS' })],
    ['a WebM of one byte more', concat(webm(packets(2)), bytesOf(0xa3))],
    ['another codec in MP4', mp4(9, { codec: 'alac' })],
    ['another profile of AAC', mp4(9, { profile: 1 })],
    ['edits that play a part again', mp4(9, { edits: [0, 0] })],
    ['a box that is larger than its holder', larger(mp4(9), 'hdlr')],
    ['a box that is larger than the file', larger(mp4(9), 'ftyp')],
    ['an element that is larger than its holder', largerCodec(webm(packets(2)))],
    [
      'an element that is larger than the file',
      concat(webm(packets(2)), bytesOf(0xec, 0x10, 0xff, 0xff, 0xff), webm(packets(9))),
    ],
    ['two tracks of one number', concat(webm(packets(0)), webm(packets(2)))],
    ['an MP4 without a track', mp4(9).slice(0, 20)],
    ['a picture', concat(bytesOf(0x89), utf8('PNG\r\n\x1a\n'))],
  ])('of %s', (_, bytes) => {
    expect(secondsOf(bytes)).toBeUndefined();
  });
});

test('no bytes make it fail or take long', () => {
  const samples = [wav(1), mp3(5), flac(5), oggOpus(packets(5)), oggVorbis(5), webm(packets(5)), mp4(5)];
  for (const sample of samples) {
    for (let length = 12; length < Math.min(sample.length, 400); length += 1) {
      const cut = sample.slice(0, length);
      if (mediaKind(cut) !== undefined) expect(secondsOf(cut) ?? 0).toBeGreaterThanOrEqual(0);
      const broken = sample.slice();
      broken[length] = 0xff;
      if (mediaKind(broken) !== undefined) expect(secondsOf(broken) ?? 0).toBeGreaterThanOrEqual(0);
    }
  }
});

const kindOf = (bytes: Uint8Array) => mediaKind(bytes)?.extension;

test('a kind is told by the first bytes alone', () => {
  expect(kindOf(bytesOf(0xff, 0xd8, 0xff, 0xe0))).toBe('jpg');
  expect(kindOf(concat(utf8('RIFF'), new Uint8Array(4), utf8('WEBP')))).toBe('webp');
  expect(kindOf(bytesOf(0xff, 0xf1, 0, 0))).toBeUndefined();
  expect(kindOf(concat(utf8('ID3'), bytesOf(4, 0, 0, 0, 0, 0, 0), flac(1)))).toBeUndefined();
  expect(kindOf(utf8('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBeUndefined();
  expect(kindOf(new Uint8Array())).toBeUndefined();
});
