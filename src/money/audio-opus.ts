/** No packet of Opus is longer (RFC 6716, 3.4). */
export const longestOpusPacket = 0.12;

/** Milliseconds of a frame by the last two bits of the configuration: SILK, and CELT from 16 on. */
const silkFrames = [10, 20, 40, 60];
const celtFrames = [2.5, 5, 10, 20];

/** The seconds that a packet of Opus decodes to, by its first two bytes (RFC 6716, 3.1 and 3.2). */
export function opusSeconds(bytes: Uint8Array, at: number): number {
  const [head = 0, count = 0] = bytes.subarray(at, at + 2);
  const configuration = head >> 3;
  // 12 to 15 are the hybrids of 10 and 20 milliseconds.
  const isHybrid = configuration >= 12 && configuration < 16;
  const index = isHybrid ? configuration % 2 : configuration % 4;
  const milliseconds = (configuration < 16 ? silkFrames : celtFrames)[index] ?? 0;
  const code = head % 4;
  const frames = code === 3 ? count % 64 : code === 0 ? 1 : 2;
  return Math.min((milliseconds * frames) / 1000, longestOpusPacket);
}
