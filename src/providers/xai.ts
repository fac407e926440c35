import type { Provider } from './types.ts';

/** Sources: docs.x.ai/developers/rest-api-reference and the `@ai-sdk/xai` client. */
export const xai: Provider = {
  id: 'xai',
  name: 'xAI',
  origin: 'https://api.x.ai',
  keyHeader: 'authorization',
  errorShape: 'openai',
  defaultHeaders: {},
  // Keeps a conversation on one server, so that its cache is found again.
  requestHeaders: ['x-grok-conv-id'],
  responseHeaders: [],
  listedValues: {},
  ownerHeaders: [],
  keyPatterns: ['xai-[\\w-]{70,120}'],
  adminKeyPatterns: [],
  keyPage: 'https://console.x.ai',
  check: { method: 'GET', path: '/v1/api-key' },
  // "An incorrect API key is supplied", or a bad argument: told apart by the words.
  keyStatuses: { 400: 'unknown' },
  modelList: { path: '/v1/models' },
  chat: {
    shape: 'openai',
    path: '/v1/chat/completions',
    reasoning: 'reasoning_content',
    lacks: ['logit_bias', 'metadata', 'store', 'prediction', 'verbosity'],
  },
  endpoints: [
    {
      method: 'POST',
      path: '/v1/chat/completions',
      scope: 'chat',
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true },
      body: {
        models: ['model'],
        stateful: [{ at: 'store', isNot: false }, { at: 'messages.*.content.*.file.file_id' }],
      },
    },
    {
      method: 'POST',
      path: '/v1/responses',
      scope: 'chat',
      metering: { format: 'xai-responses', streams: 'body' },
      body: {
        models: ['model', 'tools.*.model'],
        stateful: [
          { at: 'store', isNot: false },
          { at: 'previous_response_id' },
          { at: 'conversation' },
          { at: 'input.*.type', is: ['item_reference'] },
          { at: 'input.*.id', lacks: 'type' },
          { at: 'input.*.type', is: ['reasoning', 'compaction'], lacks: 'encrypted_content' },
          { at: 'input.*.content.*.file_id' },
          { at: 'input.*.output.*.file_id' },
        ],
        // It keeps a response for thirty days unless it is told not to.
        withoutState: { store: false },
      },
    },
    { method: 'GET', path: '/v1/models', scope: null, metering: 'free' },
    { method: 'GET', path: '/v1/models/{model}', scope: null, metering: 'free' },
  ],
};
