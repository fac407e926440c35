import type { ChatCompletionRequest, FixtureResponse, ToolCallResponse } from '@copilotkit/aimock';
import { type Answer, type Providers, type StandIn, startProviders } from '../harness/providers.ts';
import type { Planned } from './scenario.ts';

/**
 * The providers that both ways lead to. What a chat answers follows from its request alone, so that both get the same,
 * and repeats what of it arrived.
 */
export async function startUpstream(): Promise<Providers> {
  const providers = await startProviders();
  const { mock } = providers;
  mock.prependFixture({ match: { endpoint: 'chat' }, response: replyTo, chunkSize: 7 });
  mock.onEmbedding(/./, { embedding: [0.5, -0.25, 0.125] });
  mock.onImage(/./, { image: { b64Json: btoa('a picture') } });
  mock.onSpeech(/./, { audio: btoa('a voice') });
  const transcription = {
    text: 'Hello there.',
    language: 'english',
    duration: 1,
    usage: { type: 'duration', seconds: 1 },
  };
  mock.onTranscription({ transcription });
  mock.onTranslation({ transcription });
  return providers;
}

const city = JSON.stringify({ city: 'Paris' });
const usage = { prompt_tokens: 21, completion_tokens: 7, total_tokens: 28 };

function replyTo(request: ChatCompletionRequest): FixtureResponse {
  const { messages, tools = [] } = request;
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  const question = textOf(messages[lastUser]?.content);
  const isAnswered = messages.slice(lastUser).some(({ role }) => role === 'tool');
  const [tool] = tools;
  if (tool !== undefined && !isAnswered) return callsOf(tool.function.name, question);
  if (question.includes('JSON')) return { content: city, usage };
  const heard = messages.map(({ role, content }) => `${role}: ${plainly(textOf(content))}`).join('; ');
  const content = `Grüße 🙂. I heard “${heard}”.`;
  return question.includes('Think') ? { content, reasoning: 'First this, then that.', usage } : { content, usage };
}

/** One call, or two at once where the question names both cities. */
function callsOf(name: string, question: string): ToolCallResponse {
  const first = { name, arguments: city, id: 'call_paris0001' };
  const second = { name, arguments: JSON.stringify({ city: 'Rome' }), id: 'call_rome00002' };
  return { toolCalls: question.includes('Rome') ? [first, second] : [first], usage };
}

function textOf(content: ChatCompletionRequest['messages'][number]['content'] | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(({ text }) => text ?? '').join('');
}

/** Gemini takes the result of a tool as an object; a text is its `output`. */
function plainly(text: string): string {
  return /^\{"output":"(.*)"\}$/.exec(text)?.[1] ?? text;
}

/** Headers that any of them sends, and those of one: which of them must pass is told in compare.ts. */
const usualHeaders = {
  'retry-after': '7',
  'x-request-id': 'req_of_the_provider',
  'x-ratelimit-limit-requests': '60',
  'x-ratelimit-remaining-tokens': '149984',
  'x-ratelimit-reset-tokens': '6m0s',
  'set-cookie': '__cf_bm=of-the-provider; Secure; HttpOnly',
  server: 'cloudflare',
  'cf-ray': '8e7c',
  via: '1.1 google',
  'alt-svc': 'h3=":443"',
};
const ownHeaders: Readonly<Record<StandIn, Readonly<Record<string, string>>>> = {
  openai: { 'openai-processing-ms': '41', 'openai-version': '2020-10-01', 'openai-organization': 'org-of-the-owner' },
  anthropic: {
    'request-id': 'req_of_the_provider',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-tokens-reset': '2026-11-01T12:00:00Z',
    'anthropic-organization-id': 'the-owners',
    'x-should-retry': 'false',
  },
  google: { 'server-timing': 'gfet4t7; dur=41', 'x-gemini-service-tier': 'standard' },
  groq: { 'x-groq-region': 'fra' },
};

function headersOf(provider: StandIn): Record<string, string> {
  return { ...usualHeaders, ...ownHeaders[provider] };
}

/** The usual answer with headers of every kind. */
export function withHeaders(provider: StandIn): Planned {
  const answer: Answer = async ({ path }, forward) => {
    // aimock knows Gemini's v1beta alone.
    const response = await forward(provider === 'google' ? path.replace(/^\/v1\//, '/v1beta/') : path);
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(headersOf(provider))) headers.set(name, value);
    return new Response(response.body, { status: response.status, headers });
  };
  return { answer };
}

export type FailureStatus = keyof typeof failures;

/** A failure in a provider's own words. */
export function fails(provider: StandIn, status: FailureStatus, added: Record<string, string> = {}): Planned {
  const { message, ...words } = failures[status];
  const code = words.openai;
  const bodies = {
    openai: { error: { message, type: code, param: status === 400 ? 'messages' : null, code } },
    anthropic: { type: 'error', error: { type: words.anthropic, message }, request_id: 'req_of_the_provider' },
    google: { error: { code: status, message, status: words.google } },
  };
  const body = bodies[provider === 'groq' ? 'openai' : provider];
  return { answer: () => Response.json(body, { status, headers: { ...headersOf(provider), ...added } }) };
}

const failures = {
  400: {
    message: 'The messages are not valid.',
    openai: 'invalid_request_error',
    anthropic: 'invalid_request_error',
    google: 'INVALID_ARGUMENT',
  },
  401: {
    message: 'The API key is not valid.',
    openai: 'invalid_api_key',
    anthropic: 'authentication_error',
    google: 'UNAUTHENTICATED',
  },
  404: {
    message: 'There is no such model.',
    openai: 'model_not_found',
    anthropic: 'not_found_error',
    google: 'NOT_FOUND',
  },
  429: {
    message: 'Too many requests.',
    openai: 'rate_limit_exceeded',
    anthropic: 'rate_limit_error',
    google: 'RESOURCE_EXHAUSTED',
  },
  500: { message: 'The server failed.', openai: 'server_error', anthropic: 'api_error', google: 'INTERNAL' },
  529: { message: 'Overloaded', openai: 'overloaded', anthropic: 'overloaded_error', google: 'UNAVAILABLE' },
} as const;

const eventStream = { 'content-type': 'text/event-stream' };

/** A stream of these very bytes. */
export function streams(text: string): Planned {
  return { answer: () => new Response(text, { headers: eventStream }) };
}

/** A stream that says this much and then nothing more: `done` once whoever read it has left. */
export function stalls(text: string): Planned {
  const left = Promise.withResolvers<undefined>();
  const answer: Answer = () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
      cancel: () => left.resolve(undefined),
    });
    return new Response(body, { headers: eventStream });
  };
  return { answer, done: left.promise };
}

/** Refuses what asks for a thread as Anthropic does where it can't hold one, and answers anything else as usual. */
export function hasNoThreads(): Planned {
  const details = { error_code: 'thread_unsupported_request', unsupported: ['zero_data_retention'] };
  const error = { type: 'invalid_request_error', message: 'This request does not support threads.', details };
  const answer: Answer = ({ body }, forward) =>
    new TextDecoder().decode(body).includes('"thread":')
      ? Response.json({ type: 'error', error }, { status: 400 })
      : forward();
  return { answer };
}

/** The usual answer to a request that has this text somewhere. */
export function needs(text: string): Planned {
  const answer: Answer = ({ body }, forward) =>
    new TextDecoder().decode(body).includes(text) ? forward() : new Response('something is missing', { status: 400 });
  return { answer };
}

/** This JSON, and nothing asked of aimock. */
export function answers(body: object, headers: Record<string, string> = {}): Planned {
  return { answer: () => Response.json(body, { headers }) };
}
