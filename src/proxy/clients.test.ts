import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import Anthropic, { AuthenticationError } from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { GoogleGenAI } from '@google/genai';
import Groq, { PermissionDeniedError as GroqPermissionDeniedError } from 'groq-sdk';
import OpenAI, { PermissionDeniedError } from 'openai';
import { startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startRecorder } from '../../test/harness/upstream.ts';

/** The official clients, each given nothing but a base URL and the access token: the results must be the provider's. */
let mock: LLMock;
let keypass: ProxyHarness;

beforeAll(async () => {
  mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
  mock.onMessage('hello', { content: 'Grüße 🙂, how are you?' });
  await mock.start();
  keypass = startProxy({ origin: mock.url });
});

afterAll(async () => {
  await keypass.stop();
  await mock.stop();
});

const messages = [{ role: 'user' as const, content: 'hello' }];

async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** What differs from call to call: ids and times. */
function comparable(value: unknown): unknown {
  const text = JSON.stringify(value, (name, member: unknown) =>
    [
      'id',
      'created',
      'responseId',
      'sdkHttpResponse',
      'system_fingerprint',
      '_request_id',
      'created_at',
      'item_id',
    ].includes(name)
      ? null
      : member,
  );
  return JSON.parse(text.replaceAll(/(chatcmpl|msg|resp|req)[-_][\w-]+/g, '$1'));
}

async function lastSettlement() {
  await keypass.proxy.settled();
  return keypass.ledger.settlements.at(-1);
}

describe.each(['direct', 'through KeyPass'] as const)('the base URLs work %s', (way) => {
  const at = (mount: string, direct = '') => (way === 'direct' ? mock.url + direct : keypass.url + mount);
  const apiKey = () => (way === 'direct' ? 'mock' : keypass.token);

  test('openai', async () => {
    const client = new OpenAI({ baseURL: at('/openai/v1', '/v1'), apiKey: apiKey(), maxRetries: 0 });
    const answer = await client.chat.completions.create({ model: 'gpt-4o-mini', messages, max_tokens: 100 });
    expect(answer.choices[0]?.message.content).toBe('Grüße 🙂, how are you?');
    const response = await client.responses.create({ model: 'gpt-4o-mini', input: 'hello', max_output_tokens: 100 });
    expect(response.output_text).toBe('Grüße 🙂, how are you?');
    expect((await client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' })).data).toHaveLength(1);
    expect((await collected(await client.models.list())).length).toBeGreaterThan(0);
  });

  test('@anthropic-ai/sdk', async () => {
    const client = new Anthropic({ baseURL: at('/anthropic'), apiKey: apiKey(), maxRetries: 0 });
    const answer = await client.messages.create({ model: 'claude-opus-4-8', messages, max_tokens: 100 });
    expect(answer.content).toMatchObject([{ type: 'text', text: 'Grüße 🙂, how are you?' }]);
  });

  test('@google/genai', async () => {
    const client = new GoogleGenAI({ apiKey: apiKey(), httpOptions: { baseUrl: at('/google'), apiVersion: 'v1beta' } });
    const config = { maxOutputTokens: 100 };
    const answer = await client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'hello', config });
    expect(answer.text).toBe('Grüße 🙂, how are you?');
  });

  test('groq-sdk', async () => {
    const client = new Groq({ baseURL: at('/groq'), apiKey: apiKey(), maxRetries: 0 });
    const answer = await client.chat.completions.create({
      model: 'llama-3.3-70b-versatile',
      messages,
      max_tokens: 100,
    });
    expect(answer.choices[0]?.message.content).toBe('Grüße 🙂, how are you?');
  });
});

type Run = (baseUrl: string, apiKey: string) => Promise<unknown[]>;

const limit = { max_tokens: 100, stream: true } as const;

