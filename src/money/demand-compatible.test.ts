import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { asked, call, hello, parts } from './bounds.fixture.ts';
import { boundOf } from './bounds.ts';
import { costOf } from './cost.ts';
import type { JsonObject } from './json.ts';
import { maxTokensMembers } from './output-limit.ts';
import { noTokens, type Usage, type UsageFormat } from './usage.ts';

/** One current model of each provider, and the format of its chat. */
const chats: Record<string, [model: string, format: UsageFormat]> = {
  mistral: ['mistral-large-2512', 'compatible-chat'],
  xai: ['grok-4.6', 'compatible-chat'],
  deepseek: ['deepseek-flash', 'compatible-chat'],
  together: ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 'compatible-chat'],
  fireworks: ['accounts/fireworks/models/kimi-k2p6', 'compatible-chat'],
  cerebras: ['gpt-oss-120b', 'compatible-chat'],
  huggingface: ['openai/gpt-oss-120b:groq', 'compatible-chat'],
  openrouter: ['anthropic/claude-sonnet-4.5', 'openrouter-chat'],
  perplexity: ['sonar-pro', 'perplexity-chat'],
  cohere: ['command-a-03-2025', 'cohere-chat'],
};
const ids = Object.keys(chats);

function bound(provider: string, body: JsonObject, other?: { model?: string; format?: UsageFormat }) {
  const [model = '', format] = chats[provider] ?? [];
  return boundOf(call(provider, other?.model ?? model, body, other?.format ?? format));
}

function refusalOf(provider: string, body: JsonObject, other?: { model?: string; format?: UsageFormat }): string {
  try {
    bound(provider, body, other);
  } catch (error) {
    if (error instanceof KeyPassError) return `${error.code} ${error.param ?? ''}`;
    throw error;
  }
  return 'none';
}

describe.each(ids)('%s', (id) => {
  test('the bound is no less than any call that keeps to it costs', () => {
    const [model = '', format] = chats[id] ?? [];
    const one = call(id, model, asked({ max_tokens: 500 }), format);
    const usage: Usage = { ...noTokens, uncachedInput: one.bodyBytes, output: 500, raw: null };
    expect(boundOf(one).cost).toBeGreaterThanOrEqual(costOf(usage, one.price).cost);
    expect(boundOf(one).outputTokens).toBe(500);
  });

  test.each([
    ['tools', { tools: [{ type: 'web_search' }] }],
    ['tools', { tools: [{ type: 'openrouter:web_search' }] }],
    ['tools', { tools: { type: 'code_interpreter' } }],
    ['web_search_options', { web_search_options: 'on' }],
    ['search_parameters', { search_parameters: { mode: 'on' } }],
    ['plugins', { plugins: [{ id: 'web' }] }],
    ['preset', { preset: 'dear' }],
    ['safety_model', { safety_model: 'meta-llama/Guard' }],
    ['guardrails', { guardrails: [{ moderation_llm: {} }] }],
    ['deferred', { deferred: true }],
    ['image_config', { image_config: { size: '4K' } }],
    ['best_of', { best_of: 20 }],
    ['model_parameters', { model_parameters: {} }],
    ['messages', parts({ type: 'file', file: { file_data: 'data:application/pdf;base64,A' } })],
    ['messages', parts({ type: 'document_url', document_url: 'https://x/y.pdf' })],
    ['messages', parts({ type: 'pdf_url', pdf_url: { url: 'https://x/y.pdf' } })],
    ['messages', { messages: { role: 'user', content: { type: 'file', file_id: 'f' } } }],
    ['messages', parts({ audio_url: 'https://x/y.mp3' })],
    ['messages', parts({ type: 'text', text: 'a', uuid: 'b', audio_url: { url: 'https://x/y.mp3' } })],
    ['messages', parts({ type: 'image_url', image_url: { url: 'https://x' }, Video_URL: { url: 'https://x' } })],
    ['messages', { messages: [{ role: 'user', content: 'a', attachments: [{ file_id: 'f' }] }] }],
    // What some servers take in any case.
    ['messages', { messages: [{ role: 'user', Content: [{ type: 'image_url', image_url: { url: 'https://x' } }] }] }],
    ['messages', parts({ type: 'image_url', image_url: { Url: 'https://x' } })],
    ['messages', parts({ type: 'text', text: 'a', Type: 'file' })],
  ])('refuses %s by name: %j', (param, body) => {
    // Perplexity's own member; what it may hold is tested below.
    if (id === 'perplexity' && param === 'web_search_options') return;
    expect(refusalOf(id, asked({ max_tokens: 10, ...body }))).toBe(`unbounded_cost ${param}`);
  });

  test.each([[-1], [0], ['500'], [1.5], [1e20]])('refuses a limit that is none: %p', (max_tokens) => {
    expect(refusalOf(id, asked({ max_tokens }))).toBe('invalid_request max_tokens');
  });
});

const mostOf = (id: string, model: string) => bound(id, hello, { model }).maxTokens;

