import { describe, expect, test } from 'bun:test';
import { listAt, memberAt, objectAt } from '../../money/json.ts';
import { catalogueOf, type Provider } from '../../providers/index.ts';
import { exchangeFor } from './exchange.ts';

const catalogue = catalogueOf();

function providerOf(id: string): Provider {
  const provider = catalogue.get(id);
  if (provider === undefined) throw new Error(`no provider ${id}`);
  return provider;
}

const facts = { id: 'chatcmpl-own', created: 1, model: 'asked' };
const question = { role: 'user', content: 'Hi' };
const exchange = (id: string, body: object) =>
  exchangeFor({ provider: providerOf(id), model: 'm', body: { model: 'm', messages: [question], ...body } });
const sent = (id: string, body: object) => exchange(id, body).body;
const whole = (id: string, answer: object) => exchange(id, {}).translation?.whole({ ...answer }, facts);

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

describe('every provider of this shape', () => {
  const shaped = [...catalogue.values()].filter(({ chat }) => chat.shape === 'openai');

  test.each(shaped.map((provider) => [provider.id, provider] as const))(
    '%s has its rows in the table',
    (_, provider) => {
      const { chat, embeddings, modelList, endpoints } = provider;
      const rows = endpoints.map(({ method, path }) => `${method} ${path}`);
      if (chat.shape === 'openai') expect(rows).toContain(`POST ${chat.path}`);
      if (embeddings?.shape === 'openai') expect(rows).toContain(`POST ${embeddings.path}`);
      if (modelList !== undefined) {
        const row = endpoints.find(({ method, path }) => method === 'GET' && path === modelList.path);
        expect(row?.metering).toBe('free');
        for (const [name, value] of new URLSearchParams(modelList.query)) {
          expect(value).toMatch(new RegExp(`^(?:${row?.query?.[name]})$`));
        }
      }
    },
  );

  test('OpenAI gets and gives what it is given', () => {
    const body = { messages: [{ role: 'developer', content: 'x' }], logprobs: true, n: 2, top_p: null };
    const { body: asked, translation } = exchange('openai', body);
    expect(asked).toEqual({ model: 'm', ...body });
    expect(translation).toBeUndefined();
  });
});

describe('what goes up', () => {
  test('has the names that the provider knows', () => {
    expect(sent('mistral', { max_completion_tokens: 5, seed: 1 })).toMatchObject({ max_tokens: 5, random_seed: 1 });
    expect(sent('mistral', { max_completion_tokens: 5 })).not.toHaveProperty('max_completion_tokens');
    expect(sent('groq', { max_completion_tokens: 5 })).toMatchObject({ max_completion_tokens: 5 });
    expect(() => sent('mistral', { max_completion_tokens: 5, max_tokens: 5 })).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'max_tokens' }),
    );
  });

  test('keeps members that bear the names of what all objects have', () => {
    expect(Object.keys(sent('mistral', { constructor: 1 }))).toContain('constructor');
  });

  test('calls a developer what the provider calls it', () => {
    const messages = [{ role: 'developer', content: 'Be brief.' }, question];
    expect(sent('deepseek', { messages })).toMatchObject({
      messages: [{ role: 'system', content: 'Be brief.' }, question],
    });
    expect(sent('groq', { messages })['messages']).toBe(messages);
  });

  test.each([
    ['groq', { logprobs: true }, 'logprobs'],
    ['groq', { presence_penalty: 0.5 }, 'presence_penalty'],
    ['cohere', { logit_bias: { '1': 5 } }, 'logit_bias'],
    ['deepseek', { n: 2 }, 'n'],
    ['deepseek', { seed: 7 }, 'seed'],
  ])('is not what %s would not heed: %j', (id, body, param) => {
    expect(() => sent(id, body)).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param }));
  });

  test('leaves out what asks for nothing', () => {
    const nothing = { logprobs: false, presence_penalty: 0, logit_bias: {}, store: false, metadata: {}, stop: null };
    expect(sent('groq', { n: 1, ...nothing })).toEqual({ model: 'm', messages: [question], n: 1 });
    expect(sent('deepseek', { n: 1 })).not.toHaveProperty('n');
  });

  test('asks for the usage of a stream only where that has to be asked for', () => {
    const options = { stream: true, stream_options: { include_usage: true } };
    expect(sent('groq', options)).toMatchObject(options);
    expect(sent('cohere', options)).not.toHaveProperty('stream_options');
  });

  test('has what a provider does not know', () => {
    expect(sent('groq', { reasoning_format: 'parsed' })).toMatchObject({ reasoning_format: 'parsed' });
  });

  describe('of an earlier answer', () => {
    const answer = {
      role: 'assistant',
      content: 'Four.',
      refusal: null,
      annotations: [],
      reasoning_content: '2 and 2',
      reasoning_details: [{ type: 'reasoning.text', text: '2 and 2', format: 'unknown', index: 0 }],
      extra_content: { google: { thought_signature: 's' } },
      tool_calls: [
        {
          id: 'c',
          type: 'function',
          function: { name: 'f', arguments: '{}' },
          extra_content: { google: { thought_signature: 's' } },
        },
      ],
    };
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const plain = { role: 'assistant', content: 'Four.', tool_calls: [call] };
    const sentBack = (id: string, message: object = answer) => sent(id, { messages: [question, message] })['messages'];

    test.each([
      ['cohere', plain],
      ['openai', { ...plain, refusal: null, annotations: [] }],
      ['groq', { ...plain, reasoning: '2 and 2' }],
      ['deepseek', { ...plain, reasoning_content: '2 and 2' }],
      ['openrouter', { ...plain, reasoning_details: answer.reasoning_details }],
      [
        'mistral',
        {
          ...plain,
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: '2 and 2' }] },
            { type: 'text', text: 'Four.' },
          ],
        },
      ],
    ])('is what %s takes back', (id, expected) => {
      expect(sentBack(id)).toEqual([question, expected]);
    });

    test('is the same message where nothing was added to it', () => {
      const messages = [question, { role: 'assistant', content: 'Four.', tool_calls: [call] }];
      expect(sent('groq', { messages })['messages']).toBe(messages);
    });

    test('may have no text', () => {
      const message = { role: 'assistant', content: null, reasoning_content: 'Hm', tool_calls: [call] };
      expect(sentBack('mistral', message)).toEqual([
        question,
        {
          role: 'assistant',
          tool_calls: [call],
          content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }],
        },
      ]);
    });
  });
});

