import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  embed,
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  tool,
} from 'ai';
import type { StandIn } from '../harness/providers.ts';
import { aborted } from './ai-chat.ts';
import { alike, failing, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { wireOf } from './torn.ts';
import { answers, needs, stalls, streams } from './upstream.ts';

const models: Readonly<Record<StandIn, string>> = {
  openai: 'gpt-4o-mini',
  anthropic: 'anthropic/claude-opus-4-8',
  google: 'google/gemini-2.5-flash',
  groq: 'groq/llama-3.3-70b-versatile',
};

const thinking = { ...models, openai: 'o4-mini' };

function packageFor({ root, apiKey }: Target) {
  const settings = {
    name: 'keypass',
    baseURL: `${root}/v1`,
    apiKey,
    supportsStructuredOutputs: true,
    includeUsage: true,
  };
  return createOpenAICompatible(settings);
}

function modelFor(target: Target): LanguageModel {
  return packageFor(target)(models[target.asked]);
}

type TextOptions = Parameters<typeof generateText>[0];
type Asked = Omit<TextOptions, 'model' | 'maxRetries' | 'messages' | 'prompt'> &
  ({ readonly prompt: string } | { readonly messages: NonNullable<TextOptions['messages']> });

const weather = tool({
  description: ask.weatherDescription,
  inputSchema: ask.citySchema,
  execute: (input) => ask.weatherOf(input),
});

interface Called {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input?: unknown;
}

/** What an app acts on: the rest differs from model to model. */
function callOf({ toolCallId, toolName, input }: Called): object {
  return { toolCallId, toolName, input };
}

const generated =
  (asked: Asked, maxRetries = 0): Run =>
  async (target) => {
    const { text, toolCalls, toolResults, finishReason, totalUsage, steps } = await generateText({
      model: modelFor(target),
      maxRetries,
      maxOutputTokens: 400,
      ...asked,
    });
    const { inputTokens, outputTokens, totalTokens } = totalUsage;
    const usage = { inputTokens, outputTokens, totalTokens };
    const results = toolResults.map(({ output }) => output);
    return { text, calls: toolCalls.map(callOf), results, finishReason, usage, steps: steps.map((step) => step.text) };
  };

const streamed =
  (asked: Asked): Run =>
  async (target) => {
    const result = streamText({ model: modelFor(target), maxRetries: 0, maxOutputTokens: 400, ...asked });
    const text = (await collected(result.textStream)).join('');
    const [calls, finishReason, usage] = await Promise.all([result.toolCalls, result.finishReason, result.totalUsage]);
    const { inputTokens, outputTokens, totalTokens } = usage;
    return { text, calls: calls.map(callOf), finishReason, usage: { inputTokens, outputTokens, totalTokens } };
  };

const asObject = Output.object({ schema: ask.citySchema });

const turns: Asked = {
  messages: [
    { role: 'user', content: ask.hello },
    { role: 'assistant', content: 'Hi.' },
    { role: 'user', content: ask.hello },
  ],
};
const image: Asked = {
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: ask.hello },
        { type: 'file', data: ask.png, mediaType: 'image/png' },
      ],
    },
  ],
};

/** What of a stream has come, and whether the app is told that it broke off. */
async function torn(model: LanguageModel): Promise<unknown> {
  const { stream } = streamText({ model, maxRetries: 0, prompt: ask.hello, onError: () => {} });
  // KeyPass breaks the connection after the event, which the app is told as well.
  const { items } = await readToTheEnd(stream);
  const text = items.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
  return { text, isTold: items.some(({ type }) => type === 'error') };
}

/** What an app can tell failures apart by. */
const failed: Run = async (target) => {
  const failure = await generated({ prompt: ask.hello })(target).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!APICallError.isInstance(failure)) return failure;
  const { statusCode, isRetryable, responseHeaders } = failure;
  return { statusCode, isRetryable, retryAfter: responseHeaders?.['retry-after'] };
};

