import { describe, expect, test } from 'bun:test';
import { concat, utf8 } from '../crypto/index.ts';
import { mp4Seconds } from './audio-mp4.ts';

const u32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const zeros = (length: number) => new Uint8Array(length);
const word = (...values: number[]) => concat(...values.map(u32));

function box(name: string, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const data = concat(...contents);
  return concat(u32(data.length + 8), utf8(name), data);
}

const full = (name: string, ...contents: readonly Uint8Array[]) => box(name, zeros(4), ...contents);

function descriptor(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const data = concat(...contents);
  return concat(Uint8Array.of(tag, data.length), data);
}

/** AAC's own header: profile LC, the index of its rate, one channel. */
const configOf = (rate: number) => Uint8Array.of((2 << 3) | (rate >> 1), ((rate & 1) << 7) | (1 << 3));
const decoderHead = concat(Uint8Array.of(0x40, 0x15), zeros(11));
const streamHead = Uint8Array.of(0, 1, 0);
const sync = descriptor(6, Uint8Array.of(2));
const decoderOf = (config: Uint8Array) => descriptor(4, decoderHead, descriptor(5, config));
const esdsOf = (config: Uint8Array) => full('esds', descriptor(3, streamHead, decoderOf(config), sync));

/** 96,000 and 8,000 samples a second; and one, written out after the index that says so. */
const [fastest, slow] = [configOf(0), configOf(11)];
const written = Uint8Array.of((2 << 3) | 7, 0x80, 0, 0, 0x80 | (1 << 3));

const entryOf = (...children: readonly Uint8Array[]) => box('mp4a', zeros(28), ...children);

/** An extension of this number: 8,000 samples a second in one channel, the index of its own rate, the profile inside. */
const extended = (number: number, rate: number, profile: number) =>
  Uint8Array.of((number << 3) | 5, 0x80 | (1 << 3) | (rate >> 1), ((rate & 1) << 7) | (profile << 2));

interface Parts {
  readonly entry?: Uint8Array;
  readonly entries?: number;
  readonly handler?: string;
  /** More boxes at the end of the table, the track, the movie and the file; of the file, before the movie. */
  readonly inTable?: Uint8Array;
  readonly inTrack?: Uint8Array;
  readonly inMovie?: Uint8Array;
  readonly inFile?: Uint8Array;
  readonly first?: Uint8Array;
}

const none = zeros(0);

/** A thousand frames. */
function trackOf({ entry = entryOf(esdsOf(slow)), entries = 1, handler = 'soun', ...more }: Parts = {}) {
  const description = full('stsd', u32(entries), entry);
  const table = box('stbl', description, full('stsz', word(8, 1000)), more.inTable ?? none);
  const media = box('mdia', full('hdlr', zeros(4), utf8(handler), zeros(13)), box('minf', table));
  return box('trak', media, more.inTrack ?? none);
}

function file(parts: Parts = {}): Uint8Array {
  const { first = none, inMovie = none, inFile = none } = parts;
  const samples = box('mdat', utf8('esds'), zeros(16));
  return concat(box('ftyp', utf8('M4A ')), first, samples, box('moov', trackOf(parts), inMovie), inFile);
}

const decoy = esdsOf(fastest);
const real = esdsOf(slow);

test.each([
  ['its one description', file(), 128],
  ['an extension that doubles it', file({ entry: entryOf(esdsOf(extended(5, 8, 2))) }), 128],
  ['two extensions that double it', file({ entry: entryOf(esdsOf(extended(29, 8, 2))) }), 128],
  ['a bit rate beside it', file({ entry: entryOf(real, box('btrt', zeros(12))) }), 128],
  ['a picture beside it', file({ inMovie: trackOf({ handler: 'vide', entry: box('avc1', zeros(78)) }) }), 128],
  ['a text about it', file({ inMovie: box('udta', full('meta', box('data', utf8('a heat wave, truncated')))) }), 128],
  ['a second track of its kind', file({ inMovie: trackOf({ entry: entryOf(decoy) }) }), 256],
  ['a second track that does not say to be heard', file({ inMovie: trackOf({ handler: 'xxxx' }) }), 256],
  ['a second track that says to be seen', file({ inMovie: trackOf({ handler: 'vide' }) }), 256],
])('AAC in MP4 is as long as its frames, with %s', (_, bytes, seconds) => {
  expect(mp4Seconds(bytes)).toBe(seconds);
});

