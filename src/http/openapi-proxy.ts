import type { ErrorCode } from '../errors.ts';

/** What the proxy's handlers take and answer. They have no schema, since they pass a provider's own bytes on. */
export interface ProxyOperation {
  readonly path: string;
  readonly methods: readonly ('get' | 'post' | 'delete')[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly object[];
  /** Absent where the provider alone defines it. */
  readonly requestSchema?: object;
  readonly requestExample?: unknown;
  readonly answerExample: unknown;
  /** Absent where nothing streams. */
  readonly streamExample?: string;
  readonly errors: readonly ErrorCode[];
}

const beforeDispatch = [
  'invalid_request',
  'invalid_json',
  'duplicate_member',
  'invalid_path',
  'unsupported_parameter',
  'token_in_url',
  'ambiguous_credentials',
  'credentials_missing',
  'not_a_keypass_token',
  'access_token_invalid',
  'budget_exceeded',
  'budget_held',
  'provider_not_connected',
  'endpoint_not_allowed',
  'scope_not_granted',
  'model_not_allowed',
  'key_missing',
  'key_origin_changed',
  'price_unknown',
  'unbounded_cost',
  'connection_paused',
  'connection_expired',
  'connection_revoked',
  'connection_changed',
  'body_too_large',
  'unsupported_media_type',
  'unsupported_encoding',
  'provider_unknown',
] satisfies ErrorCode[];

const toKnowTheCaller = [
  'token_in_url',
  'ambiguous_credentials',
  'credentials_missing',
  'not_a_keypass_token',
  'access_token_invalid',
  'connection_paused',
  'connection_expired',
  'key_missing',
] satisfies ErrorCode[];

const atTheProvider = [
  'provider_unreachable',
  'provider_redirected',
  'provider_key_rejected',
  'provider_timeout',
] satisfies ErrorCode[];

const exact = {
  name: 'X-KeyPass-Exact',
  in: 'header',
  required: false,
  description: 'true: never lower the output limit to what fits into the budget; refuse instead',
  schema: { type: 'string', enum: ['true'] },
};
const idempotency = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Names the call for 24 hours: a repeat is not made again',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
};
const restOfPath = (of: string) => ({
  name: 'path',
  in: 'path',
  required: true,
  description: `${of}; the slashes in it stay as they are`,
  schema: { type: 'string' },
});
const providerId = {
  name: 'provider',
  in: 'path',
  required: true,
  description: 'Provider id, as in GET /v1/providers',
  schema: { type: 'string' },
  example: 'openai',
};

/** What the unified chat itself looks at; the other parameters are OpenAI's. */
const unifiedChat = {
  type: 'object',
  required: ['provider', 'model', 'messages'],
  properties: {
    provider: { type: 'string', description: 'Provider id, as in GET /v1/providers' },
    model: { type: 'string', description: "The provider's own name of the model" },
    messages: { type: 'array', minItems: 1, items: { type: 'object' }, description: "OpenAI's messages" },
    max_tokens: { type: 'integer', minimum: 1, description: 'The smaller, the less of the budget is held meanwhile' },
    stream: { type: 'boolean', description: "true: an event stream of OpenAI's chunks" },
  },
  additionalProperties: {
    description: "Any other chat parameter of OpenAI's; refused by name where it has no translation",
  },
};

const openAiChat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 256 };
const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1795392000,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello! How can I help?' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 8, total_tokens: 17 },
};
const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1795392000, model: 'gpt-4o-2024-08-06' };
const chunks = events(
  { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello!' }, finish_reason: null }] },
  { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  '[DONE]',
);
const embeddings = { model: 'google/gemini-embedding-001', input: ['Hello!', 'Goodbye!'], dimensions: 256 };
const vectors = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.0023, -0.0093] }],
  model: 'gemini-embedding-001',
  usage: { prompt_tokens: 4, total_tokens: 4 },
};
const model = { id: 'anthropic/claude-sonnet-5', object: 'model', created: 1790000000, owned_by: 'anthropic' };
const modelName = { ...restOfPath('The id of the model'), example: model.id };
const unlisted = 'A provider that cannot be asked leaves out its models alone, and X-KeyPass-Unlisted names it.';
const answeredResponse = { id: 'resp_1', object: 'response', status: 'completed', model: 'gpt-4o-2024-08-06' };
const message = { model: 'claude-sonnet-5', max_tokens: 256, messages: [{ role: 'user', content: 'Hello!' }] };
const answeredMessage = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [{ type: 'text', text: 'Hello! How can I help?' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 9, output_tokens: 8 },
};
const messageEvents = namedEvents(
  { type: 'message_start', message: { ...answeredMessage, content: [], stop_reason: null } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello!' } },
  { type: 'message_stop' },
);
const contents = { contents: [{ role: 'user', parts: [{ text: 'Hello!' }] }] };
const candidates = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello! How can I help?' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 8, totalTokenCount: 10 },
};

/** Server-sent events (WHATWG HTML, 9.2), shortened: a real stream has more of them. */
function events(...data: (object | string)[]): string {
  return data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join('');
}

/** Of APIs that name each event by its type. */
function namedEvents(...data: { type: string; [member: string]: unknown }[]): string {
  return data.map((each) => `event: ${each.type}\n${events(each)}`).join('');
}

const dropIn = (client: string, shape: string) =>
  `The base URL for ${client}, with the access token as its API key. What may be called is in the coverage matrix (/docs/proxy#coverage). KeyPass's own errors come in ${shape}, with X-KeyPass-Error.`;

