import { describe, expect, test } from 'bun:test';
import { catalogue, exchange, facts, question } from './exchange.fixture.ts';

const sent = (id: string, body: object) => exchange(id, body).body;
const whole = (id: string, answer: object) => exchange(id, {}).translation?.whole({ ...answer }, facts);

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
