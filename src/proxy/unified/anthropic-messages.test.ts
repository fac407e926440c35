import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { refusal } from '../../../test/harness/refusal.ts';
import { type JsonObject, listAt, textAt } from '../../money/json.ts';
import { promptOf } from './anthropic-messages.ts';
import { traitsOf } from './anthropic-models.ts';
import { parseMessages } from './messages.ts';

const older = 'claude-sonnet-4-5';
const newer = 'claude-opus-4-8';
const prompt = (messages: object[], model = older) => promptOf(parseMessages(messages), traitsOf(model));
const asUser = (...content: object[]) => prompt([{ role: 'user', content }]).messages[0]?.['content'];
const text = (words: string) => ({ type: 'text', text: words });
const image = (url: string, others: object = {}) => ({ type: 'image_url', image_url: { url }, ...others });
const file = (file_data: string) => ({ type: 'file', file: { file_data, filename: 'a' } });
const call = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

describe('parts', () => {
  test('texts of white space alone are left out, since Anthropic refuses them', () => {
    const { system, messages } = prompt([
      { role: 'system', content: ' ' },
      { role: 'user', content: [text('\n'), text(' a '), image('https://x.test/a.png')] },
      { role: 'assistant', content: null, tool_calls: [call('c', 'f', '')] },
      { role: 'tool', tool_call_id: 'c', content: '\n' },
    ]);
    expect(system).toEqual([]);
    expect(messages[0]?.['content']).toEqual([
      text(' a '),
      { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
    ]);
    expect(messages[2]?.['content']).toEqual([{ type: 'tool_result', tool_use_id: 'c' }]);
  });

  test('texts and images', () => {
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    const address = 'https://x.test/a.png';
    expect(
      asUser(
        text('a'),
        { ...text('b'), cache_control },
        image('data:image/webp;base64,AAAA', { cache_control }),
        image(address),
      ),
    ).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b', cache_control },
      { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AAAA' }, cache_control },
      { type: 'image', source: { type: 'url', url: address } },
    ]);
  });

  test('documents', () => {
    expect(asUser(file('data:application/pdf;base64,AAAA'), file('data:text/plain;base64,77u/R3LDvMOfZQ=='))).toEqual([
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' }, title: 'a' },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '\uFEFFGrüße' }, title: 'a' },
    ]);
  });

  test.each([
    [image('data:image/svg+xml;base64,AAAA'), 'unsupported_parameter', 'image_url.url'],
    [image('http://x.test/a.png'), 'unsupported_parameter', 'image_url.url'],
    [
      { type: 'image_url', image_url: { url: 'https://x.test', detail: 'low' } },
      'unsupported_parameter',
      'image_url.detail',
    ],
    [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }, 'unsupported_parameter', 'type'],
    [file('data:text/csv;base64,AAAA'), 'unsupported_parameter', 'file.file_data'],
    [file('data:text/plain;base64,/w=='), 'invalid_request', 'file.file_data'],
    [file('data:text/plain;base64,!'), 'invalid_request', 'file.file_data'],
  ])('refuses %j by its place', (part, code, place) => {
    expect(refusal(() => asUser(part))).toEqual([code, `messages.0.content.0.${place}`]);
  });
});

describe('tools', () => {
  test('calls and results, of which several are one turn', () => {
    const cache_control = { type: 'ephemeral' };
    const { messages } = prompt([
      { role: 'user', content: 'Weather and time?' },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [call('c1', 'weather', '{"city":"Köln"}'), call('c2', 'time', '')],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'mild' },
      { role: 'tool', tool_call_id: 'c2', content: [text('noon'), image('https://x.test/clock.png')], cache_control },
      { role: 'user', content: 'And tomorrow?' },
      { role: 'assistant', content: null, tool_calls: [call('c3', 'weather', '{}')] },
      { role: 'tool', tool_call_id: 'c3', content: '' },
    ]);
    expect(messages).toEqual([
      { role: 'user', content: [text('Weather and time?')] },
      {
        role: 'assistant',
        content: [
          text('Let me see.'),
          { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Köln' } },
          { type: 'tool_use', id: 'c2', name: 'time', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c1', content: [text('mild')] },
          {
            type: 'tool_result',
            tool_use_id: 'c2',
            content: [text('noon'), { type: 'image', source: { type: 'url', url: 'https://x.test/clock.png' } }],
            cache_control,
          },
          text('And tomorrow?'),
        ],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c3', name: 'weather', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c3' }] },
    ]);
  });
});

