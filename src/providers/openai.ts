import { stored } from './openai-stored.ts';
import type { FieldKind, Provider } from './types.ts';

/** Where the Responses API takes tools: at the top, in a namespace, and in an item that adds some. */
const toolPlaces = ['tools.*', 'tools.*.tools.*', 'input.*.tools.*', 'input.*.tools.*.tools.*'];

/** A moderation runs beside the call, at no cost: nothing but a model for that can be named in its place. */
const moderation = {
  at: 'moderation.model',
  matches: '^(?!(?:omni|text)-moderation-)',
  why: 'A moderation runs a model that is made for it: omni-moderation-latest.',
};

const megabyte = 1024 * 1024;

type Fields = Readonly<Record<string, FieldKind>>;

const variationFields: Fields = {
  model: 'text',
  image: 'file',
  n: 'integer',
  size: 'text',
  response_format: 'text',
  user: 'text',
};

const imageFields: Fields = {
  ...variationFields,
  'image[]': 'file',
  mask: 'file',
  prompt: 'text',
  background: 'text',
  input_fidelity: 'text',
  moderation: 'text',
  output_compression: 'integer',
  output_format: 'text',
  partial_images: 'integer',
  quality: 'text',
  safety_identifier: 'text',
  stream: 'boolean',
};

const translationFields: Fields = {
  model: 'text',
  file: 'file',
  prompt: 'text',
  response_format: 'text',
  temperature: 'text',
};

const transcriptionFields: Fields = {
  ...translationFields,
  stream: 'boolean',
  language: 'text',
  'languages[]': 'text',
  'keywords[]': 'text',
  'include[]': 'text',
  'timestamp_granularities[]': 'text',
  chunking_strategy: 'text',
  'chunking_strategy[type]': 'text',
  'chunking_strategy[prefix_padding_ms]': 'integer',
  'chunking_strategy[silence_duration_ms]': 'integer',
  'chunking_strategy[threshold]': 'text',
};

/** Sources: the API reference and the types of the official client (`openai` 7.57). */
export const openai: Provider = {
  id: 'openai',
  name: 'OpenAI',
  origin: 'https://api.openai.com',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  requestHeaders: ['openai-beta'],
  responseHeaders: ['openai-processing-ms', 'openai-version'],
  // It chooses a version of an API that is not in this table, and some clients send it with every call. Other betas may
  // add passes and agents to a call.
  listedValues: { 'openai-beta': ['assistants=v2'] },
  ownerHeaders: ['openai-organization', 'openai-project'],
  keyPatterns: ['sk-(proj|svcacct|service)-[\\w-]+T3BlbkFJ[\\w-]+', 'sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}'],
  adminKeyPatterns: ['sk-admin-'],
  keyPage: 'https://platform.openai.com/api-keys',
  check: { method: 'GET', path: '/v1/models', fromBrowser: {} },
  modelList: { path: '/v1/models' },
  chat: { shape: 'openai', path: '/v1/chat/completions', isExact: true },
  embeddings: { shape: 'openai', path: '/v1/embeddings', isExact: true },
  endpoints: [
    {
      method: 'POST',
      path: '/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'openai-chat', streams: 'body', includeUsage: true },
      body: {
        models: ['model'],
        refused: [moderation],
        stateful: [
          { at: 'store', isNot: false },
          { at: 'messages.*.content.*.file.file_id' },
          { at: 'messages.*.audio.id' },
        ],
        // What an absent `store` means depends on the account, and an app that may keep state could read what another
        // one's calls left behind.
        withoutState: { store: false },
      },
    },
    {
      method: 'POST',
      path: '/v1/responses',
      scope: 'chat',
      metering: { format: 'openai-responses', streams: 'body' },
      body: {
        models: ['model', ...toolPlaces.map((tool) => `${tool}.model`)],
        refused: [moderation],
        stateful: [
          { at: 'store', isNot: false },
          { at: 'previous_response_id' },
          { at: 'conversation' },
          { at: 'input.*.type', is: ['item_reference'] },
          // An item of an id alone is a reference too: its type may be left out.
          { at: 'input.*.id', lacks: 'type' },
          // Items that OpenAI fills in from its store by their id, unless they bring their contents along.
          { at: 'input.*.type', is: ['reasoning', 'compaction'], lacks: 'encrypted_content' },
          { at: 'input.*.type', is: ['image_generation_call'], lacks: 'result' },
          { at: 'input.*.type', is: ['file_search_call', 'web_search_call', 'code_interpreter_call'] },
          { at: 'input.*.container_id' },
          { at: 'input.*.content.*.file_id' },
          { at: 'input.*.output.*.file_id' },
          ...toolPlaces.flatMap((tool) => [
            { at: `${tool}.vector_store_ids` },
            // A container by its id; an object asks for a new one.
            { at: `${tool}.container`, matches: '' },
            { at: `${tool}.container.file_ids` },
            { at: `${tool}.environment.container_id` },
          ]),
        ],
        // OpenAI stores a response unless it is told not to, and any app with the same key could then continue it
        // (`previous_response_id`). An app that may not keep state gets what it may have: an answer, not stored.
        withoutState: { store: false },
      },
    },
    {
      method: 'POST',
      path: '/v1/embeddings',
      scope: 'embeddings',
      metering: { format: 'openai-embeddings', streams: 'never' },
      body: {
        models: ['model'],
        stateful: [],
      },
    },
    {
      method: 'POST',
      path: '/v1/images/generations',
      scope: 'images',
      metering: { format: 'openai-images', streams: 'body' },
      body: { models: ['model'], stateful: [] },
    },
    {
      method: 'POST',
      path: '/v1/images/edits',
      scope: 'images',
      metering: { format: 'openai-images', streams: 'body' },
      body: { models: ['model'], stateful: [], form: { fields: imageFields, maxBytes: 51 * megabyte } },
    },
    {
      method: 'POST',
      path: '/v1/images/variations',
      scope: 'images',
      metering: { format: 'openai-images', streams: 'never' },
      body: { models: ['model'], stateful: [], form: { fields: variationFields, maxBytes: 5 * megabyte } },
    },
    {
      method: 'POST',
      path: '/v1/audio/speech',
      scope: 'audio',
      metering: { format: 'openai-speech', streams: 'never' },
      // A voice of the account's own, by its id.
      body: { models: ['model'], stateful: [{ at: 'voice.id' }] },
    },
    {
      method: 'POST',
      path: '/v1/audio/transcriptions',
      scope: 'audio',
      metering: { format: 'openai-transcription', streams: 'body' },
      body: { models: ['model'], stateful: [], form: { fields: transcriptionFields, maxBytes: 26 * megabyte } },
    },
    {
      method: 'POST',
      path: '/v1/audio/translations',
      scope: 'audio',
      metering: { format: 'openai-transcription', streams: 'never' },
      body: { models: ['model'], stateful: [], form: { fields: translationFields, maxBytes: 26 * megabyte } },
    },
    { method: 'GET', path: '/v1/models', scope: null, metering: 'free' },
    { method: 'GET', path: '/v1/models/{model}', scope: null, metering: 'free' },
    ...stored,
  ],
};
