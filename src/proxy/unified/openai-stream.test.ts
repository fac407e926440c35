import { describe, expect, test } from 'bun:test';
import { listAt, memberAt, objectAt } from '../../money/json.ts';
import { exchange, facts } from './exchange.fixture.ts';

/** What a client gets of a stream, event by event. */
function streamed(id: string, events: readonly (object | string)[], options: object = {}): unknown[] {
  const reader = exchange(id, { stream: true, ...options }).translation?.stream(facts);
  if (reader === undefined) throw new Error('passed on as it is');
  const data = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
  return [...data.flatMap((text) => reader.push(text)), ...reader.end()];
}

/** The first piece of a call, and a later one. */
const begin = (id: string | undefined, name: string, index?: number) => ({
  id,
  index,
  function: { name, arguments: '' },
});
const go = (json: string, index?: number) => ({ index, function: { arguments: json } });

/** The numbers of the calls in chunks of one choice each. */
function numbersIn(chunks: readonly unknown[]): unknown[] {
  const deltas = chunks.map((chunk) => objectAt(listAt(chunk, 'choices')[0], 'delta'));
  return deltas.flatMap((delta) => listAt(delta, 'tool_calls')).map((call) => memberAt(call, 'index'));
}

describe('a stream', () => {
  const head = { id: 'x', object: 'odd', created: 5, model: 'served' };
  const delta = (said: object, reason: string | null = null, index = 0) => ({
    ...head,
    choices: [{ index, delta: said, finish_reason: reason }],
  });
  const chunk = (said: object, reason: string | null = null, index = 0) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta: said, logprobs: null, finish_reason: reason }],
  });
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  const asking = { stream_options: { include_usage: true } };

  test('is OpenAI’s, whatever comes with it', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] };
    const events = [
      delta({ content: [thinking] }),
      delta({ content: 'Four' }, ''),
      delta({ content: '.' }, 'stop'),
      '[DONE]',
    ];
    expect(streamed('mistral', events)).toEqual([
      chunk({ role: 'assistant', content: '', reasoning_content: 'Hm' }),
      chunk({ content: 'Four' }),
      chunk({ content: '.' }, 'stop'),
    ]);
  });

  test('tells its usage once, at the end, if it was asked for', () => {
    const early = { ...delta({ content: 'Four.' }), usage: { ...usage, completion_tokens: 1 } };
    const last = { ...delta({}, 'stop'), usage };
    expect(streamed('perplexity', [early, last])).toEqual([
      chunk({ role: 'assistant', content: 'Four.' }),
      chunk({}, 'stop'),
    ]);
    expect(streamed('perplexity', [early, last], asking)).toEqual([
      { ...chunk({ role: 'assistant', content: 'Four.' }), usage: null },
      { ...chunk({}, 'stop'), usage: null },
      { ...head, object: 'chat.completion.chunk', choices: [], usage },
    ]);
    expect(streamed('perplexity', [{ ...early, usage }, delta({}, 'stop')], asking).at(-1)).toMatchObject({ usage });
    const apart = { ...head, choices: [], usage };
    expect(streamed('groq', [early, delta({}, 'stop'), apart, '[DONE]'], asking).at(-1)).toMatchObject({
      choices: [],
      usage,
    });
    const beside = { ...delta({}, 'stop'), x_groq: { id: 'r', usage } };
    expect(streamed('groq', [beside], asking).at(-1)).toMatchObject({ choices: [], usage });
  });

  test('has calls with an index, and a kind where one begins', () => {
    const call = { id: 'c', function: { name: 'f', arguments: '{}' } };
    const more = { index: 0, function: { arguments: '' } };
    const events = [delta({ tool_calls: [call] }), delta({ tool_calls: [more] }, 'tool_calls')];
    expect(streamed('mistral', events)).toMatchObject([
      { choices: [{ delta: { tool_calls: [{ index: 0, id: 'c', type: 'function', function: call.function }] } }] },
      {
        choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '' } }] }, finish_reason: 'tool_calls' }],
      },
    ]);
  });

  test.each([
    ['with an index each', [begin('a', 'f', 0), begin('b', 'f', 1), go('x', 1), go('y', 0)], [0, 1, 1, 0]],
    ['all under one index', [begin('a', 'f', 0), go('x', 0), begin('b', 'f', 0), go('y', 0)], [0, 0, 1, 1]],
    ['without an index', [begin('a', 'f'), go('x'), begin('b', 'f'), go('y')], [0, 0, 1, 1]],
    ['without an index or an id', [begin(undefined, 'f'), go('x'), begin(undefined, 'f')], [0, 0, 1]],
    [
      'with an id in each piece',
      [begin('a', 'f', 0), { ...go('x', 0), id: 'a' }, { ...go('y', 0), id: 'new' }],
      [0, 0, 0],
    ],
  ])('numbers calls that come %s', (_, calls, numbers) => {
    const events = calls.map((call) => delta({ tool_calls: [call] }));
    expect(numbersIn(streamed('together', [...events, delta({}, 'tool_calls')]))).toEqual(numbers);
    expect(numbersIn(streamed('together', [delta({ tool_calls: calls }, 'tool_calls')]))).toEqual(numbers);
  });

  test('says at its beginning who speaks, whatever the provider says there', () => {
    const [first] = streamed('together', [delta({ role: '', content: 'x' }, 'stop')]);
    expect(first).toEqual(chunk({ role: 'assistant', content: 'x' }, 'stop'));
  });

  test('is not made longer by a name that is too long to be one', () => {
    const long = 'x'.repeat(10_000);
    const [first] = streamed('together', [{ ...delta({ content: 'x' }, 'stop'), id: long, model: long }]);
    expect(JSON.stringify(first).length).toBeLessThan(1000);
  });

  test('repeats nothing that came so far (Perplexity)', () => {
    const [choice] = delta({ content: 'Four' }).choices;
    const event = {
      ...head,
      choices: [{ ...choice, message: { role: 'assistant', content: 'Four' } }],
      citations: ['x'],
    };
    const [first] = streamed('perplexity', [event, delta({}, 'stop')]);
    expect(first).toEqual({ ...chunk({ role: 'assistant', content: 'Four' }), citations: ['x'] });
  });

  test.each([
    ['before anything', []],
    ['before its end', [delta({ content: 'Fo' })]],
    ['before the end of the second choice', [delta({}, 'stop'), delta({ content: 'x' }, null, 1)]],
  ])('that breaks off %s says so', (_, events) => {
    expect(() => streamed('groq', events)).toThrow(expect.objectContaining({ code: 'provider_unreachable' }));
  });

  test.each([
    [{ error: { message: 'Overloaded.', code: 503 } }],
    [{ error: 'Overloaded.' }],
    [{ object: 'error', message: 'Overloaded.' }],
    [{ ...head, choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }],
    ['no JSON'],
  ])('that fails says so: %j', (event) => {
    expect(() => streamed('openrouter', [delta({ content: 'Fo' }), event])).toThrow(
      expect.objectContaining({ code: 'provider_error' }),
    );
  });
});
