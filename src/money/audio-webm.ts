import { longestOpusPacket, opusSeconds } from './audio-opus.ts';
import { hasText } from './media-kind.ts';

const id = {
  segment: 0x18538067,
  information: 0x1549a966,
  timeScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  codec: 0x86,
  /** Of blocks whose bytes are packed: their first ones are not those of a packet. */
  contentEncodings: 0x6d80,
  cluster: 0x1f43b675,
  clusterTime: 0xe7,
  blockGroup: 0xa0,
  block: 0xa1,
  simpleBlock: 0xa3,
} as const;

/** Elements that hold others: what is in them is read on. */
const holders = new Set<number>([id.segment, id.information, id.tracks, id.trackEntry, id.cluster, id.blockGroup]);

/** More than hours of the shortest packets have: a file made of nothing else must not keep the server busy. */
const mostElements = 1_500_000;
const mostTracks = 16;
const deepest = 16;

interface Element {
  readonly id: number;
  readonly data: number;
  /** Infinite where the size is not known. */
  readonly end: number;
}

/**
 * WebM (RFC 9559) as browsers record it: Opus, in blocks of one packet each. Every block counts as long as it decodes, or
 * as late as it is stated to be played, whichever is more.
 */
export function webmSeconds(bytes: Uint8Array): number | undefined {
  const recording = new Recording(bytes);
  // Where the elements end that hold the next one. Readers look for what follows one that is larger than its holder.
  const ends = [bytes.length];
  let elements = 0;
  for (let at = 0; at < bytes.length; elements += 1) {
    const element = elementAt(bytes, at);
    const isHolder = holders.has(element.id);
    while ((ends.at(-1) ?? at) <= at && ends.length > 1) ends.pop();
    const isOpen = isHolder && element.end === Number.POSITIVE_INFINITY;
    if (!isOpen && element.end > (ends.at(-1) ?? 0)) return undefined;
    if (elements === mostElements || ends.length > deepest || !recording.read(element)) return undefined;
    if (isHolder && !isOpen) ends.push(element.end);
    at = isHolder ? element.data : element.end;
  }
  return recording.seconds;
}

class Recording {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tracks: { number: number; codec: 'opus' | 'silent' | 'unknown' }[] = [];
  #decoded = 0;
  #latest = 0;
  #clusterTime = 0;
  #tick = 0.001;
  #duration = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get seconds(): number {
    return Math.max(this.#decoded, this.#latest * this.#tick + longestOpusPacket, this.#duration * this.#tick);
  }

  /** False where the length can't be told. */
  read({ id: name, data, end }: Element): boolean {
    const track = this.#tracks.at(-1);
    if (name === id.simpleBlock || name === id.block) return this.#readBlock(data);
    if (name === id.contentEncodings) return false;
    if (name === id.trackEntry) this.#tracks.push({ number: 0, codec: 'unknown' });
    else if (name === id.clusterTime) this.#clusterTime = this.#number(data, end);
    else if (name === id.timeScale) this.#tick = this.#number(data, end) / 1e9;
    else if (name === id.duration)
      this.#duration = end - data === 4 ? this.#view.getFloat32(data) : this.#view.getFloat64(data);
    else if (name === id.trackNumber && track !== undefined) track.number = this.#number(data, end);
    else if (name === id.codec && track !== undefined) track.codec = this.#codecAt(data, end);
    return this.#tracks.length <= mostTracks;
  }

  #number(data: number, end: number): number {
    return unsigned(this.#bytes, data, end - data);
  }

  #codecAt(data: number, end: number) {
    if (end - data === 6 && hasText(this.#bytes, data, 'A_OPUS')) return 'opus';
    return ['V_', 'S_'].some((kind) => hasText(this.#bytes, data, kind)) ? 'silent' : 'unknown';
  }

  #readBlock(at: number): boolean {
    const number = variable(this.#bytes, at, false);
    const tracks = this.#tracks.filter((track) => track.number === number.value);
    if (tracks.length !== 1 || tracks[0]?.codec === 'unknown') return false;
    const head = at + number.length;
    this.#latest = Math.max(this.#latest, this.#clusterTime + this.#view.getInt16(head));
    if (tracks[0]?.codec === 'silent') return true;
    const isLaced = (this.#view.getUint8(head + 2) & 0x06) !== 0;
    const packets = isLaced ? this.#view.getUint8(head + 3) + 1 : 1;
    this.#decoded += isLaced ? packets * longestOpusPacket : opusSeconds(this.#bytes, head + 3);
    return true;
  }
}

function elementAt(bytes: Uint8Array, at: number): Element {
  const name = variable(bytes, at, true);
  const size = variable(bytes, at + name.length, false);
  const data = at + name.length + size.length;
  // All ones; of eight bytes no number is exact, and none that large is a size.
  const isKnown = size.value < Math.min(2 ** (7 * size.length) - 1, Number.MAX_SAFE_INTEGER);
  return { id: name.value, data, end: isKnown ? data + size.value : Number.POSITIVE_INFINITY };
}

/** A number whose first byte tells its length by its leading zeros (RFC 8794, 4); a name keeps the bit that ends them. */
function variable(bytes: Uint8Array, at: number, keepsMark: boolean): { value: number; length: number } {
  const first = bytes[at];
  if (first === undefined || first === 0) throw new RangeError('no number here');
  const length = Math.clz32(first) - 23;
  const value = unsigned(bytes, at, length);
  return { value: keepsMark ? value : value - 2 ** (7 * length), length };
}

function unsigned(bytes: Uint8Array, at: number, length: number): number {
  if (length > 8 || at + length > bytes.length) throw new RangeError('past the end');
  let value = 0;
  for (let index = at; index < at + length; index += 1) value = value * 256 + (bytes[index] ?? 0);
  return value;
}
