import { countTokens as cl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base';

/** One event of a provider's stream, and what it adds to what has to be booked. */
export interface SentEvent {
  readonly bytes: string;
  /** What the model said in it, and in which of its texts. */
  readonly said?: readonly [text: string, words: string];
  /** What the provider states in it of the call so far. */
  readonly stated?: { readonly input: number; readonly output: number };
  /** The answer ends with it: from here on the usage is waited for. */
  readonly stops?: true;
  /** It states the usage of the whole. */
  readonly states?: true;
  /** It comes only because KeyPass asked for it, and is taken out again. */
  readonly isHidden?: true;
}

/** A stream as one API sends it, and how what came of it has to be booked. */
export interface AbortedApi {
  readonly name: string;
  readonly path: string;
  readonly body: object;
  readonly events: readonly SentEvent[];
  /** Tokens of the prompt by the provider's recipe, for APIs that state none before the end. */
  readonly promptTokens: number;
  /** Where reasoning is not shown: all that was held is booked as output. */
  readonly mostOutput?: number;
  /** What the stream states at its end. */
  readonly final: { readonly input: number; readonly output: number };
  outputTokens(texts: readonly string[]): number;
}

const question = 'Explain in three sentences why the sky is blue at noon and red in the evening.';
const system = 'You are a patient teacher.';
const words = [
  'Sunlight',
  ' is scattered',
  ' by molecules of air,',
  ' and blue',
  ' light much more than red (λ⁻⁴).\n\n',
  'In the evening it comes a longer way: ',
  '1,000 km through 大気',
  ' — “blue” is gone 🌇.',
];
const maxTokens = 400;

const sum = (texts: readonly string[], count: (text: string) => number) =>
  texts.reduce((total, text) => total + count(text), 0);

/** A comment (WHATWG HTML, 9.2.6) after each event tells the client how far the stream has come. */
export const markOf = (at: number) => `: event ${at}\n`;
const event = (at: number, data: object | string, name?: string, end = '\n') =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n${markOf(at)}${end}`;

const messages = [
  { role: 'system', content: system },
  { role: 'user', content: question },
];
const roles = ['system', system, 'user', question];

type Part = readonly [text: string, delta: object, words: string];

/** OpenAI's chunks: the usage comes in an event of its own, after the stop. */
function chatEvents(model: string, parts: readonly Part[], last: object): SentEvent[] {
  const chunk = (delta: object, reason: string | null) => ({
    id: 'chatcmpl-9f3',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model,
    service_tier: 'default',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    usage: null,
  });
  const said = parts.map(([text, delta, each], at): SentEvent => {
    return { bytes: event(at, chunk(delta, null)), said: [text, each] };
  });
  const after = parts.length;
  return [
    ...said,
    { bytes: event(after, chunk({}, 'stop')), stops: true },
    { bytes: event(after + 1, { id: 'chatcmpl-9f3', model, choices: [], ...last }), states: true, isHidden: true },
    { bytes: event(after + 2, '[DONE]') },
  ];
}

const call = (each: object) => ({ tool_calls: [{ index: 0, function: each }] });
const chatParts: Part[] = [
  ...words.map((content): Part => ['content', { content }, content]),
  [
    'call',
    { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '' } }] },
    'look_up',
  ],
  ['arguments', call({ arguments: '{"topic":' }), '{"topic":'],
  ['arguments', call({ arguments: '"Rayleigh \\"scattering\\""}' }), '"Rayleigh \\"scattering\\""}'],
];
const chatFinal = { input: 61, output: 97 };
const chatUsage = { usage: { prompt_tokens: 61, completion_tokens: 97, total_tokens: 158 } };

const openAiChat: AbortedApi = {
  name: 'OpenAI chat',
  path: '/openai/v1/chat/completions',
  body: { model: 'gpt-4o-mini', messages, max_tokens: maxTokens, stream: true },
  events: chatEvents('gpt-4o-mini-2024-07-18', chatParts, chatUsage),
  // OpenAI's recipe: 3 for each message, 3 for the answer.
  promptTokens: sum(roles, o200k) + 2 * 3 + 3,
  final: chatFinal,
  outputTokens: (texts) => sum(texts, o200k),
};

const openAiReasoning: AbortedApi = {
  ...openAiChat,
  name: 'OpenAI chat, reasoning',
  body: { model: 'gpt-5-mini', messages, max_completion_tokens: maxTokens, stream: true },
  events: chatEvents('gpt-5-mini-2025-08-07', chatParts, chatUsage),
  mostOutput: maxTokens,
};

/** Groq's Llama: the vocabulary is cl100k's and more; 6 tokens frame a message, 128 the call. */
const groqChat: AbortedApi = {
  name: 'Groq chat',
  path: '/groq/openai/v1/chat/completions',
  body: { model: 'llama-3.3-70b-versatile', messages, max_tokens: maxTokens, stream: true },
  events: chatEvents('llama-3.3-70b-versatile', chatParts, { ...chatUsage, x_groq: { id: 'req_1', ...chatUsage } }),
  promptTokens: sum(roles, cl100k) + 2 * 6 + 128,
  final: chatFinal,
  outputTokens: (texts) => sum(texts, cl100k),
};

function responsesEvents(): SentEvent[] {
  const model = 'gpt-4o-mini-2024-07-18';
  const response = {
    id: 'resp_1',
    object: 'response',
    model,
    service_tier: 'default',
    instructions: system,
    output: [],
  };
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const all: [type: string, rest: object, said?: readonly [string, string]][] = [
    ['response.created', { response: { ...response, status: 'in_progress', usage: null } }],
    ['response.output_item.added', { output_index: 0, item: { id: 'msg_1', type: 'message', content: [] } }],
    ...words.map((delta): (typeof all)[number] => ['response.output_text.delta', { ...at, delta }, ['text', delta]]),
    ['response.output_text.done', { ...at, text: words.join('') }],
    [
      'response.output_item.added',
      { output_index: 1, item: { id: 'fc_1', type: 'function_call', name: 'look_up', arguments: '' } },
      ['call', 'look_up'],
    ],
    [
      'response.function_call_arguments.delta',
      { item_id: 'fc_1', output_index: 1, delta: '{"topic":"Rayleigh"}' },
      ['arguments', '{"topic":"Rayleigh"}'],
    ],
    ['response.function_call_arguments.done', { item_id: 'fc_1', output_index: 1, arguments: '{"topic":"Rayleigh"}' }],
  ];
  const usage = { input_tokens: 61, output_tokens: 97, total_tokens: 158 };
  const last = { type: 'response.completed', response: { ...response, status: 'completed', usage } };
  return [
    ...all.map(([type, rest, said], index): SentEvent => {
      const bytes = event(index, { type, sequence_number: index, ...rest }, type);
      return said === undefined ? { bytes } : { bytes, said };
    }),
    { bytes: event(all.length, last, last.type), stops: true, states: true },
  ];
}

const responses: AbortedApi = {
  name: 'OpenAI responses',
  path: '/openai/v1/responses',
  body: { model: 'gpt-4o-mini', instructions: system, input: question, max_output_tokens: maxTokens, stream: true },
  events: responsesEvents(),
  promptTokens: sum([system, question], o200k) + 3 + 3,
  final: chatFinal,
  outputTokens: (texts) => sum(texts, o200k),
};

const block = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta });

function anthropicEvents(): SentEvent[] {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929', content: [] };
  const usage = { input_tokens: 33, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 2 };
  const tool = { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: {} };
  const all: [data: { type: string; [member: string]: unknown }, more?: Omit<SentEvent, 'bytes'>][] = [
    [{ type: 'message_start', message: { ...message, usage } }, { stated: { input: 33, output: 2 } }],
    [{ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
    [{ type: 'ping' }],
    ...words.map((text): (typeof all)[number] => [block(0, { type: 'text_delta', text }), { said: ['text', text] }]),
    [{ type: 'content_block_stop', index: 0 }],
    [{ type: 'content_block_start', index: 1, content_block: tool }, { said: ['call', 'look_up'] }],
    [block(1, { type: 'input_json_delta', partial_json: '{"topic": ' }), { said: ['arguments', '{"topic": '] }],
    [block(1, { type: 'input_json_delta', partial_json: '"Rayleigh"}' }), { said: ['arguments', '"Rayleigh"}'] }],
    [
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 97 } },
      { stops: true, states: true },
    ],
    [{ type: 'message_stop' }],
  ];
  return all.map(([data, more], index) => ({ bytes: event(index, data, data.type), ...more }));
}

const anthropic: AbortedApi = {
  name: 'Anthropic messages',
  path: '/anthropic/v1/messages',
  body: {
    model: 'claude-sonnet-4-5',
    system,
    messages: [{ role: 'user', content: question }],
    max_tokens: maxTokens,
    stream: true,
  },
  events: anthropicEvents(),
  promptTokens: 0,
  final: { input: 33, output: 97 },
  // The vocabulary is not published: 30 % more than o200k_base was measured at most.
  outputTokens: (texts) => Math.ceil((sum(texts, o200k) * 130) / 100),
};

/** Gemini states what was used with each chunk: of a model that thinks, thoughts included. */
function geminiEvents(thoughts: number): SentEvent[] {
  return words.map((text, index): SentEvent => {
    const isLast = index === words.length - 1;
    const candidates = index * 9 + 4;
    const usageMetadata = {
      promptTokenCount: 29,
      candidatesTokenCount: candidates,
      totalTokenCount: 29 + candidates + thoughts,
      ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    };
    const content = { parts: [{ text }], role: 'model' };
    const candidate = { content, ...(isLast ? { finishReason: 'STOP' } : {}), index: 0 };
    const data = { candidates: [candidate], usageMetadata, modelVersion: 'gemini', responseId: 'r1' };
    return {
      bytes: event(index, data).replaceAll('\n', '\r\n'),
      said: ['text', text],
      stated: { input: 29, output: candidates + thoughts },
      ...(isLast ? { stops: true, states: true } : {}),
    };
  });
}

const geminiOf = (model: string, thoughts: number): AbortedApi => ({
  name: thoughts === 0 ? 'Gemini' : 'Gemini, thinking',
  path: `/google/v1beta/models/${model}:streamGenerateContent?alt=sse`,
  body: {
    systemInstruction: { parts: [{ text: system }] },
    contents: [{ role: 'user', parts: [{ text: question }] }],
    generationConfig: { maxOutputTokens: maxTokens },
  },
  events: geminiEvents(thoughts),
  promptTokens: 0,
  final: { input: 29, output: (words.length - 1) * 9 + 4 + thoughts },
  // A quarter more than o200k_base, or what is stated, if that is more.
  outputTokens: (texts) => Math.ceil((sum(texts, o200k) * 125) / 100),
});

export const abortedApis: readonly AbortedApi[] = [
  openAiChat,
  openAiReasoning,
  responses,
  anthropic,
  geminiOf('gemini-2.0-flash', 0),
  geminiOf('gemini-2.5-flash', 120),
  groqChat,
];

/** What has to be booked of its first `events`, when no more came of the stream: counted from these alone. */
export function expectedUsage(api: AbortedApi, events: readonly SentEvent[]): { input: number; output: number } {
  const said = events.flatMap((each) => (each.said === undefined ? [] : [each.said]));
  const texts = [...Map.groupBy(said, ([text]) => text).values()].map((all) => all.map(([, each]) => each).join(''));
  const stated = events.findLast((each) => each.stated !== undefined)?.stated;
  const counted = api.mostOutput ?? api.outputTokens(texts);
  return { input: stated?.input ?? api.promptTokens, output: Math.max(counted, stated?.output ?? 0) };
}
