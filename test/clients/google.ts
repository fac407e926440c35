import { GoogleGenAI, type CallableTool, type Content, type FunctionDeclaration } from '@google/genai';
import { abortAfterFirst, failing, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Planned, type Run, type Target } from './scenario.ts';
import { torn } from './torn.ts';
import { answers, stalls, streams, withHeaders } from './upstream.ts';

const model = 'gemini-2.5-flash';

function clientFor({ root, apiKey }: Target, attempts = 1): GoogleGenAI {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: root, retryOptions: { attempts, initialDelay: 0.001 } } });
}

const of = (contents: string) => ({ model, contents });
const greeting = of(ask.hello);
const declaration: FunctionDeclaration = {
  name: ask.weatherName,
  description: ask.weatherDescription,
  parametersJsonSchema: ask.cityJsonSchema,
};
const withTools = { config: { tools: [{ functionDeclarations: [declaration] }] } };
const asSchema = { config: { responseMimeType: 'application/json', responseJsonSchema: ask.cityJsonSchema } };

const generate: Run = (target) => clientFor(target).models.generateContent(greeting);

const image: Content = {
  role: 'user',
  parts: [{ text: ask.hello }, { inlineData: { mimeType: 'image/png', data: ask.png } }],
};

/** Gemini calls it by itself until there is nothing more to call. */
const callable: CallableTool = {
  tool: async () => ({ functionDeclarations: [declaration] }),
  callTool: async (calls) =>
    calls.map(({ name = '', args }) => ({
      functionResponse: { name, response: { result: ask.weatherOf(ask.citySchema.parse(args)) } },
    })),
};

const batchEmbeddings = { embeddings: [{ values: [0.5, -0.25, 0.125] }, { values: [0.25, 0.5, -0.5] }] };

async function chatStream(target: Target): Promise<unknown> {
  const chat = clientFor(target).chats.create({ model, config: { systemInstruction: ask.brief } });
  const chunks = await collected(await chat.sendMessageStream({ message: ask.hello }));
  return { chunks, history: chat.getHistory() };
}

async function talked(target: Target): Promise<unknown> {
  const talk = clientFor(target).chats.create({ model });
  const answered = [await talk.sendMessage({ message: ask.hello }), await talk.sendMessage({ message: ask.hello })];
  return { answered, history: talk.getHistory() };
}

const kept = {
  name: 'files/notes',
  mimeType: 'text/plain',
  sizeBytes: '5',
  uri: 'https://files.example/notes',
  state: 'ACTIVE',
};

/** The bytes go to an address of the provider's own, which is told here. */
const startsUpload: Planned = {
  answer: ({ headers, path }) => {
    const url = `http://${headers.get('host')}${path}?upload_id=upload-1&upload_protocol=resumable`;
    return Response.json({}, { headers: { 'x-goog-upload-url': url, 'x-goog-upload-status': 'active' } });
  },
};

async function keepFile(target: Target): Promise<unknown> {
  const { files } = clientFor(target);
  const file = await files.upload({ file: new Blob(['Notes']), config: { mimeType: kept.mimeType } });
  return [file, await files.get({ name: kept.name }), await files.delete({ name: kept.name })];
}

const drawn = {
  candidates: [
    { content: { role: 'model', parts: [{ inlineData: { mimeType: 'image/png', data: ask.png } }] }, index: 0 },
  ],
  usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 1290, totalTokenCount: 1294 },
};

async function abort(target: Target): Promise<unknown> {
  const controller = new AbortController();
  const config = { abortSignal: controller.signal };
  const stream = await clientFor(target).models.generateContentStream({ ...greeting, config });
  return abortAfterFirst(stream, () => controller.abort());
}

export const google: Client = {
  name: '`@google/genai`',
  packages: ['@google/genai'],
  provider: 'google',
  scenarios: {
    chat: generate,
    'system prompt': (target) =>
      clientFor(target).models.generateContent({
        ...greeting,
        config: { systemInstruction: ask.brief, temperature: 0.5, maxOutputTokens: 200, stopSequences: ['###'] },
      }),
    'several turns': talked,
    'image in the prompt': (target) => clientFor(target).models.generateContent({ model, contents: [image] }),
    'stream, event by event': async (target) =>
      collected(await clientFor(target).models.generateContentStream(greeting)),
    'stream through its helper': chatStream,
    'tool call': (target) => clientFor(target).models.generateContent({ ...of(ask.weatherQuestion), ...withTools }),
    'parallel tool calls': (target) => clientFor(target).models.generateContent({ ...of(ask.twoCities), ...withTools }),
    'streamed tool call': async (target) =>
      collected(await clientFor(target).models.generateContentStream({ ...of(ask.twoCities), ...withTools })),
    'tool runner': (target) =>
      clientFor(target).models.generateContent({ ...of(ask.weatherQuestion), config: { tools: [callable] } }),
    'JSON schema': (target) => clientFor(target).models.generateContent({ ...of(ask.asJson), ...asSchema }),
    'streamed object': async (target) =>
      collected(await clientFor(target).models.generateContentStream({ ...of(ask.asJson), ...asSchema })),
    reasoning: (target) =>
      clientFor(target).models.generateContent({
        ...of(ask.thinkFirst),
        config: { thinkingConfig: { includeThoughts: true, thinkingBudget: 128 } },
      }),
    embedding: {
      run: (target) =>
        clientFor(target).models.embedContent({
          model: 'gemini-embedding-001',
          contents: ask.hello,
          config: { outputDimensionality: 3 },
        }),
      plan: () => [answers({ embeddings: batchEmbeddings.embeddings.slice(0, 1) })],
    },
    'several embeddings': {
      run: (target) =>
        clientFor(target).models.embedContent({ model: 'gemini-embedding-001', contents: [ask.hello, ask.brief] }),
      plan: () => [answers(batchEmbeddings)],
    },
    'token count': (target) => clientFor(target).models.countTokens({ model, contents: ask.hello }),
    'list of models': async (target) => collected(await clientFor(target).models.list({ config: { pageSize: 5 } })),
    'one model': {
      run: (target) => clientFor(target).models.get({ model }),
      plan: () => [answers({ name: `models/${model}`, displayName: model, inputTokenLimit: 1_048_576 })],
    },
    'picture made': {
      run: (target) =>
        clientFor(target).models.generateContent({ model: 'gemini-2.5-flash-image', contents: 'Draw a cat.' }),
      plan: () => [answers(drawn)],
    },
    files: {
      run: keepFile,
      plan: () => [
        startsUpload,
        answers({ file: kept }, { 'x-goog-upload-status': 'final' }),
        answers(kept),
        answers({}),
      ],
    },
    'response headers': { run: generate, plan: (asked) => [withHeaders(asked)] },
    ...failing({
      once: generate,
      repeated: (target) => clientFor(target, 2).models.generateContent(greeting),
    }),
    'error 401': keyRejected(generate, { class: 'ApiError', status: 502, message: /provider_key_rejected/ }),
    'error in mid-stream': {
      run: async (target) => readToTheEnd(await clientFor(target).models.generateContentStream(greeting)),
      plan: () => [streams(torn.google.start + torn.google.error)],
    },
    'abort in mid-stream': { run: abort, plan: () => [stalls(torn.google.start)] },
    ...refused(
      (target) => clientFor(target, 2).models.generateContent(greeting),
      { class: 'ApiError', status: 402, message: /budget_exceeded/ },
      { class: 'ApiError', status: 401, message: /access_token_invalid/ },
    ),
  },
};
