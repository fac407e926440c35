import Groq from 'groq-sdk';
import { abortAfterFirst, failing, isFinal, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { torn } from './torn.ts';
import { answers, stalls, streams, withHeaders } from './upstream.ts';

const model = 'llama-3.3-70b-versatile';

function clientFor({ root, apiKey }: Target, maxRetries = 0): Groq {
  return new Groq({ baseURL: root, apiKey, maxRetries });
}

type Message = Groq.Chat.ChatCompletionMessageParam;

const user = (content: string): Message => ({ role: 'user', content });
const of = (question: string) => ({ model, messages: [user(question)] });
const greeting = of(ask.hello);
const tools = [
  {
    type: 'function' as const,
    function: { name: ask.weatherName, description: ask.weatherDescription, parameters: ask.cityJsonSchema },
  },
];

const create: Run = (target) => clientFor(target).chat.completions.create(greeting);

const image: Message = {
  role: 'user',
  content: [
    { type: 'text', text: ask.hello },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${ask.png}` } },
  ],
};

const recording = () => new File([ask.silence()], 'hello.wav', { type: 'audio/wav' });

/** The loop that Groq's guide writes by hand: its client has no runner. */
async function toolLoop(target: Target): Promise<unknown> {
  const { completions } = clientFor(target).chat;
  const messages: Message[] = [user(ask.weatherQuestion)];
  const asked = await completions.create({ model, messages, tools });
  const message = asked.choices[0]?.message;
  if (message === undefined) throw new Error('no message');
  messages.push(message);
  for (const { id, function: called } of message.tool_calls ?? []) {
    const content = ask.weatherOf(ask.citySchema.parse(JSON.parse(called.arguments)));
    messages.push({ role: 'tool', tool_call_id: id, content });
  }
  return [asked, await completions.create({ model, messages, tools })];
}

const kept = { id: 'file_1', object: 'file', bytes: 2, created_at: 1, filename: 'lines.jsonl', purpose: 'batch' };

async function keepFile(target: Target): Promise<unknown> {
  const { files } = clientFor(target);
  const { id = '', ...file } = await files.create({ file: new File(['{}'], kept.filename), purpose: 'batch' });
  return [id, file, await files.info(id), await files.delete(id)];
}

async function abort(target: Target): Promise<unknown> {
  const stream = await clientFor(target).chat.completions.create({ ...greeting, stream: true });
  return abortAfterFirst(stream, () => stream.controller.abort());
}

async function headers(target: Target): Promise<unknown> {
  const { data, response } = await clientFor(target).chat.completions.create(greeting).withResponse();
  return { data, response };
}

export const groq: Client = {
  name: '`groq-sdk`',
  packages: ['groq-sdk'],
  provider: 'groq',
  scenarios: {
    chat: create,
    'system prompt': (target) =>
      clientFor(target).chat.completions.create({
        model,
        messages: [{ role: 'system', content: ask.brief }, user(ask.hello)],
        temperature: 0.5,
        stop: '###',
        seed: 7,
      }),
    'several turns': (target) =>
      clientFor(target).chat.completions.create({
        model,
        messages: [user(ask.hello), { role: 'assistant', content: 'Hi.' }, user(ask.hello)],
        max_completion_tokens: 200,
      }),
    'image in the prompt': (target) =>
      clientFor(target).chat.completions.create({
        model: 'meta-llama/llama-4-scout-17b-16e-instruct',
        messages: [image],
      }),
    'stream, event by event': async (target) =>
      collected(await clientFor(target).chat.completions.create({ ...greeting, stream: true })),
    'tool call': (target) => clientFor(target).chat.completions.create({ ...of(ask.weatherQuestion), tools }),
    'parallel tool calls': (target) =>
      clientFor(target).chat.completions.create({ ...of(ask.twoCities), tools, parallel_tool_calls: true }),
    'streamed tool call': async (target) =>
      collected(await clientFor(target).chat.completions.create({ ...of(ask.twoCities), tools, stream: true })),
    'tool runner': toolLoop,
    'JSON schema': (target) =>
      clientFor(target).chat.completions.create({
        ...of(ask.asJson),
        model: 'openai/gpt-oss-20b',
        response_format: { type: 'json_schema', json_schema: { name: 'city', schema: { ...ask.cityJsonSchema } } },
      }),
    reasoning: (target) =>
      clientFor(target).chat.completions.create({
        ...of(ask.thinkFirst),
        model: 'openai/gpt-oss-20b',
        reasoning_effort: 'low',
        include_reasoning: true,
      }),
    embedding: {
      run: (target) => clientFor(target).embeddings.create({ model: 'nomic-embed-text-v1_5', input: ask.hello }),
      refusal: {
        by: 'any',
        error: { class: 'PermissionDeniedError', status: 403, error: { error: { code: 'endpoint_not_allowed' } } },
        reason: 'refused: `endpoint_not_allowed`, as Groq documents no such call',
      },
    },
    'list of models': (target) => clientFor(target).models.list(),
    'one model': {
      run: (target) => clientFor(target).models.retrieve(model),
      plan: () => [answers({ id: model, object: 'model', created: 1, owned_by: 'Meta' })],
    },
    speech: {
      run: (target) =>
        clientFor(target).audio.speech.create({
          model: 'canopylabs/orpheus-v1-english',
          voice: 'tara',
          input: ask.hello,
          response_format: 'wav',
        }),
      refusal: {
        by: 'any',
        error: { class: 'PermissionDeniedError', status: 403, error: { error: { code: 'price_unknown' } } },
        reason: 'refused: `price_unknown`',
      },
    },
    transcription: (target) =>
      clientFor(target).audio.transcriptions.create({
        model: 'whisper-large-v3-turbo',
        file: recording(),
        response_format: 'verbose_json',
        temperature: 0,
      }),
    translation: (target) =>
      clientFor(target).audio.translations.create({ model: 'whisper-large-v3', file: recording() }),
    files: {
      run: keepFile,
      plan: () => [answers(kept), answers(kept), answers({ id: kept.id, object: 'file', deleted: true })],
    },
    'response headers': { run: headers, plan: (asked) => [withHeaders(asked)] },
    ...failing({
      once: create,
      repeated: (target) => clientFor(target, 1).chat.completions.create(greeting),
    }),
    'error 401': keyRejected(create, { class: 'InternalServerError', status: 502 }),
    'error in mid-stream': {
      run: async (target) =>
        readToTheEnd(await clientFor(target).chat.completions.create({ ...greeting, stream: true })),
      plan: () => [streams(torn.groq.start + torn.groq.error)],
    },
    'abort in mid-stream': { run: abort, plan: () => [stalls(torn.groq.start)] },
    ...refused(
      (target) => clientFor(target, 2).chat.completions.create(greeting),
      {
        class: 'APIError',
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
