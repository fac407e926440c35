import type { BodyRule, BodyRules, Provider } from './types.ts';

/** Whatever is not a public web address lies in the account's own file store. */
const ownFile = '^(?!https?://)|^https?://[^/]*generativelanguage\\.';

const storedContent: readonly BodyRule[] = [
  { at: 'cachedContent' },
  { at: 'store', is: [true] },
  { at: 'contents.*.parts.*.fileData.fileUri', matches: ownFile },
  { at: 'contents.*.parts.*.functionResponse.parts.*.fileData.fileUri', matches: ownFile },
  { at: 'systemInstruction.parts.*.fileData.fileUri', matches: ownFile },
  { at: 'tools.*.fileSearch' },
];

const generateBody: BodyRules = { models: ['model'], stateful: storedContent };

const within = (place: string) => `generateContentRequest.${place}`;

/** Sources: ai.google.dev/api and the types of the official client (`@google/genai` 3.1), which calls v1beta. */
export const google: Provider = {
  id: 'google',
  name: 'Google Gemini',
  origin: 'https://generativelanguage.googleapis.com',
  keyHeader: 'x-goog-api-key',
  errorShape: 'google',
  defaultHeaders: {},
  requestHeaders: ['x-goog-api-client', 'x-server-timeout'],
  responseHeaders: ['server-timing', 'x-gemini-service-tier'],
  ownerHeaders: [],
  keyPatterns: ['AQ\\.[\\w-]{40,}', 'AIza[\\w-]{35}'],
  adminKeyPatterns: [],
  keyPage: 'https://aistudio.google.com/apikey',
  check: { method: 'GET', path: '/v1beta/models' },
  endpoints: [
    {
      method: 'POST',
      path: '/v1beta/models/{model}:generateContent',
      scope: 'chat',
      metering: { format: 'gemini', streams: 'never' },
      query: { alt: 'json' },
      body: generateBody,
    },
    {
      method: 'POST',
      path: '/v1beta/models/{model}:streamGenerateContent',
      scope: 'chat',
      metering: { format: 'gemini', streams: 'always' },
      query: { alt: 'sse|json' },
      body: generateBody,
    },
    {
      method: 'POST',
      path: '/v1beta/models/{model}:countTokens',
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
      path: '/v1beta/models/{model}:embedContent',
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
      path: '/v1beta/models/{model}:batchEmbedContents',
      scope: 'embeddings',
      metering: { format: 'gemini-embed', streams: 'never' },
      query: { alt: 'json' },
      body: {
        models: ['requests.*.model'],
        stateful: [{ at: 'requests.*.content.parts.*.fileData.fileUri', matches: ownFile }],
      },
    },
    {
      method: 'GET',
      path: '/v1beta/models',
      scope: null,
      metering: 'free',
      query: { alt: 'json', pageSize: '\\d{1,4}', pageToken: '[\\w.=+/-]{1,500}' },
    },
    { method: 'GET', path: '/v1beta/models/{model}', scope: null, metering: 'free', query: { alt: 'json' } },
  ],
};
