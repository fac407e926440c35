/**
 * The providers as an attacker knows them: written down here and not read from the tables that are under attack.
 */
export interface Target {
  readonly id: string;
  /** The call that is billed, and a body of it that is sent on as it is. */
  readonly chat: string;
  readonly model: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The call that lists models. */
  readonly list: string;
  readonly keyHeader: string;
  /** What every call of it has besides. */
  readonly own?: Readonly<Record<string, string>>;
  /** Headers of the client that go up, each with a value that does. */
  readonly allowed: Readonly<Record<string, string>>;
}

const messages = [{ role: 'user', content: '$MARK' }];

function openAiLike(id: string, base: string, model: string, more: Partial<Target> = {}): Target {
  const body = { model, messages, max_tokens: 16 };
  const list = `${base}/models`;
  return { id, chat: `${base}/chat/completions`, model, body, list, keyHeader: 'authorization', allowed: {}, ...more };
}

export const openai: Target = openAiLike('openai', '/v1', 'gpt-4o-mini', {
  body: { model: 'gpt-4o-mini', messages, max_tokens: 16, store: false, service_tier: 'default' },
  allowed: { 'openai-beta': 'assistants=v2' },
});

export const anthropic: Target = {
  id: 'anthropic',
  chat: '/v1/messages',
  model: 'claude-sonnet-4-5',
  body: { model: 'claude-sonnet-4-5', messages, max_tokens: 16, service_tier: 'standard_only' },
  list: '/v1/models',
  keyHeader: 'x-api-key',
  own: { 'anthropic-version': '2023-06-01' },
  allowed: { 'anthropic-version': '$MARK', 'anthropic-beta': 'files-api-2025-04-14' },
};

export const google: Target = {
  id: 'google',
  chat: '/v1beta/models/gemini-2.5-flash:generateContent',
  model: 'gemini-2.5-flash',
  body: { contents: [{ role: 'user', parts: [{ text: '$MARK' }] }], generationConfig: { maxOutputTokens: 16 } },
  list: '/v1beta/models',
  keyHeader: 'x-goog-api-key',
  allowed: { 'x-goog-api-client': '$MARK', 'x-server-timeout': '$MARK' },
};

export const groq: Target = openAiLike('groq', '/openai/v1', 'llama-3.3-70b-versatile');

const referers = ['http-referer', 'x-title', 'x-openrouter-title', 'x-openrouter-categories', 'x-session-id'];

export const targets: readonly Target[] = [
  openai,
  anthropic,
  google,
  groq,
  openAiLike('mistral', '/v1', 'mistral-large-2512'),
  openAiLike('openrouter', '/api/v1', 'anthropic/claude-sonnet-4.5', {
    body: {
      model: 'anthropic/claude-sonnet-4.5',
      messages,
      max_tokens: 16,
      provider: { max_price: { prompt: 3, completion: 15, request: 0 } },
    },
    allowed: Object.fromEntries(referers.map((name) => [name, '$MARK'])),
  }),
  openAiLike('xai', '/v1', 'grok-4.6', { allowed: { 'x-grok-conv-id': '$MARK' } }),
  openAiLike('deepseek', '', 'deepseek-flash'),
  openAiLike('together', '/v1', 'meta-llama/Llama-3.3-70B-Instruct-Turbo'),
  openAiLike('fireworks', '/inference/v1', 'accounts/fireworks/models/kimi-k2p6', {
    allowed: { 'x-session-affinity': '$MARK', 'x-prompt-cache-isolation-key': '$MARK' },
  }),
  openAiLike('cohere', '/compatibility/v1', 'command-a-03-2025', {
    list: '/v1/models',
    allowed: { 'x-client-name': '$MARK' },
  }),
  openAiLike('perplexity', '', 'sonar', { list: '/router/v1/models' }),
  openAiLike('cerebras', '/v1', 'gpt-oss-120b'),
  openAiLike('huggingface', '/v1', 'openai/gpt-oss-120b:groq'),
];

export const providerIds: readonly string[] = targets.map(({ id }) => id);

export function targetOf(id: string): Target {
  const target = targets.find((each) => each.id === id);
  if (target === undefined) throw new Error(`no provider ${id}`);
  return target;
}

export function modelOf(id: string): string {
  return targetOf(id).model;
}

/** A path of it on the passthrough; its chat where none is given. */
export function on({ id, chat }: Target, path = chat): string {
  return `/v1/proxy/passthrough/${id}${path}`;
}

/** The body of its chat, with more in it. */
export function withMembers({ body }: Target, more: object): string {
  return JSON.stringify({ ...body, ...more });
}
