import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { createUsageReader } from './reader.ts';
import { usageFromAnthropicMessages } from './usage-anthropic.ts';
import {
  usageFromCohereChat,
  usageFromCohereEmbed,
  usageFromCompatibleChat,
  usageFromOpenRouterChat,
  usageFromPerplexityChat,
} from './usage-compatible.ts';
import { usageFromGemini, usageFromGeminiEmbed } from './usage-gemini.ts';
import {
  usageFromGroqChat,
  usageFromOpenAiChat,
  usageFromOpenAiEmbeddings,
  usageFromOpenAiResponses,
} from './usage-openai.ts';
import type { Usage, UsageFormat } from './usage.ts';

/** The usage without its raw object. */
function counts(usage: Usage | undefined) {
  if (usage === undefined) return undefined;
  const { raw: _, ...rest } = usage;
  return rest;
}

const billed = (billed_units: object) => ({ billed_units });

describe('hostile usage counts as none', () => {
  const readers = [
    usageFromOpenAiChat,
    usageFromOpenAiResponses,
    usageFromOpenAiEmbeddings,
    usageFromGroqChat,
    usageFromAnthropicMessages,
    usageFromGemini,
    usageFromGeminiEmbed,
    usageFromCompatibleChat,
    usageFromOpenRouterChat,
    usageFromPerplexityChat,
    usageFromCohereChat,
    usageFromCohereEmbed,
  ];

  test.each([[-1], [0.5], [Number.NaN], [Number.POSITIVE_INFINITY], [2 ** 53], [1e12], ['5'], [true], [{}], [[]]])(
    '%p',
    (bad) => {
      const usage = {
        prompt_tokens: bad,
        completion_tokens: 1,
        input_tokens: bad,
        output_tokens: 1,
        promptTokenCount: bad,
        billed_units: { input_tokens: bad },
      };
      for (const read of readers) expect(read({ usage, usageMetadata: usage, meta: usage })).toBeUndefined();
    },
  );

  test.each([
    [usageFromOpenAiChat, { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } }],
    [usageFromOpenAiChat, { prompt_tokens: 5, completion_tokens: 1, completion_tokens_details: { audio_tokens: -1 } }],
    [usageFromOpenAiChat, { prompt_tokens: 5 }],
    [usageFromAnthropicMessages, { input_tokens: 5, output_tokens: 5, cache_creation_input_tokens: -5 }],
    [usageFromAnthropicMessages, { input_tokens: 5, output_tokens: 1, server_tool_use: { web_search_requests: '9' } }],
    [usageFromAnthropicMessages, { input_tokens: 5, output_tokens: 1, server_tool_use: { x_requests: -9 } }],
    [usageFromAnthropicMessages, { input_tokens: 5, output_tokens: 1, server_tool_use: { x_requests: '9' } }],
    [usageFromAnthropicMessages, { input_tokens: 5, output_tokens: 1.5 }],
    [usageFromOpenAiResponses, { input_tokens: 5, output_tokens: 1, input_tokens_details: { cached_tokens: 6 } }],
    [usageFromOpenAiResponses, { input_tokens: 5, output_tokens: 1, output_tokens_details: { reasoning_tokens: '1' } }],
    [usageFromGroqChat, { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } }],
    [usageFromGemini, { promptTokenCount: 5, cachedContentTokenCount: 6 }],
    [usageFromGemini, { promptTokenCount: 5, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 6 }] }],
    [usageFromGemini, { promptTokenCount: 5, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 6 }] }],
    [usageFromGemini, { promptTokenCount: 5, thoughtsTokenCount: '6' }],
    [usageFromGemini, { totalTokenCount: 40 }],
    [usageFromGeminiEmbed, { promptTokenCount: 5, promptTokensDetails: [{ modality: 'IMAGE', tokenCount: 6 }] }],
  ])('numbers that contradict each other %#', (read, usage) => {
    expect(read({ usage, usageMetadata: usage })).toBeUndefined();
  });

  const chat = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

  test.each([
    [usageFromCompatibleChat, { ...chat, prompt_cache_hit_tokens: 6 }],
    [usageFromCompatibleChat, { ...chat, prompt_cache_hit_tokens: -1 }],
    [usageFromCompatibleChat, { ...chat, num_cached_tokens: '5' }],
    [usageFromCompatibleChat, { ...chat, cached_tokens: 0.5 }],
    [usageFromCompatibleChat, { ...chat, prompt_tokens_details: { cached_tokens: 6 }, cached_tokens: 1 }],
    [usageFromCompatibleChat, { ...chat, completion_tokens_details: { reasoning_tokens: -1 } }],
    [usageFromCompatibleChat, { ...chat, num_sources_used: -1 }],
    [usageFromOpenRouterChat, { ...chat, cost: -0.01 }],
    [usageFromOpenRouterChat, { ...chat, cost: '0.01' }],
    [usageFromOpenRouterChat, { ...chat, cost: Number.NaN }],
    [usageFromOpenRouterChat, { ...chat, cost: Number.POSITIVE_INFINITY }],
    [usageFromOpenRouterChat, { ...chat, cost: 1e9 }],
    [usageFromOpenRouterChat, { ...chat, cost: {} }],
    [usageFromOpenRouterChat, { ...chat, cost: 0.01, is_byok: true }],
    [usageFromOpenRouterChat, { ...chat, cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: -1 } }],
    [usageFromOpenRouterChat, { ...chat, completion_tokens: -2, cost: 0.01 }],
    [usageFromPerplexityChat, { ...chat, cost: { total_cost: -1 } }],
    [usageFromPerplexityChat, { ...chat, cost: { total_cost: '1' } }],
    [usageFromPerplexityChat, { ...chat, reasoning_tokens: -1 }],
    [usageFromPerplexityChat, { ...chat, citation_tokens: 0.5 }],
    [usageFromCohereChat, billed({ input_tokens: 5, output_tokens: -1 })],
    [usageFromCohereChat, billed({ input_tokens: 5, output_tokens: 1, search_units: -1 })],
    [usageFromCohereChat, { tokens: { input_tokens: 5, output_tokens: 1 } }],
    [usageFromCohereChat, { billed_units: [] }],
  ])('of the providers with a shape of their own %#', (read, usage) => {
    expect(read({ usage })).toBeUndefined();
  });

  test.each([['2'], [-2], [0.5], [{}]])('a number of searches that is none: %p', (num_requests) => {
    const answer = { usage: { input_tokens: 5, output_tokens: 1 }, tool_usage: { web_search: { num_requests } } };
    expect(usageFromOpenAiResponses(answer)).toBeUndefined();
  });

  test.each([[{}], [{ usage: null, usageMetadata: null }], [{ usage: {}, usageMetadata: {} }], [[]], [null]])(
    'an answer that has none: %p',
    (body) => {
      for (const read of readers) expect(read(body)).toBeUndefined();
    },
  );

  test('whatever the answer, no count is negative and nothing throws', () => {
    const value = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.jsonValue());
    const names = fc.constantFrom(
      'prompt_tokens',
      'completion_tokens',
      'input_tokens',
      'output_tokens',
      'cache_creation',
      'server_tool_use',

      'prompt_tokens_details',
      'promptTokenCount',
      'candidatesTokenCount',
      'totalTokenCount',
      'promptTokensDetails',
      'cache_creation_input_tokens',
      'cachedContentTokenCount',
      'thoughtsTokenCount',
      'input_tokens_details',
      'cost',
      'is_byok',
      'billed_units',
      'reasoning_tokens',
      'prompt_cache_hit_tokens',
    );
    fc.assert(
      fc.property(fc.dictionary(names, value), value, (usage, output) => {
        for (const read of readers) {
          const body = { usage, usageMetadata: usage, meta: usage, output };
          const { fees, images, statedUsd = '0', ...buckets } = counts(read(body)) ?? {};
          if (!/^\d+(?:\.\d{1,12})?$/.test(statedUsd)) return false;
          const all = [...Object.values(buckets), ...Object.values(fees ?? {}), images?.count ?? 0];
          if (!all.every((count) => Number.isSafeInteger(count) && count >= 0)) return false;
        }
        return true;
      }),
      { seed: 3 },
    );
  });
});

