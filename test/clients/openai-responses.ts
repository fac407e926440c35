import OpenAI from 'openai';
import { ResponsesToolRunner } from 'openai/helpers/responses-tool-runner';
import { zodTextFormat } from 'openai/helpers/zod';
import { abortAfterFirst, failing, isFinal, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { torn } from './torn.ts';
import { answers, stalls, streams, withHeaders } from './upstream.ts';

const model = 'gpt-4o-mini';

function clientFor({ root, apiKey }: Target, maxRetries = 0): OpenAI {
  return new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries });
}

const greeting = { model, input: ask.hello };
const tool = {
  type: 'function' as const,
  name: ask.weatherName,
  description: ask.weatherDescription,
  parameters: ask.cityJsonSchema,
  strict: true,
};
const weather = (input: string) => ({ model, input, tools: [tool] });
const parsed = () => ({ model, input: ask.asJson, text: { format: zodTextFormat(ask.citySchema, 'city') } });
const jsonSchema = { type: 'json_schema' as const, name: 'city', schema: ask.cityJsonSchema, strict: true };

const respond: Run = (target) => clientFor(target).responses.create(greeting);

function runWeather(args: Record<string, unknown>): string {
  return ask.weatherOf(ask.citySchema.parse(args));
}

async function runTools(target: Target): Promise<unknown> {
  const runner = new ResponsesToolRunner({ functions: [{ tool, execute: runWeather }] });
  const request = { model, input: [{ role: 'user' as const, content: ask.weatherQuestion }] };
  const turns = await collected(runner.iterate(clientFor(target), request));
  return turns.map(({ response, step, final }) => ({ response, step, final }));
}

const stored = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model,
  status: 'completed',
  output: [],
  usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 },
};

async function kept(target: Target): Promise<unknown> {
  const { responses } = clientFor(target);
  const first = await responses.create({ ...greeting, store: true });
  const again = await responses.retrieve(first.id);
  const next = await responses.create({ ...greeting, previous_response_id: first.id });
  return [first, again, next, await responses.delete(first.id)];
}

async function streamHelper(target: Target): Promise<unknown> {
  const stream = clientFor(target).responses.stream(greeting);
  const heard: unknown[] = [];
  stream.on('response.output_text.delta', (event) => heard.push(event));
  return { final: await stream.finalResponse(), heard };
}

async function abort(target: Target): Promise<unknown> {
  const stream = await clientFor(target).responses.create({ ...greeting, stream: true });
  return abortAfterFirst(stream, () => stream.controller.abort());
}

async function headers(target: Target): Promise<unknown> {
  const { data, response } = await clientFor(target).responses.create(greeting).withResponse();
  return { data, response };
}

export const openaiResponses: Client = {
  name: '`openai` responses',
  packages: ['openai'],
  provider: 'openai',
  scenarios: {
    chat: respond,
    'system prompt': (target) =>
      clientFor(target).responses.create({ ...greeting, instructions: ask.brief, temperature: 0.5, store: false }),
    'several turns': (target) =>
      clientFor(target).responses.create({
        model,
        input: [
          { role: 'user', content: ask.hello },
          { role: 'assistant', content: 'Hi.' },
          { role: 'user', content: ask.hello },
        ],
        max_output_tokens: 200,
      }),
    'image in the prompt': (target) =>
      clientFor(target).responses.create({
        model,
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: ask.hello },
              { type: 'input_image', image_url: `data:image/png;base64,${ask.png}`, detail: 'low' },
            ],
          },
        ],
      }),
    'stream, event by event': async (target) =>
      collected(await clientFor(target).responses.create({ ...greeting, stream: true })),
    'stream through its helper': streamHelper,
    'tool call': (target) => clientFor(target).responses.create(weather(ask.weatherQuestion)),
    'parallel tool calls': (target) =>
      clientFor(target).responses.create({ ...weather(ask.twoCities), parallel_tool_calls: true }),
    'streamed tool call': async (target) =>
      collected(await clientFor(target).responses.create({ ...weather(ask.twoCities), stream: true })),
    'tool runner': runTools,
    'JSON schema': (target) =>
      clientFor(target).responses.create({ model, input: ask.asJson, text: { format: jsonSchema } }),
    'parsed by a schema': async (target) => clientFor(target).responses.parse(parsed()),
    'streamed object': async (target) => {
      const stream = clientFor(target).responses.stream(parsed());
      return { events: await collected(stream), final: await stream.finalResponse() };
    },
    reasoning: (target) =>
      clientFor(target).responses.create({
        model: 'o4-mini',
        input: ask.thinkFirst,
        reasoning: { effort: 'low', summary: 'auto' },
      }),
    'token count': {
      run: (target) => clientFor(target).responses.inputTokens.count(greeting),
      refusal: {
        by: 'any',
        error: { class: 'PermissionDeniedError', status: 403, code: 'endpoint_not_allowed' },
        reason: 'refused: `endpoint_not_allowed`',
      },
    },
    'stored answers': {
      run: kept,
      plan: () => [answers(stored), answers(stored), answers(stored), answers({ id: stored.id, deleted: true })],
    },
    'response headers': { run: headers, plan: (asked) => [withHeaders(asked)] },
    ...failing({ once: respond, repeated: (target) => clientFor(target, 1).responses.create(greeting) }),
    'error 401': keyRejected(respond, { class: 'InternalServerError', status: 502, code: 'provider_key_rejected' }),
    'error in mid-stream': {
      run: async (target) => readToTheEnd(await clientFor(target).responses.create({ ...greeting, stream: true })),
      plan: () => [streams(torn['openai-responses'].start + torn['openai-responses'].error)],
    },
    'abort in mid-stream': { run: abort, plan: () => [stalls(torn['openai-responses'].start)] },
    ...refused(
      (target) => clientFor(target, 2).responses.create(greeting),
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
