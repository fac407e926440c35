import { tokenizerOf } from './tokens-model.ts';
import type { OutputText } from './tokens-output.ts';
import { countPrompt, type Prompt } from './tokens-prompt.ts';
import { countTokens, type TokenCount } from './tokens.ts';
import { noTokens, type Usage } from './usage.ts';

/** What can be told of a call whose provider has not come to state its usage. */
export interface Explained {
  /** Where its tokens are counted from; undefined where something in the prompt is not seen. */
  readonly prompt: Prompt | undefined;
  /** Whether the answer shows all of its output: nothing is reasoned, said or predicted beside it. */
  readonly output: boolean;
  /** What is stated at the start of an answer may not be all of its kind: further passes, fees, speech or pictures. */
  readonly isOpenEnded: boolean;
}

/** What came of an answer until it ended. */
export interface Seen {
  readonly provider: string;
  readonly model: string;
  readonly output: OutputText;
  /** What the provider has stated so far, if anything. */
  readonly stated: Usage | undefined;
  /** The provider may have written what nobody has read. */
  readonly isBehind: boolean;
}

/** The most that a call was held for. */
export interface Most {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly explained: Explained;
}

/**
 * How a figure came about, for the receipt: the input was counted (else the provider stated it); the output was counted,
 * or is all that was held, in the second case perhaps because not all that was written was read; a part was too long to
 * count, so that its bytes stand for tokens.
 */
export type EstimateFlag = 'input_counted' | 'output_counted' | 'output_at_most' | 'output_unread' | 'bounded_by_bytes';

export interface Estimate {
  readonly usage: Usage;
  readonly flags: readonly EstimateFlag[];
}

/**
 * The usage to book for a call whose provider did not state all of it: the prompt as it was stated or counted, the output
 * as far as it came, or all that was held of it where it can't be seen. Undefined where that does not explain the call:
 * whoever hangs up early must not be booked less than the provider bills.
 */
export async function estimateUsage(seen: Seen, most: Most): Promise<Estimate | undefined> {
  const { prompt, isOpenEnded } = most.explained;
  const { stated } = seen;
  if (isOpenEnded || (stated === undefined && prompt === undefined)) return undefined;
  const isShown = (most.explained.output || statesReasoning(stated)) && !seen.isBehind;
  const input = stated === undefined && prompt !== undefined ? await countPrompt(prompt) : undefined;
  const output = isShown ? await countOutput(seen) : { tokens: most.outputTokens, isBounded: false };
  const counted = Math.min(output.tokens, most.outputTokens);
  // A cost that was stated on the way is not that of the whole call.
  const { statedUsd: _, ...before } = stated ?? {
    ...noTokens,
    uncachedInput: Math.min(input?.tokens ?? 0, most.inputTokens),
    raw: null,
  };
  const flags: [EstimateFlag, boolean][] = [
    ['input_counted', input !== undefined],
    ['output_counted', isShown],
    ['output_at_most', !isShown],
    ['output_unread', seen.isBehind],
    ['bounded_by_bytes', input?.isBounded === true || output.isBounded],
  ];
  return {
    usage: { ...before, output: Math.max(before.output, counted) },
    flags: flags.filter(([, holds]) => holds).map(([flag]) => flag),
  };
}

/**
 * Gemini states with each chunk what was used until then, thoughts included; once a part of the answer is in that count,
 * the thoughts before it are, too. Whoever states less (Anthropic at its start) states no more than the first token.
 * https://ai.google.dev/api/generate-content#UsageMetadata
 */
function statesReasoning(stated: Usage | undefined): boolean {
  return stated !== undefined && stated.reasoning > 0 && stated.output > stated.reasoning;
}

async function countOutput({ provider, model, output }: Seen): Promise<TokenCount> {
  const { vocabulary, percent } = tokenizerOf(provider, model);
  const { tokens, isBounded } = await countTokens(output.texts(), vocabulary);
  const { lostBytes } = output;
  return { tokens: Math.ceil((tokens * percent) / 100) + lostBytes, isBounded: isBounded || lostBytes > 0 };
}
