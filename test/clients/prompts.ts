import { z } from 'zod';

/** The questions that every client asks. What upstream.ts answers follows from their words. */
export const hello = 'Hello.';
export const brief = 'Be brief.';
export const weatherQuestion = 'What is the weather in Paris?';
export const twoCities = 'What is the weather in Paris and Rome?';
export const asJson = 'Which city? Answer as JSON.';
export const thinkFirst = 'Think first: why is the sky blue?';

export const citySchema = z.object({ city: z.string() });
export const cityJsonSchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;

export const weatherName = 'weather';
export const weatherDescription = 'The weather of a city.';

/** What the tool of every client does. */
export function weatherOf({ city }: { city: string }): string {
  return `18 °C in ${city}`;
}

/** A picture of one pixel. */
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A second of silence: WAV, 8-bit mono at 8 kHz. */
export function silence(): Uint8Array<ArrayBuffer> {
  const samples = 8000;
  const bytes = new Uint8Array(44 + samples).fill(128, 44);
  const view = new DataView(bytes.buffer);
  const write = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  write(0, 'RIFF');
  view.setUint32(4, 36 + samples, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, 8000, true);
  view.setUint32(28, 8000, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  write(36, 'data');
  view.setUint32(40, samples, true);
  return bytes;
}
