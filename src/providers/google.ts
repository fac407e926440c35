import type { BodyRule, BodyRules, Endpoint, Provider } from './types.ts';

/** Whatever is not a public web address lies in the account's own file store. */
const ownFile = '^(?!https?://)|^https?://[^/]*generativelanguage\\.';

const storedContent: readonly BodyRule[] = [
  { at: 'cachedContent' },
  { at: 'store', isNot: false },
  { at: 'contents.*.parts.*.fileData.fileUri', matches: ownFile },
  { at: 'contents.*.parts.*.functionResponse.parts.*.fileData.fileUri', matches: ownFile },
  { at: 'systemInstruction.parts.*.fileData.fileUri', matches: ownFile },
  { at: 'tools.*.fileSearch' },
];

const generateBody: BodyRules = { models: ['model'], stateful: storedContent };

const within = (place: string) => `generateContentRequest.${place}`;

/** The stable API, which the official client of today calls, and the one that older clients and the guides call. */
const versions = ['v1', 'v1beta'];

const alt = { alt: 'json' };

/**
 * Free for the two days that Google keeps them; up to 2 GB each. An upload goes in steps (`start`, then its bytes), all
 * to the same path; nothing in any of them has a price. Caches, batches and stores for search are not listed: they are
 * billed by the hour, or later, and bring tools with a fee into calls that do not name them.
 */
const filesOf = (version: string): Endpoint[] => [
  {
    method: 'POST',
    path: `/upload/${version}/files`,
    scope: 'stateful',
    metering: 'free',
    query: { ...alt, upload_id: '[\\w-]{1,1000}', upload_protocol: 'resumable' },
    upload: {
      type: 'bytes',
      maxBytes: 2 * 1024 ** 3,
      headers: {
        'x-goog-upload-protocol': 'resumable',
        'x-goog-upload-command': 'start|upload|finalize|upload, ?finalize|query|cancel',
        'x-goog-upload-offset': '\\d{1,12}',
        'x-goog-upload-header-content-length': '\\d{1,12}',
        'x-goog-upload-header-content-type': '[\\w.+-]{1,100}/[\\w.+-]{1,100}',
        'x-goog-upload-file-name': '[\\x20-\\x7e]{1,512}',
      },
      continuesAt: 'x-goog-upload-url',
    },
  },
  {
    method: 'GET',
    path: `/${version}/files`,
    scope: 'stateful',
    metering: 'free',
    query: { ...alt, pageSize: '\\d{1,4}', pageToken: '[\\w.=+/-]{1,500}' },
  },
  { method: 'GET', path: `/${version}/files/{id}`, scope: 'stateful', metering: 'free', query: alt },
  { method: 'DELETE', path: `/${version}/files/{id}`, scope: 'stateful', metering: 'free', query: alt },
];

const endpointsOf = (version: string): Endpoint[] => [
  {
    method: 'POST',
    path: `/${version}/models/{model}:generateContent`,
    scope: 'chat',
    metering: { format: 'gemini', streams: 'never' },
    query: { alt: 'json' },
    body: generateBody,
  },
  {
    method: 'POST',
    path: `/${version}/models/{model}:streamGenerateContent`,
    scope: 'chat',
    metering: { format: 'gemini', streams: 'always' },
    query: { alt: 'sse|json' },
    body: generateBody,
  },
  {
    method: 'POST',
    path: `/${version}/models/{model}:countTokens`,
    scope: 'chat',
    metering: 'free',
    query: { alt: 'json' },
    body: {
      models: ['model', within('model')],
      stateful: [...storedContent, ...storedContent.map((rule) => ({ ...rule, at: within(rule.at) }))],
    },
  },
  {
    method: 'POST',
    path: `/${version}/models/{model}:embedContent`,
    scope: 'embeddings',
    metering: { format: 'gemini-embed', streams: 'never' },
    query: { alt: 'json' },
    body: {
      models: ['model'],
      stateful: [{ at: 'content.parts.*.fileData.fileUri', matches: ownFile }],
    },
  },
  {
    method: 'POST',
    path: `/${version}/models/{model}:batchEmbedContents`,
    scope: 'embeddings',
    metering: { format: 'gemini-embed', streams: 'never' },
    query: { alt: 'json' },
    body: {
      models: ['model', 'requests.*.model'],
      stateful: [{ at: 'requests.*.content.parts.*.fileData.fileUri', matches: ownFile }],
    },
  },
  {
    method: 'GET',
    path: `/${version}/models`,
    scope: null,
    metering: 'free',
    query: { alt: 'json', pageSize: '\\d{1,4}', pageToken: '[\\w.=+/-]{1,500}' },
  },
  { method: 'GET', path: `/${version}/models/{model}`, scope: null, metering: 'free', query: { alt: 'json' } },
];

/** Sources: ai.google.dev/api and the types of the official client (`@google/genai` 3.1). */
export const google: Provider = {
  id: 'google',
  name: 'Google Gemini',
  origin: 'https://generativelanguage.googleapis.com',
  keyHeader: 'x-goog-api-key',
  errorShape: 'google',
  defaultHeaders: {},
  requestHeaders: ['x-goog-api-client', 'x-server-timeout'],
  responseHeaders: [
    'server-timing',
    'x-gemini-service-tier',
    'x-goog-upload-url',
    'x-goog-upload-status',
    'x-goog-upload-size-received',
    'x-goog-upload-chunk-granularity',
  ],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['AQ\\.[\\w-]{40,}', 'AIza[\\w-]{35}'],
  adminKeyPatterns: [],
  keyPage: 'https://aistudio.google.com/apikey',
  check: { method: 'GET', path: '/v1beta/models', fromBrowser: {} },
  // A key that is not valid is an INVALID_ARGUMENT, told apart by its reason.
  keyStatuses: { 400: 'unknown' },
  modelList: { path: '/v1beta/models', query: 'pageSize=1000' },
  chat: { shape: 'google' },
  embeddings: { shape: 'google' },
  endpoints: [...versions.flatMap(endpointsOf), ...versions.flatMap(filesOf)],
};
