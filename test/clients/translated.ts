import OpenAI, { APIError } from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import type { StandIn } from '../harness/providers.ts';
import { abortAfterFirst, alike, failing, isFinal, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { wireOf } from './torn.ts';
import { answers, needs, stalls, streams } from './upstream.ts';

/** What stands for OpenAI's own model when another provider is asked. */
const models: Readonly<Record<StandIn, string>> = {
  openai: 'gpt-4o-mini',
  anthropic: 'anthropic/claude-opus-4-8',
  google: 'google/gemini-2.5-flash',
  groq: 'groq/llama-3.3-70b-versatile',
};

const seeing = { ...models, groq: 'groq/meta-llama/llama-4-scout-17b-16e-instruct' };
const thinking = { ...models, openai: 'o4-mini', groq: 'groq/openai/gpt-oss-20b' };

type Completion = OpenAI.ChatCompletion;
type Chunk = OpenAI.ChatCompletionChunk;
type Message = OpenAI.ChatCompletionMessageParam;
type Params = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'model'>;

function clientFor({ root, apiKey }: Target, maxRetries = 0): OpenAI {
  return new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries });
}

const user = (content: string): Message => ({ role: 'user', content });
const of = (question: string): Params => ({ messages: [user(question)], max_completion_tokens: 400 });
const tools = [
  {
    type: 'function' as const,
    function: { name: ask.weatherName, description: ask.weatherDescription, parameters: ask.cityJsonSchema },
  },
];
const image: Message = {
  role: 'user',
  content: [
    { type: 'text', text: ask.hello },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${ask.png}` } },
  ],
};
const schemaFormat = {
  type: 'json_schema' as const,
  json_schema: { name: 'city', schema: ask.cityJsonSchema, strict: true },
};

/** What an app acts on: the rest differs from model to model. */
function meaningOf({ choices, usage }: Pick<Completion, 'choices' | 'usage'>): object {
  return { choices: choices.map(choiceOf), usage: usage && usageOf(usage) };
}

function choiceOf({ index, message, finish_reason: reason }: Completion['choices'][number]): object {
  const calls = message.tool_calls?.map((call) =>
    call.type === 'function' ? { id: call.id, name: call.function.name, input: jsonOf(call.function.arguments) } : call,
  );
  return {
    index,
    role: message.role,
    content: message.content ?? '',
    calls: calls ?? [],
    thoughts: thoughtsOf(message),
    reason,
  };
}

/** OpenAI's chat tells no thoughts; aimock, and those who do, tell them in one of these. */
function thoughtsOf(message: object): unknown {
  const members: { reasoning?: unknown; reasoning_content?: unknown } = message;
  return members.reasoning ?? members.reasoning_content ?? null;
}

function usageOf({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: total,
}: OpenAI.CompletionUsage) {
  return { prompt, completion, total };
}

function jsonOf(text: string): unknown {
  return JSON.parse(text);
}

async function created(target: Target, params: Params, { model = models[target.asked], maxRetries = 0 } = {}) {
  return meaningOf(await clientFor(target, maxRetries).chat.completions.create({ ...params, model }));
}

function streamed(target: Target, params: Params) {
  const usage = { stream_options: { include_usage: true } };
  return clientFor(target).chat.completions.create({ ...params, ...usage, model: models[target.asked], stream: true });
}

/** The whole of a stream, as apps put it together by hand. */
async function assembled(target: Target, params: Params): Promise<object> {
  const chunks = await collected(await streamed(target, params));
  const calls: { name: string; input: string }[] = [];
  for (const { index, function: called } of chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])) {
    const call = (calls[index] ??= { name: '', input: '' });
    call.name += called?.name ?? '';
    call.input += called?.arguments ?? '';
  }
  return {
    text: textOf(chunks),
    calls: calls.map(({ name, input }) => ({ name, input: jsonOf(input) })),
    reasons: chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []),
    usages: chunks.flatMap(({ usage }) => (usage ? usageOf(usage) : [])),
  };
}

function textOf(chunks: readonly Chunk[]): string {
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
}

/** What an app can tell failures apart by. */
async function failureOf(run: Promise<unknown>): Promise<unknown> {
  const failure = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof APIError)) return failure;
  const { status, headers, constructor } = failure;
  return { class: constructor.name, status, retryAfter: headers?.get('retry-after') };
}

const once: Run = (target) => created(target, of(ask.hello));
const failed: Run = (target) => failureOf(created(target, of(ask.hello)));

async function runTools(target: Target): Promise<unknown> {
  const weather = zodFunction({
    name: ask.weatherName,
    description: ask.weatherDescription,
    parameters: ask.citySchema,
    function: ask.weatherOf,
  });
  const params = { model: models[target.asked], messages: [user(ask.weatherQuestion)], tools: [weather] };
  const runner = clientFor(target).chat.completions.runTools({ ...params, max_completion_tokens: 400 });
  const messages: unknown[] = [];
  runner.on('message', ({ role, content }) => messages.push([role, content ?? '']));
  return { final: await runner.finalContent(), messages, usage: usageOf(await runner.totalUsage()) };
}

const parsedBy = () => ({ ...of(ask.asJson), response_format: zodResponseFormat(ask.citySchema, 'city') });

const shared: Client['scenarios'] = {
  chat: once,
  'system prompt': (target) =>
    created(target, {
      ...of(ask.hello),
      messages: [{ role: 'system', content: ask.brief }, user(ask.hello)],
      stop: '#',
    }),
  'several turns': (target) =>
    created(target, {
      ...of(ask.hello),
      messages: [user(ask.hello), { role: 'assistant', content: 'Hi.' }, user(ask.hello)],
    }),
  'image in the prompt': {
    run: (target) =>
      created(target, { messages: [image], max_completion_tokens: 400 }, { model: seeing[target.asked] }),
    plan: () => [needs(ask.png)],
  },
  'stream, event by event': (target) => assembled(target, of(ask.hello)),
  'stream through its helper': async (target) => {
    const model = models[target.asked];
    const stream = clientFor(target).chat.completions.stream({ ...of(ask.hello), model, stream: true });
    return meaningOf(await stream.finalChatCompletion());
  },
  'tool call': (target) => created(target, { ...of(ask.weatherQuestion), tools, tool_choice: 'auto' }),
  'parallel tool calls': (target) => created(target, { ...of(ask.twoCities), tools, parallel_tool_calls: true }),
  'streamed tool call': (target) => assembled(target, { ...of(ask.twoCities), tools }),
  'tool runner': runTools,
  'JSON schema': (target) => created(target, { ...of(ask.asJson), response_format: schemaFormat }),
  'parsed by a schema': async (target) => {
    const { chat } = clientFor(target);
    const parsed = await chat.completions.parse({ ...parsedBy(), model: models[target.asked] });
    return parsed.choices[0]?.message.parsed;
  },
  'streamed object': async (target) => {
    const stream = clientFor(target).chat.completions.stream({
      ...parsedBy(),
      model: models[target.asked],
      stream: true,
    });
    return (await stream.finalChatCompletion()).choices[0]?.message.parsed;
  },
  reasoning: (target) =>
    created(target, { ...of(ask.thinkFirst), reasoning_effort: 'low' }, { model: thinking[target.asked] }),
  ...alike(failing({ once: failed, repeated: (target) => created(target, of(ask.hello), { maxRetries: 1 }) })),
  'error 401': keyRejected(once, { class: 'InternalServerError', status: 502, code: 'provider_key_rejected' }),
  'error in mid-stream': {
    run: async (target) => {
      const { items, failure } = await readToTheEnd(await streamed(target, of(ask.hello)));
      return { text: textOf(items), hasFailed: failure instanceof APIError };
    },
    plan: (asked) => [streams(wireOf(asked).start + wireOf(asked).error)],
  },
  'abort in mid-stream': {
    run: async (target) => {
      const stream = await streamed(target, of(ask.hello));
      const { failure } = await abortAfterFirst(stream, () => stream.controller.abort());
      return { failure };
    },
    plan: (asked) => [stalls(wireOf(asked).start)],
  },
  ...refused(
    (target) => created(target, of(ask.hello), { maxRetries: 2 }),
    { class: 'APIError', status: 402, code: 'budget_exceeded', type: 'budget_error', ...isFinal },
    {
      class: 'AuthenticationError',
      status: 401,
      code: 'access_token_invalid',
      type: 'authentication_error',
      ...isFinal,
    },
  ),
};

const vectors = { embeddings: [{ values: [0.5, -0.25, 0.125] }] };

async function embedded(target: Target): Promise<unknown> {
  const model = target.asked === 'google' ? 'google/gemini-embedding-001' : 'text-embedding-3-small';
  const { data } = await clientFor(target).embeddings.create({ model, input: ask.hello, dimensions: 3 });
  return data.map(({ embedding, index }) => [index, embedding]);
}

/** The `openai` client with the models of others, by their names alone. */
export const translated: readonly Client[] = [
  {
    name: '`openai` → Anthropic',
    packages: ['openai'],
    provider: 'openai',
    translatedTo: 'anthropic',
    scenarios: shared,
  },
  {
    name: '`openai` → Google',
    packages: ['openai'],
    provider: 'openai',
    translatedTo: 'google',
    scenarios: {
      ...shared,
      embedding: { run: embedded, plan: (asked) => (asked === 'google' ? [answers(vectors)] : []) },
    },
  },
  { name: '`openai` → Groq', packages: ['openai'], provider: 'openai', translatedTo: 'groq', scenarios: shared },
];
