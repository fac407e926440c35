import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { isObject, type JsonObject, listAt, objectAt, textAt } from '../../money/json.ts';
import { parseChat } from './chat.ts';
import { fromGoogle, toGoogle } from './google.ts';

const gemini2 = 'gemini-2.5-flash';
const gemini3 = 'gemini-3.1-pro-preview';
const translate = (messages: readonly object[], model = gemini2) => toGoogle(parseChat({ model, messages }));
const contentsOf = (messages: readonly object[], model?: string) => translate(messages, model)['contents'];

const png = 'data:image/png;base64,iVBORw0KGgo=';
const image = (url: string, detail?: string) => ({ type: 'image_url', image_url: detail ? { url, detail } : { url } });
const pdf = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } };
const sound = (format: string) => ({ type: 'input_audio', input_audio: { data: 'UklGRg==', format } });
const user = (...content: object[]) => [{ role: 'user', content }];
const failing = (code: string, param: string) => expect.objectContaining({ code, param });
const refusedDetail = (at: number) => failing('unsupported_parameter', `messages.0.content.${at}.image_url.detail`);
const refusedResult = (at: number) => failing('unsupported_parameter', `messages.2.content.${at}.type`);

const resolution = (...parts: object[]) => objectAt(translate(user(...parts)), 'generationConfig');

describe('what a person says', () => {
  test('system messages are the instruction, wherever they stand; turns of one side are joined', () => {
    const body = translate([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hey' },
          { type: 'text', text: '' },
        ],
      },
      { role: 'assistant', content: 'Hi!', refusal: null },
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: 'How are you?' },
    ]);
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hello' }, { text: 'Hey' }] },
        { role: 'model', parts: [{ text: 'Hi!' }] },
        { role: 'user', parts: [{ text: 'How are you?' }] },
      ],
    });
    expect(() => translate([{ role: 'system', content: 'Be brief.' }])).toThrow(failing('invalid_request', 'messages'));
  });

  test('images, sound and documents', () => {
    const url = 'https://example.com/a/b.JPG?size=2';
    expect(contentsOf(user({ type: 'text', text: 'See' }, image(png), image(url), sound('mp3'), pdf))).toEqual([
      {
        role: 'user',
        parts: [
          { text: 'See' },
          { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
          { fileData: { mimeType: 'image/jpeg', fileUri: url } },
          { inlineData: { mimeType: 'audio/mp3', data: 'UklGRg==' } },
          { inlineData: { mimeType: 'application/pdf', data: 'JVBERg==' } },
        ],
      },
    ]);
  });

  test.each([
    ['http://example.com/a.png', gemini2],
    ['https://example.com/a', gemini2],
    ['https://example.com/a.gif', gemini2],
    ['https://example.com/?a=b.png', gemini2],
    ['https://example.com/a.__proto__', gemini2],
    ['gs://bucket/a.png', gemini2],
    ['a.png', gemini2],
    ['https://example.com/a.png', 'gemini-2.0-flash'],
  ])('an address that Google does not fetch is refused: %s for %s', (url, model) => {
    const place = 'messages.0.content.0.image_url.url';
    expect(() => contentsOf(user(image(url)), model)).toThrow(failing('unsupported_parameter', place));
  });

  test('a format of sound that Google does not know is refused', () => {
    const place = 'messages.0.content.0.input_audio.format';
    expect(() => contentsOf(user(sound('pcm16')))).toThrow(failing('unsupported_parameter', place));
  });

  test('detail is said for a whole request, or not at all', () => {
    expect(resolution(image(png, 'low'), image(png, 'low'))).toEqual({ mediaResolution: 'MEDIA_RESOLUTION_LOW' });
    expect(resolution(image(png, 'high'))).toEqual({ mediaResolution: 'MEDIA_RESOLUTION_HIGH' });
    expect(resolution(image(png, 'auto'), image(png), pdf)).toBeUndefined();
    expect(() => resolution(image(png), image(png, 'low'))).toThrow(refusedDetail(1));
    expect(() => resolution(image(png, 'high'), image(png, 'low'))).toThrow(refusedDetail(0));
    expect(() => resolution(image(png, 'low'), pdf)).toThrow(refusedDetail(0));
    expect(() => resolution(image(png, 'original'))).toThrow(refusedDetail(0));
  });
});

