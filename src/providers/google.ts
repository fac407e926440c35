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
  responseHeaders: ['server-timing', 'x-gemini-service-tier'],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['AQ\\.[\\w-]{40,}', 'AIza[\\w-]{35}'],
  adminKeyPatterns: [],
  keyPage: 'https://aistudio.google.com/apikey',
  check: { method: 'GET', path: '/v1beta/models' },
  endpoints: versions.flatMap(endpointsOf),
};