describe('what could be read in two ways is refused', () => {
  const fields = (...contents: readonly Uint8Array[]) => entryOf(full('esds', ...contents));
  const longLength = concat(Uint8Array.of(5, 0x80, 0x80, 0x80, 0x80, 0x02), slow);
  const pictureThenSound = concat(box('avc1', zeros(78)), box('sowt', zeros(28)));
  const versioned = concat(zeros(8), Uint8Array.of(0, 1), zeros(18), zeros(16));
  test.each<[string, Parts]>([
    ['a decoy in a free box of the entry', { entry: entryOf(box('free', decoy), real) }],
    ['a decoy before a rate that is written out', { entry: entryOf(box('free', decoy), esdsOf(written)) }],
    ['a rate that is written out', { entry: entryOf(esdsOf(written)) }],
    ['an extension whose rate is written out', { entry: entryOf(esdsOf(extended(5, 15, 2))) }],
    ['an extension of another codec', { entry: entryOf(esdsOf(extended(5, 8, 31))) }],
    ['an extension of nothing', { entry: entryOf(esdsOf(extended(29, 8, 0))) }],
    ['an index without a rate', { entry: entryOf(esdsOf(configOf(13))) }],
    ['two in one entry', { entry: entryOf(decoy, real) }],
    ['one in QuickTime’s wrapping', { entry: entryOf(box('wave', real)) }],
    ['a second in QuickTime’s wrapping', { entry: entryOf(decoy, box('wave', real)) }],
    ['a second in the table', { entry: entryOf(decoy), inTable: real }],
    ['a second in the track', { entry: entryOf(decoy), inTrack: real }],
    ['a second in the movie', { entry: entryOf(decoy), inMovie: real }],
    ['a second in the file', { entry: entryOf(decoy), inFile: real }],
    ['a second in notes', { entry: entryOf(decoy), inMovie: box('udta', real) }],
    ['a second in a box that nobody knows', { entry: entryOf(decoy), inTrack: box('abcd', zeros(3), real) }],
    ['a wrapping in the table', { entry: entryOf(decoy), inTable: box('wave', zeros(8)) }],
    ['a second table of descriptions', { entry: entryOf(decoy), inTable: full('stsd', u32(1), entryOf(real)) }],
    ['two entries', { entry: concat(entryOf(decoy), entryOf(real)), entries: 2 }],
    ['an entry more than stated', { entry: concat(entryOf(decoy), entryOf(real)) }],
    ['an entry with a longer head', { entry: box('mp4a', versioned, real) }],
    ['an entry of another version', { entry: box('mp4a', zeros(8), Uint8Array.of(0, 1), zeros(18), real) }],
    ['an entry that ends before it', { entry: concat(u32(36), entryOf(real).slice(4)) }],
    ['an entry less than stated', { entries: 2 }],
    ['another entry of a picture', { inMovie: trackOf({ handler: 'vide', entry: pictureThenSound, entries: 2 }) }],
    ['no configuration', { entry: entryOf() }],
    ['a configuration from elsewhere', { entry: entryOf(decoy), inTable: box('strf', zeros(40), slow) }],
    ['a configuration of FLAC', { entry: entryOf(decoy), inTable: box('dfLa', zeros(8), slow, zeros(32)) }],
    ['a configuration of FLAC in the entry', { entry: entryOf(decoy, box('dfLa', zeros(8), slow, zeros(32))) }],
    ['frames in notes', { inTrack: box('udta', full('stsz', word(8, 9000))) }],
    ['frames of a fragment in notes', { inFile: concat(box('moof'), box('udta', full('trun', word(9000)))) }],
    ['a fragment in notes', { inMovie: box('udta', box('traf', full('tfhd', word(1)), full('trun', word(9000)))) }],
    ['a movie in a free box', { first: box('free', full('mvhd', zeros(96)), trackOf()) }],
    ['a movie under its other name', { first: box('hoov', full('mvhd', zeros(96)), trackOf()) }],
    ['a compressed movie', { inMovie: box('cmov', zeros(20)) }],
    ['a track of another codec', { inMovie: trackOf({ handler: 'xxxx', entry: box('sowt', zeros(28)) }) }],
    ['a picture that could be AAC', { inMovie: trackOf({ handler: 'vide', entry: box('avc1', zeros(78), real) }) }],
    ['a length of five bytes', { entry: fields(descriptor(3, streamHead, descriptor(4, decoderHead, longLength))) }],
    ['bytes after the stream', { entry: fields(descriptor(3, streamHead, decoderOf(fastest)), decoderOf(slow)) }],
    ['two decoders', { entry: fields(descriptor(3, streamHead, decoderOf(fastest), decoderOf(slow))) }],
    [
      'two configurations',
      {
        entry: fields(
          descriptor(3, streamHead, descriptor(4, decoderHead, descriptor(5, fastest), descriptor(5, slow))),
        ),
      },
    ],
    ['a decoder that is longer than its stream', { entry: fields(Uint8Array.of(3, 9), streamHead, decoderOf(slow)) }],
  ])('%s', (_, parts) => {
    expect(mp4Seconds(file(parts))).toBeUndefined();
  });
});