const called = (id: string, name: string, args: string, signature?: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
  ...(signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }),
});
const calling = (...tool_calls: object[]) => ({ role: 'assistant', content: null, tool_calls });
const result = (tool_call_id: string, content: unknown) => ({ role: 'tool', tool_call_id, content });
const ask = { role: 'user', content: 'Weather?' };

const responseTo = (content: unknown, model = gemini2) => {
  const contents = contentsOf([ask, calling(called('c1', 'now', '{}', 'c2ln')), result('c1', content)], model);
  const part = listAt(Array.isArray(contents) ? contents[2] : undefined, 'parts')[0];
  return objectAt(part, 'functionResponse');
};

describe('calls and results', () => {
  test('results stand together behind their calls, each with its id and its name', () => {
    const contents = contentsOf([
      ask,
      { ...calling(called('c1', 'weather', '{"city":"Bern"}'), called('c2', 'now', '')), content: 'Let me see.' },
      result('c2', 'noon'),
      result('c1', '{"sky":"blue","degrees":21.5}'),
      { role: 'user', content: 'And?' },
    ]);
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          { text: 'Let me see.' },
          { functionCall: { id: 'c1', name: 'weather', args: { city: 'Bern' } } },
          { functionCall: { id: 'c2', name: 'now', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'c2', name: 'now', response: { output: 'noon' } } },
          { functionResponse: { id: 'c1', name: 'weather', response: { sky: 'blue', degrees: 21.5 } } },
        ],
      },
      { role: 'user', parts: [{ text: 'And?' }] },
    ]);
  });

  test('a result is of the last call before it that has its id: some servers number those of each answer alike', () => {
    const first = [calling(called('call_0', 'first', '{}')), result('call_0', 'x')];
    const second = [calling(called('call_0', 'second', '{}')), result('call_0', 'x')];
    const contents = contentsOf([ask, ...first, ...second]);
    const answered = (Array.isArray(contents) ? contents : []).flatMap((content) => listAt(content, 'parts'));
    const names = answered.map((part) => textAt(objectAt(part, 'functionResponse'), 'name'));
    expect(names.filter((name) => name !== undefined)).toEqual(['first', 'second']);
  });

  test('a result without its call is refused', () => {
    const messages = [ask, calling(called('c1', 'now', '{}')), result('c3', 'x')];
    expect(() => contentsOf(messages)).toThrow(failing('invalid_request', 'messages.2.tool_call_id'));
  });

  test.each([
    ['', { output: '' }],
    ['[1]', { output: '[1]' }],
    ['{"a": 1}', { output: '{"a": 1}' }],
    ['{"id":12345678901234567890}', { output: '{"id":12345678901234567890}' }],
    ['{"a":1,"a":2}', { output: '{"a":1,"a":2}' }],
    ['{"output":"x"}', { output: '{"output":"x"}' }],
    ['{"a":{"$ref":"b"}}', { output: '{"a":{"$ref":"b"}}' }],
    ['{"error":"none such"}', { error: 'none such' }],
    ['{"__proto__":{"a":1},"b":2}', JSON.parse('{"__proto__":{"a":1},"b":2}')],
  ])('the result %s', (text, response) => {
    expect(JSON.stringify(responseTo(text)?.['response'])).toBe(JSON.stringify(response));
  });

  test('several texts stay several; media stand beside them where the model takes them', () => {
    const texts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(responseTo(texts)).toEqual({ id: 'c1', name: 'now', response: { output: ['a', 'b'] } });
    const content = [{ type: 'text', text: 'a' }, image(png)];
    expect(responseTo(content, gemini3)).toEqual({
      id: 'c1',
      name: 'now',
      response: { output: 'a' },
      parts: [{ inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
    });
    expect(() => responseTo(content, gemini2)).toThrow(refusedResult(1));
    expect(() => responseTo([image('https://example.com/a.png')], gemini3)).toThrow(refusedResult(0));
    expect(() => responseTo([sound('wav')], gemini3)).toThrow(refusedResult(0));
  });
});

