import type { Provider } from './types.ts';

/**
 * Sources: docs.perplexity.ai/api-reference and the types of the official client (`@perplexity-ai/perplexity_ai` 0.38).
 * Sonar's chat was supported until 2026-09-27; the router serves other models by OpenAI's chat.
 */
export const perplexity: Provider = {
  id: 'perplexity',
  name: 'Perplexity',
  origin: 'https://api.perplexity.ai',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: [],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['pplx-[A-Za-z0-9]{48}'],
  adminKeyPatterns: [],
  keyPage: 'https://console.perplexity.ai',
  check: { method: 'GET', path: '/router/v1/models' },
  modelList: { path: '/router/v1/models' },
  // Sonar's models are on no list.
  chat: {
    shape: 'openai',
    path: '/router/v1/chat/completions',
    names: { max_completion_tokens: 'max_tokens' },
    developer: 'system',
  },
  endpoints: [
    {
      method: 'POST',
      path: '/chat/completions',
      scope: 'chat',
      // Each event states the usage so far.
      metering: { format: 'perplexity-chat', streams: 'body' },
      body: { models: ['model'], stateful: [] },
    },
    {
      method: 'POST',
      path: '/router/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [{ at: 'store', isNot: false }] },
    },
    { method: 'GET', path: '/router/v1/models', scope: null, metering: 'free' },
  ],
};