test('ids of other providers are written with the characters that Anthropic takes, each its own way', () => {
  const ids = ['functions.f:0', 'functions:f.0', 'functions_2ef:0', 'toolu_01-A_b'];
  const { messages } = prompt([
    { role: 'user', content: 'a' },
    { role: 'assistant', content: null, tool_calls: ids.map((id) => call(id, 'f', '')) },
    ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: 'x' })),
  ]);
  const called = listAt(messages[1], 'content').map((use) => textAt(use, 'id') ?? '');
  expect(listAt(messages[2], 'content').map((result) => textAt(result, 'tool_use_id'))).toEqual(called);
  expect(new Set(called).size).toBe(ids.length);
  expect(called.every((id) => /^[a-zA-Z0-9_-]+$/.test(id))).toBe(true);
  expect(called.at(-1)).toBe('toolu_01-A_b');
});

const format = 'anthropic-claude-v1';
const used = { type: 'tool_use', id: 'c', name: 'f', input: {} };

function thought(words: string, offset?: number) {
  return { type: 'reasoning.text', text: words, signature: 's', format, offset };
}

function block(thinking: string) {
  return { type: 'thinking', thinking, signature: 's' };
}

/** An answer that ends in a call, as it is sent back. */
function sent(content: unknown, ...reasoning_details: object[]) {
  const tool_calls = [call('c', 'f', '')];
  const answer = { role: 'assistant', content, reasoning_details, tool_calls };
  return prompt([{ role: 'user', content: 'a' }, answer]).messages[1]?.['content'];
}

describe('thoughts', () => {
  test('come before what was said, or where they stood in it', () => {
    expect(sent('Hello', thought(''), { type: 'reasoning.encrypted', data: 'x', format })).toEqual([
      block(''),
      { type: 'redacted_thinking', data: 'x' },
      text('Hello'),
      used,
    ]);
    expect(sent('Hello there', thought('1'), thought('2', 6), thought('3', 6), thought('4', 11))).toEqual([
      block('1'),
      text('Hello '),
      block('2'),
      block('3'),
      text('there'),
      block('4'),
      used,
    ]);
    expect(sent([text('ab'), text('cd')], thought('1', 2), thought('2', 3))).toEqual([
      text('ab'),
      block('1'),
      text('c'),
      block('2'),
      text('d'),
      used,
    ]);
    expect(sent(null, thought('1', 9))).toEqual([block('1'), used]);
  });

  test('stand beside no text that is white space alone: Claude writes it between them and does not take it back', () => {
    expect(sent('\n\n', thought('1'))).toEqual([block('1'), used]);
    expect(sent('\n\nYes \n', thought('1'), thought('2', 2), thought('3', 6))).toEqual([
      block('1'),
      block('2'),
      text('Yes '),
      block('3'),
      used,
    ]);
  });

  test('of others, and those without a signature, are left out: no Claude could read them', () => {
    const foreign = { type: 'reasoning.encrypted', data: 'x', format: 'google-gemini-v1' };
    const unsigned = { type: 'reasoning.text', text: 'Hm.', format };
    expect(sent('Hello', foreign, unsigned)).toEqual([text('Hello'), used]);
  });
});

/** The system prompt, and each turn with its texts. */
function told(model: string, ...turns: [string, string][]) {
  const { system, messages } = prompt(
    turns.map(([role, content]) => ({ role, content })),
    model,
  );
  const said = messages.map((message) => `${textAt(message, 'role')}: ${textsIn(message).join('|')}`);
  return [system.map(textOf).join('|'), ...said];
}

