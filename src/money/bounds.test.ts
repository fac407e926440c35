import { describe, expect, test } from 'bun:test';
import { asked, call, contents, hello, parts } from './bounds.fixture.ts';
import { boundOf, lowerOutput } from './bounds.ts';

const perToken = (bound: { cost: bigint; inputTokens: number }, output: bigint) =>
  (bound.cost - output) / BigInt(bound.inputTokens);

const mostOutput = (body: object) => boundOf(call('openai', 'gpt-4o', asked(body))).maxTokens;

describe('bounds computed by hand', () => {
  test('bytes and 512 tokens of template in, the asked limit for each choice out', () => {
    const body = asked({ model: 'gpt-4o', max_tokens: 100, n: 3 });
    const bytes = JSON.stringify(body).length;
    expect(boundOf(call('openai', 'gpt-4o', body))).toMatchObject({
      // $2.50 and $10 for a million tokens.
      cost: BigInt(bytes + 512) * 2_500_000n + 300n * 10_000_000n,
      inputTokens: bytes + 512,
      outputTokens: 300,
      maxTokens: 100,
    });
  });

  test('no limit asked: the most the model gives; one above what is listed holds, since the list may be old', () => {
    expect([{}, { max_tokens: null }, { max_completion_tokens: 99_999 }].map(mostOutput)).toEqual([
      16_384, 16_384, 99_999,
    ]);
    // No output limit is listed for this one: its context window.
    expect(boundOf(call('openai', 'gpt-6-sol', hello)).maxTokens).toBe(1_050_000);
  });

  test('a prompt that is seen is bounded by its bytes, also above the window that is listed', () => {
    const long = 'x'.repeat(200_000);
    const chat = call('openai', 'gpt-4o', { messages: long, n: 1 });
    expect(boundOf(chat).inputTokens).toBe(chat.bodyBytes + 512);
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    const both = call('openai', 'gpt-4o', parts({ type: 'text', text: long }, image));
    expect(boundOf(both).inputTokens).toBe(both.bodyBytes + 512);
    const many = call('openai', 'text-embedding-3-small', { input: [long, long] }, 'openai-embeddings');
    expect(boundOf(many).inputTokens).toBe(many.bodyBytes + 512);
    expect(boundOf(many)).toMatchObject({ outputTokens: 0, cost: BigInt(many.bodyBytes + 512) * 20_000n });
  });

  test('a long prompt is held at the price of its tier', () => {
    const body = { contents: [{ parts: [{ text: 'x'.repeat(300_000) }] }], generationConfig: { maxOutputTokens: 1 } };
    const bound = boundOf(call('google', 'gemini-2.5-pro', body));
    expect(bound.cost).toBe(BigInt(bound.inputTokens) * 2_500_000n + 15_000_000n);
  });

  test('the cache: Anthropic when marked, OpenAI always where a write costs more', () => {
    const claude = (cache: object) =>
      perToken(
        boundOf(
          call('anthropic', 'claude-haiku-4-5', { max_tokens: 1, system: [{ type: 'text', text: 'a', ...cache }] }),
        ),
        5_000_000n,
      );
    expect(claude({})).toBe(1_000_000n);
    expect(claude({ cache_control: { type: 'ephemeral' } })).toBe(1_250_000n);
    expect(claude({ cache_control: { type: 'ephemeral', ttl: '1h' } })).toBe(2_000_000n);
    expect(claude({ cache_control: { type: 'ephemeral', ttl: '9h' } })).toBe(2_000_000n);
    const sol = boundOf(call('openai', 'gpt-6-sol', asked({ max_completion_tokens: 1 })));
    expect(perToken(sol, 10_000_000n)).toBe(2_500_000n);
  });

  test('an inline image is its documented most, not its bytes', () => {
    const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`;
    const chat = call('openai', 'gpt-4o', parts({ type: 'image_url', image_url: { url } }));
    expect(boundOf(chat).inputTokens).toBe(chat.bodyBytes - url.length + 50_000 + 512);
    const data = 'A'.repeat(1_000_000);
    const claude = call(
      'anthropic',
      'claude-haiku-4-5',
      parts({ type: 'tool_result', content: [{ type: 'image', source: { type: 'base64', data } }] }),
    );
    expect(boundOf(claude).inputTokens).toBe(claude.bodyBytes - data.length + 5_000 + 512);
    const gemini = call('google', 'gemini-2.5-flash', contents({ inline_data: { mime_type: 'image/png', data } }));
    expect(boundOf(gemini).inputTokens).toBe(gemini.bodyBytes - data.length + 8_192 + 512);
  });

  test('tools count twice, with a preamble', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const chat = call('openai', 'gpt-4o', asked({ tools, max_tokens: 1 }));
    expect(boundOf(chat).inputTokens).toBe(chat.bodyBytes + JSON.stringify(tools).length + 2048 + 512);
  });

  test('declared searches: their fees, and the whole window for each pass', () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }];
    const bound = boundOf(call('anthropic', 'claude-haiku-4-5', asked({ max_tokens: 100, tools })));
    expect(bound.inputTokens).toBe(5 * 200_000);
    // 1,000,000 × $1.25/M + 100 × $5/M + 3 × $0.01.
    expect(bound.cost).toBe(1_250_000_000_000n + 500_000_000n + 30_000_000_000n);
    const body = { input: 'hi', max_output_tokens: 16, max_tool_calls: 2, tools: [{ type: 'web_search' }] };
    expect(boundOf(call('openai', 'gpt-4.1', body, 'openai-responses'))).toMatchObject({ inputTokens: 4 * 1_047_576 });
  });

  test('speech is held at its own price', () => {
    const body = asked({ modalities: ['text', 'audio'], audio: { voice: 'x', format: 'wav' }, max_tokens: 10 });
    const bound = boundOf({ ...call('openai', 'gpt-audio', body), limits: { context: 128_000 } });
    expect(bound.cost).toBe(BigInt(bound.inputTokens) * 2_500_000n + 640_000_000n);
  });

  test('an image model is held at the price of images and for all it can give', () => {
    const body = { contents: [{ parts: [{ text: 'a cat' }] }], generationConfig: { maxOutputTokens: 5 } };
    const bound = boundOf(call('google', 'gemini-2.5-flash-image', body));
    expect(bound.cost).toBe(BigInt(bound.inputTokens) * 300_000n + 32_768n * 30_000_000n);
  });
});

const explained = (...of: Parameters<typeof call>) => boundOf(call(...of)).explained;
const explainedOpenAi = (body: object) => explained('openai', 'gpt-4o', asked(body));
const explainedClaude = (thinking: object) =>
  explained('anthropic', 'claude-sonnet-4-5', asked({ max_tokens: 9, ...thinking }));
const explainedGemini = (model: string, thinkingConfig?: object) =>
  explained('google', model, { contents: [], generationConfig: { maxOutputTokens: 9, thinkingConfig } });

describe('what the request and the answer explain', () => {
  test('text, which can be counted; media and tools at their most', () => {
    const plain = call('openai', 'gpt-4o', hello);
    const { provider, model, body } = plain;
    const prompt = { provider, model, format: 'openai-chat', body, mediaTokens: 0, toolTokens: 0 } as const;
    expect(boundOf(plain).explained).toEqual({ prompt, output: true, isOpenEnded: false });
    const url = `data:image/png;base64,${'A'.repeat(1_000)}`;
    const picture = call('openai', 'gpt-4o', parts({ type: 'image_url', image_url: { url } }));
    expect(boundOf(picture).explained.prompt).toMatchObject({ mediaTokens: 50_000, toolTokens: 0 });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const chat = call('openai', 'gpt-4o', asked({ tools }));
    expect(boundOf(chat).explained.prompt).toMatchObject({ toolTokens: JSON.stringify(tools).length + 2048 });
  });

  const byUrl = parts({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } });
  const cached = asked({ max_tokens: 9, cache_control: { type: 'ephemeral' } });
  test.each<[string, Parameters<typeof call>]>([
    ['an image by its address', ['openai', 'gpt-4o', byUrl]],
    ['an earlier response', ['openai', 'gpt-4o', { input: 'x', previous_response_id: 'r' }, 'openai-responses']],
    ['a conversation', ['openai', 'gpt-4o', { input: 'x', conversation: 'c' }, 'openai-responses']],
    ['what is written to a cache at a price of its own', ['anthropic', 'claude-haiku-4-5', cached]],
  ])('not %s', (_, of) => {
    expect(explained(...of)).toMatchObject({ prompt: undefined, isOpenEnded: false });
  });

  test('not what is predicted, and nothing at all of searches and speech', () => {
    expect(explainedOpenAi({ prediction: { type: 'content', content: 'a' }, max_tokens: 9 }).output).toBe(false);
    const search = { tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }], max_tokens: 9 };
    expect(explained('anthropic', 'claude-haiku-4-5', asked(search)).isOpenEnded).toBe(true);
    const speech = call('openai', 'gpt-audio', asked({ modalities: ['text', 'audio'], max_tokens: 9 }));
    expect(boundOf({ ...speech, limits: { context: 128_000 } }).explained.isOpenEnded).toBe(true);
    expect(explained('google', 'gemini-2.5-flash-image', contents({ text: 'a cat' })).isOpenEnded).toBe(true);
  });

  test('not what is reasoned in secret', () => {
    expect(explained('openai', 'o3', hello).output).toBe(false);
    expect(explained('openai', 'gpt-6-sol', hello).output).toBe(false);
    expect(explained('groq', 'openai/gpt-oss-20b', hello).output).toBe(false);
    expect(explained('groq', 'llama-3.3-70b-versatile', hello).output).toBe(true);
    expect(explained('openai', 'gpt-4o-mini-2024-07-18', hello).output).toBe(true);
    expect(explainedOpenAi({ reasoning_effort: 'high' }).output).toBe(true);
    const effort = (each: string) => explained('openai', 'gpt-5.1', asked({ max_tokens: 9, reasoning_effort: each }));
    expect(effort('low').output).toBe(false);
    expect(effort('none').output).toBe(true);
    const thought = { input: 'x', max_output_tokens: 9, reasoning: { effort: 'none' } };
    expect(explained('openai', 'gpt-5.1', thought, 'openai-responses').output).toBe(true);
    expect(explainedClaude({}).output).toBe(true);
    expect(explainedClaude({ thinking: { type: 'disabled' } }).output).toBe(true);
    expect(explainedClaude({ thinking: { type: 'adaptive' } }).output).toBe(false);
    expect(explained('anthropic', 'claude-opus-5', asked({ max_tokens: 9 })).output).toBe(false);
    expect(explainedGemini('gemini-2.0-flash').output).toBe(true);
    expect(explainedGemini('gemini-2.5-flash').output).toBe(false);
    expect(explainedGemini('gemini-2.5-flash', { thinkingBudget: 0 }).output).toBe(true);
    expect(explainedGemini('gemini-2.5-flash', { thinkingBudget: -1 }).output).toBe(false);
    expect(explainedGemini('gemini-2.5-pro', { thinkingBudget: 0 }).output).toBe(false);
  });
});

const embed = (body: object) => call('google', 'gemini-embedding-2', { ...body }, 'gemini-embed');

describe('many texts to embed at once', () => {
  const one = { model: 'models/gemini-embedding-2', content: { parts: [{ text: 'x'.repeat(20_000) }] } };

  test('are bounded by their bytes, all together', () => {
    const many = embed({ requests: [one, one, { ...one, taskType: 'CLUSTERING' }] });
    expect(boundOf(many)).toMatchObject({ inputTokens: many.bodyBytes + 512, outputTokens: 0 });
    expect(boundOf(many).explained).toMatchObject({ prompt: { body: many.body }, output: true });
  });

  test('each image at its most', () => {
    const data = 'A'.repeat(9_000);
    const image = { ...one, content: { parts: [{ inlineData: { mimeType: 'image/png', data } }] } };
    const many = embed({ requests: [image, image] });
    expect(boundOf(many).inputTokens).toBe(many.bodyBytes - 18_000 + 2 * 8_192 + 512);
  });

  test.each<[string, object]>([
    ['what is not seen', { ...one, content: { parts: [{ fileData: { fileUri: 'https://example.com/a' } }] } }],
    ['what is not known', { ...one, autoTruncate: true }],
    ['another model', { ...one, model: 'models/gemini-embedding-001' }],
  ])('are refused with %s among them', (_, request) => {
    expect(() => boundOf(embed({ requests: [one, request] }))).toThrow();
  });
});

describe('lowering the output', () => {
  const gpt = call('openai', 'gpt-4o', hello);
  const fixed = boundOf(call('openai', 'gpt-4o', asked({ max_tokens: 1 })));

  test('gives what fits, to the token', () => {
    const input = boundOf(gpt).inputTokens;
    const available = BigInt(input) * 2_500_000n + 2000n * 10_000_000n + 9_999_999n;
    expect(lowerOutput(gpt, available)).toMatchObject({ maxTokens: 2000 });
  });

  test('gives all where all fits', () => {
    expect(lowerOutput(gpt, 10n ** 15n)).toEqual({ maxTokens: 16_384, bound: boundOf(gpt) });
  });

  test('gives nothing below a useful part', () => {
    const input = BigInt(boundOf(gpt).inputTokens) * 2_500_000n;
    expect(lowerOutput(gpt, input + 1024n * 10_000_000n)?.maxTokens).toBe(1024);
    expect(lowerOutput(gpt, input + 1024n * 10_000_000n - 1n)).toBeUndefined();
    expect(lowerOutput(gpt, 0n)).toBeUndefined();
    // A short answer asked for is useful whole or not at all.
    const short = call('openai', 'gpt-4o', asked({ max_tokens: 100 }));
    expect(lowerOutput(short, boundOf(short).cost - 1n)).toBeUndefined();
    expect(lowerOutput(short, boundOf(short).cost)?.maxTokens).toBe(100);
    expect(fixed.maxTokens).toBe(1);
  });

  test('leaves a thinking budget room for an answer', () => {
    const body = asked({ max_tokens: 8000, thinking: { type: 'enabled', budget_tokens: 4000 } });
    const claude = call('anthropic', 'claude-haiku-4-5', body);
    const input = BigInt(boundOf(claude).inputTokens) * 1_000_000n;
    expect(lowerOutput(claude, input + 4001n * 5_000_000n)?.maxTokens).toBe(4001);
    expect(lowerOutput(claude, input + 4000n * 5_000_000n)).toBeUndefined();
  });

  test('never touches what a limit cannot lower', () => {
    const predicted = call('openai', 'gpt-4o', asked({ prediction: { type: 'content', content: 'a' } }));
    expect(lowerOutput(predicted, boundOf(predicted).cost - 1n)).toBeUndefined();
    const embedding = call('openai', 'text-embedding-3-small', { input: 'a' }, 'openai-embeddings');
    expect(lowerOutput(embedding, boundOf(embedding).cost - 1n)).toBeUndefined();
  });
});
