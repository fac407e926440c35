import { describe, expect, test } from 'bun:test';
import { findEntry } from './catalogue.ts';
import { catalogueRates } from './price-catalogue.ts';

const noon = new Date('2026-11-15T12:00:00Z');

/** Dollars for a million tokens of input and of output. */
function pricesOf(provider: string, model: string): (string | undefined)[] {
  const entry = findEntry(provider, model);
  const rates = entry && catalogueRates(entry.info, noon);
  return [rates?.input?.[0].usd, rates?.output?.[0].usd];
}

describe('a model of each of the providers that are not in the first four', () => {
  test.each([
    ['mistral', 'mistral-large-2512', '0.5', '1.5'],
    ['openrouter', 'anthropic/claude-sonnet-4.5', '3', '15'],
    ['xai', 'grok-4.6', '2', '6'],
    ['deepseek', 'deepseek-v4-pro', '0.66', '1.98'],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', '0.88', '0.88'],
    ['fireworks', 'accounts/fireworks/models/kimi-k2p6', '0.95', '4'],
    ['cohere', 'command-a-03-2025', '2.5', '10'],
    ['perplexity', 'sonar', '1', '1'],
    ['cerebras', 'gpt-oss-120b', '0.35', '0.75'],
    ['huggingface', 'openai/gpt-oss-120b:groq', '0.15', '0.75'],
    ['huggingface', 'openai/gpt-oss-120b:fireworks-ai', '0.15', '0.6'],
  ])('%s %s', (provider, model, input, output) => {
    expect(pricesOf(provider, model)).toEqual([input, output]);
  });
});

describe('what a price can be had for only by guessing is not listed', () => {
  test.each([
    ['huggingface', 'openai/gpt-oss-120b'],
    ['huggingface', 'openai/gpt-oss-120b:cheapest'],
    ['huggingface', 'openai/gpt-oss-120b:fastest'],
    ['huggingface', 'openai/gpt-oss-120b:nobody'],
    ['huggingface', ':groq'],
    ['huggingface', 'openai/gpt-oss-120b:groq:groq'],
    ['openrouter', 'anthropic/claude-sonnet-4.5:online'],
    ['openrouter', 'anthropic/claude-sonnet-4.5:nitro'],
    ['openrouter', 'openrouter/auto'],
    ['fireworks', 'accounts/fireworks/models/kimi-k2p6#accounts/me/deployments/d'],
    ['x-ai-other', 'grok-4.6'],
    ['huggingface_groq/x', 'openai/gpt-oss-120b'],
  ])('%s %s', (provider, model) => {
    expect(findEntry(provider, model)).toBeUndefined();
  });
});

/** Above how many tokens each price of input holds. */
function stepsOf(provider: string, model: string): number[] | undefined {
  const entry = findEntry(provider, model);
  return entry && catalogueRates(entry.info, noon)?.input?.map((step) => step.above);
}

test("xAI's long context begins with its 200,000th token, OpenAI's above the 272,000th", () => {
  expect(stepsOf('xai', 'grok-4.6')).toEqual([-1, 199_999]);
  expect(stepsOf('openai', 'gpt-5.4')).toEqual([-1, 272_000]);
});
