import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { abortAfterFirst, failing, isFinal, keyRejected, readToTheEnd, refused } from './failing.ts';
import { openaiMedia } from './openai-media.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { torn } from './torn.ts';
import { stalls, streams, withHeaders } from './upstream.ts';

const model = 'gpt-4o-mini';

function clientFor({ root, apiKey }: Target, maxRetries = 0): OpenAI {
  return new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries });
}

type Message = OpenAI.ChatCompletionMessageParam;

const user = (content: string): Message => ({ role: 'user', content });
const greeting = { model, messages: [user(ask.hello)] };
const weather = (question: string) => ({
  model,
  messages: [user(question)],
  tools: [
    {
      type: 'function' as const,
      function: { name: ask.weatherName, description: ask.weatherDescription, parameters: ask.cityJsonSchema },
    },
  ],
});
const zodWeather = () =>
  zodFunction({
    name: ask.weatherName,
    description: ask.weatherDescription,
    parameters: ask.citySchema,
    function: ask.weatherOf,
  });

const chat: Run = (target) => clientFor(target).chat.completions.create(greeting);

const image: Message = {
  role: 'user',
  content: [
    { type: 'text', text: ask.hello },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${ask.png}`, detail: 'low' } },
  ],
};

const schemaFormat = {
  type: 'json_schema' as const,
  json_schema: { name: 'city', schema: ask.cityJsonSchema, strict: true },
};

/** Events of the runner, in their order, and its final message. */
async function runTools(target: Target): Promise<unknown> {
  const runner = clientFor(target).chat.completions.runTools({
    model,
    messages: [user(ask.weatherQuestion)],
    tools: [zodWeather()],
  });
  const heard: unknown[] = [];
  runner.on('message', (message) => heard.push(message));
  runner.on('functionToolCallResult', (result) => heard.push(result));
  return { final: await runner.finalContent(), heard, usage: await runner.totalUsage() };
}

async function streamHelper(target: Target): Promise<unknown> {
  const stream = clientFor(target).chat.completions.stream(greeting);
  const heard: unknown[] = [];
  stream.on('content.delta', ({ delta, snapshot }) => heard.push([delta, snapshot]));
  return { final: await stream.finalChatCompletion(), heard };
}

async function abort(target: Target): Promise<unknown> {
  const stream = await clientFor(target).chat.completions.create({ ...greeting, stream: true });
  return abortAfterFirst(stream, () => stream.controller.abort());
}

async function headers(target: Target): Promise<unknown> {
  const { data, response } = await clientFor(target).chat.completions.create(greeting).withResponse();
  return { data, response };
}

export const openai: Client = {
  name: '`openai`',
  packages: ['openai'],
  provider: 'openai',
  scenarios: {
    chat,
    'system prompt': (target) =>
      clientFor(target).chat.completions.create({
        model,
        messages: [{ role: 'system', content: ask.brief }, { role: 'developer', content: ask.brief }, user(ask.hello)],
        temperature: 0.5,
        stop: ['###'],
        seed: 7,
      }),
    'several turns': (target) =>
      clientFor(target).chat.completions.create({
        model,
        messages: [user(ask.hello), { role: 'assistant', content: 'Hi.' }, user(ask.hello)],
        max_completion_tokens: 200,
      }),
    'image in the prompt': (target) => clientFor(target).chat.completions.create({ model, messages: [image] }),
    'stream, event by event': async (target) =>
      collected(await clientFor(target).chat.completions.create({ ...greeting, stream: true })),
    'stream through its helper': streamHelper,
    'usage in a stream': async (target) =>
      collected(
        await clientFor(target).chat.completions.create({
          ...greeting,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    'tool call': (target) => clientFor(target).chat.completions.create(weather(ask.weatherQuestion)),
    'parallel tool calls': (target) =>
      clientFor(target).chat.completions.create({ ...weather(ask.twoCities), parallel_tool_calls: true }),
    'streamed tool call': async (target) =>
      collected(await clientFor(target).chat.completions.create({ ...weather(ask.twoCities), stream: true })),
    'tool runner': runTools,
    'JSON schema': (target) =>
      clientFor(target).chat.completions.create({ model, messages: [user(ask.asJson)], response_format: schemaFormat }),
    'parsed by a schema': async (target) => {
      const format = zodResponseFormat(ask.citySchema, 'city');
      const request = { model, messages: [user(ask.asJson)], response_format: format };
      const parsed = await clientFor(target).chat.completions.parse(request);
      return { parsed: parsed.choices[0]?.message.parsed, whole: parsed };
    },
    'streamed object': async (target) => {
      const format = zodResponseFormat(ask.citySchema, 'city');
      const request = { model, messages: [user(ask.asJson)], response_format: format };
      const stream = clientFor(target).chat.completions.stream(request);
      return { events: await collected(stream), final: await stream.finalChatCompletion() };
    },
    reasoning: (target) =>
      clientFor(target).chat.completions.create({
        model: 'o4-mini',
        reasoning_effort: 'low',
        messages: [user(ask.thinkFirst)],
      }),
    ...openaiMedia,
    'response headers': { run: headers, plan: (asked) => [withHeaders(asked)] },
    ...failing({ once: chat, repeated: (target) => clientFor(target, 1).chat.completions.create(greeting) }),
    'error 401': keyRejected(chat, { class: 'InternalServerError', status: 502, code: 'provider_key_rejected' }),
    'error in mid-stream': {
      run: async (target) =>
        readToTheEnd(await clientFor(target).chat.completions.create({ ...greeting, stream: true })),
      plan: () => [streams(torn['openai-chat'].start + torn['openai-chat'].error)],
    },
    'abort in mid-stream': { run: abort, plan: () => [stalls(torn['openai-chat'].start)] },
    ...refused(
      (target) => clientFor(target, 2).chat.completions.create(greeting),
      { class: 'APIError', status: 402, code: 'budget_exceeded', type: 'budget_error', ...isFinal },
      {
        class: 'AuthenticationError',
        status: 401,
        code: 'access_token_invalid',
        type: 'authentication_error',
        ...isFinal,
      },
    ),
  },
};
