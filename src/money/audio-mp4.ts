import { aacRate } from './audio-mp4-description.ts';
import { hasText } from './media-kind.ts';

/** Boxes that hold others: what is in them is read on. */
const holders = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'moof', 'traf', 'mvex']);

const samplesPerFrame = 1024;

/** Some readers take a codec's configuration, or whole tracks, from these: what they then read is not what is read here. */
const misleading = ['esds', 'wave', 'cmov', 'hoov', 'strf', 'glbl', 'wfex', 'dfLa', 'dOps', 'dvc1'];
const refused = new Set(misleading);
/** What tells a length or a rate must not be in a box that is not read on: other readers may look there. */
const hidden = ['moov', 'mvhd', 'moof', 'tfhd', 'elst', 'stsd', 'stsz', 'stz2', ...misleading]
  // A word that people use; what it holds is found by its own name.
  .filter((name) => name !== 'wave')
  .map(wordOf);
/** Nobody reads a `trun` before a fragment has begun; until then it is a part of "truncated" in a note. */
const hiddenInFragments = new Set([...hidden, wordOf('trun')]);
const hiddenInMovie: ReadonlySet<number> = new Set(hidden);
const lastLetters = new Set([...hiddenInFragments].map((name) => name & 0xff));

function wordOf(name: string): number {
  return Array.from(name).reduce((sum, letter) => (sum << 8) | letter.charCodeAt(0), 0);
}

/** Descriptions of what is seen or read. Those of MPEG-4's own video are refused: theirs are as AAC's are. */
const silentEntries = new Set(
  `avc1 avc3 hvc1 hev1 dvh1 dvhe av01 vp08 vp09 jpeg mjpa tx3g text c608 wvtt stpp tmcd mebx metx mett gpmd rtmd camm
  fdsc mp4s`.split(/\s+/),
);

/** More than a day of fragments has: a file made of nothing else must not keep the server busy. */
const mostBoxes = 500_000;
const mostTracks = 16;
const deepest = 16;

interface Track {
  isAudio: boolean;
  /** What its `stsd` hold. */
  descriptions: Uint8Array[];
  frames: number;
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
  let unseen = hiddenInMovie;
  // Where the boxes end that hold the next one: readers differ in what they make of one that is larger than its holder.
  const ends = [bytes.length];
  for (let at = 0; at < bytes.length; boxes += 1) {
    const { name, data, end } = boxAt(bytes, view, at);
    while ((ends.at(-1) ?? at) <= at && ends.length > 1) ends.pop();
    if (end > (ends.at(-1) ?? 0) || ends.length > deepest) return undefined;
    if (boxes === mostBoxes || tracks.length > mostTracks || refused.has(name)) return undefined;
    const track = tracks.at(-1);
    if (name === 'trak') tracks.push({ isAudio: false, descriptions: [], frames: 0, stated: 0, scale: 0 });
    else if (name === 'mvhd') stated = Math.max(stated, lengthAt(view, data).seconds);
    else if (name === 'trun') inFragments += view.getUint32(data + 4);
    // A list of edits can play the same part again and again.
    else if (name === 'elst' && editsAt(view, data) > 1) return undefined;
    else if (track !== undefined) readTrackBox(bytes, view, { name, data, end }, track);
    if (holders.has(name)) ends.push(end);
    else if (name !== 'mdat' && name !== 'stsd' && hidesBox(bytes, data, end, unseen)) return undefined;
    if (name === 'moof') unseen = hiddenInFragments;
    at = holders.has(name) ? data : end;
  }
  const heard = tracks.filter((track) => !isSilent(track));
  const slowest = Math.min(...heard.map(rateOf));
  if (heard.length === 0 || slowest === 0) return undefined;
  const frames = heard.reduce((sum, track) => sum + track.frames, inFragments);
  return Math.max((frames * samplesPerFrame) / slowest, stated, ...heard.map((track) => track.stated));
}

/** Some readers go by what a track says to be, others by its description. */
function isSilent({ isAudio, descriptions }: Track): boolean {
  if (isAudio) return false;
  return descriptions.every(
    (bytes) =>
      silentEntries.has(textIn(bytes, 12)) && bytes[7] === 1 && !hidesBox(bytes, 0, bytes.length, hiddenInFragments),
  );
}

/** Zero for what is not AAC, and where it is said twice: which of two counts is not. */
function rateOf({ descriptions: [description, second] }: Track): number {
  return description === undefined || second !== undefined ? 0 : aacRate(description);
}

/** Whether one of the names stands anywhere, as a box or as a part of what others may take for boxes. */
function hidesBox(bytes: Uint8Array, from: number, to: number, names: ReadonlySet<number>): boolean {
  let word = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    word = (word << 8) | byte;
    if (lastLetters.has(byte) && at >= from + 3 && names.has(word)) return true;
  }
  return false;
}

interface Box {
  readonly name: string;
  readonly data: number;
  readonly end: number;
}

function boxAt(bytes: Uint8Array, view: DataView, at: number): Box {
  const name = textIn(bytes, at + 4);
  const size = view.getUint32(at);
  if (size === 0) return { name, data: at + 8, end: bytes.length };
  if (size !== 1) return boxOf(name, at, 8, size);
  return boxOf(name, at, 16, Number(view.getBigUint64(at + 8)));
}

function textIn(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function boxOf(name: string, at: number, head: number, size: number): Box {
  if (size < head) throw new RangeError('a box smaller than its own head');
  return { name, data: at + head, end: at + size };
}

function readTrackBox(bytes: Uint8Array, view: DataView, { name, data, end }: Box, track: Track): void {
  if (name === 'hdlr') track.isAudio ||= hasText(bytes, data + 8, 'soun');
  else if (name === 'stsz' || name === 'stz2') track.frames += view.getUint32(data + 8);
  else if (name === 'stsd') track.descriptions.push(bytes.subarray(data, end));
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
