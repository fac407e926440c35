import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { asked, call, contents, parts } from './bounds.fixture.ts';
import { type BoundableCall, boundOf } from './bounds.ts';
import type { JsonObject } from './json.ts';
import { modelLimits } from './limits.ts';
import type { UsageFormat } from './usage.ts';

describe('by reference: the whole context window', () => {
  test.each<[string, string, string, JsonObject, UsageFormat]>([
    ['image URL', 'openai', 'gpt-4o', parts({ type: 'image_url', image_url: { url: 'https://x/y' } }), 'openai-chat'],
    ['one part, not a list', 'openai', 'gpt-4o', { messages: { content: { type: 'file' } } }, 'openai-chat'],
    ['unknown part', 'openai', 'gpt-4o', parts({ image: 'AAAA' }), 'openai-chat'],
    [
      'data URL of a PDF',
      'openai',
      'gpt-4o',
      parts({ type: 'image_url', image_url: { url: 'data:application/pdf;base64,A' } }),
      'openai-chat',
    ],
    ['previous response', 'openai', 'gpt-4o', { input: 'a', previous_response_id: 'r' }, 'openai-responses'],
    ['conversation', 'openai', 'gpt-4o', { input: 'a', conversation: { id: 'c' } }, 'openai-responses'],
    ['item', 'openai', 'gpt-4o', { input: [{ type: 'item_reference', id: 'i' }] }, 'openai-responses'],
    ['item of an id alone', 'openai', 'gpt-4o', { input: [{ id: 'msg_1' }] }, 'openai-responses'],
    ['reasoning by its id', 'openai', 'gpt-5', { input: [{ type: 'reasoning', id: 'rs_1' }] }, 'openai-responses'],
    [
      'file in a tool output',
      'openai',
      'gpt-4o',
      { input: [{ type: 'function_call_output', output: [{ type: 'input_file', file_id: 'f' }] }] },
      'openai-responses',
    ],
    [
      'image URL',
      'anthropic',
      'claude-haiku-4-5',
      parts({ type: 'image', source: { type: 'url', url: 'u' } }),
      'anthropic-messages',
    ],
    [
      'inline PDF',
      'anthropic',
      'claude-haiku-4-5',
      parts({ type: 'document', source: { type: 'base64', data: 'A' } }),
      'anthropic-messages',
    ],
    ['cached content', 'google', 'gemini-2.5-flash', { contents: [], cached_content: 'c' }, 'gemini'],
    ['file', 'google', 'gemini-2.5-flash', contents({ file_data: { file_uri: 'u' } }), 'gemini'],
    [
      'media in a tool result',
      'google',
      'gemini-2.5-flash',
      contents({ functionResponse: { parts: [{ inlineData: {} }] } }),
      'gemini',
    ],
    [
      'inline video',
      'google',
      'gemini-2.5-flash',
      contents({ inlineData: { mimeType: 'video/mp4', data: 'A' } }),
      'gemini',
    ],
    [
      'image on Groq',
      'groq',
      'openai/gpt-oss-20b',
      parts({ type: 'image_url', image_url: { url: 'data:image/png;base64,A' } }),
      'groq-chat',
    ],
  ])('%s, %s', (_, provider, model, body, format) => {
    expect(boundOf(call(provider, model, body, format)).inputTokens).toBe(modelLimits(provider, model)?.context ?? 0);
  });

  test('what may be audio is held at its price', () => {
    const bound = boundOf(call('google', 'gemini-2.5-flash', contents({ fileData: { fileUri: 'u' } })));
    expect(bound.cost).toBe(1_048_576n * 1_000_000n + 10n * 2_500_000n);
  });
});

