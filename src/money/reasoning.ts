import { isAbsent } from './json.ts';
import { modelNames } from './limits.ts';

/** What a request says of reasoning: it asks for it, turns it off, or leaves it to the model. */
export type Reasoning = 'asked' | 'off' | 'unsaid';

/**
 * Models that bill no output but what they show: whatever is asked, unless reasoning is asked for, or only where it is
 * turned off. https://platform.openai.com/docs/models · https://platform.claude.com/docs/en/build-with-claude/thinking
 * · https://ai.google.dev/gemini-api/docs/thinking · https://console.groq.com/docs/reasoning
 */
const never: Readonly<Record<string, readonly string[]>> = {
  openai: ['gpt-3.5-turbo', 'gpt-4', 'gpt-4-turbo', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-4o', 'gpt-4o-mini'],
  google: ['gemini-2.0-flash', 'gemini-2.0-flash-lite'],
  groq: ['llama-3.1-8b-instant', 'llama-3.3-70b-versatile', 'meta-llama/llama-4-scout-17b-16e-instruct'],
};
const onlyAsked: Readonly<Record<string, readonly string[]>> = {
  anthropic: (
    'claude-3-haiku claude-3-opus claude-3-sonnet claude-3-5-haiku claude-3-5-sonnet claude-3-7-sonnet ' +
    'claude-opus-4 claude-opus-4-0 claude-opus-4-1 claude-opus-4-5 claude-opus-4-6 ' +
    'claude-sonnet-4 claude-sonnet-4-0 claude-sonnet-4-5 claude-sonnet-4-6 claude-haiku-4-5'
  ).split(' '),
};
const unlessOff: Readonly<Record<string, readonly string[]>> = {
  google: ['gemini-2.5-flash', 'gemini-2.5-flash-lite'],
};

/**
 * All that their models think is a part of the answer. https://api-docs.deepseek.com/guides/thinking_mode
 * · https://docs.mistral.ai/capabilities/reasoning · https://docs.together.ai/docs/inference/chat/reasoning
 * · https://docs.fireworks.ai/guides/reasoning · https://docs.cohere.com/docs/reasoning
 */
const showAll = ['mistral', 'deepseek', 'together', 'fireworks', 'cohere'];

/**
 * Where it is turned off by an effort of `none`: a model that can't do without it refuses such a request.
 * https://platform.openai.com/docs/api-reference/chat/create#chat-create-reasoning_effort
 * · https://console.groq.com/docs/reasoning#options-for-reasoning-effort
 */
const refusesOff = ['openai', 'groq'];

/** Cohere's models that do not think before they answer. */
const thoughtless = /^(?:command|command-light|command-nightly|command-a|command-a-03-2025|command-r.*|c4ai-aya.*)$/;

/** Whether a model may think beside its output limit: it is not documented that the limit covers that. */
export function mayThinkBesideLimit(provider: string, model: string, reasoning: Reasoning): boolean {
  return provider === 'cohere' && reasoning !== 'off' && !thoughtless.test(model);
}

/** What an effort says of reasoning. */
export function reasoningOf(effort: unknown): Reasoning {
  if (isAbsent(effort)) return 'unsaid';
  return effort === 'none' ? 'off' : 'asked';
}

/**
 * Whether a call may be billed for output that its answer does not show: reasoning is counted in full and shown in part
 * or not at all. A model that is not known is taken to reason.
 */
export function mayReasonInSecret(provider: string, model: string, reasoning: Reasoning): boolean {
  if (showAll.includes(provider)) return false;
  const [base, family] = modelNames(provider, model);
  const isOf = (list: typeof never) => listed(list, provider, base) || listed(list, provider, family);
  if (isOf(never)) return false;
  if (isOf(onlyAsked)) return reasoning === 'asked';
  if (reasoning !== 'off') return true;
  return !refusesOff.includes(provider) && !isOf(unlessOff);
}

function listed(list: typeof never, provider: string, name: string): boolean {
  return Object.hasOwn(list, provider) && list[provider]?.includes(name) === true;
}
