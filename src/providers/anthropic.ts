import type { BodyRule, Provider } from './types.ts';

/** What a prompt may point to in the account's file store. */
const storedFiles: readonly BodyRule[] = [
  { at: 'messages.*.content.*.source.file_id' },
  { at: 'messages.*.content.*.content.*.source.file_id' },
  { at: 'messages.*.content.*.file_id' },
];

/** The official client adds this flag for its beta resources. */
const betaFlag = { beta: 'true' } as const;

/**
 * The betas that lift no limit which the bound of a call rests on: not among them are those of a larger context or
 * answer, of a thinking budget above the limit, of other prices, and of passes, models or tools of Anthropic's own.
 * The official client sends by itself `token-counting` and `structured-outputs`.
 */
const betas = [
  'token-counting-2024-11-01',
  'structured-outputs-2025-11-13',
  'structured-outputs-2025-12-15',
  'fine-grained-tool-streaming-2025-05-14',
  'token-efficient-tools-2025-02-19',
  'prompt-caching-2024-07-31',
  'extended-cache-ttl-2025-04-11',
  'pdfs-2024-09-25',
  'files-api-2025-04-14',
  'computer-use-2025-01-24',
  'computer-use-2025-11-24',
];

/** Sources: the API reference and the types of the official client (`@anthropic-ai/sdk` 1.12). */
export const anthropic: Provider = {
  id: 'anthropic',
  name: 'Anthropic',
  origin: 'https://api.anthropic.com',
  keyHeader: 'x-api-key',
  errorShape: 'anthropic',
  defaultHeaders: { 'anthropic-version': '2023-06-01' },
  requestHeaders: ['anthropic-version', 'anthropic-beta'],
  responseHeaders: ['request-id', 'anthropic-ratelimit-*'],
  listedValues: { 'anthropic-beta': betas },
  ownerHeaders: [],
  keyPatterns: ['sk-ant-api03-[\\w-]{93}AA'],
  adminKeyPatterns: ['sk-ant-admin01-'],
  keyPage: 'https://console.anthropic.com/settings/keys',
  check: { method: 'GET', path: '/v1/models' },
  endpoints: [
    {
      method: 'POST',
      path: '/v1/messages',
      scope: 'chat',
      metering: { format: 'anthropic-messages', streams: 'body' },
      query: betaFlag,
      body: {
        models: ['model', 'tools.*.model'],
        stateful: [{ at: 'container' }, { at: 'diagnostics' }, ...storedFiles],
      },
    },
    {
      method: 'POST',
      path: '/v1/messages/count_tokens',
      scope: 'chat',
      metering: 'free',
      query: betaFlag,
      body: {
        models: ['model', 'tools.*.model'],
        stateful: storedFiles,
      },
    },
    {
      method: 'GET',
      path: '/v1/models',
      scope: null,
      metering: 'free',
      query: { ...betaFlag, limit: '\\d{1,4}', before_id: '[\\w.:-]{1,200}', after_id: '[\\w.:-]{1,200}' },
    },
    { method: 'GET', path: '/v1/models/{model}', scope: null, metering: 'free', query: betaFlag },
  ],
};
