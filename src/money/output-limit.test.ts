import { expect, test } from 'bun:test';
import { maxTokensMembers } from './output-limit.ts';
import type { Tier } from './prices.ts';
import { listPriceMembers, requireListPrice, servedTier } from './tier.ts';
import type { UsageFormat } from './usage.ts';

test.each<[UsageFormat, Record<string, unknown>, Record<string, unknown>]>([
  ['openai-chat', { n: 1 }, { n: 1, max_completion_tokens: 7 }],
  ['openai-chat', { max_tokens: 9 }, { max_tokens: 7 }],
  ['openai-chat', { max_tokens: null }, { max_tokens: null, max_completion_tokens: 7 }],
  ['groq-chat', { max_completion_tokens: 9 }, { max_completion_tokens: 7 }],
  ['openai-responses', { input: 'a' }, { input: 'a', max_output_tokens: 7 }],
  ['anthropic-messages', { max_tokens: 9 }, { max_tokens: 7 }],
  ['gemini', {}, { generationConfig: { maxOutputTokens: 7 } }],
  ['gemini', { generationConfig: { topK: 1 } }, { generationConfig: { topK: 1, maxOutputTokens: 7 } }],
  ['gemini', { generation_config: { max_output_tokens: 9 } }, { generation_config: { max_output_tokens: 7 } }],
  ['openai-embeddings', { input: 'a' }, { input: 'a' }],
])('%s %j', (format, body, limited) => {
  const before = structuredClone(body);
  expect({ ...body, ...maxTokensMembers(format, body, 7) }).toEqual(limited);
  expect(body).toEqual(before);
});

test('the standard tier is asked for by name where another could be served unasked', () => {
  expect(listPriceMembers('openai-chat', { n: 1 })).toEqual({ service_tier: 'default' });
  expect(listPriceMembers('openai-responses', { service_tier: 'auto' })).toEqual({ service_tier: 'default' });
  expect(listPriceMembers('openai-responses', { service_tier: 'Default' })).toEqual({ service_tier: 'default' });
  for (const service_tier of ['default', 'flex', 'scale', 1])
    expect(listPriceMembers('openai-chat', { service_tier })).toEqual({});
  expect(listPriceMembers('anthropic-messages', { max_tokens: 1 })).toEqual({});
});

test.each<[UsageFormat, string]>([
  ['compatible-chat', 'auto'],
  ['compatible-chat', 'priority'],
  ['openrouter-chat', 'flex'],
  ['cohere-chat', 'default'],
])('%s may not ask for the tier %s at the list price', (format, service_tier) => {
  expect(() => requireListPrice(format, { service_tier })).toThrow(expect.objectContaining({ code: 'price_unknown' }));
});

test('no other provider is told a tier that nobody asked for', () => {
  for (const format of ['compatible-chat', 'openrouter-chat', 'xai-responses'] as const) {
    expect(listPriceMembers(format, { n: 1 })).toEqual({});
  }
});

test.each<[UsageFormat, string, Tier | null | undefined]>([
  ['openai-chat', 'default', null],
  ['openai-chat', 'priority', 'priority'],
  ['openai-chat', 'fast', 'priority'],
  ['openai-chat', 'ultrafast', undefined],
  ['openai-chat', 'constructor', undefined],
  ['openai-responses', 'flex', 'flex'],
  ['openai-embeddings', 'flex', undefined],
  ['anthropic-messages', 'standard', null],
  ['anthropic-messages', 'fast', undefined],
  ['anthropic-messages', 'geo:us', undefined],
  ['gemini', 'STANDARD', null],
  ['gemini', 'priority', 'priority'],
  ['groq-chat', 'on_demand', null],
  ['groq-chat', 'performance', undefined],
  ['compatible-chat', 'standard', null],
  ['compatible-chat', 'on_demand', null],
  ['compatible-chat', 'priority', 'priority'],
  ['compatible-chat', 'warp', undefined],
  ['xai-responses', 'default', null],
  // What these say that they charge is that of whatever tier they name.
  ['openrouter-chat', 'warp', null],
  ['perplexity-chat', 'warp', null],
  ['cohere-chat', 'priority', undefined],
])('%s served as %p is of the tier %p', (format, named, tier) => {
  expect(servedTier(format, named)).toBe(tier);
});