export const proxyOperations: readonly ProxyOperation[] = [
  {
    path: '/v1/proxy/chat/completions',
    methods: ['post'],
    summary: "Chat with any provider in OpenAI's shape",
    description:
      "OpenAI's chat parameters and `provider`. With `stream: true` the answer is an event stream of OpenAI's chunks, without the envelope. What a provider has no word for is refused by name.",
    parameters: [exact, idempotency],
    requestSchema: unifiedChat,
    requestExample: { provider: 'openai', ...openAiChat },
    answerExample: { success: true, data: completion },
    streamExample: chunks,
    errors: [
      ...beforeDispatch,
      'idempotency_mismatch',
      'call_in_progress',
      'call_already_made',
      ...atTheProvider,
      'provider_rate_limited',
      'provider_error',
    ],
  },
  {
    path: '/v1/proxy/passthrough/{provider}/{path}',
    methods: ['get', 'post', 'delete'],
    summary: "A provider's own API",
    description:
      "The provider's own full path follows its id, and its status, headers and body come back as they are, streams byte for byte; what is about the owner's key is told by KeyPass. What may be called is in the coverage matrix (/docs/proxy#coverage); KeyPass's own errors have the envelope and X-KeyPass-Error.",
    parameters: [providerId, restOfPath("The provider's own path, such as v1/chat/completions"), exact],
    requestExample: openAiChat,
    answerExample: completion,
    streamExample: chunks,
    errors: [...beforeDispatch, ...atTheProvider],
  },
  {
    path: '/openai/v1/chat/completions',
    methods: ['post'],
    summary: "OpenAI's chat, for its official client",
    description: `${dropIn('OpenAI clients is /openai/v1', "OpenAI's shape")} A model such as \`anthropic/claude-sonnet-5\` goes to that provider.`,
    parameters: [exact],
    requestExample: openAiChat,
    answerExample: completion,
    streamExample: chunks,
    errors: [...beforeDispatch, ...atTheProvider],
  },
  {
    path: '/openai/v1/embeddings',
    methods: ['post'],
    summary: 'Embeddings with any provider that has them',
    description: `${dropIn('OpenAI clients is /openai/v1', "OpenAI's shape")} A model such as \`google/gemini-embedding-001\` goes to that provider, in OpenAI's shape there and back.`,
    parameters: [],
    requestExample: embeddings,
    answerExample: vectors,
    errors: [...beforeDispatch, ...atTheProvider],
  },
  {
    path: '/openai/v1/models',
    methods: ['get'],
    summary: 'The models that the connection may use',
    description: `Of all its providers, by the names under which /openai/v1 takes them: those that the owner named, else those that the provider lists for the owner's key and that have a price. Lists are remembered for five minutes. ${unlisted}`,
    parameters: [],
    answerExample: { object: 'list', data: [model, { ...model, id: 'gpt-4o', owned_by: 'openai' }] },
    errors: [...toKnowTheCaller, ...atTheProvider],
  },
  {
    path: '/openai/v1/models/{path}',
    methods: ['get'],
    summary: 'One of these models',
    description: 'Answers whether the connection may use the model.',
    parameters: [modelName],
    answerExample: model,
    errors: [...toKnowTheCaller, 'not_found', 'invalid_path', ...atTheProvider],
  },
  {
    path: '/openai/v1/{path}',
    methods: ['get', 'post', 'delete'],
    summary: "OpenAI's API, for its official client",
    description: dropIn('OpenAI clients is /openai/v1', "OpenAI's shape"),
    parameters: [restOfPath('What follows /v1, such as responses'), exact],
    requestExample: { model: 'gpt-4o', input: 'Hello!', max_output_tokens: 256 },
    answerExample: answeredResponse,
    streamExample: namedEvents(
      { type: 'response.output_text.delta', delta: 'Hello!' },
      { type: 'response.completed', response: answeredResponse },
    ),
    errors: [...beforeDispatch, ...atTheProvider],
  },
  {
    path: '/anthropic/{path}',
    methods: ['get', 'post', 'delete'],
    summary: "Anthropic's API, for its official client",
    description: dropIn('Anthropic clients is /anthropic', "Anthropic's shape"),
    parameters: [restOfPath("Anthropic's own path, such as v1/messages"), exact],
    requestExample: message,
    answerExample: answeredMessage,
    streamExample: messageEvents,
    errors: [...beforeDispatch, ...atTheProvider],
  },
  {
    path: '/google/{path}',
    methods: ['get', 'post', 'delete'],
    summary: "Google's Gemini API, for its official client",
    description: dropIn('Google clients is /google', "Google's shape (the code is in error.details)"),
    parameters: [restOfPath("Google's own path, such as v1beta/models/gemini-2.5-flash:generateContent"), exact],
    requestExample: contents,
    answerExample: candidates,
    streamExample: events(candidates),
    errors: [...beforeDispatch, ...atTheProvider],
  },
  {
    path: '/groq/{path}',
    methods: ['get', 'post', 'delete'],
    summary: "Groq's API, for its official client",
    description: dropIn('Groq clients is /groq', "OpenAI's shape"),
    parameters: [restOfPath("Groq's own path, such as openai/v1/chat/completions"), exact],
    requestExample: { ...openAiChat, model: 'llama-3.3-70b-versatile' },
    answerExample: { ...completion, model: 'llama-3.3-70b-versatile' },
    streamExample: chunks.replaceAll(chunk.model, 'llama-3.3-70b-versatile'),
    errors: [...beforeDispatch, ...atTheProvider],
  },
];
