import type { Provider } from './types.ts';

/** Sources: docs.fireworks.ai/api-reference and the `@ai-sdk/fireworks` client. */
export const fireworks: Provider = {
  id: 'fireworks',
  name: 'Fireworks AI',
  origin: 'https://api.fireworks.ai',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  // Keep a conversation on one server, and its cache apart from others'.
  requestHeaders: ['x-session-affinity', 'x-prompt-cache-isolation-key'],
  responseHeaders: ['fireworks-*'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['fw_[A-Za-z0-9]{20,}'],
  adminKeyPatterns: [],
  keyPage: 'https://app.fireworks.ai/settings/users/api-keys',
  check: { method: 'GET', path: '/inference/v1/models' },
  // "Authentication issues."
  keyStatuses: { 403: 'rejected' },
  modelList: { path: '/inference/v1/models' },
  chat: {
    shape: 'openai',
    path: '/inference/v1/chat/completions',
    developer: 'system',
    reasoning: 'reasoning_content',
    lacks: ['store', 'verbosity'],
  },
  embeddings: { shape: 'openai', path: '/inference/v1/embeddings' },
  endpoints: [
    {
      method: 'POST',
      path: '/inference/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [{ at: 'store', isNot: false }] },
    },
    {
      method: 'POST',
      path: '/inference/v1/completions',
      scope: 'chat',
      metering: { format: 'compatible-completions', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [] },
    },
    {
      method: 'POST',
      path: '/inference/v1/embeddings',
      scope: 'embeddings',
      metering: { format: 'openai-embeddings', streams: 'never' },
      body: { models: ['model'], stateful: [] },
    },
    { method: 'GET', path: '/inference/v1/models', scope: null, metering: 'free' },
  ],
};
