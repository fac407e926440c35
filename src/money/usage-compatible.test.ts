import { describe, expect, test } from 'bun:test';
import { costOf, type CostLine } from './cost.ts';
import { estimateUsage } from './estimate.ts';
import { PriceBook } from './price-book.ts';
import { createUsageReader } from './reader.ts';
import {
  usageFromCohereChat,
  usageFromCohereEmbed,
  usageFromCompatibleChat,
  usageFromOpenRouterChat,
  usageFromPerplexityChat,
} from './usage-compatible.ts';
import type { Usage } from './usage.ts';

const chat = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };

describe("in OpenAI's shape", () => {
  test.each([
    ['where OpenAI has them', { prompt_tokens_details: { cached_tokens: 600 } }],
    ["Mistral's older name", { prompt_token_details: { cached_tokens: 600 } }],
    ["Mistral's other name", { num_cached_tokens: 600 }],
    ["DeepSeek's name", { prompt_cache_hit_tokens: 600, prompt_cache_miss_tokens: 400 }],
    ["Together's name", { cached_tokens: 600 }],
    ['in several places, once', { cached_tokens: 600, prompt_tokens_details: { cached_tokens: 600 } }],
  ])('cached tokens, %s', (_, usage) => {
    expect(usageFromCompatibleChat({ usage: { ...chat, ...usage } })).toMatchObject({
      uncachedInput: 400,
      cacheRead: 600,
      output: 100,
      raw: { ...chat, ...usage },
    });
  });

  test('reasoning beside the completion is output, whether or not a total says so', () => {
    const details = { completion_tokens_details: { reasoning_tokens: 50 } };
    const { total_tokens: _, ...without } = chat;
    expect(usageFromCompatibleChat({ usage: { ...chat, ...details } })?.output).toBe(100);
    expect(usageFromCompatibleChat({ usage: { ...chat, ...details, total_tokens: 1150 } })?.output).toBe(150);
    expect(usageFromCompatibleChat({ usage: { ...without, ...details } })?.output).toBe(150);
  });

  test('sources that were searched are a fee, which has no price', () => {
    const usage = usageFromCompatibleChat({ usage: { ...chat, num_sources_used: 3 } });
    expect(usage?.fees).toEqual({ otherTools: 3 });
    const price = new PriceBook().find('xai', 'grok-4.6', new Date());
    if (usage === undefined || price === undefined) throw new Error('both are known');
    expect(() => costOf(usage, price)).toThrow(/price/);
  });
});

const stated = (cost: unknown) => usageFromOpenRouterChat({ usage: { ...chat, cost } })?.statedUsd;

describe('a stated cost', () => {
  test.each([
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    [0, '0'],
    // Beyond a millionth of a millionth it is rounded up.
    [1e-13, '0.000000000001'],
    [0.30000000000000004, '0.300000000001'],
    [12.5, '12.5'],
  ])('%p is %s dollars', (cost, usd) => {
    expect(stated(cost)).toBe(usd);
  });

  test('two parts of it are added without a float', () => {
    const usage = { ...chat, cost: 0.1, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } };
    expect(usageFromOpenRouterChat({ usage })?.statedUsd).toBe('0.3');
  });

  test('is all of the cost, on one line', () => {
    const price = new PriceBook().find('openrouter', 'anthropic/claude-sonnet-4.5', new Date());
    const usage = usageFromOpenRouterChat({ usage: { ...chat, cost: 0.0123 } });
    if (usage === undefined || price === undefined) throw new Error('both are known');
    const line: CostLine = { bucket: 'stated', quantity: 1, rate: 'stated', usd: '0.0123', per: 1, cost: '0.0123' };
    expect(costOf(usage, price)).toEqual({ cost: 12_300_000_000n, lines: [line] });
  });

  test('absent or null leaves the list to say', () => {
    for (const usage of [chat, { ...chat, cost: null }]) {
      const read = usageFromOpenRouterChat({ usage });
      expect(read).toMatchObject({ uncachedInput: 1000, output: 100 });
      expect(read).not.toHaveProperty('statedUsd');
    }
  });

  test('so far is not that of the whole call', async () => {
    const far = usageFromPerplexityChat({ usage: { ...chat, cost: { total_cost: 0.000001 } } });
    expect(far?.statedUsd).toBe('0.000001');
    const output = { texts: () => ['some text'], lostBytes: 0 };
    const seen = { provider: 'perplexity', model: 'sonar', output, stated: far, isBehind: false };
    const explained = { prompt: undefined, output: true, isOpenEnded: false };
    const estimate = await estimateUsage(seen, { inputTokens: 2000, outputTokens: 500, explained });
    expect(estimate?.usage).toMatchObject({ uncachedInput: 1000, output: 100 });
    expect(estimate?.usage).not.toHaveProperty('statedUsd');
  });
});

test('what Perplexity reads for deep research is a fee unless it states the cost', () => {
  const usage = { ...chat, citation_tokens: 9000, num_search_queries: 12 };
  expect(usageFromPerplexityChat({ usage })?.fees).toEqual({ otherTools: 9000 });
  expect(usageFromPerplexityChat({ usage: { ...usage, cost: { total_cost: 0.2 } } })).toMatchObject({
    statedUsd: '0.2',
  });
});

test('what Cohere bills by another unit is a fee', () => {
  const usage = { billed_units: { input_tokens: 5, output_tokens: 1, search_units: 1 } };
  expect(usageFromCohereChat({ usage })?.fees).toEqual({ otherTools: 1 });
});

test.each([
  [usageFromCohereChat, { usage: { billed_units: {} } }],
  [usageFromCohereChat, { usage: { billed_units: { input_tokens: 5 } } }],
  [usageFromCohereEmbed, { meta: { billed_units: { output_tokens: 0 } } }],
])('what Cohere does not state is not nothing: %p', (usageFrom, body) => {
  expect(usageFrom(body)).toBeUndefined();
});

const read = (...events: object[]) => {
  const reader = createUsageReader('cohere-chat');
  for (const data of events) reader.onEvent(undefined, JSON.stringify(data));
  return reader.result();
};
const event = (index: number | null, reason: string | null, usage: object) =>
  JSON.stringify({ choices: index === null ? [] : [{ index, delta: {}, finish_reason: reason }], usage });
const readChat = (...events: string[]) => {
  const reader = createUsageReader('compatible-chat');
  for (const data of events) reader.onEvent(undefined, data);
  return reader.result();
};

describe('of several choices', () => {
  test('the usage that stands beside one of them is not known to be that of all', () => {
    const { finished, ended } = readChat(event(0, 'stop', chat));
    expect([finished, ended]).toEqual([true, undefined]);
  });

  test.each([[event(null, null, chat)], ['[DONE]']])('nothing follows %s', (last) => {
    expect(readChat(event(0, 'stop', chat), last).ended).toBe(true);
  });
});

const text = { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hello there' } } } };
const end = (usage: object) => ({ type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } });

describe("Cohere's stream", () => {
  test('without its end has its text', () => {
    const { usage, finished, output } = read(text, { ...text, delta: { message: { tool_plan: 'I will' } } });
    expect([usage, finished]).toEqual([undefined, false]);
    expect(output.texts()).toEqual(['Hello there', 'I will']);
  });

  test('ends with what is billed', () => {
    const { usage, finished } = read(text, end({ billed_units: { input_tokens: 3, output_tokens: 2 } }));
    expect(finished).toBe(true);
    expect(usage).toMatchObject({ uncachedInput: 3, output: 2 } satisfies Partial<Usage>);
  });
});
