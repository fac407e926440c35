import {
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { abortAfterFirst, failing, keyRejected, readToTheEnd, refused } from './failing.ts';
import * as ask from './prompts.ts';
import { collected, type Client, type Run, type Target } from './scenario.ts';
import { torn, type Wire } from './torn.ts';
import { stalls, streams, withHeaders } from './upstream.ts';

// What a package can't say to its provider is in the results too.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** The models of one package, pointed somewhere. */
export interface Models {
  readonly usual: (target: Target) => LanguageModel;
  readonly thinking: (target: Target) => LanguageModel;
}

type TextOptions = Parameters<typeof generateText>[0];
type Asked = Omit<TextOptions, 'model' | 'maxRetries' | 'messages' | 'prompt'> &
  ({ readonly prompt: string } | { readonly messages: NonNullable<TextOptions['messages']> });

const weather = tool({
  description: ask.weatherDescription,
  inputSchema: ask.citySchema,
  execute: (input) => ask.weatherOf(input),
});

/** Everything that an app can read of an answer, but for how long it took. */
async function generated(model: LanguageModel, asked: Asked, maxRetries = 0): Promise<unknown> {
  const result = await generateText({ model, maxRetries, ...asked });
  const { content, finishReason, rawFinishReason, usage, totalUsage, warnings, providerMetadata } = result;
  const { response, responseMessages, steps } = result;
  return {
    content,
    finishReason,
    rawFinishReason,
    usage,
    totalUsage,
    warnings,
    providerMetadata,
    response,
    responseMessages,
    steps: steps.map((step) => [step.content, step.finishReason, step.usage]),
  };
}

/** Every part of a stream, and what is known at its end. */
async function streamed(model: LanguageModel, asked: Asked): Promise<unknown> {
  const result = streamText({ model, maxRetries: 0, include: { rawChunks: true }, onError: () => {}, ...asked });
  const parts = await collected(result.stream);
  return { parts: parts.map(withoutTimes), text: await result.text, usage: await result.totalUsage };
}

/** How long things took differs from call to call. */
function withoutTimes(part: object): object {
  return Object.fromEntries(Object.entries(part).filter(([name]) => name !== 'performance'));
}

async function streamedObject(model: LanguageModel): Promise<unknown> {
  const asked = { model, maxRetries: 0, schema: ask.citySchema, prompt: ask.asJson };
  const result = streamObject(asked);
  const parts = await collected(result.partialObjectStream);
  return { parts, object: await result.object, usage: await result.usage, response: await result.response };
}

async function objectOf(model: LanguageModel): Promise<unknown> {
  const asked = { model, maxRetries: 0, schema: ask.citySchema, prompt: ask.asJson };
  const { object, finishReason, usage, warnings, response, providerMetadata } = await generateObject(asked);
  return { object, finishReason, usage, warnings, response, providerMetadata };
}

/** The first piece of text, and what came once the app had left. */
export async function aborted(model: LanguageModel): Promise<unknown> {
  const controller = new AbortController();
  const { signal: abortSignal } = controller;
  const result = streamText({ model, maxRetries: 0, prompt: ask.hello, abortSignal, onError: () => {} });
  const { items, failure } = await abortAfterFirst(only(result.stream, isText), () => controller.abort());
  return { items, failure };
}

function isText({ type }: { type: string }): boolean {
  return type === 'text-delta';
}

async function* only<T>(items: AsyncIterable<T>, isWanted: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (isWanted(item)) yield item;
}

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
const turns: Asked = {
  messages: [
    { role: 'user', content: ask.hello },
    { role: 'assistant', content: 'Hi.' },
    { role: 'user', content: ask.hello },
  ],
  maxOutputTokens: 200,
};

/** The same for every package. */
export function chatScenarios(wire: Wire, { usual, thinking }: Models): Client['scenarios'] {
  const run =
    (asked: Asked): Run =>
    (target) =>
      generated(usual(target), asked);
  const once = run({ prompt: ask.hello });
  return {
    chat: once,
    'system prompt': run({ prompt: ask.hello, instructions: ask.brief, temperature: 0.5, stopSequences: ['###'] }),
    'several turns': run(turns),
    'image in the prompt': run(image),
    'stream, event by event': (target) => streamed(usual(target), { prompt: ask.hello }),
    'stream through its helper': async (target) => {
      const result = streamText({ model: usual(target), prompt: ask.hello, maxRetries: 0 });
      return { text: await collected(result.textStream), response: await result.response };
    },
    'tool call': run({ prompt: ask.weatherQuestion, tools: { weather } }),
    'parallel tool calls': run({ prompt: ask.twoCities, tools: { weather } }),
    'streamed tool call': (target) => streamed(usual(target), { prompt: ask.twoCities, tools: { weather } }),
    'tool runner': run({ prompt: ask.weatherQuestion, tools: { weather }, stopWhen: isStepCount(3) }),
    'JSON schema': (target) => objectOf(usual(target)),
    'parsed by a schema': run({ prompt: ask.asJson, output: Output.object({ schema: ask.citySchema }) }),
    'streamed object': (target) => streamedObject(usual(target)),
    reasoning: (target) => generated(thinking(target), { prompt: ask.thinkFirst, reasoning: 'low' }),
    'response headers': { run: once, plan: (asked) => [withHeaders(asked)] },
    ...failing({ once, repeated: (target) => generated(usual(target), { prompt: ask.hello }, 1) }),
    'error 401': keyRejected(once, {
      class: 'APICallError',
      statusCode: 502,
      responseBody: /provider_key_rejected/,
    }),
    'error in mid-stream': {
      run: async (target) => {
        const asked = { model: usual(target), maxRetries: 0, prompt: ask.hello, onError: () => {} };
        const { items, failure } = await readToTheEnd(streamText(asked).stream);
        return { items: items.map(withoutTimes), failure };
      },
      plan: () => [streams(torn[wire].start + torn[wire].error)],
    },
    'abort in mid-stream': { run: (target) => aborted(usual(target)), plan: () => [stalls(torn[wire].start)] },
    ...refused(
      (target) => generated(usual(target), { prompt: ask.hello }, 2),
      { class: 'APICallError', statusCode: 402, isRetryable: false, responseBody: /budget_exceeded/ },
      { class: 'APICallError', statusCode: 401, isRetryable: false, responseBody: /access_token_invalid/ },
    ),
  };
}