const read = (format: UsageFormat, ...events: object[]) => {
  const reader = createUsageReader(format);
  for (const data of events) reader.onEvent(undefined, JSON.stringify(data));
  return reader.result().usage;
};
const openAi = (prompt_tokens: unknown, completion_tokens: unknown) => ({
  choices: [],
  usage: { prompt_tokens, completion_tokens },
});
const response = (input_tokens: unknown, output_tokens: unknown) => ({
  type: 'response.completed',
  response: { usage: { input_tokens, output_tokens } },
});
const google = (promptTokenCount: unknown, candidatesTokenCount: unknown) => ({
  usageMetadata: { promptTokenCount, candidatesTokenCount },
});
const formats = [
  ['openai-chat', openAi],
  ['groq-chat', openAi],
  ['openai-responses', response],
  ['gemini', google],
  ['compatible-chat', openAi],
  ['compatible-completions', openAi],
  ['openrouter-chat', openAi],
  ['perplexity-chat', openAi],
] as const;

const start = (usage: object) => ({ type: 'message_start', message: { usage } });
const delta = (usage: object) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage });

describe('a stream that contradicts itself', () => {
  test.each(formats)('%s: of two usages the last counts, never their sum', (format, event) => {
    expect(read(format, event(10, 5), event(12, 6))).toMatchObject({ uncachedInput: 12, output: 6 });
  });

  test.each(formats)('%s: an unsound last usage is none, whatever came before', (format, event) => {
    for (const bad of [-1, 0.5, '6', 1e12]) expect(read(format, event(10, 5), event(12, bad))).toBeUndefined();
  });

  test.each(formats)('%s: null after a usage takes nothing back', (format, event) => {
    const after = { usage: null, usageMetadata: null, response: { usage: null } };
    expect(read(format, event(10, 5), after)).toMatchObject({ uncachedInput: 10, output: 5 });
  });

  test.each([
    ['nothing but a delta', [delta({ output_tokens: 5 })]],
    ['a start without input', [start({ output_tokens: 1 }), delta({ output_tokens: 5 })]],
    ['an output below zero', [start({ input_tokens: 9, output_tokens: 1 }), delta({ output_tokens: -5 })]],
    ['an input that is text', [start({ input_tokens: 9 }), delta({ input_tokens: '9', output_tokens: 5 })]],
    [
      'half a search',
      [start({ input_tokens: 9 }), delta({ output_tokens: 5, server_tool_use: { web_search_requests: 0.5 } })],
    ],
  ])('Anthropic: %s is no usage', (_, events) => {
    expect(read('anthropic-messages', ...events)).toBeUndefined();
  });

  test('Anthropic: an input that grows by its tools is the last, never the sum', () => {
    const events = [start({ input_tokens: 9, output_tokens: 1 }), delta({ input_tokens: 90, output_tokens: 5 })];
    expect(read('anthropic-messages', ...events)).toMatchObject({ uncachedInput: 90, output: 5 });
  });
});
