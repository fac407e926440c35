import type { Provider } from './types.ts';

/** Sources: inference-docs.cerebras.ai and the types of the official client (`@cerebras/cerebras_cloud_sdk` 1.91). */
export const cerebras: Provider = {
  id: 'cerebras',
  name: 'Cerebras',
  origin: 'https://api.cerebras.ai',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: [],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['csk-[a-z0-9]{48}'],
  adminKeyPatterns: [],
  keyPage: 'https://cloud.cerebras.ai',
  check: { method: 'GET', path: '/v1/models' },
  modelList: { path: '/v1/models' },
  chat: {
    shape: 'openai',
    path: '/v1/chat/completions',
    reasoning: 'reasoning',
    lacks: ['metadata', 'store', 'verbosity'],
  },
  endpoints: [
    {
      method: 'POST',
      path: '/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [] },
    },
    { method: 'GET', path: '/v1/models', scope: null, metering: 'free' },
    { method: 'GET', path: '/v1/models/{model}', scope: null, metering: 'free' },
  ],
};
