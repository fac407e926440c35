import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { asked, call, parts } from './bounds.fixture.ts';
import { boundOf } from './bounds.ts';
import { costOf } from './cost.ts';
import type { JsonObject } from './json.ts';
import { noTokens, type Usage } from './usage.ts';

const sonnet = 'anthropic/claude-sonnet-4.5';

const bound = (body: JsonObject, model = sonnet) => boundOf(call('openrouter', model, body, 'openrouter-chat'));

function refusalOf(body: JsonObject, model?: string): string {
  try {
    bound(body, model);
  } catch (error) {
    if (error instanceof KeyPassError) return `${error.code} ${error.param ?? ''}`;
    throw error;
  }
  return 'none';
}

test.each([
  ['openrouter/auto'],
  ['anthropic/claude-sonnet-4.5:online'],
  ['@preset/dear'],
  ['anthropic/claude-sonnet-4.5@preset/dear'],
  ['google/gemini-2.5-flash-image'],
  ['perplexity/sonar'],
  ['openai/gpt-4o-search-preview'],
  ['openai/o3-deep-research'],
])('a model that is more than one: %s', (model) => {
  const one = { ...call('openrouter', sonnet, asked({ max_tokens: 10 }), 'openrouter-chat'), model };
  expect(() => boundOf(one)).toThrow(expect.objectContaining({ code: 'unbounded_cost', param: 'model' }));
});

/** The output that is held of ten tokens and what there is to think with. */
const thinking = (reasoning: JsonObject) => bound(asked({ max_tokens: 10, reasoning })).outputTokens;

test("a maker's name is no search", () => {
  expect(refusalOf(asked({ max_tokens: 10 }), 'nousresearch/hermes-4-70b')).toBe('none');
});

describe('OpenRouter', () => {
  test('takes the members that cost nothing', () => {
    const free = {
      max_tokens: 10,
      models: ['anthropic/claude-sonnet-4.5'],
      route: 'fallback',
      provider: { order: ['anthropic'], allow_fallbacks: true, max_price: { prompt: 1 } },
      plugins: [{ id: 'response-healing' }, { id: 'context-compression' }],
      transforms: ['middle-out'],
      usage: { include: true },
      modalities: ['text'],
      reasoning: { effort: 'low' },
      cache_control: { type: 'ephemeral' },
    };
    expect(refusalOf(asked(free))).toBe('none');
  });

  test('what there is to think with is held beside the answer', () => {
    expect(thinking({ effort: 'high' })).toBe(1034);
    expect(thinking({ max_tokens: 30_000 })).toBe(30_010);
    for (const other of [{ reasoning_effort: 'high' }, { include_reasoning: true }]) {
      expect(bound(asked({ max_tokens: 10, ...other })).outputTokens).toBe(1034);
    }
    expect(refusalOf(asked({ max_tokens: 10, reasoning: { max_tokens: '30000' } }))).toBe('invalid_request max_tokens');
  });

  test.each([
    ['provider', { provider: { order: ['a'], experimental: {} } }],
    ['provider', { provider: ['a'] }],
    ['plugins', { plugins: [{ id: 'response-healing' }, { id: 'file-parser' }] }],
    ['plugins', { plugins: { id: 'fusion' } }],
    ['plugins', { plugins: ['web'] }],
    ['modalities', { modalities: ['text', 'image'] }],
    ['modalities', { modalities: 'image' }],
    ['stop_server_tools_when', { stop_server_tools_when: [] }],
  ])('refuses %s: %j', (param, body) => {
    expect(refusalOf(asked({ max_tokens: 10, ...body }))).toBe(`unbounded_cost ${param}`);
  });

  test.each([
    [{ cache_control: { type: 'ephemeral', ttl: '1h' } }],
    [parts({ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } })],
    [{ tools: [{ type: 'function', function: { name: 'f' }, cache_control: { ttl: '2h' } }] }],
  ])('has no price for a cache of an hour: %j', (body) => {
    expect(refusalOf(asked({ max_tokens: 10, ...body }))).toStartWith('price_unknown');
  });

  test("holds the fee for the owner's own key beside the list's price", () => {
    const one = call('openrouter', 'anthropic/claude-sonnet-4.5', asked({ max_tokens: 1000 }), 'openrouter-chat');
    const usage: Usage = { ...noTokens, uncachedInput: one.bodyBytes + 512, output: 1000, raw: null };
    expect(boundOf(one).cost * 100n).toBeGreaterThanOrEqual(costOf(usage, one.price).cost * 105n);
  });

  test.each([
    ['anthropic/claude-3-haiku', 'price_unknown '],
    ['anthropic/claude-sonnet-4.5', 'none'],
    ['openai/gpt-4o-mini', 'none'],
  ])('what %s writes to its cache when told to has a price: %s', (model, refusal) => {
    const body = parts({ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } });
    expect(refusalOf(body, model)).toBe(refusal);
  });
});
