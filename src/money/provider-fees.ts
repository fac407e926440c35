import { parseUsd, type Pico } from './amount.ts';
import type { UsageReading } from './reader.ts';
import { noTokens, type Usage, type UsageFormat } from './usage.ts';

/**
 * What xAI charges for a request of its Responses API that it refuses to serve.
 * https://docs.x.ai/developers/pricing#usage-guidelines-violation-fee
 */
const violationUsd = '0.05';
const violationCost = parseUsd(violationUsd);

/** How it says so, whatever the status. */
const violation = /violates usage guidelines|failed check: SAFETY_CHECK_TYPE/i;

/** The least that a call may cost, even if nothing comes of it. */
export function leastCost(format: UsageFormat): Pico {
  return chargesRefusals(format) ? violationCost : 0n;
}

/** Whether a failure has to be read, because it may be billed. */
export function chargesRefusals(format: UsageFormat): boolean {
  return format === 'xai-responses';
}

/** The usage of a failure that is billed; undefined for every other one. */
export function refusalUsage(format: UsageFormat, { output }: UsageReading): Usage | undefined {
  if (!chargesRefusals(format) || !output.texts().some((text) => violation.test(text))) return undefined;
  return { ...noTokens, statedUsd: violationUsd, raw: null };
}

/**
 * With the fee for calls by the owner's own key at a model's provider, which is not known before the answer: 5 % of what
 * the call would cost without it. https://openrouter.ai/docs/use-cases/byok
 */
export function withRoutingFee(format: UsageFormat, cost: Pico): Pico {
  return format === 'openrouter-chat' ? (cost * 105n + 99n) / 100n : cost;
}
