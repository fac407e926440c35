import type { BoundableCall } from './bounds.ts';
import type { JsonObject } from './json.ts';
import { modelLimits } from './limits.ts';
import { PriceBook } from './price-book.ts';
import type { UsageFormat } from './usage.ts';

/** The tests' calls, all of one day of the price list. */
const november = new Date('2026-11-15T12:00:00Z');
const book = new PriceBook();
export const formats: Record<string, UsageFormat> = {
  openai: 'openai-chat',
  anthropic: 'anthropic-messages',
  google: 'gemini',
  groq: 'groq-chat',
};

export function call(provider: string, model: string, body: JsonObject, format = formats[provider]): BoundableCall {
  const price = book.find(provider, model, november);
  if (price === undefined || format === undefined) throw new Error(`${model} is listed`);
  const bodyBytes = new TextEncoder().encode(JSON.stringify(body)).length;
  return { provider, model, format, body, price, limits: modelLimits(provider, model), bodyBytes };
}

export const hello = { messages: [{ role: 'user', content: 'hello' }] };
export const asked = (rest: object) => ({ ...hello, ...rest });
export const parts = (...content: object[]) => ({ messages: [{ role: 'user', content }], max_tokens: 10 });
export const contents = (...list: object[]) => ({
  contents: [{ parts: list }],
  generationConfig: { maxOutputTokens: 10 },
});
