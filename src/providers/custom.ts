import { isObject, type JsonObject } from '../money/json.ts';
import { modelLimits, type ModelLimits } from '../money/limits.ts';
import type { BodyRules, CustomFacts, Endpoint, Provider } from './types.ts';

/** Told of a place, such as `providers.ollama.context`, and what was expected there. Neither repeats a value. */
type Fault = (place: string, expected: string) => void;

const members = ['name', 'base_url', 'needs_key', 'free', 'context', 'output', 'models'];
const mostTokens = 100_000_000;

/**
 * The OpenAI-compatible servers that an operator defines (Ollama, vLLM, LiteLLM): the settings of each by its id, as
 * docs/configuration.md has them. `taken` are the ids and names that others have. Every fault is told; what is returned
 * then is of no use.
 */
export function customProviders(settings: unknown, taken: readonly Provider[], fault: Fault): Provider[] {
  if (!isObject(settings)) {
    fault('providers', 'a table for each provider, such as [providers.ollama]');
    return [];
  }
  const ids = new Set([...taken.map(({ id }) => id), ...pathsOfKeyPass]);
  const names = new Set(taken.map(({ name }) => name.toLowerCase()));
  return Object.entries(settings).map(([id, table]) => {
    const place = `providers.${shown(id)}`;
    const isId = /^[a-z][a-z0-9-]{1,31}$/.test(id);
    if (!isId) fault(place, 'an id of 2 to 32 lower-case letters, digits and hyphens, with a letter first');
    if (ids.has(id)) fault(place, 'an id that is not taken: a provider or a path of KeyPass has it');
    const provider = readProvider(id, isObject(table) ? table : {}, (member, expected) =>
      fault(`${place}${member}`, expected),
    );
    const name = provider.name.toLowerCase();
    // Whoever approves an app sees the name: it must not pass for another.
    if (names.has(name) && !ids.has(id)) fault(`${place}.name`, 'a name that no other provider has');
    names.add(name);
    return provider;
  });
}

/** What a model can take and give: as the operator says of a server of their own, else as the table of models has it. */
export function limitsOf({ id, custom }: Provider, model: string): ModelLimits | undefined {
  return custom === undefined ? modelLimits(id, model) : (custom.models.get(model) ?? custom.limits);
}

/** First segments of paths that are no provider's. */
const pathsOfKeyPass = ['v1'];

function readProvider(id: string, table: JsonObject, fault: Fault): Provider {
  for (const key of Object.keys(table))
    if (!members.includes(key)) fault(`.${shown(key)}`, `one of ${members.join(', ')}`);
  const { name, needs_key: needsKey = true, free = false, models = {} } = table;
  const limits = readLimits('', table, fault);
  if (limits.context === undefined && table['context'] === undefined)
    fault('.context', 'the most tokens that a call may take and give, such as 32768: without it no cost is bounded');
  return providerOf({
    id,
    name: name === undefined ? id : readName(name, fault),
    ...readBaseUrl(table['base_url'], fault),
    needsKey: readBoolean('.needs_key', needsKey, fault),
    custom: { isFree: readBoolean('.free', free, fault), limits, models: readModels(models, limits, fault) },
  });
}

function readName(value: unknown, fault: Fault): string {
  if (typeof value === 'string' && /^[\p{L}\p{N}](?:[\p{L}\p{N} ._()+-]{0,38}[\p{L}\p{N}.)+])?$/u.test(value))
    return value;
  fault('.name', 'a name of 1 to 40 letters, digits, spaces and . _ ( ) + -');
  return '';
}

function readBoolean(place: string, value: unknown, fault: Fault): boolean {
  if (typeof value !== 'boolean') fault(place, 'true or false');
  return value === true;
}

/**
 * The base URL as OpenAI's own clients take it. What is written is what is called: a spelling that a parser would change
 * (`http://2130706433`, an escape, a default port) is refused, so that it can be read in the file where calls go.
 */
