import type { BodyRules, Provider } from './types.ts';

const body: BodyRules = {
  models: ['model'],
  stateful: [{ at: 'messages.*.content.*.file_id' }],
};

/** Sources: api-docs.deepseek.com and the `@ai-sdk/deepseek` client. */
export const deepseek: Provider = {
  id: 'deepseek',
  name: 'DeepSeek',
  origin: 'https://api.deepseek.com',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: [],
  responseHeaders: ['x-ds-trace-id'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['sk-[a-z0-9]{32}'],
  adminKeyPatterns: [],
  keyPage: 'https://platform.deepseek.com/api_keys',
  check: { method: 'GET', path: '/user/balance', fromBrowser: {} },
  modelList: { path: '/models' },
  chat: {
    shape: 'openai',
    path: '/chat/completions',
    names: { max_completion_tokens: 'max_tokens' },
    developer: 'system',
    reasoning: 'reasoning_content',
    lacks: ['n', 'seed', 'logit_bias', 'parallel_tool_calls', 'metadata', 'store', 'prediction', 'user', 'verbosity'],
  },
  endpoints: [
    // The same under each of the base URLs that its guides name; `/beta` continues what an answer begins with.
    ...['/chat/completions', '/v1/chat/completions', '/beta/chat/completions'].map((path) => ({
      method: 'POST' as const,
      path,
      scope: 'chat' as const,
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true } as const,
      body,
    })),
    {
      method: 'POST',
      path: '/beta/completions',
      scope: 'chat',
      metering: { format: 'compatible-completions', streams: 'body', includeUsage: true },
      body: { models: ['model'], stateful: [] },
    },
    { method: 'GET', path: '/models', scope: null, metering: 'free' },
    { method: 'GET', path: '/v1/models', scope: null, metering: 'free' },
  ],
};