describe('the output limit', () => {
  test.each(['mistral', 'deepseek', 'together', 'huggingface', 'perplexity', 'cohere'])(
    '%s may not heed the newer name',
    (id) => {
      expect(refusalOf(id, asked({ max_completion_tokens: 10 }))).toBe('unbounded_cost max_completion_tokens');
    },
  );

  test.each(['xai', 'fireworks', 'cerebras', 'openrouter'])('%s knows both, of which one is sent', (id) => {
    expect(bound(id, asked({ max_completion_tokens: 10 })).outputTokens).toBe(10);
    expect(bound(id, asked({ max_tokens: 10, n: 3 })).outputTokens).toBe(30);
    expect(refusalOf(id, asked({ max_tokens: 1, max_completion_tokens: 9 }))).toBe('invalid_request max_tokens');
  });

  test('without one a model may fill its context where it is not its provider that says how much it writes', () => {
    // A smaller output is listed for each of the first four.
    expect(mostOf('xai', 'grok-4.3')).toBe(1_000_000);
    expect(mostOf('mistral', 'codestral-latest')).toBe(256_000);
    expect(mostOf('huggingface', 'Qwen/Qwen3-32B:groq')).toBe(131_072);
    expect(mostOf('openrouter', 'qwen/qwen3-235b-a22b')).toBe(131_072);
    expect(mostOf('openrouter', 'anthropic/claude-sonnet-4.5')).toBe(64_000);
    expect(mostOf('cerebras', 'gpt-oss-120b')).toBe(40_960);
  });

  test('without one the model may write all that it can', () => {
    expect(bound('mistral', hello).maxTokens).toBe(262_144);
    expect(bound('xai', hello).maxTokens).toBe(500_000);
    expect(
      refusalOf('perplexity', asked({ model: 'x' }), { model: 'perplexity/kimi-k3', format: 'compatible-chat' }),
    ).toBe('price_unknown ');
  });

  test.each<[UsageFormat, JsonObject, JsonObject]>([
    ['compatible-chat', {}, { max_tokens: 7 }],
    ['compatible-chat', { max_completion_tokens: 9 }, { max_completion_tokens: 7 }],
    ['compatible-completions', { max_tokens: 9 }, { max_tokens: 7 }],
    ['openrouter-chat', { max_completion_tokens: null }, { max_completion_tokens: null, max_tokens: 7 }],
    ['perplexity-chat', {}, { max_tokens: 7 }],
    ['cohere-chat', {}, { max_tokens: 7 }],
    ['cohere-embed', { texts: [] }, { texts: [] }],
  ])('%s is lowered in the member that it reads: %j', (format, body, limited) => {
    expect({ ...body, ...maxTokensMembers(format, body, 7) }).toEqual(limited);
  });
});

describe('models that are more than one', () => {
  test.each([
    ['xai', 'grok-4.20-multi-agent'],
    ['perplexity', 'sonar-deep-research'],
    ['fireworks', 'accounts/fireworks/models/kimi-k2p6#accounts/me/deployments/gpus'],
  ])('%s %s', (id, model) => {
    const [known = '', format] = chats[id] ?? [];
    const one = { ...call(id, known, asked({ max_tokens: 10 }), format), model };
    expect(() => boundOf(one)).toThrow(expect.objectContaining({ code: 'unbounded_cost', param: 'model' }));
  });
});

