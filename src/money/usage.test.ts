import { describe, expect, test } from 'bun:test';
import { usageFromAnthropicMessages } from './usage-anthropic.ts';
import { usageFromGemini, usageFromGeminiEmbed } from './usage-gemini.ts';
import {
  usageFromGroqChat,
  usageFromOpenAiChat,
  usageFromOpenAiEmbeddings,
  usageFromOpenAiResponses,
} from './usage-openai.ts';
import { incurred, noTokens, soundUsage, tokenBuckets, type Usage } from './usage.ts';

/** The usage without its raw object. */
function counts(usage: Usage | undefined) {
  if (usage === undefined) return undefined;
  const { raw: _, ...rest } = usage;
  return rest;
}

describe('OpenAI chat', () => {
  const usage = {
    prompt_tokens: 2000,
    completion_tokens: 300,
    total_tokens: 2300,
    prompt_tokens_details: { cached_tokens: 1024, cache_write_tokens: 500, audio_tokens: 100 },
    completion_tokens_details: { reasoning_tokens: 128, audio_tokens: 50, rejected_prediction_tokens: 20 },
  };

  test('buckets do not overlap', () => {
    expect(counts(usageFromOpenAiChat({ usage }))).toEqual({
      uncachedInput: 376,
      cacheRead: 1024,
      cacheWrite5m: 500,
      cacheWrite1h: 0,
      audioInput: 100,
      output: 250,
      audioOutput: 50,
      reasoning: 128,
    });
  });

  test('the raw object is kept as it came', () => {
    expect(usageFromOpenAiChat({ usage })?.raw).toBe(usage);
  });

  test.each([[undefined], [null], ['text'], [7], [[]], [{}], [{ usage: null }], [{ usage: [] }]])(
    '%p states none',
    (body) => {
      expect(usageFromOpenAiChat(body)).toBeUndefined();
    },
  );
});

describe('OpenAI responses', () => {
  const usage = {
    input_tokens: 328,
    input_tokens_details: {
      cached_tokens: 100,
      cache_write_tokens: 60,
      cache_write_tokens_details: { ttl_12h_tokens: 40, ttl_30m_tokens: 20 },
    },
    output_tokens: 52,
    output_tokens_details: { reasoning_tokens: 12 },
    total_tokens: 380,
  };
  const expected = { ...noTokens, uncachedInput: 168, cacheRead: 100, cacheWrite5m: 20, cacheWrite1h: 40, output: 52 };

  test('as an answer and as the last event of a stream', () => {
    expect(counts(usageFromOpenAiResponses({ usage }))).toEqual({ ...expected, reasoning: 12 });
    const event = { type: 'response.completed', response: { usage } };
    expect(counts(usageFromOpenAiResponses(event))).toEqual({ ...expected, reasoning: 12 });
  });

  test('searches are counted from the output: pages opened are part of one', () => {
    const output = [
      { type: 'web_search_call', action: { type: 'search' } },
      { type: 'web_search_call', action: { type: 'open_page' } },
      { type: 'web_search_call' },
      { type: 'file_search_call' },
      { type: 'code_interpreter_call' },
      { type: 'message' },
    ];
    expect(usageFromOpenAiResponses({ usage, output })?.fees).toEqual({ webSearch: 2, fileSearch: 1, otherTools: 1 });
  });

  test.each([
    [3, { webSearch: 3, fileSearch: 1 }],
    [0, { fileSearch: 1 }],
    [null, { webSearch: 1, fileSearch: 1 }],
  ])('the provider says that %p searches are billed', (num_requests, fees) => {
    const output = [{ type: 'web_search_call' }, { type: 'file_search_call' }];
    const tool_usage = { web_search: { num_requests } };
    expect(usageFromOpenAiResponses({ usage, output, tool_usage })?.fees).toEqual(fees);
  });
});

const withTotal = (total_tokens: unknown) => [
  usageFromOpenAiChat({ usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens } }),
  usageFromOpenAiResponses({ usage: { input_tokens: 10, output_tokens: 5, total_tokens } }),
  usageFromGroqChat({ x_groq: { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens } } }),
];

