import type { Provider } from './types.ts';

/** Sources: docs.together.ai/reference and the types of the official client (`together-ai` 0.52). */
export const together: Provider = {
  id: 'together',
  name: 'Together AI',
  origin: 'https://api.together.xyz',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: ['x-api-received', 'x-inference-version', 'x-total-time', 'x-tokenlimit-*'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['tgp_v1_[\\w-]{43}'],
  adminKeyPatterns: [],
  keyPage: 'https://api.together.ai/settings/api-keys',
  check: { method: 'GET', path: '/v1/models' },
  // The prompt and the answer asked for are longer than the context.
  keyStatuses: { 403: 'unknown' },
  modelList: { path: '/v1/models' },
  chat: {
    shape: 'openai',
    path: '/v1/chat/completions',
    names: { max_completion_tokens: 'max_tokens' },
    developer: 'system',
    reasoning: 'reasoning',
    // Its `logprobs` is a number of alternatives.
    lacks: ['logprobs', 'top_logprobs', 'parallel_tool_calls', 'metadata', 'store', 'prediction', 'user', 'verbosity'],
  },
  embeddings: { shape: 'openai', path: '/v1/embeddings' },
  endpoints: [
    {
      method: 'POST',
      path: '/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [] },
    },
    {
      method: 'POST',
      path: '/v1/completions',
      scope: 'chat',
      metering: { format: 'compatible-completions', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [] },
    },
    {
      method: 'POST',
      path: '/v1/embeddings',
      scope: 'embeddings',
      metering: { format: 'openai-embeddings', streams: 'never' },
      body: { models: ['model'], stateful: [] },
    },
    { method: 'GET', path: '/v1/models', scope: null, metering: 'free' },
  ],
};
