import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { startUnified, type UnifiedHarness } from '../../../test/harness/unified.ts';
import { startRecorder, type Recorder } from '../../../test/harness/upstream.ts';
import { type JsonObject, listAt, objectAt, parseObject } from '../../money/json.ts';

const model = 'google/gemini-3.1-pro-preview';
const ask = [{ role: 'user' as const, content: 'What is the weather in Bern?' }];
const city = z.object({ city: z.string() });

const clientOf = ({ url, keypass }: UnifiedHarness) =>
  new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: keypass.token, maxRetries: 0 });

describe("OpenAI's own client and what Gemini answers", () => {
  const running: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const part of running.splice(0)) await part.stop();
  });

  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
  const candidate = (...parts: object[]) => ({
    candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata,
  });
  const call = {
    functionCall: { id: 'f1', name: 'weather', args: { city: 'Bern' } },
    thoughtSignature: 'c2ln',
  };
  const results = {
    role: 'user',
    parts: [{ functionResponse: { id: 'f1', name: 'weather', response: { sky: 'blue' } } }],
  };
  const answers = [candidate(call), candidate({ text: 'Sunny.', thoughtSignature: 'ZW5k' })];

  /** Gives one answer after the other, as an event stream where one is asked for. */
  function start(): { client: OpenAI; sent: () => JsonObject[] } {
    let at = 0;
    const recorder = startRecorder(({ path }) => {
      const answer = answers[Math.min(at++, answers.length - 1)];
      if (!path.includes(':streamGenerateContent')) return Response.json(answer);
      const headers = { 'content-type': 'text/event-stream' };
      return new Response(`data: ${JSON.stringify(answer)}\r\n\r\n`, { headers });
    });
    const unified = startUnified({ origin: recorder.origin });
    running.push(unified, recorder);
    const sent = () => recorder.requests.map(({ body }) => parseObject(body)).filter((body) => body !== undefined);
    return { client: clientOf(unified), sent };
  }

  const asked: unknown[] = [];
  const weather = zodFunction({
    name: 'weather',
    parameters: city,
    function: (args) => {
      asked.push(args);
      return { sky: 'blue' };
    },
  });

  test.each([false, true])('runs its tools, though its runner keeps no signatures: streamed %p', async (stream) => {
    asked.length = 0;
    const { client, sent } = start();
    const runner = stream
      ? client.chat.completions.runTools({ model, messages: ask, tools: [weather], stream })
      : client.chat.completions.runTools({ model, messages: ask, tools: [weather] });
    expect(await runner.finalContent()).toBe('Sunny.');
    expect(asked).toEqual([{ city: 'Bern' }]);
    const [first, second, ...others] = sent();
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: { required: ['city'] } }] }],
      toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
    });
    expect(second?.['contents']).toEqual([
      { role: 'user', parts: [{ text: 'What is the weather in Bern?' }] },
      { role: 'model', parts: [{ ...call, thoughtSignature: 'skip_thought_signature_validator' }] },
      results,
    ]);
  });

  test.each([false, true])('what the model called goes back with its signature: streamed %p', async (stream) => {
    const { client, sent } = start();
    const body = { model, messages: ask };
    const completion = stream
      ? await client.chat.completions.stream(body).finalChatCompletion()
      : await client.chat.completions.create(body);
    const called = completion.choices.map(({ message }) => message);
    const result = { role: 'tool' as const, tool_call_id: 'f1', content: '{"sky":"blue"}' };
    await client.chat.completions.create({ model, messages: [...ask, ...called, result] });
    expect(listAt(sent()[1], 'contents').slice(1)).toEqual([{ role: 'model', parts: [call] }, results]);
  });

  test('what the model said goes back with its signature', async () => {
    const { client, sent } = start();
    await client.chat.completions.create({ model, messages: ask });
    const { choices } = await client.chat.completions.create({ model, messages: ask });
    const said = choices.flatMap(({ message }) => message);
    await client.chat.completions.create({ model, messages: [...ask, ...said, { role: 'user', content: 'Sure?' }] });
    expect(listAt(sent()[2], 'contents')[1]).toEqual({
      role: 'model',
      parts: [{ text: 'Sunny.', thoughtSignature: 'ZW5k' }],
    });
  });
});

describe('with the Gemini that aimock plays', () => {
  let mock: LLMock;
  let recorder: Recorder;
  let unified: UnifiedHarness;
  let client: OpenAI;

  beforeAll(async () => {
    mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
    mock.onMessage('weather', { toolCalls: [{ id: 'f1', name: 'weather', arguments: '{"city":"Bern"}' }] });
    mock.onMessage('json', { content: '{"city":"Bern"}' });
    mock.onMessage('think', { content: 'Yes.', reasoning: 'Hm.' });
    await mock.start();
    recorder = startRecorder(({ path, headers, body }) => fetch(mock.url + path, { method: 'POST', headers, body }));
    unified = startUnified({ origin: recorder.origin });
    client = clientOf(unified);
  });

  afterAll(async () => {
    await unified.stop();
    await recorder.stop();
    await mock.stop();
  });

  const tools = [zodFunction({ name: 'weather', parameters: city })];

  test('a tool is called, whole and streamed', async () => {
    const body = { model, tools, messages: ask };
    const whole = await client.chat.completions.parse(body);
    const streamed = await client.chat.completions.stream(body).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: { tool_calls: [{ id: 'f1', function: { name: 'weather', parsed_arguments: { city: 'Bern' } } }] },
      });
    }
  });

  test('an answer by a schema, whole and streamed', async () => {
    const messages = [{ role: 'user' as const, content: 'json please' }];
    const body = { model, messages, response_format: zodResponseFormat(city, 'city') };
    const whole = await client.chat.completions.parse(body);
    const streamed = await client.chat.completions.stream(body).finalChatCompletion();
    for (const { choices } of [whole, streamed]) expect(choices[0]?.message.parsed).toEqual({ city: 'Bern' });
    const last = parseObject(recorder.requests.at(-1)?.body ?? '');
    expect(objectAt(last, 'generationConfig')).toMatchObject({
      responseMimeType: 'application/json',
      responseJsonSchema: { properties: { city: { type: 'string' } }, required: ['city'] },
    });
  });

  test('thoughts are shown to whoever asks for reasoning', async () => {
    const messages = [{ role: 'user' as const, content: 'think' }];
    const { choices } = await client.chat.completions.create({ model, messages, reasoning_effort: 'low' });
    expect(choices[0]?.message).toMatchObject({ content: 'Yes.', reasoning_content: 'Hm.' });
  });

  test('what Gemini cannot do is refused by its name', async () => {
    const call = client.chat.completions.create({ model, messages: ask, tools, parallel_tool_calls: false });
    expect(await call.catch((error: unknown) => error)).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'parallel_tool_calls',
    });
  });
});
