import { noTokens, type Usage } from './usage.ts';

/** What can be told of a call whose provider has not come to state its usage. */
export interface Explained {
  /**
   * Tokens of the prompt: its text by its bytes, inline media and what is added for tools at their most. Undefined where
   * something in it is not seen.
   */
  readonly input: number | undefined;
  /** Whether the bytes of the answer explain all of its output: nothing is reasoned, said or predicted beside them. */
  readonly output: boolean;
  /** What is stated at the start of an answer may not be all of its kind: further passes, fees, speech or pictures. */
  readonly isOpenEnded: boolean;
}

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
 * The usage to book for a call whose provider did not state all of it: the prompt as it was stated or sent, the output
 * as far as it came, or all that was held of it where it can't be seen. Undefined where the bytes do not explain the
 * call: whoever hangs up early must not be booked less than the provider bills.
 */
export function estimateUsage(seen: {
  outputBytes: number;
  stated: Usage | undefined;
  bound: { outputTokens: number; explained: Explained };
}): Usage | undefined {
  const { outputTokens, explained } = seen.bound;
  if (explained.isOpenEnded) return undefined;
  const output = explained.output ? Math.min(estimateTokens({ bytes: seen.outputBytes }), outputTokens) : outputTokens;
  if (seen.stated !== undefined) return { ...seen.stated, output: Math.max(seen.stated.output, output) };
  if (explained.input === undefined || !explained.output) return undefined;
  return { ...noTokens, uncachedInput: explained.input, output, raw: null };
}
