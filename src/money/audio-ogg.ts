import { longestOpusPacket, opusSeconds } from './audio-opus.ts';
import { hasText } from './media-kind.ts';

/** Seconds of one packet, by its first bytes and its length. */
type PacketSeconds = (bytes: Uint8Array, at: number, length: number) => number;

interface Page {
  /** Lengths of the pieces, 255 where a packet goes on. */
  readonly lacing: Uint8Array;
  readonly serial: number;
  /** The stream's own clock at its end. */
  readonly granules: number;
  readonly data: number;
  readonly end: number;
}

/**
 * Ogg (RFC 3533) with Opus or Vorbis: pages that follow each other to the end of the file, of one stream. Every packet
 * counts as long as its codec decodes it.
 */
export function oggSeconds(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let stream: { serial: number; codec: Codec } | undefined;
  let [packets, seconds, granules, started] = [0, 0, 0, -1];
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const page = pageAt(bytes, view, at);
    if (page === undefined || packets > mostPackets) return undefined;
    stream ??= streamOf(bytes, view, page);
    if (stream === undefined || stream.serial !== page.serial) return undefined;
    let piece = page.data;
    for (const part of page.lacing) {
      if (started < 0) started = piece;
      length += part;
      piece += part;
      if (part === 255) continue;
      if (packets >= stream.codec.headers) seconds += stream.codec.secondsOf(bytes, started, length);
      packets += 1;
      started = -1;
      length = 0;
    }
    granules = Math.max(granules, page.granules);
    at = page.end;
  }
  return stream === undefined ? undefined : Math.max(seconds, granules / stream.codec.clock);
}

/** More than a day of the shortest has: a file made of nothing else must not keep the server busy. */
const mostPackets = 5_000_000;

interface Codec {
  readonly headers: number;
  /** Granules a second. */
  readonly clock: number;
  readonly secondsOf: PacketSeconds;
}

function pageAt(bytes: Uint8Array, view: DataView, at: number): Page | undefined {
  if (!hasText(bytes, at, 'OggS')) return undefined;
  const pieces = view.getUint8(at + 26);
  const data = at + 27 + pieces;
  const lacing = bytes.subarray(at + 27, data);
  const end = lacing.reduce((sum, part) => sum + part, data);
  if (end > bytes.length) return undefined;
  const granules = view.getBigInt64(at + 6, true);
  return { lacing, serial: view.getUint32(at + 14, true), granules: Number(granules), data, end };
}

function streamOf(bytes: Uint8Array, view: DataView, page: Page): { serial: number; codec: Codec } | undefined {
  const { data, serial } = page;
  if (hasText(bytes, data, 'OpusHead')) {
    return { serial, codec: { headers: 2, clock: 48_000, secondsOf: opusPacket } };
  }
  if (!hasText(bytes, data, '\x01vorbis')) return undefined;
  const clock = view.getUint32(data + 12, true);
  // A packet overlaps the last by half: of two of the longest block, this much is new.
  const longest = 2 ** (view.getUint8(data + 28) >> 4) / 2 / clock;
  return clock === 0 ? undefined : { serial, codec: { headers: 3, clock, secondsOf: () => longest } };
}

/** A packet without a byte stands for one that was lost, which a decoder may fill. */
function opusPacket(bytes: Uint8Array, at: number, length: number): number {
  return length === 0 ? longestOpusPacket : opusSeconds(bytes, at);
}