const scenarios: Client['scenarios'] = {
  chat: generated({ prompt: ask.hello }),
  'system prompt': generated({ prompt: ask.hello, instructions: ask.brief, stopSequences: ['#'] }),
  'several turns': generated(turns),
  'image in the prompt': { run: generated(image), plan: () => [needs(ask.png)] },
  'stream, event by event': async (target) => {
    const { stream } = streamText({ model: modelFor(target), maxRetries: 0, prompt: ask.hello });
    return (await collected(stream)).flatMap((part) => (part.type === 'text-delta' ? [part.text] : [part.type]));
  },
  'stream through its helper': streamed({ prompt: ask.hello }),
  'tool call': generated({ prompt: ask.weatherQuestion, tools: { weather } }),
  'parallel tool calls': generated({ prompt: ask.twoCities, tools: { weather } }),
  'streamed tool call': streamed({ prompt: ask.twoCities, tools: { weather } }),
  'tool runner': generated({ prompt: ask.weatherQuestion, tools: { weather }, stopWhen: isStepCount(3) }),
  'JSON schema': async (target) => {
    const asked = { model: modelFor(target), maxRetries: 0, schema: ask.citySchema, prompt: ask.asJson };
    return (await generateObject(asked)).object;
  },
  'parsed by a schema': async (target) => {
    const result = await generateText({ model: modelFor(target), maxRetries: 0, prompt: ask.asJson, output: asObject });
    return result.output;
  },
  'streamed object': async (target) => {
    const result = streamText({ model: modelFor(target), maxRetries: 0, prompt: ask.asJson, output: asObject });
    const parts = await collected(result.partialOutputStream);
    return { last: parts.at(-1), whole: await result.output };
  },
  ...alike(failing({ once: failed, repeated: generated({ prompt: ask.hello }, 1) })),
  'error 401': keyRejected(generated({ prompt: ask.hello }), {
    class: 'APICallError',
    statusCode: 502,
    responseBody: /provider_key_rejected/,
  }),
  reasoning: async (target) => {
    const model = packageFor(target)(thinking[target.asked]);
    const { text, reasoningText } = await generateText({ model, prompt: ask.thinkFirst, reasoning: 'low' });
    return { text, reasoningText };
  },
  'error in mid-stream': {
    run: (target) => torn(modelFor(target)),
    plan: (asked) => [streams(wireOf(asked).start + wireOf(asked).error)],
  },
  'abort in mid-stream': { run: (target) => aborted(modelFor(target)), plan: (asked) => [stalls(wireOf(asked).start)] },
  ...refused(
    generated({ prompt: ask.hello }),
    { class: 'APICallError', statusCode: 402, isRetryable: false, responseBody: /budget_exceeded/ },
    { class: 'APICallError', statusCode: 401, isRetryable: false, responseBody: /access_token_invalid/ },
  ),
};

const vectors = { embeddings: [{ values: [0.5, -0.25, 0.125] }] };

async function embedded(target: Target): Promise<unknown> {
  const name = target.asked === 'google' ? 'google/gemini-embedding-001' : 'text-embedding-3-small';
  const { embedding } = await embed({
    model: packageFor(target).embeddingModel(name),
    value: ask.hello,
    maxRetries: 0,
  });
  return embedding;
}

const packages = ['ai', '@ai-sdk/openai-compatible'];

/** `ai` with the models of others, by their names alone. */
export const translatedAi: readonly Client[] = [
  { name: '`ai` → Anthropic', packages, provider: 'openai', translatedTo: 'anthropic', scenarios },
  {
    name: '`ai` → Google',
    packages,
    provider: 'openai',
    translatedTo: 'google',
    scenarios: {
      ...scenarios,
      embedding: { run: embedded, plan: (asked) => (asked === 'google' ? [answers(vectors)] : []) },
    },
  },
];
