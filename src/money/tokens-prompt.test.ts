import { describe, expect, test } from 'bun:test';
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base';
import { countPrompt, hasTextPrompt, promptTexts, type Prompt } from './tokens-prompt.ts';

const texts = (format: Prompt['format'], body: object) =>
  promptTexts({ format, body: { model: 'm', ...body } }).texts.toSorted();

describe('the texts of a prompt', () => {
  test("of OpenAI's chat: roles, contents, names, calls and definitions, and no labels or images", () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } };
    const tools = [{ type: 'function', function: { name: 'look', parameters: {} } }];
    const url = `data:image/png;base64,${'A'.repeat(900)}`;
    const messages = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        name: 'ada',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'image_url', image_url: { url } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'seen' },
    ];
    expect(texts('openai-chat', { messages, tools, user: 'not read', max_tokens: 5 })).toEqual(
      [
        'system',
        'Be brief.',
        'user',
        'ada',
        'Hi',
        'assistant',
        'look',
        '{"a":1}',
        'tool',
        'seen',
        JSON.stringify(tools),
      ].toSorted(),
    );
  });

  test("of OpenAI's responses", () => {
    const input = [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }];
    const wanted = ['Be brief.', 'Hi', 'user'];
    expect(texts('openai-responses', { instructions: 'Be brief.', input })).toEqual(wanted);
    expect(texts('openai-responses', { input: 'Hi' })).toEqual(['Hi']);
  });

  test("of Anthropic's: the input of a call as JSON, a document's text but not an image's bytes", () => {
    const content = [
      { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: ['a', 2] } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a page' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(900) } },
    ];
    expect(texts('anthropic-messages', { system: 'Be brief.', messages: [{ role: 'user', content }] })).toEqual(
      ['Be brief.', 'user', 'look', '{"at":["a",2]}', 'a page'].toSorted(),
    );
  });

  test("of Gemini's, in either spelling", () => {
    const parts = [
      { text: 'Hi' },
      { functionCall: { name: 'look', args: { at: 2 } } },
      { inline_data: { mime_type: 'image/png', data: 'A'.repeat(900) } },
    ];
    const body = { system_instruction: { parts: [{ text: 'Be brief.' }] }, contents: [{ role: 'user', parts }] };
    expect(texts('gemini', body)).toEqual(['Be brief.', 'Hi', 'look', 'user', '{"at":2}'].toSorted());
  });

  test('of embeddings: each input, a token that is sent as a number for itself', () => {
    expect(texts('openai-embeddings', { input: ['one', 'two'] })).toEqual(['one', 'two']);
    expect(texts('openai-embeddings', { input: [[1, 2], [3]] })).toEqual(['0', '0', '0']);
    const requests = [{ model: 'models/m', content: { parts: [{ text: 'one' }] }, taskType: 'CLUSTERING' }];
    expect(texts('gemini-embed', { requests })).toEqual(['one']);
  });

  test('hides nothing under a label, nor under something nested deep', () => {
    const long = 'x'.repeat(200);
    expect(texts('openai-chat', { messages: [{ id: long, type: long }] })).toEqual([long, long]);
    let content: unknown = 'deep';
    for (let depth = 0; depth < 50_000; depth += 1) content = [content];
    expect(texts('openai-chat', { messages: [{ content }] })).toEqual(['deep']);
  });
});

const prompt = (provider: string, model: string, format: Prompt['format'], body: object) => ({
  provider,
  model,
  format,
  body: { ...body },
  mediaTokens: 0,
  toolTokens: 0,
});

test('pictures and speech have prompts of another kind', () => {
  expect(hasTextPrompt('openai-chat')).toBe(true);
  expect(hasTextPrompt('openai-speech')).toBe(false);
});

describe('its tokens', () => {
  const messages = [
    { role: 'system', content: 'You are a helpful, pattern-following assistant that translates corporate jargon.' },
    { role: 'user', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
  ];

  test("are those of OpenAI's own recipe", async () => {
    // 3 for each message, 1 for a name, 3 for the answer.
    const words = messages.flatMap((message) => Object.values(message)).reduce((sum, text) => sum + o200k(text), 0);
    expect(await countPrompt(prompt('openai', 'gpt-4o', 'openai-chat', { messages }))).toEqual({
      tokens: words + 3 + 3 + 1 + 3,
      isBounded: false,
    });
  });

  test('are more where the vocabulary is not known, and media come on top', async () => {
    const counted = await countPrompt(prompt('openai', 'gpt-4o', 'openai-chat', { messages }));
    const media = { ...prompt('openai', 'gpt-4o', 'openai-chat', { messages }), mediaTokens: 700, toolTokens: 60 };
    expect((await countPrompt(media)).tokens).toBe(counted.tokens + 700);
    const claude = { ...prompt('anthropic', 'claude-opus-5', 'anthropic-messages', { messages }), toolTokens: 60 };
    expect((await countPrompt(claude)).tokens).toBeGreaterThan(1.7 * counted.tokens + 60);
  });
});
