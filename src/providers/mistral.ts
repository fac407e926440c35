import type { Endpoint, Provider } from './types.ts';

/** It tells its usage at the end of every stream, and takes no `stream_options`. */
const chat: Endpoint = {
  method: 'POST',
  path: '/v1/chat/completions',
  scope: 'chat',
  metering: { format: 'compatible-chat', streams: 'body' },
  body: {
    models: ['model'],
    // Files and documents of the account, by their ids.
    stateful: [{ at: 'messages.*.content.*.file_id' }, { at: 'tools.*.library_ids' }],
  },
};

/** Sources: docs.mistral.ai/api and the types of the official client (`@mistralai/mistralai` 2.7). */
export const mistral: Provider = {
  id: 'mistral',
  name: 'Mistral',
  origin: 'https://api.mistral.ai',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: ['mistral-correlation-id', 'ratelimitbysize-*', 'x-ratelimitbysize-*'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['[A-Za-z0-9]{32}'],
  adminKeyPatterns: [],
  keyPage: 'https://console.mistral.ai/api-keys',
  check: { method: 'GET', path: '/v1/models' },
  modelList: { path: '/v1/models' },
  chat: {
    shape: 'openai',
    path: chat.path,
    names: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
    developer: 'system',
    reasoning: 'content',
    lacks: ['logit_bias', 'logprobs', 'top_logprobs', 'store', 'user'],
  },
  embeddings: { shape: 'openai', path: '/v1/embeddings', names: { dimensions: 'output_dimension' } },
  endpoints: [
    chat,
    {
      method: 'POST',
      path: '/v1/fim/completions',
      scope: 'chat',
      metering: { format: 'compatible-completions', streams: 'body' },
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
    { method: 'GET', path: '/v1/models/{model}', scope: null, metering: 'free' },
  ],
};
