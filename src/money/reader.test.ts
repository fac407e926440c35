import { describe, expect, test } from 'bun:test';
import { createUsageReader } from './reader.ts';
import type { UsageFormat } from './usage.ts';

/** Feeds the data of events; what is no text is written as JSON. */
function read(format: UsageFormat, events: readonly unknown[]) {
  const reader = createUsageReader(format);
  for (const data of events) reader.onEvent(undefined, typeof data === 'string' ? data : JSON.stringify(data));
  return reader.result();
}

const chatChunk = (delta: object, rest: object = {}) => ({
  id: 'c',
  model: 'gpt-4o-2024-08-06',
  service_tier: 'default',
  choices: [{ index: 0, delta, finish_reason: null }],
  usage: null,
  ...rest,
});

describe('OpenAI chat streams', () => {
  const last = { id: 'c', model: 'gpt-4o-2024-08-06', choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } };
  const stop = chatChunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });

  test('usage is in the chunk after the last', () => {
    const result = read('openai-chat', [chatChunk({ content: 'Hi' }), stop, last, '[DONE]']);
    expect(result).toMatchObject({
      usage: { uncachedInput: 9, output: 4 },
      servedModel: 'gpt-4o-2024-08-06',
      serviceTier: 'default',
      finished: true,
    });
  });

  test('an aborted stream has the bytes of its text, reasoning and calls, and no usage', () => {
    const call = { tool_calls: [{ index: 0, function: { arguments: '{"a":"\u00e9"}' } }] };
    const result = read('openai-chat', [
      chatChunk({ content: 'Hé "x"' }),
      chatChunk({ reasoning_content: 'abc' }),
      chatChunk(call),
    ]);
    // `Hé \"x\"` is 9 bytes as written, `abc` 3, `{\"a\":\"é\"}` 14.
    expect(result).toMatchObject({ usage: undefined, finished: false, outputBytes: 9 + 3 + 14 });
    expect(result.servedModel).toBe('gpt-4o-2024-08-06');
  });

  test('a text that speaks of usage and stop reasons is only text', () => {
    const text = '{"usage":{"prompt_tokens":1,"completion_tokens":1},"finish_reason":"stop","content":"no"}';
    const result = read('openai-chat', [chatChunk({ content: text })]);
    expect(result).toMatchObject({ usage: undefined, finished: false });
    expect(result.outputBytes).toBe(JSON.stringify(text).length - 2);
  });

  test('the stop reason alone finishes', () => {
    expect(read('openai-chat', [stop])).toMatchObject({ usage: undefined, finished: true });
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '"usage":{',
    '{"usage":{"prompt_tokens":-1}}',
    '{"content":"open',
    '{"content":"\\',
  ])('broken data %p is passed over', (data) => {
    expect(read('openai-chat', [data]).usage).toBeUndefined();
  });
});

test('Groq states the same usage twice: it is counted once', () => {
  const usage = { prompt_tokens: 18, completion_tokens: 2, total_tokens: 20 };
  const last = chatChunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { usage }, usage });
  expect(read('groq-chat', [chatChunk({ content: 'a' }), last])).toMatchObject({
    usage: { uncachedInput: 18, output: 2 },
    finished: true,
  });
});

describe('OpenAI responses streams', () => {
  test.each(['completed', 'incomplete', 'failed'])('end with response.%s', (status) => {
    const result = read('openai-responses', [
      { type: 'response.created', response: { model: 'gpt-5', service_tier: 'auto', usage: null } },
      { type: 'response.output_text.delta', delta: 'Hello' },
      { type: 'response.output_text.done', text: 'Hello' },
      {
        type: `response.${status}`,
        response: {
          model: 'gpt-5-2025-08-07',
          service_tier: 'priority',
          usage: { input_tokens: 10, output_tokens: 2 },
          output: [{ type: 'web_search_call' }],
        },
      },
    ]);
    expect(result).toMatchObject({
      usage: { uncachedInput: 10, output: 2, fees: { webSearch: 1 } },
      servedModel: 'gpt-5-2025-08-07',
      serviceTier: 'priority',
      finished: true,
      outputBytes: 5,
    });
  });
});

