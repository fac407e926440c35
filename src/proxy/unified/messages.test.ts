import { describe, expect, test } from 'bun:test';
import { refusal } from '../../../test/harness/refusal.ts';
import type { Message, Part } from './message.ts';
import { parseMessages } from './messages.ts';

const pixel = 'iVBORw0KGgo=';
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } };

function partsOf(content: unknown): readonly Part[] {
  const [message] = parseMessages([{ role: 'user', content }]);
  return message?.parts ?? [];
}

function assistant(members: object): Message | undefined {
  return parseMessages([{ role: 'assistant', content: null, ...members }])[0];
}

describe('parseMessages', () => {
  test('reads texts, parts of text and refusals', () => {
    const read = parseMessages([
      { role: 'developer', content: 'D' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'assistant', content: null, refusal: 'No.', tool_calls: [], audio: null, annotations: [], parsed: null },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'Never.' }] },
    ]);
    expect(
      read.map(({ role, parts }) => [role, parts.map((part) => (part.type === 'text' ? part.text : part))]),
    ).toEqual([
      ['system', ['D']],
      ['user', ['a', 'b']],
      ['assistant', ['No.']],
      ['assistant', ['Never.']],
    ]);
  });

  test('reads images, audio and files', () => {
    const parts = partsOf([
      { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'auto' } },
      { type: 'image_url', image_url: { url: `data:image/PNG;charset=utf-8;base64,${pixel}`, detail: 'low' } },
      { type: 'input_audio', input_audio: { data: pixel, format: 'wav' } },
      { type: 'file', file: { file_data: `data:application/pdf;base64,${pixel}`, filename: 'a.pdf' } },
    ]);
    expect(parts).toEqual([
      {
        type: 'image',
        source: { kind: 'url', url: 'https://x.test/a.png' },
        detail: undefined,
        place: 'messages.0.content.0',
      },
      { type: 'image', source: inline('image/png'), detail: 'low', place: 'messages.0.content.1' },
      { type: 'audio', format: 'wav', data: pixel, place: 'messages.0.content.2' },
      { type: 'file', source: inline('application/pdf'), filename: 'a.pdf', place: 'messages.0.content.3' },
    ]);
  });

  test('reads tool calls and what the tools gave', () => {
    const signed = { ...call, index: 0, extra_content: { google: { thought_signature: 's' } } };
    const bare = { id: 'call_2', type: 'function', function: { name: 'time', arguments: '' } };
    expect(assistant({ tool_calls: [signed, bare] })).toMatchObject({
      parts: [],
      toolCalls: [
        { id: 'call_1', name: 'weather', arguments: { city: 'Köln' }, signature: 's' },
        { id: 'call_2', name: 'time', arguments: {}, signature: undefined },
      ],
    });
    expect(parseMessages([{ role: 'tool', tool_call_id: 'call_1', content: 'mild' }])).toEqual([
      {
        role: 'tool',
        callId: 'call_1',
        parts: [{ type: 'text', text: 'mild', place: 'messages.0.content' }],
        place: 'messages.0',
      },
    ]);
  });

  test('reads reasoning in its order, and passes over what only says it again', () => {
    const reasoning_details = [
      { type: 'reasoning.encrypted', data: 'x', format: 'anthropic-claude-v1', index: 1, id: null },
      { type: 'reasoning.text', text: 'Hm.', signature: 's', format: 'anthropic-claude-v1', index: 0, offset: 4 },
    ];
    expect(assistant({ reasoning_content: 'Hm.', reasoning_details })).toMatchObject({
      reasoning: [
        { type: 'reasoning.text', text: 'Hm.', signature: 's', format: 'anthropic-claude-v1', index: 0, offset: 4 },
        { type: 'reasoning.encrypted', data: 'x', format: 'anthropic-claude-v1', index: 1 },
      ],
    });
  });

  test('passes over what an answer says a second time, and thoughts of other providers', () => {
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'https://x.test', start_index: 0, end_index: 1 } },
    ];
    const reasoning_details = [{ type: 'reasoning.summary', summary: 'Hm.', format: 'openai-responses-v1', index: 0 }];
    const answer = assistant({
      content: 'Yes.',
      reasoning: 'Hm.',
      reasoning_content: 'Hm.',
      reasoning_details,
      annotations,
    });
    expect(answer).toMatchObject({ parts: [{ text: 'Yes.' }], reasoning: [] });
  });

  test("reads a tool's message that repeats the name of its function, and members that say nothing", () => {
    const [tool, user] = parseMessages([
      { role: 'tool', tool_call_id: 'c', name: 'weather', content: 'mild' },
      { role: 'user', content: 'x', name: '' },
    ]);
    expect([tool, user]).toMatchObject([{ callId: 'c', parts: [{ text: 'mild' }] }, { parts: [{ text: 'x' }] }]);
  });

  test('reads the name that many give to JPEG', () => {
    const [part] = partsOf([{ type: 'image_url', image_url: { url: `data:image/jpg;base64,${pixel}` } }]);
    expect(part).toMatchObject({ source: inline('image/jpeg') });
  });

  test('reads where to cache: on a part, or on a message for its last part', () => {
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    expect(
      partsOf([
        { type: 'text', text: 'a', cache_control },
        { type: 'text', text: 'b' },
      ]),
    ).toMatchObject([{ text: 'a', cache: { type: 'ephemeral', ttl: '1h' } }, { text: 'b' }]);
    const [system, tool] = parseMessages([
      {
        role: 'system',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        cache_control,
      },
      { role: 'tool', tool_call_id: 'c', content: 'x', cache_control },
    ]);
    expect(system?.parts.map(({ cache }) => cache)).toEqual([undefined, { type: 'ephemeral', ttl: '1h' }]);
    expect(tool).toMatchObject({ cache: { type: 'ephemeral', ttl: '1h' }, parts: [{ text: 'x' }] });
  });

  test.each([
    [{ role: 'function', content: 'x', name: 'f' }, 'messages.0.role'],
    [{ role: 'user', content: 'x', name: 'Ann' }, 'messages.0.name'],
    [{ role: 'user', content: 'x', refusal: 'No.' }, 'messages.0.refusal'],
    [{ role: 'user', content: 'x', tool_calls: [call] }, 'messages.0.tool_calls'],
    [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'x' } }] }, 'messages.0.content.0.type'],
    [{ role: 'user', content: [{ type: 'refusal', refusal: 'No.' }] }, 'messages.0.content.0.type'],
    [{ role: 'user', content: [{ type: 'toString' }] }, 'messages.0.content.0.type'],
    [{ role: 'user', content: [{ type: 'text', text: 'x', extra: 1 }] }, 'messages.0.content.0.extra'],
    [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }, 'messages.0.content.0.file.file_id'],
    [
      { role: 'user', content: [{ type: 'text', text: 'x', prompt_cache_breakpoint: { mode: 'explicit' } }] },
      'messages.0.content.0.prompt_cache_breakpoint',
    ],
    [{ role: 'assistant', content: 'x', audio: { id: 'a' } }, 'messages.0.audio'],
    [{ role: 'assistant', content: 'x', function_call: { name: 'f' } }, 'messages.0.function_call'],
    [{ role: 'assistant', tool_calls: [{ id: 'c', type: 'custom', custom: {} }] }, 'messages.0.tool_calls.0.type'],
    [{ role: 'assistant', tool_calls: [{ ...call, extra: 1 }] }, 'messages.0.tool_calls.0.extra'],
    [
      { role: 'assistant', tool_calls: [{ ...call, extra_content: { mine: 1 } }] },
      'messages.0.tool_calls.0.extra_content.mine',
    ],
  ])('refuses by its place: %j', (message, place) => {
    expect(refusal(() => parseMessages([message]))).toEqual(['unsupported_parameter', place]);
  });

  test.each([
    [{ role: 'king', content: 'x' }, 'messages.0.role'],
    [{ role: 'toString', content: 'x' }, 'messages.0.role'],
    [{ content: 'x' }, 'messages.0.role'],
    [{ role: 'user', content: null }, 'messages.0.content'],
    [{ role: 'user', content: ['x'] }, 'messages.0.content.0'],
    [{ role: 'user', content: [{ type: 'text', text: 5 }] }, 'messages.0.content.0.text'],
    [{ role: 'user', content: [{ type: 'image_url', image_url: 'x' }] }, 'messages.0.content.0.image_url'],
    [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }, 'messages.0.content.0.image_url.url'],
    ...['data:', 'data:,x', 'data:image/png,x', 'data:;base64,x', 'data:image/png;base64'].map(
      (url) =>
        [
          { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
          'messages.0.content.0.image_url.url',
        ] as const,
    ),
    [
      { role: 'user', content: [{ type: 'file', file: { file_data: 'https://x.test' } }] },
      'messages.0.content.0.file.file_data',
    ],
    [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }, 'messages.0.content.0.input_audio.data'],
    [{ role: 'assistant', content: 'x', refusal: 5 }, 'messages.0.refusal'],
    [{ role: 'assistant', tool_calls: 'x' }, 'messages.0.tool_calls'],
    [{ role: 'assistant', tool_calls: [{ ...call, id: 5 }] }, 'messages.0.tool_calls.0.id'],
    [{ role: 'assistant', tool_calls: [{ ...call, function: {} }] }, 'messages.0.tool_calls.0.function.name'],
    ...['{"a":', '[1]', '5', null].map(
      (text) =>
        [
          { role: 'assistant', tool_calls: [{ ...call, function: { name: 'f', arguments: text } }] },
          'messages.0.tool_calls.0.function.arguments',
        ] as const,
    ),
    [{ role: 'assistant', content: 'x', reasoning_details: [{ type: 'x' }] }, 'messages.0.reasoning_details.0.type'],
    [{ role: 'tool', content: 'x' }, 'messages.0.tool_call_id'],
    [{ role: 'user', content: 'x', cache_control: { type: 'ephemeral', ttl: '1d' } }, 'messages.0.cache_control.ttl'],
    ['Hi', 'messages.0'],
  ])('refuses what is malformed: %j', (message, place) => {
    expect(refusal(() => parseMessages([message]))).toEqual(['invalid_request', place]);
  });
});

function inline(mediaType: string) {
  return { kind: 'inline' as const, mediaType, data: pixel };
}
