import { afterEach, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { startUnified } from '../../../test/harness/unified.ts';
import { type RecordedRequest, startRecorder } from '../../../test/harness/upstream.ts';
import { parseObject } from '../../money/json.ts';

/** OpenAI's own client, with nothing but another base URL, on a Claude that says what it is told to. */
const model = 'anthropic/claude-opus-5';
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

/** Answers one after the other; the last one again and again. */
function clientOf(...answers: object[][]) {
  let turn = 0;
  const recorder = startRecorder((request) => {
    const content = answers[Math.min(turn, answers.length - 1)] ?? [];
    turn += 1;
    return answerTo(request, content);
  });
  const unified = startUnified({ origin: recorder.origin });
  running.push(unified, recorder);
  const client = new OpenAI({ baseURL: `${unified.url}/openai/v1`, apiKey: unified.keypass.token, maxRetries: 0 });
  return { client, recorder, keypass: unified.keypass };
}

function answerTo(request: RecordedRequest, content: object[]): Response {
  const usage = { input_tokens: 9, output_tokens: 7, cache_read_input_tokens: 4 };
  const stop_reason = content.some((block) => 'input' in block) ? 'tool_use' : 'end_turn';
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5',
    content,
    stop_reason,
    usage,
  };
  if (parseObject(request.body)?.['stream'] !== true) return Response.json(message);
  const events = [
    { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
    ...content.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: block },
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ];
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

const question = { role: 'user' as const, content: 'How warm is it in Köln and Ulm?' };
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'How warm it is.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};
const thought = { type: 'thinking', thinking: 'Two cities.', signature: 'sig' };
const calls = ['Köln', 'Ulm'].map((city, index) => ({
  type: 'tool_use',
  id: `toolu_${index}`,
  name: 'weather',
  input: { city },
}));
const said = { type: 'text', text: 'It is mild.' };

/** What the second request must hold: the thoughts with their signature, the calls, and a result for each. */
const loop = [
  { role: 'user', content: [{ type: 'text', text: question.content }] },
  { role: 'assistant', content: [thought, ...calls] },
  {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'toolu_0', content: [{ type: 'text', text: '{"city":"Köln"}' }] },
      { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '{"city":"Ulm"}' }] },
    ],
  },
];

describe("OpenAI's client on Claude", () => {
  test('goes round a loop of tools with the thoughts that Anthropic wants back', async () => {
    const { client, recorder, keypass } = clientOf([thought, ...calls], [said]);
    const messages: OpenAI.ChatCompletionMessageParam[] = [question];
    const asked = { model, tools: [weather], reasoning_effort: 'low' as const };
    const first = await client.chat.completions.create({ ...asked, messages });
    const message = first.choices[0]?.message;
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(message).toMatchObject({ content: null, reasoning_content: 'Two cities.' });
    if (message === undefined) throw new Error('no answer');
    messages.push(message);
    for (const call of message.tool_calls ?? []) {
      if (call.type !== 'function') throw new Error('no function');
      messages.push({ role: 'tool', tool_call_id: call.id, content: call.function.arguments });
    }
    const second = await client.chat.completions.create({ ...asked, messages });
    expect(second.choices[0]?.message.content).toBe('It is mild.');
    expect(second.usage).toMatchObject({ prompt_tokens: 13, prompt_tokens_details: { cached_tokens: 4 } });
    expect(parseObject(recorder.requests[1]?.body ?? '')).toMatchObject({
      messages: loop,
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'low' },
      tools: [{ name: 'weather', description: 'How warm it is.', input_schema: weather.function.parameters }],
    });
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'measured' }, { quality: 'measured' }]);
  });

  test.each([false, true])('runs the tools itself, streamed: %j', async (stream) => {
    const { client, recorder } = clientOf([thought, ...calls], [said]);
    const tool = { ...weather, function: { ...weather.function, parse: String, function: String } };
    const params = { model, messages: [question], tools: [tool] };
    const run = stream
      ? client.chat.completions.runTools({ ...params, stream: true })
      : client.chat.completions.runTools(params);
    expect(await run.finalContent()).toBe('It is mild.');
    // This helper sends nothing back that OpenAI has no name for. Claude goes on without its thoughts.
    const [asked, , results] = loop;
    expect(parseObject(recorder.requests[1]?.body ?? '')).toMatchObject({
      messages: [asked, { role: 'assistant', content: calls }, results],
    });
  });

  test('parses what keeps to a schema, whole and streamed', async () => {
    const place = z.object({ city: z.string(), degrees: z.number() });
    const answer = { city: 'Köln', degrees: 21 };
    const { client, recorder } = clientOf([{ type: 'text', text: JSON.stringify(answer) }]);
    const params = { model, messages: [question], response_format: zodResponseFormat(place, 'place') };
    const whole = await client.chat.completions.parse(params);
    expect(whole.choices[0]?.message.parsed).toEqual(answer);
    const streamed = await client.chat.completions.stream(params).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(answer);
    // The answer goes back as the client keeps it, with what it has parsed.
    const [message] = whole.choices.map((choice) => choice.message);
    if (message === undefined) throw new Error('no answer');
    await client.chat.completions.parse({ ...params, messages: [question, message, question] });
    const [first, , third] = recorder.requests.map(({ body }) => parseObject(body));
    expect(first?.['output_config']).toMatchObject({
      format: {
        type: 'json_schema',
        schema: { type: 'object', required: ['city', 'degrees'], additionalProperties: false },
      },
    });
    expect(third?.['messages']).toMatchObject([
      {},
      { role: 'assistant', content: [{ text: JSON.stringify(answer) }] },
      {},
    ]);
  });

  test('shows images and files, whose cost is bounded like any other', async () => {
    const { client, recorder, keypass } = clientOf([said]);
    const base64 = Buffer.from('whatever').toString('base64');
    const content: OpenAI.ChatCompletionContentPart[] = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${base64}` } },
      { type: 'file', file: { filename: 'a.txt', file_data: `data:text/plain;base64,${base64}` } },
    ];
    const asked = { model, messages: [{ role: 'user' as const, content }], max_completion_tokens: 100 };
    expect((await client.chat.completions.create(asked)).choices[0]?.message.content).toBe('It is mild.');
    expect(parseObject(recorder.requests[0]?.body ?? '')).toMatchObject({
      max_tokens: 100,
      messages: [{ content: ['text', 'image', 'image', 'document', 'document'].map((type) => ({ type })) }],
    });
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'measured', flags: [] }]);
  });

  test('is told of what Claude cannot do, by its name', async () => {
    const { client, recorder } = clientOf([said]);
    const asked = client.chat.completions.create({ model, messages: [question], n: 2 });
    const error = await asked.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'n' });
    expect(recorder.requests).toEqual([]);
  });
});