const modelParts = (message: object, model: string) => {
  const contents = contentsOf([ask, message], model);
  return listAt(Array.isArray(contents) ? contents[1] : undefined, 'parts');
};

const signed = (data: string, offset?: number, format = 'google-gemini-v1') => ({
  type: 'reasoning.encrypted',
  data,
  format,
  ...(offset === undefined ? {} : { offset }),
});

const said = (...reasoning_details: object[]) => ({ role: 'assistant', content: 'Hello you', reasoning_details });

const signaturesOf = (message: object, model: string) =>
  modelParts(message, model).map((part) => textAt(part, 'thoughtSignature'));

describe('signatures', () => {
  test('of calls go back with them', () => {
    const message = calling(called('c1', 'a', '{}', 'c2ln'), called('c2', 'b', '{}'));
    expect(signaturesOf(message, gemini3)).toEqual(['c2ln', undefined]);
    expect(signaturesOf(message, gemini2)).toEqual(['c2ln', undefined]);
  });

  test('that Gemini 3 misses are stood in for, on the first call, by what Google documents for it', () => {
    const message = calling(called('c1', 'a', '{}'), called('c2', 'b', '{}'));
    expect(signaturesOf(message, gemini3)).toEqual(['skip_thought_signature_validator', undefined]);
    expect(signaturesOf(message, gemini2)).toEqual([undefined, undefined]);
  });

  test('of texts go back to their texts', () => {
    expect(modelParts(said(signed('b25l')), gemini3)).toEqual([{ text: 'Hello you', thoughtSignature: 'b25l' }]);
    expect(modelParts(said(signed('b25l', 5), signed('dHdv', 9)), gemini3)).toEqual([
      { text: 'Hello' },
      { text: ' you', thoughtSignature: 'b25l' },
      { text: '', thoughtSignature: 'dHdv' },
    ]);
  });

  test('in a wrong order or beyond the end lose no text, and those of others are left out', () => {
    const odd = said(signed('dHdv', 500), signed('b25l', 5), signed('eA==', 2, 'anthropic-claude-v1'));
    expect(modelParts(odd, gemini3)).toEqual([
      { text: 'Hello' },
      { text: ' you', thoughtSignature: 'b25l' },
      { text: '', thoughtSignature: 'dHdv' },
    ]);
  });
});

/** Gemini's contents as OpenAI's messages again: model turns as answers are read, the others as they were written. */
function messagesFrom(contents: unknown): object[] {
  return listAt({ contents }, 'contents').flatMap((content): object[] => {
    const parts = listAt(content, 'parts');
    if (textAt(content, 'role') === 'model') {
      const facts = { id: 'x', created: 1, model: 'm' };
      const { message } = fromGoogle({ candidates: [{ content, finishReason: 'STOP' }] }, facts).choices[0] ?? {};
      return message === undefined ? [] : [message];
    }
    const results = parts.map((part) => objectAt(part, 'functionResponse')).filter((given) => given !== undefined);
    return results.length > 0 ? results.map(resultFrom) : [{ role: 'user', content: parts.map(partFrom) }];
  });
}

function resultFrom(response: JsonObject) {
  const given = objectAt(response, 'response') ?? {};
  const { output } = given;
  const list = listAt(given, 'output');
  const texts = typeof output === 'string' ? [output] : list.length > 0 ? list : [JSON.stringify(given)];
  const media = listAt(response, 'parts').map(partFrom);
  const content = [...texts.map((text) => ({ type: 'text', text })), ...media];
  return result(textAt(response, 'id') ?? '', content);
}

