import { type ChatCompletionRequest, LLMock, type StreamingProfile, type TextResponse } from '@copilotkit/aimock';
import { providers } from '../../src/providers/index.ts';
import { type Answer, type RecordedRequest, type RecordingProxy, startRecordingProxy } from './recorder.ts';

export { redirectTo, slowly } from './recorder.ts';
export type { Answer, RecordedRequest } from './recorder.ts';

/** Those of the providers whose APIs differ: what the others speak is one of these. */
export const standIns = ['openai', 'anthropic', 'google', 'groq'] as const;

export type StandIn = (typeof standIns)[number];

/** Stand-ins for four providers: aimock behind one recorder each. */
export interface Providers {
  /** Of the recorders; for `KEYPASS_<PROVIDER>_BASE_URL`. The provider's own full path follows. */
  readonly origins: Readonly<Record<StandIn, string>>;
  /** aimock itself, for answers of a test's own: `mock.prependFixture(…)`. */
  readonly mock: LLMock;
  /** A host that no request may ever reach: aim redirects at it and see that it stays empty. */
  readonly sink: { readonly origin: string; readonly requests: readonly RecordedRequest[] };
  /** What arrived, oldest first; of all providers one after the other when none is named. */
  requests(provider?: StandIn): readonly RecordedRequest[];
  /** Replaces the answer to one request: `failure(429)`, `redirectTo(sink.origin)`, `slowly(50)` or one of your own. */
  answerNext(provider: StandIn, answer: Answer): void;
  /** Forgets the requests and the planned answers. */
  clear(): void;
  stop(): Promise<void>;
}

interface Options {
  /** How fast streams come, for people who watch; at once unless given. */
  readonly pace?: StreamingProfile;
  readonly onRequest?: (request: RecordedRequest) => void;
}

/** Starts all of it on free loopback ports. Any chat is answered, any key is taken, a request without a key is a 401. */
export async function startProviders({ pace, onRequest }: Options = {}): Promise<Providers> {
  const mock = new LLMock({ host: '127.0.0.1', port: 0 });
  mock.addFixture({
    match: { endpoint: 'chat' },
    response: replyTo,
    ...(pace === undefined ? {} : { streamingProfile: pace }),
  });
  const target = await mock.start();
  const recorders = byProvider((provider) => startRecordingProxy({ provider, target, usually: answer, onRequest }));
  const sink = startRecordingProxy({ provider: 'sink', target, usually: () => new Response('not here') });
  const all: readonly RecordingProxy[] = [...Object.values(recorders), sink];
  return {
    origins: byProvider((id) => recorders[id].origin),
    mock,
    sink,
    requests: (id) => (id === undefined ? standIns : [id]).flatMap((each) => recorders[each].requests),
    answerNext: (id, planned) => recorders[id].answerNext(planned),
    clear() {
      for (const recorder of all) recorder.clear();
    },
    async stop() {
      await Promise.all(all.map((recorder) => recorder.stop()));
      await mock.stop();
    },
  };
}

function byProvider<T>(make: (id: StandIn) => T): Record<StandIn, T> {
  return { openai: make('openai'), anthropic: make('anthropic'), google: make('google'), groq: make('groq') };
}

function builtIn(id: string) {
  return providers.find((provider) => provider.id === id);
}

/** Tokens as English text has them: about four characters each. */
function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** The answer to any chat. It keeps to the caller's limit of tokens, as the providers do, and counts what it used. */
function replyTo(request: ChatCompletionRequest): TextResponse {
  const question = textOf(request.messages.findLast(({ role }) => role === 'user')?.content);
  const whole = wordsAbout(question.trim().slice(0, 200), request.model);
  const limit = request['max_completion_tokens'] ?? request.max_tokens;
  const content = typeof limit === 'number' ? whole.slice(0, limit * 4) : whole;
  // A message costs a few tokens beyond its text: its role and its frame.
  const prompt = request.messages.reduce((sum, { content: text }) => sum + 4 + countTokens(textOf(text)), 3);
  return {
    content,
    finishReason: content === whole ? 'stop' : 'length',
    usage: { prompt_tokens: prompt, completion_tokens: countTokens(content) },
  };
}

