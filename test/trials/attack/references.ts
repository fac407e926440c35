import type { Case, Family } from './case.ts';
import { anthropic, google, groq, openai, on, type Target, targetOf, withMembers } from './providers.ts';
import { bearer, host, post, refused, request } from './requests.ts';

/** What a provider stores, which every app with the same key could reach. */
const stored: readonly (readonly [provider: string, ...lines: string[]])[] = [
  [
    'openai',
    'GET /v1/files',
    'GET /v1/files/file-1',
    'GET /v1/files/file-1/content',
    'DELETE /v1/files/file-1',
    'GET /v1/responses/resp_1',
    'GET /v1/responses/resp_1/input_items',
    'DELETE /v1/responses/resp_1',
    'GET /v1/conversations/conv_1',
    'GET /v1/conversations/conv_1/items',
    'DELETE /v1/conversations/conv_1',
    'GET /v1/chat/completions',
    'GET /v1/chat/completions/chatcmpl-1',
    'GET /v1/chat/completions/chatcmpl-1/messages',
    'DELETE /v1/chat/completions/chatcmpl-1',
    'GET /v1/vector_stores',
    'GET /v1/vector_stores/vs_1/files',
    'DELETE /v1/vector_stores/vs_1',
    'GET /v1/batches',
    'GET /v1/batches/batch_1',
    'POST /v1/responses/resp_1/cancel',
    'POST /v1/batches/batch_1/cancel',
  ],
  ['anthropic', 'GET /v1/files', 'GET /v1/files/file_1', 'GET /v1/files/file_1/content', 'DELETE /v1/files/file_1'],
  ['google', 'GET /v1beta/files', 'GET /v1beta/files/a', 'DELETE /v1beta/files/a', 'POST /upload/v1beta/files'],
  [
    'groq',
    'GET /openai/v1/files',
    'GET /openai/v1/files/file_1',
    'GET /openai/v1/batches',
    'DELETE /openai/v1/files/file_1',
  ],
];

const reads: readonly Case[] = stored.flatMap(([provider, ...lines]) =>
  lines.map((line) => {
    const [method, path] = line.split(' ');
    const send = request(`${method} /v1/proxy/passthrough/${provider}${path} HTTP/1.1`, [host, bearer]);
    return refused(`${provider}: ${line}`, send, '403 scope_not_granted');
  }),
);

const responses: Target = {
  ...openai,
  chat: '/v1/responses',
  body: { model: 'gpt-4o-mini', input: 'Hi', max_output_tokens: 16, max_tool_calls: 1, store: false },
};
const grok: Target = {
  ...targetOf('xai'),
  chat: '/v1/responses',
  body: { model: 'grok-4.6', input: 'Hi', max_output_tokens: 16, store: false },
};
const block = (source: object) => ({ messages: [{ role: 'user', content: [{ type: 'document', source }] }] });
const part = (content: object) => ({ messages: [{ role: 'user', content: [content] }] });

const references: readonly (readonly [Target, object])[] = [
  [openai, { store: true }],
  [openai, { store: 1 }],
  [openai, { store: 'false' }],
  [openai, part({ type: 'file', file: { file_id: 'file-1' } })],
  [openai, { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
  ...[responses, grok].flatMap((target): [Target, object][] => [
    [target, { store: true }],
    [target, { previous_response_id: 'resp_1' }],
    [target, { conversation: 'conv_1' }],
    [target, { conversation: { id: 'conv_1' } }],
    [target, { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    [target, { input: [{ id: 'msg_1' }] }],
    [target, { input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }],
    [target, { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }],
  ]),
  [responses, { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
  [responses, { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }],
  [anthropic, { container: 'container_1' }],
  [anthropic, block({ type: 'file', file_id: 'file_1' })],
  [anthropic, part({ type: 'container_upload', file_id: 'file_1' })],
  [google, { cachedContent: 'cachedContents/a' }],
  [google, { cached_content: 'cachedContents/a' }],
  [google, { contents: [{ parts: [{ fileData: { fileUri: 'files/a' } }] }] }],
  [
    google,
    {
      contents: [{ parts: [{ file_data: { file_uri: 'https://generativelanguage.googleapis.com/v1beta/files/a' } }] }],
    },
  ],
  [google, { systemInstruction: { parts: [{ fileData: { fileUri: 'files/a' } }] } }],
  [groq, { store: true }],
  [targetOf('mistral'), part({ type: 'file', file_id: 'a' })],
  [targetOf('mistral'), { tools: [{ type: 'document_library', library_ids: ['a'] }] }],
  [targetOf('openrouter'), part({ type: 'file', file: { file_id: 'a' } })],
  [targetOf('openrouter'), { store: true }],
  [targetOf('deepseek'), part({ type: 'file', file_id: 'a' })],
  [targetOf('fireworks'), { store: true }],
];

/** What lives on at a provider is for apps whose owner allowed that. */
export const stateful: Family = {
  name: 'references',
  cases: [
    ...reads,
    ...references.map(([target, more]) =>
      refused(
        `${target.id} ${target.chat}: ${JSON.stringify(more)}`,
        post(on(target), withMembers(target, more)),
        '403 scope_not_granted',
      ),
    ),
    refused(
      'a batch of unknown models',
      post(on(openai, '/v1/batches'), '{"input_file_id":"file-1"}'),
      '403 scope_not_granted',
    ),
  ],
};