function partFrom(part: unknown) {
  const inline = objectAt(part, 'inlineData');
  const kind = textAt(inline, 'mimeType') ?? '';
  const data = textAt(inline, 'data') ?? '';
  if (kind.startsWith('image/')) return image(`data:${kind};base64,${data}`);
  if (kind.startsWith('audio/')) return { type: 'input_audio', input_audio: { data, format: kind.slice(6) } };
  if (kind !== '') return { type: 'file', file: { file_data: `data:${kind};base64,${data}` } };
  const url = textAt(objectAt(part, 'fileData'), 'fileUri');
  return url === undefined ? { type: 'text', text: textAt(part, 'text') } : image(url);
}

const base64 = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const someText = fc.string({ unit: 'binary', minLength: 1 }).map((text) => ({ type: 'text', text }));
const inlineImage = fc.tuple(fc.constantFrom('png', 'jpeg', 'webp', 'heic'), base64);
const someImage = inlineImage.map(([kind, data]) => image(`data:image/${kind};base64,${data}`));
const somePart = fc.oneof(
  someText,
  someImage,
  fc.webPath().map((path) => image(`https://example.com${path}/a.png`)),
  base64.map((data) => ({ type: 'input_audio', input_audio: { data, format: 'wav' } })),
  base64.map((data) => ({ type: 'file', file: { file_data: `data:application/pdf;base64,${data}` } })),
);
const userMessage = fc.array(somePart, { minLength: 1, maxLength: 4 }).map((content) => ({ role: 'user', content }));
const jsonObject = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value));

const someCalls = fc.array(
  fc.record({ name: fc.constantFrom('weather', 'now', 'a.b:c-d'), args: jsonObject, signature: base64 }),
  { maxLength: 3 },
);
const resultTexts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), jsonObject), { minLength: 1, maxLength: 2 });

/** One turn of a model, its calls' results if there are any, and what the user says then. */
const round = fc.record({
  text: fc.string({ unit: 'binary' }),
  calls: someCalls,
  results: fc.array(fc.record({ texts: resultTexts, media: fc.array(someImage, { maxLength: 1 }) }), {
    minLength: 3,
    maxLength: 3,
  }),
  signature: fc.option(fc.record({ data: base64, share: fc.double({ min: 0, max: 1, noNaN: true }) })),
  reply: userMessage,
});
type Round = typeof round extends fc.Arbitrary<infer T> ? T : never;

function messagesOf({ text, calls, results, signature, reply }: Round, number: number): object[] {
  const tool_calls = calls.map(({ name, args, signature: own }, at) => called(`call_${number}_${at}`, name, args, own));
  const offset = Math.floor((signature?.share ?? 0) * text.length);
  const detail = signature && {
    type: 'reasoning.encrypted',
    data: signature.data,
    format: 'google-gemini-v1',
    index: 0,
    ...(offset === 0 ? {} : { offset }),
  };
  const content = text === '' && calls.length > 0 ? null : text || 'x';
  const answer = {
    role: 'assistant',
    content,
    refusal: null,
    ...(detail ? { reasoning_details: [detail] } : {}),
    ...(calls.length > 0 ? { tool_calls } : {}),
  };
  const given = tool_calls.map(({ id }, at) => {
    const { texts = [], media = [] } = results[at] ?? {};
    return result(id, [...texts.map((part) => ({ type: 'text', text: part })), ...media]);
  });
  return [answer, ...given, reply];
}

const withoutMedia = (message: object) =>
  isObject(message) && message['role'] === 'tool'
    ? { ...message, content: listAt(message, 'content').filter((part) => textAt(part, 'type') === 'text') }
    : message;

describe.each([gemini2, gemini3])('for %s', (model) => {
  test('conversations with media, calls, results and signatures come back unchanged', () => {
    fc.assert(
      fc.property(userMessage, fc.array(round, { maxLength: 3 }), (first, rounds) => {
        const all = [first, ...rounds.flatMap(messagesOf)];
        const messages = model === gemini3 ? all : all.map(withoutMedia);
        expect(messagesFrom(contentsOf(messages, model))).toEqual(messages);
      }),
    );
  });
});
