import { expect, test } from 'bun:test';
import { mayReasonInSecret, type Reasoning } from './reasoning.ts';

test.each<[string, string, Reasoning, boolean]>([
  ['deepseek', 'deepseek-v4-pro', 'asked', false],
  ['mistral', 'magistral-medium-latest', 'unsaid', false],
  ['together', 'openai/gpt-oss-120b', 'asked', false],
  ['fireworks', 'accounts/fireworks/models/kimi-k3', 'unsaid', false],
  ['cohere', 'command-a-reasoning-08-2025', 'unsaid', false],
  // These may hide it, or pass it on from someone who does.
  ['xai', 'grok-4.7', 'unsaid', true],
  ['openrouter', 'anthropic/claude-opus-5', 'asked', true],
  ['perplexity', 'sonar-reasoning-pro', 'unsaid', true],
  ['cerebras', 'gpt-oss-120b', 'unsaid', true],
  ['huggingface', 'openai/gpt-oss-120b:groq', 'unsaid', true],
  ['xai', 'grok-4.7', 'off', true],
])('%s %s, reasoning %s', (provider, model, reasoning, mayHide) => {
  expect(mayReasonInSecret(provider, model, reasoning)).toBe(mayHide);
});
