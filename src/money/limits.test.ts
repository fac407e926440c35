import { expect, test } from 'bun:test';
import { modelLimits } from './limits.ts';

test.each([
  ['openai', 'gpt-4o', { context: 128_000, output: 16_384 }],
  ['openai', 'gpt-4o-2024-05-13', { context: 128_000, output: 4_096 }],
  ['openai', 'gpt-4o-mini-2024-07-18', { context: 128_000, output: 16_384 }],
  ['openai', 'ft:gpt-4o-mini-2024-07-18:acme::abc', { context: 128_000, output: 16_384 }],
  ['anthropic', 'claude-sonnet-4-5-20250929', { context: 200_000, output: 64_000 }],
  ['google', 'models/gemini-2.0-flash-001', { context: 1_048_576, output: 8_192 }],
  ['groq', 'llama-3.3-70b-versatile', { context: 131_072, output: 32_768 }],
  ['openai', 'gpt-6-sol', { context: 1_050_000 }],
  ['xai', 'grok-4.7', { context: 500_000 }],
  ['deepseek', 'deepseek-flash', { context: 1_048_576, output: 393_216 }],
  ['cerebras', 'gpt-oss-120b', { context: 131_072, output: 40_960 }],
  ['huggingface', 'zai-org/GLM-5.1:together', { context: 202_752, output: 131_072 }],
])('%s %s', (provider, model, limits) => {
  expect(modelLimits(provider, model)).toEqual(limits);
});

// A wrong family would state limits that are too small: gpt-4-1106-preview takes sixteen times what gpt-4 does.
test.each([
  ['openai', 'gpt-4-1106-preview'],
  ['openai', 'gpt-4o-realtime-preview'],
  ['openai', 'constructor'],
  ['anthropic', 'gpt-4o'],
  ['toString', 'gpt-4o'],
  ['groq', 'llama-3.3-70b-versatile-001'],
  ['openrouter', 'anthropic/claude-sonnet-4.5:online'],
  ['cerebras', 'gpt-oss-120b:groq'],
])('%s %s is not guessed', (provider, model) => {
  expect(modelLimits(provider, model)).toBeUndefined();
});
