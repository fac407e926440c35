import type { Provider } from './types.ts';

/** Sources: huggingface.co/docs/inference-providers and the types of the official client (`@huggingface/tasks`). */
export const huggingface: Provider = {
  id: 'huggingface',
  name: 'Hugging Face',
  origin: 'https://router.huggingface.co',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: ['x-inference-provider', 'x-inference-id'],
  listedValues: {},
  // The organisation that pays.
  ownerHeaders: ['x-hf-bill-to'],
  keyPatterns: ['hf_[A-Za-z0-9]{34}'],
  adminKeyPatterns: [],
  keyPage: 'https://huggingface.co/settings/tokens',
  check: { method: 'GET', path: '/api/whoami-v2', origin: 'https://huggingface.co' },
  modelList: { path: '/v1/models' },
  chat: {
    shape: 'openai',
    path: '/v1/chat/completions',
    names: { max_completion_tokens: 'max_tokens' },
    developer: 'system',
    reasoning: 'reasoning',
    lacks: ['parallel_tool_calls', 'metadata', 'store', 'prediction', 'user', 'verbosity'],
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
  ],
};