function readBaseUrl(value: unknown, fault: Fault): { origin: string; prefix: string } {
  const [, origin = '', path = ''] = /^(https?:\/\/[^/?#]+)(.*)$/s.exec(typeof value === 'string' ? value : '') ?? [];
  const isPlain = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/?$/.test(path) && path.length <= 200;
  if (isPlain && origin.length <= 300 && URL.canParse(origin) && new URL(origin).origin === origin)
    return { origin, prefix: path.replace(/\/$/, '') || '/v1' };
  fault(
    '.base_url',
    "a base URL as OpenAI's clients take it, such as http://127.0.0.1:11434/v1: scheme, host, port and path in plain form, with no user, query or fragment",
  );
  return { origin: 'http://localhost', prefix: '/v1' };
}

function readModels(value: unknown, limits: ModelLimits, fault: Fault): ReadonlyMap<string, ModelLimits> {
  if (!isObject(value)) fault('.models', 'limits by model, such as { "llama3.2" = { context = 8192 } }');
  const named = Object.entries(isObject(value) ? value : {}).map(([model, own]) => {
    const place = `.models.${shown(model)}`;
    if (!isObject(own)) fault(place, 'limits such as { context = 8192, output = 2048 }');
    const table = isObject(own) ? own : {};
    for (const key of Object.keys(table))
      if (!['context', 'output'].includes(key)) fault(`${place}.${shown(key)}`, 'one of context, output');
    return [model, { ...limits, ...readLimits(place, table, fault) }] as const;
  });
  return new Map(named);
}

function readLimits(place: string, { context, output }: JsonObject, fault: Fault): ModelLimits {
  const isTokens = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= mostTokens;
  const expected = `a whole number of tokens from 1 to ${mostTokens}`;
  if (context !== undefined && !isTokens(context)) fault(`${place}.context`, expected);
  if (output !== undefined && !isTokens(output)) fault(`${place}.output`, expected);
  return { ...(isTokens(context) ? { context } : {}), ...(isTokens(output) ? { output } : {}) };
}

interface Definition {
  readonly id: string;
  readonly name: string;
  readonly origin: string;
  /** What stands before `/chat/completions`. */
  readonly prefix: string;
  readonly needsKey: boolean;
  readonly custom: CustomFacts;
}

/** The server would fetch it from within the operator's network, where an app has no business. */
const why = 'This server is asked for nothing by URL. Send the media itself, as a data: URL.';
const media = ['image_url', 'video_url', 'audio_url'].flatMap((member) => [member, `${member}.url`]);
/** Bare base64, which has no scheme. */
const recordings = ['input_audio', 'input_audio.data'];

const chatBody: BodyRules = {
  models: ['model'],
  // What a gateway such as LiteLLM may hand on to OpenAI.
  stateful: [{ at: 'store', isNot: false }, { at: 'messages.*.content.*.file.file_id' }, { at: 'messages.*.audio.id' }],
  refused: [
    ...media.map((place) => ({ at: `messages.*.content.*.${place}`, matches: '^(?!data:)', why })),
    ...recordings.map((place) => ({
      at: `messages.*.content.*.${place}`,
      matches: '^\\s*(?!data:)[a-z][\\w+.-]*:',
      why,
    })),
  ],
};
const plainBody: BodyRules = { models: ['model'], stateful: [] };

/** The table of a server that speaks OpenAI's API as far as they all do. */
function providerOf({ id, name, origin, prefix, needsKey, custom }: Definition): Provider {
  const [chat, embeddings, models] = [`${prefix}/chat/completions`, `${prefix}/embeddings`, `${prefix}/models`];
  const endpoints: Endpoint[] = [
    {
      method: 'POST',
      path: chat,
      scope: 'chat',
      metering: { format: 'compatible-chat', streams: 'body', includeUsage: true },
      body: chatBody,
    },
    {
      method: 'POST',
      path: `${prefix}/completions`,
      scope: 'chat',
      metering: { format: 'compatible-completions', streams: 'body', includeUsage: true },
      body: plainBody,
    },
    {
      method: 'POST',
      path: embeddings,
      scope: 'embeddings',
      metering: { format: 'openai-embeddings', streams: 'never' },
      body: plainBody,
    },
    { method: 'GET', path: models, scope: null, metering: 'free' },
    { method: 'GET', path: `${models}/{model}`, scope: null, metering: 'free' },
  ];
  return {
    id,
    name,
    origin,
    keyHeader: needsKey ? 'authorization' : null,
    errorShape: 'openai',
    defaultHeaders: {},
    requestHeaders: [],
    responseHeaders: [],
    listedValues: {},
    ownerHeaders: [],
    keyPatterns: [],
    adminKeyPatterns: [],
    keyPage: null,
    check: { method: 'GET', path: models },
    modelList: { path: models },
    chat: { shape: 'openai', path: chat, names: { max_completion_tokens: 'max_tokens' }, developer: 'system' },
    embeddings: { shape: 'openai', path: embeddings },
    endpoints,
    custom,
  };
}

/** A key as far as it may be repeated: whatever was given for the configuration, it may be another. */
function shown(key: string): string {
  return /^[\w.:/-]{1,40}$/.test(key) ? key : '(a name)';
}
