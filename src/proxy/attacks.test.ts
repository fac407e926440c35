import { afterEach, describe, expect, test } from 'bun:test';
import { post, startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import { policyScopes, type PolicyScope } from '../crypto/index.ts';

/**
 * Several apps share one provider account, and an owner may allow one of its models: each place where a request can
 * reach past either, as the types of the official clients have it. The lists are not read from the tables that they test.
 */
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

const withoutState: PolicyScope[] = policyScopes.filter((scope) => scope !== 'stateful' && scope !== 'unmetered');
const withState: PolicyScope[] = policyScopes.filter((scope) => scope !== 'unmetered');

function start(scopes: PolicyScope[]): { upstream: Recorder; keypass: ProxyHarness } {
  const upstream = startRecorder(() => Response.json({}));
  const keypass = startProxy({ policy: { scopes }, origin: upstream.origin, budget: 10n ** 18n });
  running.push(keypass, upstream);
  return { upstream, keypass };
}

async function codeOf(response: Response): Promise<string | null> {
  await response.bytes();
  return response.headers.get('x-keypass-error');
}

/** A value at a place: `0` is the first item of a list. */
function at(place: string, value: unknown): Record<string, unknown> {
  const inner = place
    .split('.')
    .toReversed()
    .reduce<unknown>((held, name) => (name === '0' ? [held] : { [name]: held }), value);
  if (typeof inner !== 'object' || inner === null) throw new Error('a place begins with a member');
  return { ...inner };
}

const chat = { path: '/openai/v1/chat/completions', body: { model: 'gpt-4o-mini', messages: [], max_tokens: 9 } };
const responses = {
  path: '/openai/v1/responses',
  body: { model: 'gpt-4o-mini', input: 'x', max_output_tokens: 20, max_tool_calls: 1 },
};
const messages = {
  path: '/anthropic/v1/messages',
  body: { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] },
};
const count = { path: '/anthropic/v1/messages/count_tokens', body: { model: 'claude-sonnet-4-5', messages: [] } };
const gemini = { path: '/google/v1beta/models/gemini-2.5-flash:generateContent', body: { contents: [] } };
const geminiStream = { ...gemini, path: '/google/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse' };
const geminiCount = { ...gemini, path: '/google/v1beta/models/gemini-2.5-flash:countTokens' };
const embed = { path: '/google/v1beta/models/gemini-embedding-001:embedContent', body: {} };
const batchEmbed = { path: '/google/v1beta/models/gemini-embedding-001:batchEmbedContents', body: {} };
const groqChat = {
  path: '/groq/openai/v1/chat/completions',
  body: { model: 'llama-3.3-70b-versatile', messages: [], max_tokens: 9 },
};
const groqSpeech = { path: '/groq/openai/v1/audio/speech', body: { model: 'playai-tts', input: 'x', voice: 'a' } };
const embeddings = { path: '/openai/v1/embeddings', body: { model: 'text-embedding-3-small', input: 'x' } };
const images = { path: '/openai/v1/images/generations', body: { model: 'gpt-image-1-mini', prompt: 'x' } };
const speech = { path: '/openai/v1/audio/speech', body: { model: 'tts-1', input: 'x', voice: 'ash' } };

type Call = { readonly path: string; readonly body: object };
const own = 'https://generativelanguage.googleapis.com/v1beta/files/a';