function wordsAbout(question: string, model: string): string {
  return [
    question === '' ? 'You sent no text.' : `You said: “${question}”.`,
    `I am a stand-in for ${model}, so I know only one story, but it is true.`,
    'The app that you are talking to has never seen your API key. It holds a KeyPass token with a budget.',
    'KeyPass checked the budget, added your key on the way to me, and is counting these very tokens.',
    'Your vault has the receipt: what I reported, the price it was multiplied by, and what is left.',
    'Pause or revoke this app there, and it stops in the middle of a sentence.',
  ].join(' ');
}

function textOf(content: ChatCompletionRequest['messages'][number]['content'] | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

/** What a provider does with a request: the key first, then what aimock does not know, then aimock. */
const answer: Answer = (request, forward) => {
  const keyHeader = builtIn(request.provider)?.keyHeader ?? 'authorization';
  // Anthropic takes its key as a bearer token too.
  if (!request.headers.has(keyHeader) && !request.headers.has('authorization')) return failure(401)(request, forward);
  if (request.path.endsWith('/v1/embeddings')) return withEmbeddingUsage(request, forward);
  // aimock knows Gemini's v1beta alone; the official client has come to call v1.
  if (request.provider === 'google') return ownAnswer(request) ?? forward(request.path.replace(/^\/v1\//, '/v1beta/'));
  return ownAnswer(request) ?? forward();
};

/** aimock counts no tokens of embeddings. */
const withEmbeddingUsage: Answer = async ({ body }, forward) => {
  const response = await forward();
  if (!response.ok) return response;
  const tokens = countTokens(new TextDecoder().decode(body));
  const answered: Record<string, unknown> = await response.json();
  return Response.json({ ...answered, usage: { prompt_tokens: tokens, total_tokens: tokens } });
};

function ownAnswer({ provider, method, path, body }: RecordedRequest): Response | undefined {
  if (method === 'GET' && path.endsWith('/models')) return Response.json(modelList(provider));
  const counts = method === 'POST' && /\/count_tokens$|:countTokens$/.test(path);
  if (!counts) return undefined;
  const tokens = countTokens(new TextDecoder().decode(body));
  return Response.json(provider === 'google' ? { totalTokens: tokens } : { input_tokens: tokens });
}

const models: Readonly<Record<StandIn, readonly string[]>> = {
  openai: ['gpt-5-mini', 'gpt-4o-mini'],
  anthropic: ['claude-sonnet-4-5', 'claude-haiku-4-5'],
  google: ['gemini-2.5-flash', 'gemini-2.5-pro'],
  groq: ['llama-3.3-70b-versatile', 'llama-3.1-8b-instant'],
};

function modelList(provider: string): object {
  const ids = standIns.filter((id) => id === provider).flatMap((id) => models[id]);
  const created = '2026-01-01T00:00:00Z';
  if (provider === 'google') return { models: ids.map((id) => ({ name: `models/${id}`, displayName: id })) };
  if (provider !== 'anthropic') {
    const data = ids.map((id) => ({ id, object: 'model', created: Date.parse(created) / 1000, owned_by: provider }));
    return { object: 'list', data };
  }
  const data = ids.map((id) => ({ type: 'model', id, display_name: id, created_at: created }));
  return { data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null };
}

type FailureStatus = 401 | 429 | 500;

/** Type or code of a failure in each provider's words, by its error shape. */
const failures = {
  401: {
    message: 'The API key is not valid.',
    openai: 'invalid_api_key',
    anthropic: 'authentication_error',
    google: 'UNAUTHENTICATED',
  },
  429: {
    message: 'Too many requests.',
    openai: 'rate_limit_exceeded',
    anthropic: 'rate_limit_error',
    google: 'RESOURCE_EXHAUSTED',
  },
  500: { message: 'The server failed.', openai: 'server_error', anthropic: 'api_error', google: 'INTERNAL' },
} as const satisfies Record<FailureStatus, Record<string, string>>;

/** A provider's own failure, in its own shape; `retryAfter` is in seconds. */
export function failure(status: FailureStatus, { retryAfter }: { retryAfter?: number } = {}): Answer {
  const { message, openai, anthropic, google } = failures[status];
  const bodies = {
    openai: { error: { message, type: openai, param: null, code: openai } },
    anthropic: { type: 'error', error: { type: anthropic, message } },
    google: { error: { code: status, message, status: google } },
  };
  const headers: HeadersInit = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return ({ provider }) => Response.json(bodies[builtIn(provider)?.errorShape ?? 'openai'], { status, headers });
}