describe('system messages', () => {
  const dialogue: [string, string][] = [
    ['system', 'S'],
    ['user', 'a'],
    ['developer', 'D'],
    ['user', 'b'],
    ['assistant', ''],
    ['user', 'c'],
    ['assistant', 'd'],
    ['system', 'T'],
    ['user', 'e'],
  ];

  test('are the prompt, and turns of one side are joined', () => {
    expect(told(older, ...dialogue)).toEqual(['S|D|T', 'user: a|b|c', 'assistant: d', 'user: e']);
  });

  test('stay behind the turn that they belong to, for models that take them there', () => {
    expect(told(newer, ...dialogue)).toEqual(['S', 'user: a|b|c', 'system: D', 'assistant: d', 'user: e', 'system: T']);
    expect(told(newer, ['user', 'a'], ['assistant', 'b'], ['system', 'S'])).toEqual(['S', 'user: a', 'assistant: b']);
  });

  test('alone are no conversation', () => {
    expect(refusal(() => prompt([{ role: 'system', content: 'S' }]))).toEqual(['invalid_request', 'messages']);
    expect(refusal(() => prompt([{ role: 'user', content: '' }]))).toEqual(['invalid_request', 'messages']);
  });
});

/** Nothing instead of white space alone, which Anthropic refuses. */
const worded = (unit: 'binary' | 'grapheme') => fc.string({ unit }).map((words) => (words.trim() === '' ? '' : words));

test('every text arrives, in its order and role', () => {
  const message = fc.record({
    role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
    content: fc.oneof(worded('binary'), fc.array(fc.record({ type: fc.constant('text'), text: worded('grapheme') }))),
  });
  fc.assert(
    fc.property(fc.array(message), fc.constantFrom(older, newer), (messages, model) => {
      const texts = (roles: string[]) =>
        messages
          .filter(({ role }) => roles.includes(role))
          .map(({ content }) => (typeof content === 'string' ? content : content.map((part) => part.text).join('')))
          .join('');
      fc.pre(texts(['user', 'assistant']) !== '');
      const { system, messages: turns } = prompt(messages, model);
      const said = (role: string) => turns.filter((turn) => turn['role'] === role).flatMap(textsIn);
      expect([...system.map(textOf), ...said('system')].toSorted().join('')).toBe(
        messages
          .filter(({ role }) => role === 'system' || role === 'developer')
          .flatMap(({ content }) => (typeof content === 'string' ? [content] : content.map((part) => part.text)))
          .toSorted()
          .join(''),
      );
      expect(said('user').join('')).toBe(texts(['user']));
      expect(said('assistant').join('')).toBe(texts(['assistant']));
      expect(turns.every((turn, index) => turn['role'] !== turns[index - 1]?.['role'])).toBe(true);
      expect([...system.map(textOf), ...turns.flatMap(textsIn)]).not.toContain('');
    }),
  );
});

/** Anthropic takes a system message only behind a user's turn, and only an assistant's turn behind it. */
test('later system messages stand where Anthropic takes them, and a prompt only grows', () => {
  const roles = fc.array(fc.constantFrom('system', 'user', 'assistant'), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(roles, (drawn) => {
      const messages = ['user', ...drawn, 'user'].map(turnOf);
      const { system, messages: turns } = prompt(messages, newer);
      const order = turns.map((turn) => turn['role']);
      for (const [index, role] of order.entries()) {
        if (role === 'system')
          expect([order[index - 1], order[index + 1] ?? 'assistant']).toEqual(['user', 'assistant']);
      }
      // What was sent when the model answered stays the beginning of what is sent later.
      const answered = messages.findLastIndex(({ role }) => role === 'assistant');
      if (answered > 0 && messages[answered - 1]?.role === 'user') {
        const before = prompt(messages.slice(0, answered), newer);
        expect([system, turns.slice(0, before.messages.length)]).toEqual([before.system, [...before.messages]]);
      }
    }),
  );
});

function turnOf(role: string, index: number) {
  return { role, content: `${index}` };
}

function textsIn(turn: JsonObject): string[] {
  return listAt(turn, 'content').map(textOf);
}

function textOf(said: unknown): string {
  return textAt(said, 'text') ?? '';
}
