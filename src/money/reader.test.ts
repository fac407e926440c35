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

const choice = (index: number, content: string) => chatChunk({}, { choices: [{ index, delta: { content } }] });

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

  test('an aborted stream has its text, reasoning, refusal and calls, and no usage', () => {
    const calls = (...functions: object[]) =>
      chatChunk({ tool_calls: functions.map((each, index) => ({ index, type: 'function', function: each })) });
    const result = read('openai-chat', [
      chatChunk({ role: 'assistant', reasoning_content: 'Let me ' }),
      chatChunk({ reasoning_content: 'see.' }),
      chatChunk({ content: 'Hé "x" ' }),
      chatChunk({ content: '\ud83d' }),
      chatChunk({ content: '\ude42\n\u2028\\' }),
      calls({ name: 'look', arguments: '' }),
      calls({ arguments: '{"a":' }),
      calls({ arguments: '"é"}' }),
      calls({ name: 'go' }),
      chatChunk({ refusal: 'No.' }),
    ]);
    expect(result).toMatchObject({ usage: undefined, finished: false });
    expect(result.output.texts()).toEqual(['Let me see.', 'Hé "x" 🙂\n\u2028\\', 'look', '{"a":"é"}', 'go', 'No.']);
    expect(result.servedModel).toBe('gpt-4o-2024-08-06');
  });

  test('choices that come in turns are texts of their own', () => {
    const result = read('openai-chat', [choice(0, 'a'), choice(1, 'a'), choice(1, 'b'), choice(0, 'b')]);
    expect(result.output.texts()).toEqual(['a', 'ab', 'b']);
  });

  test('an event that was torn off has the text that came', () => {
    for (const [data, text] of [
      ['{"choices":[{"index":0,"delta":{"content":"some wo', 'some wo'],
      ['{"choices":[{"index":0,"delta":{"content":"a\\', 'a'],
      ['{"choices":[{"index":0,"delta":{"content":"a\\u26', 'a'],
      ['{"choices":[{"index":0,"delta":{"content":"a\\u263a', 'a\u263a'],
    ] as const) {
      const reader = createUsageReader('openai-chat');
      reader.onTorn(data);
      expect(reader.result().output.texts()).toEqual([text]);
    }
  });

  test('text beyond a limit is not kept, only its bytes', () => {
    const reader = createUsageReader('openai-chat');
    const data = JSON.stringify(chatChunk({ content: 'é'.repeat(50_000) }));
    for (let sent = 0; sent < 20; sent += 1) reader.onEvent(undefined, data);
    const { output } = reader.result();
    const kept = output.texts().join('').length;
    expect(kept).toBeLessThanOrEqual(2 ** 19);
    expect(kept).toBeGreaterThan(2 ** 18);
    expect(2 * kept + output.lostBytes).toBe(20 * 100_000);
  });

  test('text that is no JSON counts as it stands', () => {
    expect(read('openai-chat', ['{"content":"a\\x"}']).output.texts()).toEqual(['a\\x']);
  });

  test('a text that speaks of usage and stop reasons is only text', () => {
    const text = '{"usage":{"prompt_tokens":1,"completion_tokens":1},"finish_reason":"stop","content":"no"}';
    const result = read('openai-chat', [chatChunk({ content: text })]);
    expect(result).toMatchObject({ usage: undefined, finished: false });
    expect(result.output.texts()).toEqual([text]);
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
      { type: 'response.output_item.added', item: { type: 'function_call', name: 'look', arguments: '' } },
      { type: 'response.function_call_arguments.delta', delta: '{}' },
      { type: 'response.function_call_arguments.done', name: 'look', arguments: '{}' },
      { type: 'response.reasoning_summary_text.delta', delta: 'Thought' },
      { type: 'response.output_text.delta', delta: 'Hel', obfuscation: 'xyz' },
      { type: 'response.output_text.delta', delta: 'lo' },
      { type: 'response.output_text.done', text: 'Hello' },
      {
        type: `response.${status}`,
        response: {
          model: 'gpt-5-2025-08-07',
          service_tier: 'priority',
          usage: { input_tokens: 10, output_tokens: 2 },
          output: [{ type: 'web_search_call', name: 'not again' }],
        },
      },
    ]);
    expect(result.output.texts()).toEqual(['look', '{}', 'Thought', 'Hello']);
    expect(result).toMatchObject({
      usage: { uncachedInput: 10, output: 2, fees: { webSearch: 1 } },
      servedModel: 'gpt-5-2025-08-07',
      serviceTier: 'priority',
      finished: true,
    });
  });
});

