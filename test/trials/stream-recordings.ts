import { usageFixtures } from '../../src/money/fixtures/index.ts';
import type { UsageFixture } from '../../src/money/fixtures/fixture.ts';
import { memberAt } from '../../src/money/json.ts';

/** One event of a provider's stream. */
export interface RecordedEvent {
  readonly name?: string;
  readonly data: object | string;
  /** What it is for an app that did not ask for usage, null where there is none; absent where that is the same. */
  readonly unasked?: object | null;
}

/** What a unified chat has to say of a stream, whoever sent it. */
export interface Said {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly usage: { readonly prompt: number; readonly completion: number };
}

/** A stream as one API sends it, and what has to come of it. */
export interface Recording {
  readonly name: string;
  /** Under the provider's own mount. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Sends its usage only to those who ask. */
  readonly mustBeAsked: boolean;
  readonly lineEnd: '\n' | '\r\n';
  readonly events: readonly RecordedEvent[];
  /** The receipt's buckets that are not zero. */
  readonly used: Readonly<Record<string, number>>;
  /** Where a unified chat can bring it about, and what it says. */
  readonly unified?: { readonly provider: string; readonly model: string; readonly said: Said };
}

/** In every text of a stream: two, three and four bytes long, what looks like usage, and what ends a line elsewhere. */
const words = ['Grüße aus ', '大気, "usage":null ', 'λ⁻⁴\u2028🌇\n\ndata: x'] as const;
const text = words.join('');
const calls = [
  { name: 'look_up', arguments: { topic: 'Rayleigh “λ”' } },
  { name: 'sum', arguments: { of: [1, 2] } },
] as const;
const [first, second] = calls.map(({ arguments: given }) => JSON.stringify(given));
const firstParts = [first?.slice(0, 14) ?? '', first?.slice(14) ?? ''] as const;

const chatUsage = {
  prompt_tokens: 61,
  completion_tokens: 97,
  total_tokens: 158,
  prompt_tokens_details: { cached_tokens: 32 },
  completion_tokens_details: { reasoning_tokens: 40 },
};
const chatUsed = { uncachedInput: 29, cacheRead: 32, output: 97, reasoning: 40 };
const said: Said = { text, calls, usage: { prompt: 61, completion: 97 } };

const called = (index: number, given: object, id?: string) => ({
  tool_calls: [{ index, ...(id === undefined ? {} : { id, type: 'function' }), function: given }],
});

const choice = (delta: object, reason: string | null) => ({ choices: [{ index: 0, delta, finish_reason: reason }] });

/** OpenAI's chunks: null as usage in each, and one with the usage, only because they were asked for. */
function chatEvents(model: string, more: readonly object[]): RecordedEvent[] {
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_790_000_000, model };
  const deltas = [
    { role: 'assistant', content: '' },
    ...more,
    ...words.map((content) => ({ content })),
    called(0, { name: 'look_up', arguments: '' }, 'call_1'),
    ...firstParts.map((part) => called(0, { arguments: part })),
    called(1, { name: 'sum', arguments: second }, 'call_2'),
  ];
  const choices = [...deltas.map((delta) => choice(delta, null)), choice({}, 'tool_calls')];
  return [
    ...choices.map((each) => ({ data: { ...chunk, ...each, usage: null }, unasked: { ...chunk, ...each } })),
    { data: { ...chunk, choices: [], usage: chatUsage }, unasked: null },
    { data: '[DONE]' },
  ];
}

const messages = [{ role: 'user', content: 'Why is the sky blue?' }];

const openAiChat: Recording = {
  name: 'OpenAI chat',
  path: '/openai/v1/chat/completions',
  body: { model: 'gpt-5-mini', messages, max_completion_tokens: 200, stream: true },
  mustBeAsked: true,
  lineEnd: '\n',
  events: chatEvents('gpt-5-mini-2025-08-07', []),
  used: chatUsed,
  unified: { provider: 'openai', model: 'gpt-5-mini', said },
};

const groqChat: Recording = {
  name: 'Groq chat',
  path: '/groq/openai/v1/chat/completions',
  body: { model: 'openai/gpt-oss-20b', messages, max_tokens: 200, stream: true },
  mustBeAsked: true,
  lineEnd: '\n',
  events: chatEvents('openai/gpt-oss-20b', [{ reasoning: 'Hm, λ.' }]),
  used: chatUsed,
  unified: { provider: 'groq', model: 'openai/gpt-oss-20b', said },
};

function responsesEvents(): RecordedEvent[] {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-5-mini-2025-08-07', service_tier: 'default' };
  const usage = {
    input_tokens: 61,
    input_tokens_details: { cached_tokens: 32 },
    output_tokens: 97,
    output_tokens_details: { reasoning_tokens: 40 },
    total_tokens: 158,
  };
  const at = { item_id: 'msg_1', output_index: 1, content_index: 0 };
  const all: { type: string; [member: string]: unknown }[] = [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
    { type: 'response.reasoning_summary_text.delta', item_id: 'rs_1', output_index: 0, delta: 'Hm, λ.' },
    ...words.map((delta) => ({ type: 'response.output_text.delta', ...at, delta })),
    { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 2, delta: first },
    { type: 'response.completed', response: { ...response, status: 'completed', output: [], usage } },
  ];
  return all.map((each, index) => ({ name: each.type, data: { ...each, sequence_number: index } }));
}