const runs: [string, string, string, Run][] = [
  [
    'openai',
    '/openai/v1',
    '/v1',
    async (baseURL, apiKey) => {
      const { chat } = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
      return collected(await chat.completions.create({ model: 'gpt-4o-mini', messages, ...limit }));
    },
  ],
  [
    'openai responses',
    '/openai/v1',
    '/v1',
    async (baseURL, apiKey) => {
      const { responses } = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
      const request = { model: 'gpt-4o-mini', input: 'hello', max_output_tokens: 100, stream: true } as const;
      return collected(await responses.create(request));
    },
  ],
  [
    '@anthropic-ai/sdk',
    '/anthropic',
    '',
    async (baseURL, apiKey) => {
      const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
      return collected(await client.messages.create({ model: 'claude-opus-4-8', messages, ...limit }));
    },
  ],
  [
    '@google/genai',
    '/google',
    '',
    async (baseUrl, apiKey) => {
      const { models } = new GoogleGenAI({ apiKey, httpOptions: { baseUrl, apiVersion: 'v1beta' } });
      const config = { maxOutputTokens: 100 };
      return collected(await models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'hello', config }));
    },
  ],
  [
    'groq-sdk',
    '/groq',
    '',
    async (baseURL, apiKey) => {
      const { chat } = new Groq({ baseURL, apiKey, maxRetries: 0 });
      return collected(await chat.completions.create({ model: 'llama-3.3-70b-versatile', messages, ...limit }));
    },
  ],
];

test.each(runs)('a stream of %s through KeyPass is the stream of the provider', async (_, mount, own, run) => {
  const through = await run(keypass.url + mount, keypass.token);
  expect(through.length).toBeGreaterThan(1);
  expect(comparable(through)).toEqual(comparable(await run(mock.url + own, 'mock')));
  expect(await lastSettlement()).toMatchObject({ quality: 'measured', flags: [] });
});

test('@google/genai calls the stable version of the API, which the mock does not have', async () => {
  const upstream = startRecorder(() => Response.json({}));
  const own = startProxy({ origin: upstream.origin });
  const { models } = new GoogleGenAI({ apiKey: own.token, httpOptions: { baseUrl: `${own.url}/google` } });
  await models.generateContent({ model: 'gemini-2.5-flash', contents: 'hello' });
  await models.countTokens({ model: 'gemini-2.5-flash', contents: 'hello' });
  await models.get({ model: 'gemini-2.5-flash' });
  await models.list({ config: { pageSize: 5 } });
  expect(upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v1/models/gemini-2.5-flash:generateContent',
    'POST /v1/models/gemini-2.5-flash:countTokens',
    'GET /v1/models/gemini-2.5-flash',
    'GET /v1/models?pageSize=5',
  ]);
  await own.stop();
  await upstream.stop();
});

describe("the official clients show KeyPass's own reasons", () => {
  test('openai', async () => {
    const client = new OpenAI({ baseURL: `${keypass.url}/openai/v1`, apiKey: keypass.token });
    const error = await client.chat.completions
      .create({ model: 'gpt-4o-mini', messages, store: true })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, code: 'scope_not_granted', type: 'permission_error' });
  });

  test('@anthropic-ai/sdk', async () => {
    const client = new Anthropic({ baseURL: `${keypass.url}/anthropic`, apiKey: 'kp_at_wrong' });
    const error = await client.messages
      .create({ model: 'claude-opus-4-8', messages, max_tokens: 9 })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(String(error)).toContain('access_token_invalid');
  });

  test('@google/genai', async () => {
    const client = new GoogleGenAI({ apiKey: keypass.token, httpOptions: { baseUrl: `${keypass.url}/google` } });
    const error = await client.models
      .generateContent({ model: 'no-such-model', contents: 'x' })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: 403 });
    expect(String(error)).toContain('price_unknown');
  });

  test('groq-sdk', async () => {
    const client = new Groq({ baseURL: `${keypass.url}/groq`, apiKey: keypass.token });
    const error = await client.files.list().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(GroqPermissionDeniedError);
    expect(String(error)).toContain('scope `stateful`');
  });
});
