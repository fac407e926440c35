import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KeyPassClient, webhooks } from '../sdk/node-sdk/src/index.ts';
import type { Vault } from '../sdk/vault/src/index.ts';
import { openVault } from './harness/people.ts';
import { createPostgresDatabase, hasPostgres, postgresHint } from './harness/postgres.ts';
import { freePort, KeyPassProcess } from './harness/process.ts';
import { type Providers, slowly, startProviders } from './harness/providers.ts';
import { type RecordedRequest, type Recorder, startRecorder } from './harness/upstream.ts';

const root = resolve(import.meta.dir, '..');
const secret = `sk-proj-${'d'.repeat(40)}`;
const question = [{ role: 'user' as const, content: 'Say hello.' }];
const gpt = { provider: 'openai', model: 'gpt-4o', messages: question } as const;
const claude = { provider: 'anthropic', model: 'claude-sonnet-4-5', messages: question } as const;

/** Deno itself, from the package of this platform: the `deno` package only starts it, and would not pass signals on. */
function findDeno(): string {
  const packages = [`${process.platform}-${process.arch}-glibc`, `${process.platform}-${process.arch}`];
  const folders = packages.map((name) => join(root, 'node_modules/@deno', name));
  const file = process.platform === 'win32' ? 'deno.exe' : 'deno';
  const found = folders.map((folder) => join(folder, file)).find(existsSync);
  if (found === undefined) throw new Error('Deno is not installed. Run: bun install --frozen-lockfile');
  return found;
}

/** With the permissions that docs/self-hosting.md names; the data folder is where the process starts. */
const permissions = ['--allow-net', '--allow-env', '--allow-sys=uid', '--allow-read', '--allow-write=.'];
const program = [findDeno(), 'run', '--no-prompt', ...permissions, join(root, 'src/main.ts')];

function define(openDatabase: () => Promise<{ url: string; drop(): Promise<void> } | null>): void {
  let providers: Providers;
  let database: { url: string; drop(): Promise<void> } | null;
  let keypass: KeyPassProcess;
  let vault: Vault;
  let client: KeyPassClient;
  let connectionId: string;
  let accessToken: string;
  let hook: Recorder;
  let webhookSecret: string | null;
  const told = Promise.withResolvers<RecordedRequest>();

  beforeAll(async () => {
    hook = startRecorder((request) => {
      told.resolve(request);
      return new Response();
    });
    [providers, database] = await Promise.all([startProviders(), openDatabase()]);
    const settings = {
      KEYPASS_OPENAI_BASE_URL: providers.origins.openai,
      KEYPASS_ANTHROPIC_BASE_URL: providers.origins.anthropic,
      ...(database === null ? {} : { DATABASE_URL: database.url }),
    };
    keypass = new KeyPassProcess(freePort(), settings, program);
    await keypass.start();
  });

  afterAll(async () => {
    await keypass.remove();
    await providers.stop();
    await hook.stop();
    await database?.drop();
  });

  test('serves its pages', async () => {
    const page = await fetch(`${keypass.url}/vault`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  test('a person stores keys, an app asks, the person approves, the app exchanges', async () => {
    ({ vault } = await openVault(keypass));
    for (const provider of ['openai', 'anthropic']) await vault.keys.add({ provider, secret });
    const webhookUrl = `${hook.origin.replace('127.0.0.1', 'localhost')}/hook`;
    const app = await vault.apps.create({ name: 'Chat', allowedOrigins: ['https://chat.example'], webhookUrl });
    ({ webhookSecret } = app);
    client = new KeyPassClient({ ...app, baseUrl: keypass.url });
    const wanted = { providers: ['openai', 'anthropic'], budgetCents: 500 };
    const { linkToken } = await client.createLinkSession({ requestedProviders: wanted.providers });
    const { publicToken } = await vault.link.approve(linkToken, wanted);
    ({ connectionId, accessToken } = await client.exchangePublicToken(publicToken ?? ''));
  });

  test('the app chats, in JSON and as a stream, and the provider gets the key', async () => {
    for (const request of [gpt, claude]) {
      const completion = await client.chatCompletion({ accessToken, ...request });
      let text = '';
      for await (const chunk of client.chatCompletion({ accessToken, ...request, stream: true })) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      expect(text).toBe(completion.choices[0]?.message.content ?? '');
      expect(text).toBeTruthy();
    }
    const [first] = providers.requests('openai');
    expect(first?.headers.get('authorization')).toBe(`Bearer ${secret}`);
  });

  test('what it cost is booked', async () => {
    const isBooked = async () => (await client.connection({ accessToken })).held === '0';
    while (!(await isBooked())) await Bun.sleep(10);
    const { items } = await vault.calls({ connectionId });
    expect(items.map(({ quality }) => quality)).toEqual(['measured', 'measured', 'measured', 'measured']);
    const [total] = await vault.usage({ by: 'app' });
    expect(total).toMatchObject({ calls: 4, cost: (await client.connection({ accessToken })).spent });
  });

  test('a caller that leaves aborts the call to the provider', async () => {
    const left = Promise.withResolvers<void>();
    providers.answerNext('openai', async (request, forward) => {
      const response = await slowly(20, 16)(request, forward);
      return new Response(reportCancel(response.body, left.resolve), response);
    });
    for await (const _ of client.chatCompletion({ accessToken, ...gpt, stream: true })) break;
    await left.promise;
    let receipts = await vault.calls({ connectionId });
    for (; receipts.items.length < 5; receipts = await vault.calls({ connectionId })) await Bun.sleep(10);
    // By the tokenizer, which has been loaded for it.
    const flags = ['ended_left', 'usage_missing', 'input_counted', 'output_counted'];
    expect(receipts.items[0]).toMatchObject({ quality: 'estimated', flags });
  });

  test('revocation cuts a running stream and refuses the next call', async () => {
    providers.answerNext('openai', slowly(20, 16));
    const cut = async () => {
      for await (const _ of client.chatCompletion({ accessToken, ...gpt, stream: true })) {
        await vault.connections.revoke(connectionId);
      }
    };
    expect(await cut().catch((error: unknown) => error)).toBeInstanceOf(Error);
    const before = providers.requests().length;
    const refusal = await client.chatCompletion({ accessToken, ...gpt }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 401, code: 'access_token_invalid' });
    expect(providers.requests()).toHaveLength(before);
  });

  test('the app is told of it, signed', async () => {
    const { headers, body: payload } = await told.promise;
    const header = headers.get('keypass-signature');
    const event = await webhooks.verify({ payload, header, secret: webhookSecret ?? '' });
    expect(event).toMatchObject({ type: 'connection.revoked', data: { connectionId, by: 'owner' } });
  });

  test('ends by SIGTERM with 0, and starts again on what it had', async () => {
    expect(await keypass.stop()).toBe(0);
    await keypass.start();
    expect(await vault.keys.list()).toHaveLength(2);
  });
}

/** The same bytes; tells when whoever reads them has gone before the end. */
function reportCancel(body: ReadableStream<Uint8Array> | null, onCancel: () => void): ReadableStream<Uint8Array> {
  const reader = body?.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done = true, value } = (await reader?.read()) ?? {};
      if (done || value === undefined) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await reader?.cancel(reason);
      onCancel();
    },
  });
}

describe('on Deno, with the embedded database', () => define(async () => null));

describe.skipIf(!hasPostgres)(`on Deno, with PostgreSQL${hasPostgres ? '' : ` (${postgresHint})`}`, () =>
  define(createPostgresDatabase),
);