const responses: Recording = {
  name: 'OpenAI responses',
  path: '/openai/v1/responses',
  body: { model: 'gpt-5-mini', input: 'Why is the sky blue?', max_output_tokens: 200, stream: true },
  mustBeAsked: false,
  lineEnd: '\n',
  events: responsesEvents(),
  used: chatUsed,
};

const start = (index: number, block: object) => ({ type: 'content_block_start', index, content_block: block });
const delta = (index: number, each: object) => ({ type: 'content_block_delta', index, delta: each });
const stop = (index: number) => ({ type: 'content_block_stop', index });
const tool = (id: string, name: string) => ({ type: 'tool_use', id, name, input: {} });

function anthropicEvents(): RecordedEvent[] {
  const usage = { input_tokens: 29, cache_creation_input_tokens: 0, cache_read_input_tokens: 32, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [], usage };
  const all: { type: string; [member: string]: unknown }[] = [
    { type: 'message_start', message },
    start(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'Hm, λ.' }),
    delta(0, { type: 'signature_delta', signature: 'EqQBCg==' }),
    stop(0),
    { type: 'ping' },
    start(1, { type: 'text', text: '' }),
    ...words.map((each) => delta(1, { type: 'text_delta', text: each })),
    stop(1),
    start(2, tool('toolu_1', 'look_up')),
    ...firstParts.map((part) => delta(2, { type: 'input_json_delta', partial_json: part })),
    stop(2),
    start(3, tool('toolu_2', 'sum')),
    delta(3, { type: 'input_json_delta', partial_json: second }),
    stop(3),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 97 } },
    { type: 'message_stop' },
  ];
  return all.map((data) => ({ name: data.type, data }));
}

const anthropic: Recording = {
  name: 'Anthropic messages',
  path: '/anthropic/v1/messages',
  body: { model: 'claude-sonnet-4-5', messages, max_tokens: 200, stream: true },
  mustBeAsked: false,
  lineEnd: '\n',
  events: anthropicEvents(),
  used: { uncachedInput: 29, cacheRead: 32, output: 97 },
  unified: { provider: 'anthropic', model: 'claude-sonnet-4-5', said },
};

function geminiEvents(): RecordedEvent[] {
  const parts: object[][] = [
    [{ text: 'Hm, λ.', thought: true }],
    ...words.map((each) => [{ text: each }]),
    calls.map(({ name, arguments: args }) => ({ functionCall: { name, args } })),
  ];
  return parts.map((each, index) => {
    const isLast = index === parts.length - 1;
    const candidates = isLast ? 57 : index;
    const usageMetadata = {
      promptTokenCount: 61,
      cachedContentTokenCount: 32,
      candidatesTokenCount: candidates,
      thoughtsTokenCount: 40,
      totalTokenCount: 101 + candidates,
    };
    const content = { parts: each, role: 'model' };
    const candidate = { content, index: 0, ...(isLast ? { finishReason: 'STOP' } : {}) };
    return { data: { candidates: [candidate], usageMetadata, modelVersion: 'gemini-2.5-flash', responseId: 'r1' } };
  });
}

const gemini: Recording = {
  name: 'Gemini',
  path: '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
  body: {
    contents: [{ role: 'user', parts: [{ text: 'Why is the sky blue?' }] }],
    generationConfig: { maxOutputTokens: 200 },
  },
  mustBeAsked: false,
  lineEnd: '\r\n',
  events: geminiEvents(),
  used: chatUsed,
  unified: { provider: 'google', model: 'gemini-2.5-flash', said },
};

/** One of each API, with all that its streams can have. */
export const richRecordings: readonly Recording[] = [openAiChat, groqChat, responses, anthropic, gemini];

const templates: Readonly<Record<string, Recording>> = {
  'openai-chat': openAiChat,
  'groq-chat': groqChat,
  'openai-responses': responses,
  'anthropic-messages': anthropic,
  gemini,
};

/** The streams among the answers that prove the prices: their usage in every form that is known. */
export const usageRecordings: readonly Recording[] = usageFixtures.flatMap((fixture) => {
  const template = templates[fixture.format];
  return template === undefined || !('events' in fixture.answer) ? [] : [recordingOf(fixture, template)];
});

function recordingOf(fixture: UsageFixture, template: Recording): Recording {
  const { format, model, name, answer, request = {}, buckets } = fixture;
  const events = 'events' in answer ? answer.events : [];
  const { unified: _, ...rest } = template;
  return {
    ...rest,
    name: `${format}, ${model}: ${name}`,
    path: template.path.replace('gemini-2.5-flash', model),
    body: { ...template.body, ...(format === 'gemini' ? {} : { model }), ...request },
    events: events.map((data) => eventOf(data)),
    used: Object.fromEntries(
      Object.entries(buckets).flatMap(([bucket, count]) => (typeof count === 'number' ? [[bucket, count]] : [])),
    ),
  };
}

/** OpenAI's Responses and Anthropic name their events as the data's `type` does. */
function eventOf(data: unknown): RecordedEvent {
  if (typeof data === 'string') return { data };
  if (typeof data !== 'object' || data === null) throw new Error('an event without data');
  const type = memberAt(data, 'type');
  return typeof type === 'string' ? { name: type, data } : { data };
}
