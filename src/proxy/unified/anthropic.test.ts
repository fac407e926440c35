import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../../errors.ts';
import { listAt, textAt } from '../../money/json.ts';
import { fromAnthropic, toAnthropic } from './anthropic.ts';
import { AnthropicStream } from './anthropic-stream.ts';
import { parseChat } from './chat.ts';

const facts = { id: 'chatcmpl-1', created: 1_790_000_000, model: 'claude-opus-4-8' };
const translate = (members: Record<string, unknown> = {}) =>
  toAnthropic(parseChat({ model: 'claude-opus-4-8', messages: [{ role: 'user', content: 'Hi' }], ...members }));

const textIn = (block: unknown) => textAt(block, 'text') ?? '';
const textsIn = (turn: unknown) => listAt(turn, 'content').map(textIn);

describe('toAnthropic', () => {
  test('a chat with everything that Anthropic can be told', () => {
    const body = translate({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi!' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'How' },
            { type: 'text', text: 'are you?' },
          ],
        },
      ],
      max_tokens: 100,
      temperature: 1,
      top_p: 0.5,
      stop: 'END',
      user: 'u1',
      n: 1,
      presence_penalty: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(body).toEqual({
      model: 'claude-opus-4-8',
      max_tokens: 100,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'Hi!' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'How' },
            { type: 'text', text: 'are you?' },
          ],
        },
      ],
      temperature: 1,
      top_p: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
      stream: true,
    });
  });

  test('a chat without a limit gets one: 16,384, or what the model can write if that is less', () => {
    expect(translate()).toEqual({
      model: 'claude-opus-4-8',
      max_tokens: 16_384,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    });
    expect(translate({ model: 'claude-3-haiku-20240307' })).toMatchObject({ max_tokens: 4096 });
    expect(translate({ model: 'claude-of-tomorrow' })).toMatchObject({ max_tokens: 16_384 });
  });

  test.each([
    ['n', 2, 'unsupported_parameter'],
    ['seed', 1, 'unsupported_parameter'],
    ['presence_penalty', 0.5, 'unsupported_parameter'],
    ['frequency_penalty', -0.5, 'unsupported_parameter'],
    ['stop', ['END', '\n'], 'unsupported_parameter'],
    ['temperature', 1.01, 'invalid_request'],
  ])('refuses %s %j by its name', (param, value, code) => {
    expect(() => translate({ [param]: value })).toThrow(expect.objectContaining({ code, param }));
  });

  test('every text arrives, in its order and role', () => {
    const message = fc.record({
      role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
      content: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(fc.record({ type: fc.constant('text'), text: fc.string({ unit: 'grapheme' }) })),
      ),
    });
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const texts = (roles: string[]) =>
          messages
            .filter(({ role }) => roles.includes(role))
            .map(({ content }) => (typeof content === 'string' ? content : content.map(({ text }) => text).join('')))
            .join('');
        fc.pre(texts(['user', 'assistant']) !== '');
        const body = translate({ messages });
        const turns = listAt(body, 'messages');
        const said = (role: string) => turns.filter((turn) => textAt(turn, 'role') === role).flatMap(textsIn);
        expect(listAt(body, 'system').map(textIn).join('')).toBe(texts(['system', 'developer']));
        expect(said('user').join('')).toBe(texts(['user']));
        expect(said('assistant').join('')).toBe(texts(['assistant']));
        expect(turns.every((turn, index) => textAt(turn, 'role') !== textAt(turns[index - 1], 'role'))).toBe(true);
        expect([...listAt(body, 'system').map(textIn), ...turns.flatMap(textsIn)]).not.toContain('');
      }),
    );
  });
});

/** As in the API reference: platform.claude.com/docs/en/api/messages/create */
const message = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8-20260528',
  content: [{ type: 'text', text: 'Hi! My name is Claude.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 2095,
    cache_creation_input_tokens: 10,
    cache_read_input_tokens: 1000,
    output_tokens: 503,
    output_tokens_details: { thinking_tokens: 300 },
    service_tier: 'standard',
  },
};

describe('fromAnthropic', () => {
  test('a message is a completion', () => {
    expect(fromAnthropic(message, facts)).toEqual({
      id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
      object: 'chat.completion',
      created: 1_790_000_000,
      model: 'claude-opus-4-8-20260528',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi! My name is Claude.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 3105,
        completion_tokens: 503,
        total_tokens: 3608,
        prompt_tokens_details: { cached_tokens: 1000 },
        completion_tokens_details: { reasoning_tokens: 300 },
      },
    });
  });

  test('thinking is not text, and several texts are one', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm.', signature: 's' },
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(fromAnthropic({ ...message, content }, facts).choices[0]?.message.content).toBe('ab');
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['of_tomorrow', 'content_filter'],
    ['toString', 'content_filter'],
    [null, 'content_filter'],
  ] as const)('%s is told as %s', (reason, finish) => {
    expect(fromAnthropic({ ...message, stop_reason: reason }, facts).choices[0]?.finish_reason).toBe(finish);
  });

  test('a refusal says why', () => {
    const stop_details = { type: 'refusal', category: 'cyber', explanation: 'I will not.' };
    const refused = { ...message, content: [], stop_reason: 'refusal', stop_details };
    expect(fromAnthropic(refused, facts).choices[0]).toMatchObject({
      message: { content: null, refusal: 'I will not.' },
      finish_reason: 'content_filter',
    });
  });

  test('usage that cannot be believed is left out; what is no message is refused', () => {
    expect(fromAnthropic({ ...message, usage: { input_tokens: -1, output_tokens: 1 } }, facts)).not.toHaveProperty(
      'usage',
    );
    expect(() => fromAnthropic({ hello: 'world' }, facts)).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });
});

/** As in platform.claude.com/docs/en/build-with-claude/streaming, with a block of thinking. */
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
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 15 } },
  { type: 'message_stop' },
];

function streamed(sent: readonly object[], includeUsage = false) {
  const stream = new AnthropicStream(facts, includeUsage);
  const chunks = sent.flatMap((event) => stream.push(JSON.stringify(event)));
  return [...chunks, ...stream.end()];
}

describe('AnthropicStream', () => {
  test('events become chunks', () => {
    const chunks = streamed(events);
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hello' },
      { content: ' 🙂!' },
      {},
    ]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, 'stop']);
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

  test('with include_usage the last chunk has the usage and no choices', () => {
    const chunks = streamed(events, true);
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 30,
        completion_tokens: 15,
        total_tokens: 45,
        prompt_tokens_details: { cached_tokens: 5 },
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

  test('kinds of events that are not known yet are passed over', () => {
    expect(streamed([...events.slice(0, 3), { type: 'of_tomorrow' }, ...events.slice(3)])).toEqual(streamed(events));
  });
});
