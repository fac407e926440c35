import type { Provider } from './types.ts';

/** Sources: the API reference and the types of the official client (`groq-sdk` 1.6). */
export const groq: Provider = {
  id: 'groq',
  name: 'Groq',
  origin: 'https://api.groq.com',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: ['x-groq-region'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['gsk_[A-Za-z0-9]{52}'],
  adminKeyPatterns: [],
  keyPage: 'https://console.groq.com/keys',
  check: { method: 'GET', path: '/openai/v1/models' },
  endpoints: [
    {
      method: 'POST',
      path: '/openai/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'groq-chat', streams: 'body', includeUsage: true },
      body: {
        models: ['model'],
        stateful: [{ at: 'store', isNot: false }],
      },
    },
    { method: 'GET', path: '/openai/v1/models', scope: null, metering: 'free' },
  ],
};
