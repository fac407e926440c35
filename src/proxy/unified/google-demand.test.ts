import { describe, expect, test } from 'bun:test';
import { geminiDemand } from '../../money/demand-gemini.ts';
import { parseChat } from './chat.ts';
import { toGoogle } from './google.ts';

const model = 'gemini-3.1-pro-preview';
const data = 'A'.repeat(400);
const user = (...content: object[]) => [{ role: 'user', content }];
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } };
const demandOf = (members: object) =>
  geminiDemand(model, toGoogle(parseChat({ model, messages: [{ role: 'user', content: 'Hi' }], ...members })));
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
const calling = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'weather', arguments: '{}' } }],
};

describe("what a translated chat may cost is bounded by Gemini's own rules", () => {
  test('limits, choices and reasoning', () => {
    expect(demandOf({ max_tokens: 50, n: 3, reasoning_effort: 'low' })).toMatchObject({
      requestedOutput: 50,
      choices: 3,
      reasoning: 'asked',
    });
    const off = parseChat({ model: 'gemini-2.5-flash', messages: user(image), reasoning_effort: 'none' });
    expect(geminiDemand('gemini-2.5-flash', toGoogle(off)).reasoning).toBe('off');
  });

  test('tools and schemas are in the prompt once more', () => {
    const plain = demandOf({}).toolTokens;
    expect(plain).toBe(0);
    const withTools = demandOf({ tools, tool_choice: 'auto' }).toolTokens;
    expect(withTools).toBeGreaterThan(0);
    const schema = { type: 'object', description: 'x'.repeat(1_000) };
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(demandOf({ response_format }).toolTokens).toBeGreaterThan(1_000);
  });

  test('an inline image has its most, whatever its detail', () => {
    const demand = demandOf({ messages: user({ ...image, image_url: { ...image.image_url, detail: 'high' } }) });
    expect(demand).toMatchObject({ mediaBytes: 400, mediaTokens: 8_192, wholeContext: false, pictures: true });
  });

  test.each([
    ['an address', user({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }), 'possible'],
    ['a document', user({ type: 'file', file: { file_data: `data:application/pdf;base64,${data}` } }), 'possible'],
    ['sound', user({ type: 'input_audio', input_audio: { data, format: 'wav' } }), 'certain'],
    [
      'a picture in a result',
      [...user(image), calling, { role: 'tool', tool_call_id: 'c', content: [image] }],
      'possible',
    ],
  ])('%s may fill the context', (_, messages, audio) => {
    expect(demandOf({ messages })).toMatchObject({ wholeContext: true, audio });
  });
});
