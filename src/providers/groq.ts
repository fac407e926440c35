import type { Endpoint, FieldKind, Provider } from './types.ts';

/** "100 MB (dev tier)", and 25 MB below it. https://console.groq.com/docs/speech-to-text */
const maxBytes = 101 * 1024 * 1024;

type Fields = Readonly<Record<string, FieldKind>>;

const translationFields: Fields = {
  model: 'text',
  file: 'file',
  prompt: 'text',
  response_format: 'text',
  temperature: 'text',
};

const transcriptionFields: Fields = {
  ...translationFields,
  language: 'text',
  'timestamp_granularities[]': 'text',
};

const kept = { scope: 'stateful', metering: 'free' } as const;

/**
 * Files, which are for batches alone and free to keep (https://console.groq.com/docs/batch: 200 MB), and batches, which
 * are billed as they run, up to a week later; their models stand in the file.
 */
const stored: readonly Endpoint[] = [
  {
    ...kept,
    method: 'POST',
    path: '/openai/v1/files',
    upload: { type: 'form', maxBytes: 201 * 1024 * 1024 },
  },
  { ...kept, method: 'GET', path: '/openai/v1/files' },
  { ...kept, method: 'GET', path: '/openai/v1/files/{id}' },
  { ...kept, method: 'GET', path: '/openai/v1/files/{id}/content' },
  { ...kept, method: 'DELETE', path: '/openai/v1/files/{id}' },
  {
    method: 'POST',
    path: '/openai/v1/batches',
    scope: 'stateful',
    metering: 'unmetered',
    hidesModels: true,
    body: { models: [], stateful: [] },
  },
  { ...kept, method: 'GET', path: '/openai/v1/batches' },
  { ...kept, method: 'GET', path: '/openai/v1/batches/{id}' },
  { ...kept, method: 'POST', path: '/openai/v1/batches/{id}/cancel' },
];

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
  check: { method: 'GET', path: '/openai/v1/models', fromBrowser: {} },
  modelList: { path: '/openai/v1/models' },
  chat: {
    shape: 'openai',
    path: '/openai/v1/chat/completions',
    reasoning: 'reasoning',
    // "Not yet supported by any of our models", or "not currently supported"; `n` other than 1 it refuses itself.
    lacks: ['frequency_penalty', 'presence_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'metadata', 'store'],
  },
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
    {
      method: 'POST',
      path: '/openai/v1/audio/speech',
      scope: 'audio',
      metering: { format: 'groq-speech', streams: 'never' },
      body: { models: ['model'], stateful: [] },
    },
    {
      method: 'POST',
      path: '/openai/v1/audio/transcriptions',
      scope: 'audio',
      metering: { format: 'groq-transcription', streams: 'never' },
      body: { models: ['model'], stateful: [], form: { fields: transcriptionFields, maxBytes } },
    },
    {
      method: 'POST',
      path: '/openai/v1/audio/translations',
      scope: 'audio',
      metering: { format: 'groq-transcription', streams: 'never' },
      body: { models: ['model'], stateful: [], form: { fields: translationFields, maxBytes } },
    },
    { method: 'GET', path: '/openai/v1/models', scope: null, metering: 'free' },
    { method: 'GET', path: '/openai/v1/models/{model}', scope: null, metering: 'free' },
    ...stored,
  ],
};
