import type { BodyRule, Endpoint, Provider } from './types.ts';

/** Blocks hold blocks: results of tools, and what those hold in turn. */
const blocks = ['messages.*.content.*', 'messages.*.content.*.content.*', 'messages.*.content.*.content.*.content.*'];

/** What a prompt may point to in the account's file store. */
const storedFiles: readonly BodyRule[] = blocks.flatMap((block) => [
  { at: `${block}.source.file_id` },
  { at: `${block}.file_id` },
  // A document of its own blocks.
  { at: `${block}.source.content.*.source.file_id` },
]);

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

const file = { scope: 'stateful', metering: 'free', query: betaFlag } as const;

/**
 * Free, up to 500 MB each. Nothing in the form has a price: `file`, and when it expires. Batches are not listed: they are
 * billed later, and their answers name an address at Anthropic itself, to which the official client would send its token.
 */
const files: readonly Endpoint[] = [
  { ...file, method: 'POST', path: '/v1/files', upload: { type: 'form', maxBytes: 501 * 1024 * 1024 } },
  {
    ...file,
    method: 'GET',
    path: '/v1/files',
    query: {
      ...betaFlag,
      limit: '\\d{1,4}',
      page: '[\\w.=+/-]{1,500}',
      before_id: '[\\w-]{1,200}',
      after_id: '[\\w-]{1,200}',
      scope_id: '[\\w-]{1,200}',
      'ids[]': '[\\w-]{1,200}',
    },
  },
  { ...file, method: 'GET', path: '/v1/files/{id}' },
  { ...file, method: 'GET', path: '/v1/files/{id}/content' },
  { ...file, method: 'DELETE', path: '/v1/files/{id}' },
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
  // The official client's tool runner has Anthropic keep the conversation; told this, it sends the whole of it itself.
  refusalDetails: { 'message-threads-2026-08-12': { error_code: 'thread_unsupported_request' } },
  ownerHeaders: [],
  keyPatterns: ['sk-ant-api03-[\\w-]{93}AA'],
  adminKeyPatterns: ['sk-ant-admin01-'],
  keyPage: 'https://console.anthropic.com/settings/keys',
  check: {
    method: 'GET',
    path: '/v1/models',
    fromBrowser: { 'anthropic-dangerous-direct-browser-access': 'true' },
  },
  modelList: { path: '/v1/models', query: 'limit=1000' },
  chat: { shape: 'anthropic' },
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
    ...files,
  ],
};
