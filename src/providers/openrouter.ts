import type { Provider } from './types.ts';

/** Sources: openrouter.ai/docs/api and the types of the official client (`@openrouter/sdk` 1.3). */
export const openrouter: Provider = {
  id: 'openrouter',
  name: 'OpenRouter',
  origin: 'https://openrouter.ai',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  // How an app names itself, and the session that keeps to one provider.
  requestHeaders: ['http-referer', 'x-title', 'x-openrouter-title', 'x-openrouter-categories', 'x-session-id'],
  responseHeaders: ['x-generation-id'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['sk-or-v1-[0-9a-f]{64}'],
  adminKeyPatterns: [],
  keyPage: 'https://openrouter.ai/keys',
  check: { method: 'GET', path: '/api/v1/key', fromBrowser: {} },
  // "Your chosen model requires moderation and your input was flagged."
  keyStatuses: { 403: 'unknown' },
  modelList: { path: '/api/v1/models' },
  chat: { shape: 'openai', path: '/api/v1/chat/completions', reasoning: 'reasoning_details' },
  endpoints: [
    {
      method: 'POST',
      path: '/api/v1/chat/completions',
      scope: 'chat',
      // "Full usage details are always included."
      metering: { format: 'openrouter-chat', streams: 'body' },
      body: {
        models: ['model', 'models.*'],
        stateful: [{ at: 'store', isNot: false }, { at: 'messages.*.content.*.file.file_id' }],
      },
    },
    { method: 'GET', path: '/api/v1/models', scope: null, metering: 'free' },
  ],
};