describe("xAI's responses", () => {
  const responses = { model: 'grok-4.7', format: 'xai-responses' } as const;

  test.each<[string, JsonObject]>([
    ['tools', { tools: [{ type: 'web_search' }], max_tool_calls: 1 }],
    ['tools', { tools: [{ type: 'x_search' }] }],
    ['tools', { tools: { type: 'mcp', server_url: 'https://x' } }],
    ['background', { background: true }],
    ['max_turns', { max_turns: 100 }],
    ['search_parameters', { search_parameters: { mode: 'on' } }],
    // Each search in it is billed.
    ['input', { input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://x/y.pdf' }] }] }],
    ['input', { input: [{ role: 'user', content: { type: 'input_file', file_id: 'f' } }] }],
    ['input', { input: [{ role: 'user', content: 'a', attachments: [{ file_id: 'f' }] }] }],
    ['input', { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file' }] }] }],
  ])('refuse %s: %j', (param, body) => {
    expect(refusalOf('xai', { input: 'a', max_output_tokens: 10, ...body }, responses)).toBe(`unbounded_cost ${param}`);
  });

  test('refuse a model that is several', () => {
    const one = call('xai', 'grok-4.7', { input: 'a', max_output_tokens: 10 }, responses.format);
    const several = { ...one, model: 'grok-4.20-multi-agent' };
    expect(() => boundOf(several)).toThrow(expect.objectContaining({ code: 'unbounded_cost', param: 'model' }));
  });

  test('are limited by their own member', () => {
    expect(bound('xai', { input: 'a', max_output_tokens: 10 }, responses).outputTokens).toBe(10);
    expect(refusalOf('xai', { input: 'a', max_tokens: 10 }, responses)).toBe('unbounded_cost max_tokens');
    expect(maxTokensMembers('xai-responses', { input: 'a' }, 7)).toEqual({ max_output_tokens: 7 });
  });
});

describe('Perplexity', () => {
  test('holds the highest fee of a search', () => {
    const withFee = bound('perplexity', asked({ max_tokens: 10 })).cost;
    const one = call('perplexity', 'sonar-pro', asked({ max_tokens: 10 }), 'perplexity-chat');
    const { request: _, ...rates } = one.price.rates;
    const without = boundOf({ ...one, price: { ...one.price, rates } }).cost;
    // $14 for a thousand.
    expect(withFee - without).toBe(14_000_000_000n);
  });

  test.each([['pro'], ['auto'], [1], [{}]])('refuses the search type %p', (search_type) => {
    const body = asked({ max_tokens: 10, web_search_options: { search_type } });
    expect(refusalOf('perplexity', body)).toBe('unbounded_cost web_search_options.search_type');
  });

  test.each([[[{ search_type: 'pro' }]], ['pro']])('refuses search options that are none: %j', (web_search_options) => {
    expect(refusalOf('perplexity', asked({ max_tokens: 10, web_search_options }))).toBe(
      'unbounded_cost web_search_options',
    );
  });

  test('a reasoning model is held for all that it may write', () => {
    const body = asked({ max_tokens: 10 });
    expect(bound('perplexity', body, { model: 'sonar-reasoning-pro' }).outputTokens).toBe(4096);
  });
});

describe('Cohere', () => {
  test('a model that thinks is held for all that it may write, unless thinking is off', () => {
    const one = call('cohere', 'command-a-03-2025', asked({ max_tokens: 10 }), 'cohere-chat');
    const reasoner = { ...one, model: 'command-a-reasoning-08-2025', limits: { context: 256_000, output: 32_000 } };
    expect(boundOf(reasoner).outputTokens).toBe(32_000);
    const off = { ...reasoner, body: asked({ max_tokens: 10, thinking: { type: 'disabled' } }) };
    expect(boundOf(off).outputTokens).toBe(10);
    expect(boundOf(one).outputTokens).toBe(10);
    const compatible = { ...reasoner, format: 'compatible-chat' } as const;
    expect(boundOf(compatible).outputTokens).toBe(32_000);
    const none = { ...compatible, body: asked({ max_tokens: 10, reasoning_effort: 'none' }) };
    expect(boundOf(none).outputTokens).toBe(10);
  });

  test.each([
    ['images', { images: ['data:image/png;base64,A'] }],
    ['inputs', { inputs: [{ content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,A' } }] }] }],
    ['connectors', { texts: ['a'], connectors: [] }],
  ])('embeds texts alone: %s', (param, body) => {
    const embed = { model: 'embed-v4.0', format: 'cohere-embed' } as const;
    expect(refusalOf('cohere', { input_type: 'classification', ...body }, embed)).toBe(`unbounded_cost ${param}`);
    expect(refusalOf('cohere', { input_type: 'classification', texts: ['a'] }, embed)).toBe('none');
  });
});

describe('embeddings', () => {
  test.each<[unknown, string]>([
    ['a', 'none'],
    [['a', 'b'], 'none'],
    [[1, 2], 'none'],
    [[[1, 2], [3]], 'none'],
    [[{ type: 'image_url', image_url: { url: 'https://x' } }], 'unbounded_cost input'],
    [{ image: 'https://x' }, 'unbounded_cost input'],
    [[['a']], 'unbounded_cost input'],
    [[[[1]]], 'unbounded_cost input'],
  ])('are of texts and their tokens: %j is refused with %s', (input, refusal) => {
    const embed = { model: 'mistral-embed', format: 'openai-embeddings' } as const;
    expect(refusalOf('mistral', { input }, embed)).toBe(refusal);
  });
});

describe('completions', () => {
  const fim = { model: 'codestral-2508', format: 'compatible-completions' } as const;

  test.each([
    ['one text', { prompt: 'a' }, 10],
    ['n of it', { prompt: 'a', n: 4 }, 40],
    ['a list of texts', { prompt: ['a', 'b', 'c'], n: 2 }, 60],
    ['a text as tokens', { prompt: [1, 2, 3] }, 10],
    ['a list of those', { prompt: [[1], [2]] }, 20],
    ['none', {}, 10],
  ])('%s', (_, body, output) => {
    expect(bound('mistral', { ...body, max_tokens: 10 }, fim).outputTokens).toBe(output);
  });

  test.each([
    ['best_of', { best_of: 3 }],
    ['messages', { messages: [] }],
    ['prompt', { prompt: { url: 'https://x' } }],
    ['prompt', { prompt: [['a', 'b']] }],
    ['prompt', { prompt: ['a', 1] }],
  ])('refuses %s', (param, body) => {
    expect(refusalOf('mistral', { prompt: 'a', max_tokens: 10, ...body }, fim)).toBe(`unbounded_cost ${param}`);
  });
});