function refusal(work: () => unknown): Pick<KeyPassError, 'code' | 'param'> {
  try {
    work();
  } catch (error) {
    if (error instanceof KeyPassError) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error('was not refused');
}

const chat = (rest: object) => call('openai', 'gpt-4o', asked(rest));
const responses = (rest: object) => call('openai', 'gpt-4.1', { input: 'a', ...rest }, 'openai-responses');
const claude = (rest: object) => call('anthropic', 'claude-haiku-4-5', asked({ max_tokens: 9, ...rest }));
const gemini = (rest: object) => call('google', 'gemini-2.5-flash', { contents: [], ...rest });
const groq = (rest: object) => call('groq', 'llama-3.3-70b-versatile', asked(rest));

describe('what is refused', () => {
  test.each<[BoundableCall, string]>([
    [chat({ web_search_options: {} }), 'web_search_options'],
    [chat({ some_new_feature: true }), 'some_new_feature'],
    [chat({ tools: [{ type: 'web_search' }] }), 'tools'],
    [chat({ tools: { type: 'web_search' } }), 'tools'],
    [{ ...chat({}), model: 'gpt-4o-search-preview' }, 'model'],
    [{ ...chat({}), model: 'o3-deep-research' }, 'model'],
    [responses({ background: true }), 'background'],
    [responses({ prompt: { id: 'p' } }), 'prompt'],
    [responses({ context_management: [{ type: 'compaction' }] }), 'context_management'],
    [responses({ tools: [{ type: 'web_search' }] }), 'tools'],
    [responses({ tools: [{ type: 'web_search_preview' }], max_tool_calls: 1 }), 'tools'],
    [responses({ tools: [{ type: 'file_search' }] }), 'tools'],
    [responses({ tools: [{ type: 'code_interpreter', container: 'c' }], max_tool_calls: 1 }), 'tools'],
    [responses({ tools: [{ type: 'image_generation' }], max_tool_calls: 1 }), 'tools'],
    [responses({ tools: [{ type: 'mcp', server_url: 'u' }], max_tool_calls: 1 }), 'tools'],
    [responses({ tools: [{ type: 'computer_use_preview' }], max_tool_calls: 1 }), 'tools'],
    [responses({ tools: [{ type: 'namespace', tools: [{ type: 'mcp' }] }] }), 'tools'],
    [responses({ input: [{ type: 'additional_tools', tools: [{ type: 'web_search' }] }] }), 'input'],
    [responses({ input: [{ type: 'additional_tools', tools: [{ type: 'web_search' }] }], max_tool_calls: 1 }), 'input'],
    [responses({ input: [{ type: 'mcp_approval_response' }] }), 'input'],
    [claude({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }), 'tools'],
    [claude({ tools: [{ type: 'web_fetch_20250910', name: 'web_fetch', max_uses: null }] }), 'tools'],
    [claude({ tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }), 'tools'],
    [claude({ mcp_servers: [{ type: 'url', url: 'u' }] }), 'mcp_servers'],
    [claude({ container: 'c' }), 'container'],
    [claude({ fallbacks: [{ model: 'claude-opus-4-1' }] }), 'fallbacks'],
    [gemini({ tools: [{ googleSearch: {} }] }), 'tools.googleSearch'],
    [gemini({ tools: [{ google_search: {} }] }), 'tools.googleSearch'],
    [gemini({ tools: { url_context: {} } }), 'tools.urlContext'],
    [gemini({ tools: [{ functionDeclarations: [] }, { codeExecution: {} }] }), 'tools.codeExecution'],
    [groq({ search_settings: {} }), 'search_settings'],
    [groq({ compound_custom: {} }), 'compound_custom'],
    [groq({ tools: [{ type: 'browser_search' }] }), 'tools'],
    [{ ...groq({}), model: 'groq/compound-mini' }, 'model'],
  ])('has no bound %#', (refused, param) => {
    expect(refusal(() => boundOf(refused))).toEqual({ code: 'unbounded_cost', param });
  });

  test.each<[BoundableCall, string | undefined]>([
    ...['priority', 'flex', 'fast', 'scale', 7].map((service_tier): [BoundableCall, string] => [
      chat({ service_tier }),
      'service_tier',
    ]),
    [groq({ service_tier: 'performance' }), 'service_tier'],
    [gemini({ serviceTier: 'priority' }), 'serviceTier'],
    [gemini({ service_tier: 'flex' }), 'serviceTier'],
    [claude({ speed: 'fast' }), 'speed'],
    [claude({ inference_geo: 'us' }), 'inference_geo'],
    [chat({ prompt_cache_options: { ttl: '12h' } }), 'prompt_cache_options'],
    [{ ...chat({}), limits: undefined }, undefined],
    [{ ...call('openai', 'gpt-4o', parts({ type: 'file' })), limits: undefined }, undefined],
    [call('openai', 'gpt-4o-audio-preview-2024-10-01', asked({ modalities: ['audio'], max_tokens: 5 })), undefined],
  ])('has no price %#', (refused, param) => {
    expect(refusal(() => boundOf(refused))).toEqual({ code: 'price_unknown', param });
  });

  test('audio into a model that lists no price for it', () => {
    const body = parts({ type: 'input_audio', input_audio: { data: 'A', format: 'mp3' } });
    const spoken = { ...call('openai', 'gpt-4o-audio-preview-2024-10-01', body), limits: { context: 128_000 } };
    expect(refusal(() => boundOf(spoken)).code).toBe('price_unknown');
  });

  test.each(['100', -1, 0, 1.5, true, {}, 2 ** 31])('a limit of %p', (bad) => {
    const refused: [BoundableCall, string][] = [
      [chat({ max_tokens: bad }), 'max_tokens'],
      [chat({ max_completion_tokens: bad }), 'max_completion_tokens'],
      [chat({ n: bad }), 'n'],
      [responses({ max_output_tokens: bad }), 'max_output_tokens'],
      [gemini({ generationConfig: { maxOutputTokens: bad } }), 'maxOutputTokens'],
      [gemini({ generation_config: { max_output_tokens: bad } }), 'maxOutputTokens'],
      [gemini({ generationConfig: { candidate_count: bad } }), 'candidateCount'],
      [claude({ thinking: { type: 'enabled', budget_tokens: bad } }), 'budget_tokens'],
      [claude({ tools: [{ type: 'web_search_20250305', max_uses: bad }] }), 'max_uses'],
      [groq({ n: bad }), 'n'],
    ];
    // Anthropic fills its cache and generates nothing at a limit of zero.
    if (bad !== 0) refused.push([claude({ max_tokens: bad }), 'max_tokens']);
    for (const [request, param] of refused) {
      expect(refusal(() => boundOf(request))).toEqual({ code: 'invalid_request', param });
    }
  });

  test.each<[BoundableCall, string]>([
    [claude({ max_tokens: null }), 'max_tokens'],
    [gemini({ generationConfig: { maxOutputTokens: null } }), 'maxOutputTokens'],
    [chat({ max_tokens: 5, max_completion_tokens: 5 }), 'max_tokens'],
    [gemini({ generationConfig: {}, generation_config: { max_output_tokens: 5 } }), 'generationConfig'],
    [gemini({ generationConfig: { maxOutputTokens: 5, max_output_tokens: 5 } }), 'maxOutputTokens'],
    [gemini({ cachedContent: null, cached_content: 'c' }), 'cachedContent'],
    [gemini({ model: 'models/gemini-2.5-pro' }), 'model'],
  ])('is read in two ways %#', (refused, param) => {
    expect(refusal(() => boundOf(refused))).toEqual({ code: 'invalid_request', param });
  });

  test('a message holds no value that was sent', () => {
    const secret = 'k'.repeat(30);
    for (const request of [chat({ max_tokens: secret }), chat({ service_tier: secret })]) {
      expect(() => boundOf(request)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(secret) }));
    }
  });
});
