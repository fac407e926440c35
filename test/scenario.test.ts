import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import Groq from 'groq-sdk';
import OpenAI from 'openai';
import { KeyPassClient } from '../sdk/node-sdk/src/index.ts';
import { Vault } from '../sdk/vault/src/index.ts';
import { parseUsd } from '../src/money/amount.ts';
import { eachDatabase } from './harness/databases.ts';
import { slowly, startProviders, type Providers, type RecordedRequest } from './harness/providers.ts';
import { startTestServer, type TestServer } from './harness/server.ts';

const secrets = {
  openai: `sk-proj-${'o'.repeat(40)}`,
  anthropic: `sk-ant-api03-${'a'.repeat(93)}AA`,
  google: `AIza${'g'.repeat(35)}`,
  groq: `gsk_${'q'.repeat(52)}`,
};
const noKeys = { authorization: null, 'x-api-key': null, 'x-goog-api-key': null };
/** Where each provider takes its key (their API references): there and nowhere else. */
const ownKey = {
  openai: { authorization: `Bearer ${secrets.openai}` },
  anthropic: { 'x-api-key': secrets.anthropic },
  google: { 'x-goog-api-key': secrets.google },
  groq: { authorization: `Bearer ${secrets.groq}` },
};
const providerIds = ['openai', 'anthropic', 'google', 'groq'] as const;
const question = [{ role: 'user' as const, content: 'Say hello.' }];