describe('a total of OpenAI that does not match its parts', () => {
  test.each([
    ['what it has beyond them is output', 40, 30],
    ['less than they say is not believed', 3, 5],
    ['none is no more than they say', null, 5],
  ])('%s', (_, total, output) => {
    for (const usage of withTotal(total)) expect(counts(usage)).toEqual({ ...noTokens, uncachedInput: 10, output });
  });

  test.each([['40'], [1e15], [Number.NaN]])('%p is no total', (total) => {
    for (const usage of withTotal(total)) expect(usage).toBeUndefined();
  });
});

test('OpenAI embeddings', () => {
  const usage = { prompt_tokens: 8, total_tokens: 8 };
  expect(counts(usageFromOpenAiEmbeddings({ usage }))).toEqual({ ...noTokens, uncachedInput: 8 });
});

describe('Groq chat', () => {
  const usage = { prompt_tokens: 24, completion_tokens: 377, prompt_tokens_details: { cached_tokens: 4 } };
  const expected = { ...noTokens, uncachedInput: 20, cacheRead: 4, output: 377 };

  test.each([
    ['under usage', { usage }],
    ['under x_groq', { x_groq: { id: 'req', usage } }],
    ['under both, once', { usage, x_groq: { usage } }],
  ])('%s', (_, body) => {
    expect(counts(usageFromGroqChat(body))).toEqual(expected);
  });

  test('the hardware counts under x_groq are no usage', () => {
    expect(usageFromGroqChat({ x_groq: { usage: { sram_cached_tokens: 4 } } })).toBeUndefined();
  });

  test.each([
    { usage, choices: [{ message: { executed_tools: [{ type: 'search' }] } }] },
    { usage, usage_breakdown: { models: [] } },
    { x_groq: { usage, usage_breakdown: { models: [] } } },
  ])('tools that ran have a fee %#', (body) => {
    expect(usageFromGroqChat(body)?.fees).toEqual({ otherTools: 1 });
  });
});

describe('Anthropic messages', () => {
  test('input excludes what was cached; the lifetimes are apart', () => {
    const usage = {
      input_tokens: 50,
      cache_read_input_tokens: 4000,
      cache_creation_input_tokens: 3000,
      cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
      output_tokens: 393,
      output_tokens_details: { thinking_tokens: 200 },
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
      service_tier: 'standard',
    };
    expect(counts(usageFromAnthropicMessages({ usage }))).toEqual({
      ...noTokens,
      uncachedInput: 50,
      cacheRead: 4000,
      cacheWrite5m: 1000,
      cacheWrite1h: 2000,
      output: 393,
      reasoning: 200,
      fees: { webSearch: 2 },
    });
  });

  test.each([
    ['no split', 300, undefined, { cacheWrite5m: 300, cacheWrite1h: 0 }],
    ['a split without hours', 300, { ephemeral_5m_input_tokens: 100 }, { cacheWrite5m: 300, cacheWrite1h: 0 }],
    ['a split with hours', 300, { ephemeral_1h_input_tokens: 100 }, { cacheWrite5m: 0, cacheWrite1h: 300 }],
    ['a split without total', undefined, { ephemeral_1h_input_tokens: 9 }, { cacheWrite5m: 0, cacheWrite1h: 9 }],
  ])('writes that grew after %s', (_, total, split, expected) => {
    const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: total, cache_creation: split };
    expect(usageFromAnthropicMessages({ usage })).toMatchObject(expected);
  });

  test('a tool that is not known is not free', () => {
    const usage = { input_tokens: 1, output_tokens: 1, server_tool_use: { code_execution_requests: 3 } };
    expect(usageFromAnthropicMessages({ usage })?.fees).toEqual({ otherTools: 3 });
  });

  test('passes outside of the totals are not free', () => {
    const pass = { input_tokens: 10, output_tokens: 5 };
    const iterations = [
      { type: 'message', ...pass },
      { type: 'compaction', ...pass },
    ];
    const usage = { ...pass, iterations };
    expect(usageFromAnthropicMessages({ usage })?.fees).toEqual({ otherTools: 1 });
    expect(
      usageFromAnthropicMessages({ usage: { ...usage, iterations: iterations.slice(0, 1) } })?.fees,
    ).toBeUndefined();
  });
});