const references: [Call, string, unknown][] = [
  [chat, 'store', true],
  [chat, 'messages.0.content.0.file.file_id', 'file-1'],
  [chat, 'messages.0.audio.id', 'audio_1'],
  [groqChat, 'store', true],
  [responses, 'store', true],
  [responses, 'store', 'false'],
  [responses, 'previous_response_id', 'resp_1'],
  [responses, 'conversation', 'conv_1'],
  [responses, 'conversation.id', 'conv_1'],
  [responses, 'input.0.id', 'msg_1'],
  [responses, 'input.0', { type: 'item_reference', id: 'msg_1' }],
  [responses, 'input', { type: 'item_reference', id: 'msg_1' }],
  [responses, 'input.0', { type: 'reasoning', id: 'rs_1', summary: [] }],
  [responses, 'input.0', { type: 'compaction', id: 'cmp_1' }],
  [responses, 'input.0', { type: 'image_generation_call', id: 'ig_1' }],
  [responses, 'input.0', { type: 'file_search_call', id: 'fs_1', queries: [] }],
  [responses, 'input.0', { type: 'web_search_call', id: 'ws_1' }],
  [responses, 'input.0', { type: 'code_interpreter_call', id: 'ci_1', container_id: 'cntr_1' }],
  [responses, 'input.0.content.0', { type: 'input_image', file_id: 'file-1' }],
  [responses, 'input.0.content.0', { type: 'input_file', file_id: 'file-1' }],
  [responses, 'input.0', { type: 'function_call_output', output: [{ type: 'input_file', file_id: 'file-1' }] }],
  [responses, 'input.0', { type: 'custom_tool_call_output', output: [{ type: 'input_image', file_id: 'file-1' }] }],
  [responses, 'input.0', { type: 'computer_call_output', output: { type: 'computer_screenshot', file_id: 'file-1' } }],
  [responses, 'tools.0', { type: 'file_search', vector_store_ids: ['vs_1'] }],
  [responses, 'tools.0', { type: 'code_interpreter', container: 'cntr_1' }],
  [responses, 'tools.0', { type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-1'] } }],
  [responses, 'tools.0', { type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } }],
  [responses, 'tools.0', { type: 'namespace', tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
  [responses, 'input.0', { type: 'additional_tools', tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
  [speech, 'voice.id', 'voice_1'],
  [messages, 'container', 'container_1'],
  [messages, 'container.id', 'container_1'],
  [messages, 'diagnostics.previous_message_id', 'msg_1'],
  ...[messages, count].flatMap((call): [Call, string, unknown][] => [
    [call, 'messages.0.content.0', { type: 'image', source: { type: 'file', file_id: 'file_1' } }],
    [call, 'messages.0.content.0', { type: 'document', source: { type: 'file', file_id: 'file_1' } }],
    [call, 'messages.0.content.0', { type: 'container_upload', file_id: 'file_1' }],
    [call, 'messages.0.content', { type: 'container_upload', file_id: 'file_1' }],
    [call, 'messages.0.content.0.content.0', { type: 'image', source: { type: 'file', file_id: 'file_1' } }],
    [call, 'messages.0.content.0.source.content.0', { type: 'image', source: { type: 'file', file_id: 'file_1' } }],
    [
      call,
      'messages.0.content.0.content.0.source.content.0',
      { type: 'image', source: { type: 'file', file_id: 'file_1' } },
    ],
    [call, 'messages.0.content.0.content.content.0', { type: 'code_execution_output', file_id: 'file_1' }],
  ]),
  ...[gemini, geminiStream, geminiCount].flatMap((call): [Call, string, unknown][] => [
    [call, 'cachedContent', 'cachedContents/a'],
    [call, 'cached_content', 'cachedContents/a'],
    [call, 'store', true],
    [call, 'contents.0.parts.0.fileData.fileUri', own],
    [call, 'contents.parts.file_data.file_uri', own],
    [call, 'contents.0.parts.0.fileData.fileUri', 'files/a'],
    [call, 'contents.0.parts.0.fileData.fileUri', 'gs://bucket/a'],
    [call, 'contents.0.parts.0.functionResponse.parts.0.fileData.fileUri', own],
    [call, 'systemInstruction.parts.0.fileData.fileUri', own],
    [call, 'system_instruction.parts.0.file_data.file_uri', own],
    [call, 'tools.0.fileSearch.fileSearchStoreNames', ['fileSearchStores/a']],
  ]),
  [geminiCount, 'generateContentRequest.cachedContent', 'cachedContents/a'],
  [geminiCount, 'generate_content_request.contents.0.parts.0.file_data.file_uri', own],
  [embed, 'content.parts.0.fileData.fileUri', own],
  [batchEmbed, 'requests.0.content.parts.0.fileData.fileUri', own],
];

describe('a reference to what is stored', () => {
  test.each(references)('%j: %s: %j', async (call, place, value) => {
    const { path, body } = call;
    const bare = start(withoutState);
    expect(await codeOf(await post(bare.keypass, path, { ...body, ...at(place, value) }))).toBe('scope_not_granted');
    expect(bare.upstream.requests).toEqual([]);
    expect(bare.keypass.ledger.requests).toEqual([]);

    // With the scope: what it may bring is bounded by the model's context, or it is refused.
    const { upstream, keypass } = start(withState);
    const code = await codeOf(await post(keypass, path, { ...body, ...at(place, value) }));
    if (code === null) {
      const context = path.includes('embedding') ? 2_048 : 100_000;
      const isHeld = (keypass.ledger.requests[0]?.tokens ?? 0) >= context;
      const isFree = keypass.ledger.requests[0]?.amount === 0n && /count/i.test(path);
      const isJustStored = place === 'store' || place.startsWith('diagnostics') || place.startsWith('voice');
      expect({ place, isBounded: isHeld || isFree || isJustStored }).toEqual({ place, isBounded: true });
    } else {
      expect(['unbounded_cost', 'invalid_request', 'price_unknown']).toContain(code);
      expect(upstream.requests).toEqual([]);
    }
  });

  test('and an answer in the background, which would be fetched past the meter, is none for anybody', async () => {
    for (const background of [true, 'true', 1, {}]) {
      const { upstream, keypass } = start([...policyScopes]);
      const body = { ...responses.body, background, store: true };
      expect(await codeOf(await post(keypass, responses.path, body))).toBe('unbounded_cost');
      expect(upstream.requests).toEqual([]);
    }
  });
});

const other = 'a-dear-model';

const hiddenModels: [Call, string, unknown][] = [
  [responses, 'tools.0', { type: 'image_generation', model: other }],
  [responses, 'tools', { type: 'image_generation', model: other }],
  [responses, 'tools.0', { type: 'namespace', tools: [{ type: 'function', model: other }] }],
  [responses, 'input.0', { type: 'additional_tools', tools: [{ type: 'image_generation', model: other }] }],
  [responses, 'input.0', { type: 'additional_tools', tools: [{ type: 'namespace', tools: [{ model: other }] }] }],
  [responses, 'prompt', { id: 'pmpt_1' }],
  [responses, 'moderation', { model: other }],
  [chat, 'moderation', { model: other }],
  [chat, 'models.0', other],
  [chat, 'route', 'fallback'],
  [chat, 'tools.0', { type: 'web_search', model: other }],
  [messages, 'tools.0', { type: 'advisor_20260301', name: 'advisor', model: other }],
  [messages, 'fallbacks.0.model', other],
  [messages, 'thread.model', other],
  [messages, 'mcp_servers.0.model', other],
  [count, 'tools.0', { type: 'advisor_20260301', name: 'advisor', model: other }],
  ...[gemini, geminiStream, geminiCount].flatMap((call): [Call, string, unknown][] => [
    [call, 'model', `models/${other}`],
    [call, 'model', 'tunedModels/gemini-2.5-flash'],
    [call, 'model', ['gemini-2.5-flash']],
  ]),
  [geminiCount, 'generateContentRequest.model', `models/${other}`],
  [geminiCount, 'generate_content_request.model', `models/${other}`],
  [embed, 'model', `models/${other}`],
  [batchEmbed, 'requests.0.model', `models/${other}`],
  [batchEmbed, 'requests.model', `models/${other}`],
  [groqChat, 'models.0', other],
  [groqChat, 'compound_custom.models.answering_model', other],
  [groqChat, 'search_settings.model', other],
  [groqSpeech, 'fallback.model', other],
  [embeddings, 'fallback_model', other],
  [images, 'svg.model', other],
];

test.each(hiddenModels)('another model, in %j: %s: %j', async (call, place, value) => {
  const { upstream, keypass } = start([...policyScopes]);
  const code = await codeOf(await post(keypass, call.path, { ...call.body, ...at(place, value) }));
  expect([
    'model_not_allowed',
    'unbounded_cost',
    'unsupported_parameter',
    'price_unknown',
    'invalid_request',
  ]).toContain(code ?? 'passed on');
  expect(upstream.requests).toEqual([]);
  expect(keypass.ledger.held).toBe(0n);
});

test('a moderation by a model for that is passed on', async () => {
  const { upstream, keypass } = start(withoutState);
  const body = { ...chat.body, moderation: { model: 'omni-moderation-latest' } };
  expect(await codeOf(await post(keypass, chat.path, body))).toBeNull();
  expect(upstream.requests).toHaveLength(1);
});

/** The body with more behind it, as no JSON.stringify would write it. */
const text = (call: Call, more: string) => `${JSON.stringify(call.body).slice(0, -1)},${more}}`;

describe('a member twice', () => {
  const twice: [string, string][] = [
    ...[chat, responses, messages, count, groqChat, embeddings, images, speech].flatMap((call): [string, string][] => [
      [call.path, text(call, '"model":"gpt-4o"')],
      [call.path, text(call, '"mod\\u0065l":"gpt-4o"')],
      [call.path, text(call, '"stream":false,"stream":true')],
      [call.path, text(call, '"stream":false,"str\\u0065am":true')],
    ]),
    [chat.path, text(chat, '"max_tokens":99999')],
    [chat.path, text(chat, '"n":1,"n":100')],
    [chat.path, text(chat, '"store":false,"store":true')],
    [chat.path, text(chat, '"stream_options":{"include_usage":true,"include_usage":false}')],
    [chat.path, text(chat, '"metadata":{"a":{"b":[{"c":1,"c":2}]}}')],
    [chat.path, text(chat, '"x":[{"file":{"file_id":"a","file_id":"b"}}]')],
    [responses.path, text(responses, '"previous_response_id":null,"previous_response_id":"resp_1"')],
    [responses.path, text(responses, '"tools":[{"type":"function","type":"image_generation"}]')],
    [responses.path, text(responses, '"tools":[{"type":"x","model":"gpt-4o-mini","model":"gpt-4o"}]')],
    [responses.path, text(responses, '"reasoning":{"effort":"low","effort":"high"}')],
    [messages.path, text(messages, '"max_tokens":99999')],
    [messages.path, text(messages, '"thinking":{"type":"enabled","budget_tokens":1024,"budget_tokens":60000}')],
    [messages.path, text(messages, '"tools":[{"type":"web_search_20250305","max_uses":1,"max_uses":1000}]')],
    [gemini.path, text(gemini, '"generationConfig":{"maxOutputTokens":1,"maxOutputTokens":60000}')],
    [gemini.path, text(gemini, '"cachedContent":null,"cachedContent":"a"')],
    ['/openai/v1/conversations', '{"items":[],"items":[{"type":"additional_tools"}]}'],
    ['/openai/v1/batches', '{"input_file_id":"a","input_file_id":"b"}'],
    ['/openai/v1/vector_stores', '{"expires_after":{"days":1,"days":365}}'],
  ];
  test.each(twice)('%s %s', async (path, body) => {
    const { upstream, keypass } = start([...policyScopes]);
    expect(await codeOf(await post(keypass, path, body))).toBe('duplicate_member');
    expect(upstream.requests).toEqual([]);
  });

  // Google takes a member in either spelling, so both together are the same one twice.
  test.each([
    '"generationConfig":{"maxOutputTokens":1},"generation_config":{"maxOutputTokens":60000}',
    '"generationConfig":{"maxOutputTokens":1,"max_output_tokens":60000}',
    '"generationConfig":{"candidateCount":1,"candidate_count":8}',
    '"generationConfig":{"thinkingConfig":{"thinkingBudget":0,"thinking_budget":20000}}',
    '"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","mime_type":"audio/wav","data":""}}]}]',
    '"systemInstruction":{},"system_instruction":{}',
    '"serviceTier":"standard","service_tier":"priority"',
  ])('in two spellings: %s', async (more) => {
    const { upstream, keypass } = start([...policyScopes]);
    const code = await codeOf(await post(keypass, gemini.path, `{${more}}`));
    expect(['duplicate_member', 'invalid_request']).toContain(code ?? 'passed on');
    expect(upstream.requests).toEqual([]);
  });
});
