import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../../errors.ts';
import { AnthropicStream } from './anthropic-stream.ts';

const facts = { id: 'chatcmpl-1', created: 1_790_000_000, model: 'claude-opus-4-8' };
const message = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8-20260528',
};

/** As in platform.claude.com/docs/en/build-with-claude/streaming, with blocks of thinking and calls. */
const events = [
  {
    type: 'message_start',
    message: {
      ...message,
      content: [],
      stop_reason: null,
      usage: { input_tokens: 25, cache_read_input_tokens: 5, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 's' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hello' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: ' 🙂!' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'content_block_start', index: 2, content_block: { type: 'redacted_thinking', data: 'x' } },
  { type: 'content_block_stop', index: 2 },
  { type: 'content_block_start', index: 3, content_block: { type: 'tool_use', id: 't1', name: 'weather', input: {} } },
  { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '' } },
  { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{"city":' } },
  { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '"Köln"}' } },
  { type: 'content_block_stop', index: 3 },
  { type: 'content_block_start', index: 4, content_block: { type: 'tool_use', id: 't2', name: 'time', input: {} } },
  { type: 'content_block_stop', index: 4 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 15 } },
  { type: 'message_stop' },
];

function calls(call: object) {
  return { tool_calls: [call] };
}

function streamed(sent: readonly object[], includeUsage = false) {
  const stream = new AnthropicStream(facts, includeUsage);
  const chunks = sent.flatMap((event) => stream.push(JSON.stringify(event)));
  return [...chunks, ...stream.end()];
}

describe('AnthropicStream', () => {
  test('events become chunks', () => {
    const chunks = streamed(events);
    const format = 'anthropic-claude-v1';
    const deltas: unknown[] = chunks.map(({ choices }) => choices[0]?.delta);
    expect(deltas).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { reasoning_content: 'Hm.' },
      { content: 'Hello' },
      { content: ' 🙂!' },
      calls({ index: 0, id: 't1', type: 'function', function: { name: 'weather', arguments: '' } }),
      calls({ index: 0, function: { arguments: '{"city":' } }),
      calls({ index: 0, function: { arguments: '"Köln"}' } }),
      calls({ index: 1, id: 't2', type: 'function', function: { name: 'time', arguments: '' } }),
      calls({ index: 1, function: { arguments: '{}' } }),
      {
        reasoning_details: [
          { type: 'reasoning.text', text: 'Hm.', signature: 's', format, index: 0 },
          { type: 'reasoning.encrypted', data: 'x', format, index: 1, offset: 9 },
        ],
      },
      {},
    ]);
    const finishes = chunks.map(({ choices }) => choices[0]?.finish_reason);
    expect([finishes.at(-1), ...new Set(finishes.slice(0, -1))]).toEqual(['tool_calls', null]);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: message.id,
        object: 'chat.completion.chunk',
        created: facts.created,
        model: message.model,
      });
      expect(chunk).not.toHaveProperty('usage');
    }
  });

  test('a call may have its arguments from the beginning', () => {
    const content_block = { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Köln' } };
    const sent = [{ type: 'content_block_start', content_block }, { type: 'content_block_stop' }, ...events.slice(-2)];
    expect(streamed(sent).flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: 't1', type: 'function', function: { name: 'weather', arguments: '' } },
      { index: 0, function: { arguments: '{"city":"Köln"}' } },
    ]);
    expect(() => streamed([{ type: 'content_block_start', content_block: { type: 'tool_use' } }])).toThrow(
      expect.objectContaining({ code: 'provider_error' }),
    );
  });

  test('with include_usage the last chunk has the usage and no choices', () => {
    const chunks = streamed(events, true);
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 30,
        completion_tokens: 15,
        total_tokens: 45,
        prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 0 },
      },
    });
  });

  test('a refusal in mid-stream says why', () => {
    const delta = { stop_reason: 'refusal', stop_details: { type: 'refusal', explanation: 'I will not.' } };
    const [, refusal, finish] = streamed([events[0] ?? {}, { type: 'message_delta', delta }, { type: 'message_stop' }]);
    expect(refusal?.choices[0]?.delta).toEqual({ refusal: 'I will not.' });
    expect(finish?.choices[0]?.finish_reason).toBe('content_filter');
  });

  test('a stream without its stop reason is not whole', () => {
    expect(() => streamed(events.slice(0, 9))).toThrow(expect.objectContaining({ code: 'provider_unreachable' }));
    expect(() => streamed([])).toThrow(KeyPassError);
  });

  test('an error event is a failure with its type, and so is what is no JSON', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(() => streamed([...events.slice(0, 8), error])).toThrow(
      expect.objectContaining({
        code: 'provider_error',
        message: 'The provider ended the answer: Overloaded',
        details: { providerCode: 'overloaded_error' },
      }),
    );
    expect(() => new AnthropicStream(facts, false).push('{')).toThrow(
      expect.objectContaining({ code: 'provider_error' }),
    );
  });

  test('what comes behind the end is not told, unless it is a failure', () => {
    const late = [
      { type: 'content_block_start', content_block: { type: 'tool_use', id: 't3', name: 'late', input: {} } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'late' } },
      { type: 'message_start', message },
    ];
    expect(streamed([...events, ...late])).toEqual(streamed(events));
    expect(() => streamed([...events, { type: 'error', error: { message: 'No.' } }])).toThrow(KeyPassError);
  });

  test('is not made longer by a name that is too long to be one', () => {
    const long = 'x'.repeat(10_000);
    const [first] = streamed([{ type: 'message_start', message: { id: long, model: long } }, ...events.slice(1)]);
    expect(first).toMatchObject({ id: facts.id, model: facts.model });
  });

  test('kinds of events that are not known yet are passed over', () => {
    expect(streamed([...events.slice(0, 3), { type: 'of_tomorrow' }, ...events.slice(3)])).toEqual(streamed(events));
  });
});