describe('Gemini', () => {
  test('output is candidates and thoughts; tool results are input; cached audio is apart', () => {
    const usageMetadata = {
      promptTokenCount: 1000,
      toolUsePromptTokenCount: 50,
      cachedContentTokenCount: 400,
      candidatesTokenCount: 200,
      thoughtsTokenCount: 70,
      totalTokenCount: 1320,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 550 },
        { modality: 'AUDIO', tokenCount: 320 },
        { modality: 'IMAGE', tokenCount: 130 },
      ],
      cacheTokensDetails: [
        { modality: 'TEXT', tokenCount: 300 },
        { modality: 'AUDIO', tokenCount: 100 },
      ],
    };
    expect(counts(usageFromGemini({ usageMetadata }))).toEqual({
      ...noTokens,
      uncachedInput: 1050 - 400 - 220 - 130,
      cacheRead: 300,
      audioCacheRead: 100,
      audioInput: 220,
      imageInput: 130,
      output: 270,
      reasoning: 70,
    });
  });

  test.each([
    [{ candidatesTokenCount: 5, totalTokenCount: 40 }, 30],
    [{ totalTokenCount: 40 }, 30],
    [{ candidatesTokenCount: 5, totalTokenCount: 3 }, 5],
    [{}, 0],
  ])('what the total has beyond the parts is output: %p', (parts, output) => {
    const usageMetadata = { promptTokenCount: 10, ...parts };
    expect(counts(usageFromGemini({ usageMetadata }))).toEqual({ ...noTokens, uncachedInput: 10, output });
  });

  test('thoughts are output where no total is stated', () => {
    const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 4 };
    expect(usageFromGemini({ usageMetadata })).toMatchObject({ uncachedInput: 10, output: 9, reasoning: 4 });
  });

  test('images and speech made are apart', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      candidatesTokenCount: 1300,
      candidatesTokensDetails: [
        { modality: 'IMAGE', tokenCount: 1290 },
        { modality: 'AUDIO', tokenCount: 4 },
      ],
    };
    expect(usageFromGemini({ usageMetadata })).toMatchObject({ output: 6, imageOutput: 1290, audioOutput: 4 });
  });

  test('embeddings', () => {
    expect(usageFromGeminiEmbed({ embedding: { values: [] } })).toBeUndefined();
    expect(counts(usageFromGeminiEmbed({ usageMetadata: { promptTokenCount: 7 } }))).toEqual({
      ...noTokens,
      uncachedInput: 7,
    });
  });
});

describe('a usage is taken', () => {
  const usage: Usage = { ...noTokens, raw: null };
  const image = { size: null, quality: null };

  test.each<Partial<Usage>>([
    { reasoning: 1_000_000_000 },
    { characters: 1_000_000_000 },
    { seconds: 0.5 },
    { seconds: 1_000_000_000 },
    { images: { ...image, count: 1_000_000 } },
    { fees: { webSearch: 1_000_000, otherTools: 0 } },
    ...tokenBuckets.map((bucket) => ({ [bucket]: 1_000_000_000 })),
  ])('with %p', (stated) => {
    const whole = { ...usage, ...stated };
    expect(soundUsage(whole)).toBe(whole);
  });

  const noCounts = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY];

  test.each<Partial<Usage>>([
    ...[...noCounts, 1_000_000_001].flatMap((count) => [
      { reasoning: count },
      { characters: count },
      ...tokenBuckets.map((bucket) => ({ [bucket]: count })),
    ]),
    ...[...noCounts, 1_000_001].flatMap((count) => [
      { images: { ...image, count } },
      { fees: { webSearch: count } },
      { fees: { webSearch: 1, fileSearch: count } },
    ]),
    ...[-0.5, Number.NaN, Number.POSITIVE_INFINITY, 1_000_000_000.5].map((seconds) => ({ seconds })),
  ])('not with %p', (stated) => {
    expect(soundUsage({ ...usage, ...stated })).toBeUndefined();
  });
});

test('of fees only those that were incurred are there, and what is no count is not lost', () => {
  expect(incurred({ webSearch: 0, fileSearch: 0, otherTools: 0 })).toEqual({});
  expect(incurred({ webSearch: 0, fileSearch: 2, otherTools: 0 })).toEqual({ fees: { fileSearch: 2 } });
  expect(incurred({ webSearch: Number.NaN, fileSearch: 0, otherTools: 0 })).toEqual({
    fees: { webSearch: Number.NaN },
  });
});