const messageDelta = (usage: object) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage });

describe('Anthropic streams', () => {
  const start = {
    type: 'message_start',
    message: {
      model: 'claude-haiku-4-5-20251001',
      usage: {
        input_tokens: 25,
        cache_creation_input_tokens: 300,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
        cache_read_input_tokens: 7,
        output_tokens: 1,
        service_tier: 'standard',
        inference_geo: 'not_available',
      },
    },
  };
  const text = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } };

  test('deltas are cumulative: the last wins, nothing is summed, nulls change nothing', () => {
    const result = read('anthropic-messages', [
      start,
      text,
      messageDelta({ output_tokens: 10 }),
      messageDelta({ output_tokens: 15, input_tokens: null, server_tool_use: { web_search_requests: 1 } }),
    ]);
    expect(result).toMatchObject({
      usage: {
        uncachedInput: 25,
        cacheRead: 7,
        cacheWrite5m: 100,
        cacheWrite1h: 200,
        output: 15,
        fees: { webSearch: 1 },
      },
      servedModel: 'claude-haiku-4-5-20251001',
      serviceTier: 'standard',
      finished: true,
      outputBytes: 5,
    });
  });

  test('a stream cut after its start has the prompt and no stop reason', () => {
    expect(read('anthropic-messages', [start, text])).toMatchObject({
      usage: { uncachedInput: 25, output: 1 },
      finished: false,
      outputBytes: 5,
    });
  });

  test.each([
    [{ speed: 'fast' }, 'fast'],
    [{ inference_geo: 'us' }, 'geo:us'],
    [{ inference_geo: 'global', service_tier: 'priority' }, 'priority'],
  ])('%p is served as %p', (usage, tier) => {
    const reader = createUsageReader('anthropic-messages');
    reader.onJson({ model: 'claude-opus-4-6', usage: { input_tokens: 1, output_tokens: 1, ...usage } });
    expect(reader.result().serviceTier).toBe(tier);
  });
});

const geminiChunk = (tokens: number, text: string, rest: object = {}) => ({
  candidates: [{ content: { parts: [{ text }] }, ...rest }],
  usageMetadata: { promptTokenCount: 4, candidatesTokenCount: tokens, totalTokenCount: 4 + tokens },
  modelVersion: 'gemini-2.5-flash',
});

describe('Gemini', () => {
  test('the last chunk has the totals', () => {
    const result = read('gemini', [geminiChunk(1, 'a'), geminiChunk(3, 'bc', { finishReason: 'STOP' })]);
    expect(result).toMatchObject({
      usage: { uncachedInput: 4, output: 3 },
      servedModel: 'gemini-2.5-flash',
      finished: true,
      outputBytes: 3,
    });
  });

  test('spaced JSON and an array of chunks are read alike', () => {
    const spaced = createUsageReader('gemini');
    spaced.onEvent(undefined, JSON.stringify(geminiChunk(2, 'hello'), undefined, 2));
    expect(spaced.result()).toMatchObject({ usage: { output: 2 }, outputBytes: 5 });
    const array = createUsageReader('gemini');
    array.onJson([geminiChunk(1, 'a'), geminiChunk(3, 'b'), {}]);
    expect(array.result()).toMatchObject({ usage: { output: 3 }, finished: true });
  });
});

test('a whole answer is finished, with or without usage', () => {
  const reader = createUsageReader('gemini-embed');
  reader.onJson({ embedding: { values: [0.5] } });
  expect(reader.result()).toMatchObject({ usage: undefined, finished: true });
  expect(reader.result().outputBytes).toBeGreaterThan(0);
});

test('nothing read is nothing known', () => {
  expect(createUsageReader('openai-chat').result()).toEqual({ usage: undefined, finished: false, outputBytes: 0 });
});