/** The whole flow, with the SDKs that people are given and the clients that apps already use. */
eachDatabase((_kind, open) => {
  let providers: Providers;
  let server: TestServer;
  let vault: Vault;
  let client: KeyPassClient;
  let accessToken: string;
  let connectionId: string;

  beforeAll(async () => {
    providers = await startProviders();
    const settings = Object.fromEntries(
      providerIds.map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, providers.origins[id]]),
    );
    server = await startTestServer({ database: await open(), settings });
  });

  afterAll(async () => {
    await server.stop();
    await providers.stop();
  });

  test('a person registers and stores a key of each provider', async () => {
    const registered = await Vault.register({
      baseUrl: server.url,
      email: 'ada@example.com',
      password: 'a long password',
    });
    vault = registered.vault;
    expect(registered.recoveryCode.length).toBeGreaterThan(30);
    for (const provider of providerIds) await vault.keys.add({ provider, secret: secrets[provider] });
    expect((await vault.keys.list()).map((key) => key.provider).toSorted()).toEqual([...providerIds].toSorted());
  });

  test('an app asks, the person approves, the app exchanges', async () => {
    const app = await vault.apps.create({ name: 'Chat', allowedOrigins: ['https://chat.example'] });
    client = new KeyPassClient({ clientId: app.clientId, clientSecret: app.clientSecret, baseUrl: server.url });
    const { linkToken } = await client.createLinkSession({
      requestedProviders: [...providerIds],
      budgetSuggestionCents: 1000,
    });
    expect((await vault.link.describe(linkToken)).app?.name).toBe('Chat');
    const { publicToken } = await vault.link.approve(linkToken, { providers: [...providerIds], budgetCents: 1000 });
    if (publicToken === null) throw new Error('a new approval has a public token');
    const exchanged = await client.exchangePublicToken(publicToken);
    ({ accessToken, connectionId } = exchanged);
    expect(exchanged.policy.budgetCents).toBe(1000);
  });

  test('the published quick start answers, and streams', async () => {
    const completion = await client.chatCompletion({
      accessToken,
      provider: 'openai',
      model: 'gpt-4o',
      messages: question,
    });
    expect(completion.choices[0]?.message.content).toBeTruthy();
    for (const [provider, model] of models) {
      let text = '';
      for await (const chunk of client.chatCompletion({
        accessToken,
        provider,
        model,
        messages: question,
        stream: true,
      })) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      expect(text).toBeTruthy();
    }
  });

  test('the official OpenAI client works, JSON and stream', async () => {
    const openai = new OpenAI({ ...client.clientOptions(accessToken, 'openai'), maxRetries: 0 });
    const completion = await openai.chat.completions.create({ model: 'gpt-4o', messages: question });
    expect(completion.choices[0]?.message.content).toBeTruthy();
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages: question, stream: true });
    let [text, usages] = ['', 0];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.usage) usages += 1;
    }
    expect(text).toBe(completion.choices[0]?.message.content ?? '');
    expect(usages).toBe(0);
  });

  test('the official Anthropic client works, JSON and stream', async () => {
    const anthropic = new Anthropic({ ...client.clientOptions(accessToken, 'anthropic'), maxRetries: 0 });
    const body = { model: 'claude-sonnet-4-5', max_tokens: 200, messages: question };
    const message = await anthropic.messages.create(body);
    const [block] = message.content;
    if (block?.type !== 'text') throw new Error('no text');
    expect(await anthropic.messages.stream(body).finalText()).toBe(block.text);
  });

  test('the official Google client works, JSON and stream', async () => {
    const options = client.clientOptions(accessToken, 'google');
    const google = new GoogleGenAI({ ...options, apiVersion: 'v1beta' });
    const body = { model: 'gemini-2.5-flash', contents: 'Say hello.' };
    const answer = await google.models.generateContent(body);
    let text = '';
    for await (const chunk of await google.models.generateContentStream(body)) text += chunk.text ?? '';
    expect(text).toBe(answer.text ?? '');
    expect(text).toBeTruthy();
  });

  test('the official Groq client works, JSON and stream', async () => {
    const groq = new Groq({ ...client.clientOptions(accessToken, 'groq'), maxRetries: 0 });
    const body = { model: 'llama-3.3-70b-versatile', messages: question };
    const completion = await groq.chat.completions.create(body);
    let text = '';
    for await (const chunk of await groq.chat.completions.create({ ...body, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(completion.choices[0]?.message.content ?? '');
    expect(text).toBeTruthy();
  });

  test("each provider got its key in its own header, and nothing of KeyPass's", () => {
    for (const provider of providerIds) {
      const requests = providers.requests(provider);
      expect(requests.length).toBeGreaterThan(1);
      for (const request of requests) expect(keysOf(request)).toEqual({ ...noKeys, ...ownKey[provider] });
    }
    for (const request of providers.requests()) expect(everythingIn(request)).not.toMatch(/kp_[a-z]{2,3}_/);
  });

  test('the person sees what it cost, to the last pico-dollar', async () => {
    await server.settled();
    const { items } = await vault.calls({});
    const calls = items.filter((call) => call.cost !== '0');
    expect(calls).toHaveLength(providers.requests().length);
    expect(calls.every((call) => call.quality === 'measured')).toBe(true);
    const total = calls.reduce((sum, call) => sum + parseUsd(call.cost), 0n);
    const connection = await vault.connections.get(connectionId);
    expect([parseUsd(connection.spent), parseUsd(connection.held)]).toEqual([total, 0n]);
    expect((await client.connection({ accessToken })).spent).toBe(connection.spent);
  });

  test('revocation cuts a running stream and refuses the next call', async () => {
    const openai = new OpenAI({ ...client.clientOptions(accessToken, 'openai'), maxRetries: 0 });
    providers.answerNext('openai', slowly(20, 16));
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages: question, stream: true });
    const failure = await readUntilFailure(stream, () => vault.connections.revoke(connectionId));
    expect(failure).toBeInstanceOf(Error);

    const before = providers.requests().length;
    const refused = await openai.chat.completions
      .create({ model: 'gpt-4o', messages: question })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 401, code: 'access_token_invalid' });
    expect(providers.requests()).toHaveLength(before);
  });
});

const models = [
  ['openai', 'gpt-4o'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['google', 'gemini-2.5-flash'],
  ['groq', 'llama-3.3-70b-versatile'],
] as const;

/** Every header in which some provider takes a key, as it came. */
function keysOf({ headers }: RecordedRequest) {
  return Object.fromEntries(['authorization', 'x-api-key', 'x-goog-api-key'].map((name) => [name, headers.get(name)]));
}

function everythingIn({ path, query, headers, body }: RecordedRequest): string {
  return [path, query, JSON.stringify([...headers]), new TextDecoder().decode(body)].join('\n');
}

async function readUntilFailure(stream: AsyncIterable<unknown>, afterFirst: () => Promise<void>): Promise<unknown> {
  try {
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    await afterFirst();
    while ((await chunks.next()).done !== true);
    return undefined;
  } catch (error) {
    return error;
  }
}
