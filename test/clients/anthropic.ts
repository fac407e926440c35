import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { abortAfterFirst, failing, isFinal, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { torn } from './torn.ts';
import { answers, hasNoThreads, stalls, streams, withHeaders } from './upstream.ts';

const model = 'claude-opus-4-8';

function clientFor({ root, apiKey }: Target, maxRetries = 0): Anthropic {
  return new Anthropic({ baseURL: root, apiKey, maxRetries });
}

type Message = Anthropic.MessageParam;

const user = (content: string): Message => ({ role: 'user', content });
const of = (question: string) => ({ model, max_tokens: 300, messages: [user(question)] });
const greeting = of(ask.hello);
const tools = [
  {
    name: ask.weatherName,
    description: ask.weatherDescription,
    input_schema: { ...ask.cityJsonSchema, required: ['city'] },
  },
];
const parsed = () => ({ ...of(ask.asJson), output_config: { format: zodOutputFormat(ask.citySchema) } });

const create: Run = (target) => clientFor(target).messages.create(greeting);

const image: Message = {
  role: 'user',
  content: [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: ask.png } },
    { type: 'text', text: ask.hello, cache_control: { type: 'ephemeral' } },
  ],
};

async function runTools(target: Target, options: { thread?: false } = {}): Promise<unknown> {
  const named = { name: ask.weatherName, description: ask.weatherDescription };
  const tool = betaZodTool({ ...named, inputSchema: ask.citySchema, run: ask.weatherOf });
  const runner = clientFor(target).beta.messages.toolRunner({ ...of(ask.weatherQuestion), tools: [tool], ...options });
  return collected(runner);
}

const kept = {
  id: 'file_1',
  type: 'file',
  filename: 'notes.txt',
  mime_type: 'text/plain',
  size_bytes: 5,
  created_at: '2026-01-01T00:00:00Z',
  downloadable: false,
};

async function keepFile(target: Target): Promise<unknown> {
  const { files } = clientFor(target).beta;
  const file = await files.upload({ file: new File(['Notes'], kept.filename, { type: kept.mime_type }) });
  return [file, await files.retrieveMetadata(file.id), await files.delete(file.id)];
}

async function streamHelper(target: Target): Promise<unknown> {
  const stream = clientFor(target).messages.stream(greeting);
  const heard: unknown[] = [];
  stream.on('text', (delta, snapshot) => heard.push([delta, snapshot]));
  return { final: await stream.finalMessage(), text: await stream.finalText(), heard };
}

async function abort(target: Target): Promise<unknown> {
  const stream = await clientFor(target).messages.create({ ...greeting, stream: true });
  return abortAfterFirst(stream, () => stream.controller.abort());
}

async function headers(target: Target): Promise<unknown> {
  const { data, response, request_id: id } = await clientFor(target).messages.create(greeting).withResponse();
  return { data, response, id };
}

export const anthropic: Client = {
  name: '`@anthropic-ai/sdk`',
  packages: ['@anthropic-ai/sdk'],
  provider: 'anthropic',
  scenarios: {
    chat: create,
    'system prompt': (target) =>
      clientFor(target).messages.create({ ...greeting, system: ask.brief, stop_sequences: ['###'] }),
    'several turns': (target) =>
      clientFor(target).messages.create({
        ...greeting,
        messages: [user(ask.hello), { role: 'assistant', content: 'Hi.' }, user(ask.hello)],
      }),
    'image in the prompt': (target) => clientFor(target).messages.create({ ...greeting, messages: [image] }),
    'stream, event by event': async (target) =>
      collected(await clientFor(target).messages.create({ ...greeting, stream: true })),
    'stream through its helper': streamHelper,
    'tool call': (target) => clientFor(target).messages.create({ ...of(ask.weatherQuestion), tools }),
    'parallel tool calls': (target) => clientFor(target).messages.create({ ...of(ask.twoCities), tools }),
    'streamed tool call': async (target) => {
      const stream = clientFor(target).messages.stream({ ...of(ask.twoCities), tools });
      return { events: await collected(stream), final: await stream.finalMessage() };
    },
    'tool runner': (target) => runTools(target, { thread: false }),
    // What the client does by itself: KeyPass refuses the thread in Anthropic's words, and it goes on without one.
    'tool runner on a thread': {
      run: (target) => runTools(target),
      plan: () => [hasNoThreads()],
      comparesResultsOnly: true,
    },
    'JSON schema': (target) =>
      clientFor(target).messages.create({
        ...of(ask.asJson),
        output_config: { format: { type: 'json_schema', schema: ask.cityJsonSchema } },
      }),
    'parsed by a schema': async (target) => clientFor(target).messages.parse(parsed()),
    'streamed object': async (target) => {
      const stream = clientFor(target).messages.stream(parsed());
      return { events: await collected(stream), final: await stream.finalMessage() };
    },
    reasoning: (target) =>
      clientFor(target).messages.create({ ...of(ask.thinkFirst), max_tokens: 3000, thinking: { type: 'adaptive' } }),
    'token count': (target) =>
      clientFor(target).messages.countTokens({ model, system: ask.brief, messages: [user(ask.hello)] }),
    'list of models': async (target) => collected(await clientFor(target).models.list({ limit: 20 })),
    'one model': {
      run: (target) => clientFor(target).models.retrieve(model),
      plan: () => [answers({ type: 'model', id: model, display_name: model, created_at: '2026-01-01T00:00:00Z' })],
    },
    files: {
      run: keepFile,
      plan: () => [answers(kept), answers(kept), answers({ id: kept.id, type: 'file_deleted' })],
    },
    'response headers': { run: headers, plan: (asked) => [withHeaders(asked)] },
    ...failing({ once: create, repeated: (target) => clientFor(target, 1).messages.create(greeting) }),
    'error 401': keyRejected(create, { class: 'InternalServerError', status: 502 }),
    'error in mid-stream': {
      run: async (target) => readToTheEnd(await clientFor(target).messages.create({ ...greeting, stream: true })),
      plan: () => [streams(torn.anthropic.start + torn.anthropic.error)],
    },
    'abort in mid-stream': { run: abort, plan: () => [stalls(torn.anthropic.start)] },
    ...refused(
      (target) => clientFor(target, 2).messages.create(greeting),
      {
        class: 'PaymentRequiredError',
        status: 402,
        ...isFinal,
        error: { error: { type: 'budget_error', code: 'budget_exceeded' } },
      },
      {
        class: 'AuthenticationError',
        status: 401,
        ...isFinal,
        error: { error: { type: 'authentication_error', code: 'access_token_invalid' } },
      },
    ),
  },
};