const messageDelta = (usage: object) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage });

const block = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta });

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
    });
    expect(result.output.texts()).toEqual(['Hello']);
  });

  test('a stream cut after its start has the prompt and no stop reason', () => {
    expect(read('anthropic-messages', [start, text])).toMatchObject({
      usage: { uncachedInput: 25, output: 1 },
      finished: false,
    });
  });

  test('thoughts, texts and the input of calls are its text', () => {
    const result = read('anthropic-messages', [
      start,
      block(0, { type: 'thinking_delta', thinking: 'Let me ' }),
      block(0, { type: 'thinking_delta', thinking: 'see.' }),
      block(0, { type: 'signature_delta', signature: 'c2ln' }),
      block(1, { type: 'text_delta', text: 'Hel' }),
      block(1, { type: 'text_delta', text: 'lo' }),
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 't', name: 'look', input: {} } },
      block(2, { type: 'input_json_delta', partial_json: '{"a"' }),
      block(2, { type: 'input_json_delta', partial_json: ':1}' }),
    ]);
    expect(result.output.texts()).toEqual(['Let me see.', 'Hello', 'look', '{"a":1}']);
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
    });
    expect(result.output.texts()).toEqual(['abc']);
  });

  test('spaced JSON and an array of chunks are read alike', () => {
    const spaced = createUsageReader('gemini');
    spaced.onEvent(undefined, JSON.stringify(geminiChunk(2, 'hello'), undefined, 2));
    expect(spaced.result()).toMatchObject({ usage: { output: 2 } });
    expect(spaced.result().output.texts()).toEqual(['hello']);
    const array = createUsageReader('gemini');
    array.onJson([geminiChunk(1, 'a'), geminiChunk(3, 'b'), {}]);
    expect(array.result()).toMatchObject({ usage: { output: 3 }, finished: true });
    expect(array.result().output.texts()).toEqual(['a', 'b']);
  });

  test('a call is an object, and counts as its JSON', () => {
    const call = { name: 'look', args: { at: [1, 'é'] } };
    const chunk = { candidates: [{ content: { parts: [{ text: 'Now' }, { functionCall: call }] } }] };
    const reader = createUsageReader('gemini');
    reader.onEvent(undefined, JSON.stringify(chunk));
    expect(reader.result().output.texts()).toEqual(['Now', JSON.stringify(call)]);
    const torn = createUsageReader('gemini');
    torn.onTorn(JSON.stringify(chunk).slice(0, -20));
    expect(torn.result().output.texts().join()).toContain('look');
  });
});

test('a whole answer is finished, with or without usage', () => {
  const reader = createUsageReader('gemini-embed');
  reader.onJson({ embedding: { values: [0.5] } });
  expect(reader.result()).toMatchObject({ usage: undefined, finished: true });
  expect(reader.result().output.texts()).toEqual(['{"embedding":{"values":[0.5]}}']);
});

test.each([
  ['openai-chat', { choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] }],
  [
    'openai-responses',
    { instructions: 'x', output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }] },
  ],
  ['anthropic-messages', { role: 'assistant', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn' }],
  ['gemini', { candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }] }],
] as const)('%s: the text of a whole answer is what was generated', (format, body) => {
  const reader = createUsageReader(format);
  reader.onJson(body);
  expect(reader.result().output.texts()).toEqual(['Hi']);
});

test('nothing read is nothing known', () => {
  const { output, ...rest } = createUsageReader('openai-chat').result();
  expect(rest).toEqual({ usage: undefined, finished: false });
  expect([output.texts(), output.lostBytes]).toEqual([[], 0]);
});
