import { noTokens, type Usage } from './usage.ts';

/**
 * Tokens of a text, estimated from its UTF-8 bytes: half as many, rounded up. Prose has about four bytes to a token,
 * so this is about twice too much for it; code, digits and scripts of three bytes a letter come closer. It is an
 * estimate, not a bound: a text made to be dense can have more.
 */
export function estimateTokens(text: string | { readonly bytes: number }): number {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text).length : text.bytes;
  return Math.ceil(bytes / 2);
}

/**
 * The usage to book for a call whose provider stated none: the request's bytes and the answer's as far as it came,
 * within what the hold covers. `estimated` goes on the receipt.
 */
export function estimateUsage(seen: {
  bodyBytes: number;
  outputBytes: number;
  bound: { inputTokens: number; outputTokens: number };
}): { usage: Usage; estimated: true } {
  const input = Math.min(estimateTokens({ bytes: seen.bodyBytes }), seen.bound.inputTokens);
  const output = Math.min(estimateTokens({ bytes: seen.outputBytes }), seen.bound.outputTokens);
  return { usage: { ...noTokens, uncachedInput: input, output, raw: null }, estimated: true };
}
