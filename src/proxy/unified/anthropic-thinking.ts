import type { JsonObject } from '../../money/json.ts';
import type { ClaudeTraits } from './anthropic-models.ts';
import type { Chat, ReasoningEffort } from './chat.ts';
import { unsupported } from './refusal.ts';

/** Anthropic's least. */
const leastBudget = 1024;

/** How much of the output limit may be thoughts, as OpenRouter shares it out. https://openrouter.ai/docs/use-cases/reasoning-tokens */
const shares: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.95,
  max: 0.95,
};

/** `thinking`, and the `effort` of `output_config`. */
export interface Thinking {
  readonly thinking?: JsonObject;
  readonly effort?: ReasoningEffort;
}

/**
 * What `reasoning_effort` is for a model: an effort for those that think as they see fit, a share of the output limit
 * for the older ones that want a budget. Thoughts are asked for in summary, which newer models leave out by themselves.
 * Throws `unsupported_parameter`. https://platform.claude.com/docs/en/build-with-claude/thinking
 */
export function thinkingOf(chat: Chat, traits: ClaudeTraits, maxTokens: number): Thinking {
  const { reasoningEffort: effort } = chat;
  if (effort === undefined) return {};
  if (effort === 'none') return turnedOff(traits);
  if (traits.thinking === 'never') throw refused('This model does not reason. Leave it out.');
  refuseBesideThinking(chat, traits);
  if (traits.thinking === 'budget') return { thinking: { type: 'enabled', budget_tokens: budget(effort, maxTokens) } };
  if (effort === 'minimal') throw refused('The least effort of this model is low.');
  if (effort === 'xhigh' && !traits.xhigh) throw refused('This model takes low, medium, high and max.');
  return { thinking: { type: 'adaptive', display: 'summarized' }, effort };
}

function turnedOff({ off }: ClaudeTraits): Thinking {
  if (off === 'never') throw refused('This model always reasons. Send low, or leave it out.');
  return off === 'disabled' ? { thinking: { type: 'disabled' } } : {};
}

function budget(effort: keyof typeof shares, maxTokens: number): number {
  if (maxTokens <= leastBudget) {
    throw refused(
      'This model reasons with 1,024 tokens or more. Allow more with max_completion_tokens, or leave it out.',
    );
  }
  return Math.max(leastBudget, Math.floor(maxTokens * shares[effort]));
}

function refuseBesideThinking({ temperature, toolChoice }: Chat, { thinking }: ClaudeTraits): void {
  if (temperature !== undefined && temperature !== 1) {
    throw unsupported('temperature', 'A Claude model that reasons has no temperature. Leave it out, or send 1.');
  }
  if (toolChoice?.mode === 'required' && thinking === 'budget') {
    throw unsupported('tool_choice', 'No tool can be demanded of this model while it reasons. Send auto or none.');
  }
}

function refused(why: string): Error {
  return unsupported('reasoning_effort', why);
}