describe('an answer', () => {
  const message = { role: 'assistant', content: 'Four.' };

  test('says what OpenAI would have said', () => {
    const answer = {
      choices: [{ message, finish_reason: 'eos', seed: 5 }],
      usage: { total_tokens: 3 },
      citations: ['x'],
    };
    expect(whole('together', answer)).toEqual({
      ...facts,
      object: 'chat.completion',
      choices: [{ index: 0, message: { ...message, refusal: null }, logprobs: null, finish_reason: 'stop', seed: 5 }],
      usage: { total_tokens: 3 },
      citations: ['x'],
    });
    const own = { id: 'x', object: 'odd', created: 9, model: 'served', choices: [{ index: 3, message }] };
    expect(whole('together', own)).toMatchObject({ id: 'x', created: 9, model: 'served', object: 'chat.completion' });
    expect(whole('together', own)).toMatchObject({ choices: [{ index: 3, finish_reason: 'content_filter' }] });
  });

  test.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['model_length', 'length'],
    ['tool_calls', 'tool_calls'],
    ['eos_token', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['toString', 'content_filter'],
  ])('that ended by %s ended by %s', (reason, expected) => {
    expect(whole('mistral', { choices: [{ message, finish_reason: reason }] })).toMatchObject({
      choices: [{ finish_reason: expected }],
    });
  });

  test.each([
    [
      'in parts (Mistral)',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: '2 and 2' }] },
          { type: 'text', text: 'Four' },
          { type: 'reference', reference_ids: [1] },
          { type: 'text', text: '.' },
        ],
      },
    ],
    ['under `reasoning`', { content: 'Four.', reasoning: '2 and 2' }],
    ['under `reasoning_content`', { content: 'Four.', reasoning_content: '2 and 2', reasoning: null }],
  ])('has its reasoning in one place, wherever it was: %s', (_, said) => {
    expect(
      whole('mistral', { choices: [{ message: { role: 'assistant', ...said }, finish_reason: 'stop' }] }),
    ).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'Four.', reasoning_content: '2 and 2', refusal: null } }],
    });
  });

  test('has calls whose arguments are text', () => {
    const calls = [{ id: 'c', index: 0, function: { name: 'f', arguments: { a: 1 } } }];
    expect(
      whole('mistral', { choices: [{ message: { content: '', tool_calls: calls }, finish_reason: 'tool_calls' }] }),
    ).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
          },
        },
      ],
    });
  });

  test.each([
    [{ error: { message: 'Broken.', code: 502 } }],
    [{ choices: [{ finish_reason: 'error', error: { message: 'Broken.' }, message: { content: 'Fo' } }] }],
    [{ choices: 'none' }],
    [{ choices: [{ message: { content: { text: 'Fo' } } }] }],
    [{ choices: [{ message: { content: 5 } }] }],
    [{ choices: [{ message: { tool_calls: ['f'] } }] }],
    [{ choices: [5] }],
    [{}],
  ])('that is none is a failure: %j', (answer) => {
    expect(() => whole('openrouter', answer)).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });
});

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
