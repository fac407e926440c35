import { hasText } from './media-kind.ts';

/** Boxes that hold others: what is in them is read on. */
const holders = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'moof', 'traf', 'mvex']);

/** Samples a second by the index in AAC's own header. */
const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const samplesPerFrame = 1024;
/** AAC's profile LC, alone or with the two extensions that double its rate and its samples alike. */
const profiles = new Set([2, 5, 29]);

/** More than a day of fragments has: a file made of nothing else must not keep the server busy. */
const mostBoxes = 500_000;
const mostTracks = 16;
const deepest = 16;

interface Track {
  isAudio: boolean;
  frames: number;
  /** Samples a second of its AAC; zero for any other codec. */
  rate: number;
  /** The longest that it is stated to be. */
  stated: number;
  scale: number;
}

/**
 * MP4 (ISO/IEC 14496-12) with AAC, whole or in fragments: its frames are listed one by one, and each decodes to 1,024
 * samples. What the file states of its length counts if it is more.
 */
export function mp4Seconds(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tracks: Track[] = [];
  let [stated, inFragments, boxes] = [0, 0, 0];
  // Where the boxes end that hold the next one: readers differ in what they make of one that is larger than its holder.
  const ends = [bytes.length];
  for (let at = 0; at < bytes.length; boxes += 1) {
    const { name, data, end } = boxAt(bytes, view, at);
    while ((ends.at(-1) ?? at) <= at && ends.length > 1) ends.pop();
    if (end > (ends.at(-1) ?? 0) || ends.length > deepest) return undefined;
    if (boxes === mostBoxes || tracks.length > mostTracks) return undefined;
    const track = tracks.at(-1);
    if (name === 'trak')
      tracks.push({ isAudio: false, frames: 0, rate: Number.POSITIVE_INFINITY, stated: 0, scale: 0 });
    else if (name === 'mvhd') stated = Math.max(stated, lengthAt(view, data).seconds);
    else if (name === 'trun') inFragments += view.getUint32(data + 4);
    // A list of edits can play the same part again and again.
    else if (name === 'elst' && editsAt(view, data) > 1) return undefined;
    else if (track !== undefined) readTrackBox(bytes, view, { name, data, end }, track);
    if (holders.has(name)) ends.push(end);
    at = holders.has(name) ? data : end;
  }
  const heard = tracks.filter(({ isAudio }) => isAudio);
  const slowest = Math.min(...heard.map(({ rate }) => rate));
  if (heard.length === 0 || slowest === 0 || !Number.isFinite(slowest)) return undefined;
  const frames = heard.reduce((sum, track) => sum + track.frames, inFragments);
  return Math.max((frames * samplesPerFrame) / slowest, stated, ...heard.map((track) => track.stated));
}

interface Box {
  readonly name: string;
  readonly data: number;
  readonly end: number;
}

function boxAt(bytes: Uint8Array, view: DataView, at: number): Box {
  const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  const size = view.getUint32(at);
  if (size === 0) return { name, data: at + 8, end: bytes.length };
  if (size !== 1) return boxOf(name, at, 8, size);
  return boxOf(name, at, 16, Number(view.getBigUint64(at + 8)));
}

function boxOf(name: string, at: number, head: number, size: number): Box {
  if (size < head) throw new RangeError('a box smaller than its own head');
  return { name, data: at + head, end: at + size };
}

function readTrackBox(bytes: Uint8Array, view: DataView, { name, data, end }: Box, track: Track): void {
  if (name === 'hdlr') track.isAudio ||= hasText(bytes, data + 8, 'soun');
  else if (name === 'stsz' || name === 'stz2') track.frames += view.getUint32(data + 8);
  else if (name === 'stsd') track.rate = Math.min(track.rate, aacRate(bytes.subarray(data, end)));
  else if (name === 'stts') track.stated = Math.max(track.stated, listedTime(view, data) / track.scale);
  else if (name === 'mdhd') {
    const { scale, seconds } = lengthAt(view, data);
    track.scale = scale;
    track.stated = Math.max(track.stated, seconds);
  }
}

/** `mvhd` and `mdhd` alike: ticks a second and ticks in all, wider in the second version. */
function lengthAt(view: DataView, data: number): { seconds: number; scale: number } {
  const isWide = view.getUint8(data) === 1;
  const scale = view.getUint32(data + (isWide ? 20 : 12));
  const ticks = isWide ? Number(view.getBigUint64(data + 24)) : view.getUint32(data + 16);
  // All ones where it is not known.
  const isKnown = scale > 0 && ticks !== 0xffffffff && ticks < 2 ** 63;
  return { scale, seconds: isKnown ? ticks / scale : 0 };
}

/** How many edits play something: one that begins at -1 is a pause. */
function editsAt(view: DataView, data: number): number {
  const [length, begins] = view.getUint8(data) === 1 ? [20, 12] : [12, 4];
  const entries = view.getUint32(data + 4);
  let played = 0;
  for (let entry = 0; entry < entries && played < 2; entry += 1) {
    if (view.getInt32(data + 8 + entry * length + begins) !== -1) played += 1;
  }
  return played;
}

function listedTime(view: DataView, data: number): number {
  const entries = view.getUint32(data + 4);
  let ticks = 0;
  for (let entry = 0; entry < entries; entry += 1) {
    const at = data + 8 + entry * 8;
    ticks += view.getUint32(at) * view.getUint32(at + 4);
  }
  return ticks;
}

/** Of AAC's own header in a description: what may stand before it is a fixed part, and QuickTime's wrapping. */
const furthestHeader = 256;

/** The rate out of the one sample description, `mp4a` with its `esds` (ISO/IEC 14496-1, 7.2.6); else zero. */
function aacRate(description: Uint8Array): number {
  const isOne = description[7] === 1 && hasText(description, 12, 'mp4a');
  const esds = Array.from({ length: furthestHeader }, (_, at) => at).find((at) => hasText(description, at, 'esds'));
  if (!isOne || esds === undefined) return 0;
  const stream = descriptorAt(description, esds + 8, 3);
  // No member of a stream's head is optional here, and 0x40 is AAC.
  const decoder = stream === 0 || description[stream + 2] !== 0 ? 0 : descriptorAt(description, stream + 3, 4);
  const config = decoder === 0 || description[decoder] !== 0x40 ? 0 : descriptorAt(description, decoder + 13, 5);
  const [first = 0, second = 0] = config === 0 ? [] : description.subarray(config, config + 2);
  return profiles.has(first >> 3) ? (sampleRates[((first & 7) << 1) | (second >> 7)] ?? 0) : 0;
}

/** Where a descriptor's contents begin: after its tag and its length, which is seven bits a byte. Zero if it is another. */
function descriptorAt(bytes: Uint8Array, at: number, tag: number): number {
  if (bytes[at] !== tag) return 0;
  let next = at + 1;
  while (((bytes[next] ?? 0) & 0x80) !== 0) next += 1;
  return next + 1;
}
