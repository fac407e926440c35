import { KeyPassClient } from '../../sdk/node-sdk/src/index.ts';
import { Vault } from '../../sdk/vault/src/index.ts';
import {
  isPlainObject,
  newUuid,
  randomBytes,
  toBase64Url,
  type Policy,
  type PolicyScope,
} from '../../src/crypto/index.ts';
import { startRecorder, type Recorder } from './upstream.ts';

/** An answer of the server, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `X-KeyPass-Error`: the code of a refusal. */
  readonly code: string | null;
  /** `data` of a success; empty where it is none. */
  readonly data: Record<string, unknown>;
  /** `error` of a failure; empty where it is none. */
  readonly error: Record<string, unknown>;
}

export interface Sent {
  /** A bearer token. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

type Place = { readonly url: string };

/** Sends one request as any HTTP client would, good or bad. */
export async function call({ url }: Place, method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const headers = new Headers(sent.headers);
  if (sent.token !== undefined) headers.set('authorization', `Bearer ${sent.token}`);
  if (sent.body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const body = typeof sent.body === 'string' || sent.body === undefined ? sent.body : JSON.stringify(sent.body);
  const response = await fetch(url + path, {
    method,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json = jsonOf(text);
  return {
    status: response.status,
    headers: response.headers,
    text,
    code: response.headers.get('x-keypass-error'),
    data: recordOf(json['data']),
    error: recordOf(json['error']),
  };
}

/** Status and code, for one-line expectations. */
export function outcome({ status, code }: Answer): string {
  return code === null ? String(status) : `${status} ${code}`;
}

export function recordOf(value: unknown): Record<string, unknown> {
  return isPlainObject(value) ? value : {};
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Noise: from a hundred bytes on with the first byte of an envelope, which is all that a server can see of one. */
export function blob(length = 32): string {
  const bytes = randomBytes(length);
  if (length >= 100) bytes[0] = 1;
  return toBase64Url(bytes);
}

/** The body of a registration; no password is behind it, so no Argon2id is paid for. */
export function registration(overrides: Record<string, unknown> = {}) {
  return {
    userId: newUuid(),
    email: `${newUuid()}@example.com`,
    kdfId: 1,
    salt: blob(16),
    authKey: blob(),
    uvkPassword: blob(100),
    recoveryId: newUuid(),
    recoveryAuth: blob(),
    uvkRecovery: blob(100),
    manifest: blob(100),
    ...overrides,
  };
}

/** An account whose blobs are noise: enough for everything that the server decides without opening them. */
export interface Account {
  readonly userId: string;
  readonly email: string;
  readonly authKey: string;
  readonly recoveryAuth: string;
  readonly token: string;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Stores a key of noise and returns its id. */
  addKey(provider?: string): Promise<string>;
}

export async function register(server: Place, overrides: Record<string, unknown> = {}): Promise<Account> {
  const sent = registration(overrides);
  const answer = await call(server, 'POST', '/v1/auth/register', { body: sent });
  if (answer.status !== 200) throw new Error(`registration: ${outcome(answer)}`);
  const token = String(recordOf(answer.data['session'])['token']);
  const { userId, email, authKey, recoveryAuth } = sent;
  const own: Account['call'] = (method, path, body) =>
    call(server, method, path, body === undefined ? { token } : { token, body });
  const addKey = async (provider = 'openai') => {
    const body = newKey({ provider });
    const added = await own('POST', '/v1/keys', body);
    if (added.status !== 200) throw new Error(`key: ${outcome(added)}`);
    return body.id;
  };
  return { userId, email, authKey, recoveryAuth, token, call: own, addKey };
}

/** The body of POST /v1/keys. */
export function newKey(overrides: Record<string, unknown> = {}) {
  const row = { id: newUuid(), provider: 'openai', origin: 'https://api.openai.com', version: 1 };
  return { ...row, item: blob(200), dekVault: blob(100), manifest: blob(100), ...overrides };
}

/** A policy for one OpenAI key. */
export function policyFor(keyId: string, overrides: Partial<Policy> = {}): Policy {
  return {
    v: 1,
    revision: 1,
    kind: 'personal',
    app: null,
    origin: null,
    clientUserIdHash: null,
    providers: [{ id: 'openai', keyId, models: null }],
    scopes: ['chat'],
    budgetCents: 100,
    period: 'month',
    perModelCents: null,
    limits: { rpm: null, tpm: null, parallel: null },
    expiresAt: null,
    sandbox: false,
    ...overrides,
  };
}

/** The body of POST /v1/connections. */
export function newConnection(keyId: string, policy: Partial<Policy> = {}, overrides: Record<string, unknown> = {}) {
  return {
    id: newUuid(),
    kind: 'personal',
    policy: policyFor(keyId, policy),
    ckVault: blob(100),
    ckToken: blob(100),
    tokenLookup: blob(),
    tokenVault: blob(100),
    grants: [{ keyId, version: 1, grant: blob(100) }],
    manifest: blob(100),
    ...overrides,
  };
}

/** An app, and what its own server does. */
export interface TestApp {
  readonly id: string;
  readonly basic: string;
  readonly client: KeyPassClient;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  linkToken(overrides?: Record<string, unknown>): Promise<string>;
}

export async function registerApp(
  server: Place,
  token: string,
  overrides: Record<string, unknown> = {},
): Promise<TestApp> {
  const body = { name: 'Notes', allowedOrigins: ['https://notes.example'], ...overrides };
  const created = await call(server, 'POST', '/v1/apps', { token, body });
  if (created.status !== 200) throw new Error(`app: ${outcome(created)}`);
  const [id, clientId, clientSecret] = [created.data['id'], created.data['clientId'], created.data['clientSecret']].map(
    String,
  );
  const basic = `Basic ${btoa(`${clientId}:${clientSecret}`)}`;
  const client = new KeyPassClient({ baseUrl: server.url, clientId, clientSecret, maxRetries: 0 });
  const post: TestApp['post'] = (path, sent, headers = {}) =>
    call(server, 'POST', path, { headers: { authorization: basic, ...headers }, body: sent });
  const linkToken = async (wanted: Record<string, unknown> = {}) => {
    const answer = await post('/v1/link/sessions', { requestedProviders: ['openai'], ...wanted });
    if (answer.status !== 200) throw new Error(`link session: ${outcome(answer)}`);
    return String(answer.data['linkToken']);
  };
  return { id: id ?? '', basic, client, post, linkToken };
}

/** The body of POST /v1/link/authorize for a new connection: noise, but for the policy. */
export function approval(
  app: TestApp,
  linkToken: string,
  keyId: string,
  policy: Partial<Policy> = {},
  overrides: Record<string, unknown> = {},
) {
  return {
    linkToken,
    connectionId: newUuid(),
    origin: null,
    policy: policyFor(keyId, { kind: 'app', app: app.id, ...policy }),
    ckVault: blob(100),
    ckPublic: blob(100),
    publicLookup: blob(),
    grants: [{ keyId, version: 1, grant: blob(100) }],
    manifest: blob(100),
    ...overrides,
  };
}

/** The password of every vault that `openVault` makes. */
export const password = 'correct horse battery staple';

/** A real vault: everything in it is sealed. Costs an Argon2id. */
export async function openVault({ url }: Place): Promise<{ vault: Vault; token: string; recoveryCode: string }> {
  const { vault, recoveryCode } = await Vault.register({ baseUrl: url, email: `${newUuid()}@example.com`, password });
  return { vault, token: vault.sessionToken ?? '', recoveryCode };
}

/** The whole of KeyPass Link: an app asks, the owner of this vault approves, the app exchanges. */
export async function linkApp(
  vault: Vault,
  app: TestApp,
  wanted: { providers?: string[]; budgetCents?: number; models?: string[]; scopes?: PolicyScope[] } = {},
) {
  const approved = { providers: ['openai'], budgetCents: 100, ...wanted };
  const linkToken = await app.linkToken({ requestedProviders: approved.providers });
  const { publicToken, connectionId } = await vault.link.approve(linkToken, approved);
  const { accessToken } = await app.client.exchangePublicToken(publicToken ?? '');
  return { connectionId, accessToken, publicToken: publicToken ?? '' };
}

export const chatPath = '/v1/proxy/passthrough/openai/v1/chat/completions';

/** One small call of OpenAI's chat API. */
export function chat(server: Place, token: string, overrides: Record<string, unknown> = {}): Promise<Answer> {
  const messages = [{ role: 'user', content: 'Hello' }];
  return call(server, 'POST', chatPath, {
    token,
    body: { model: 'gpt-4o-mini', messages, max_tokens: 16, ...overrides },
  });
}

/** A provider that answers every chat alike. */
export function startChatProvider(): Recorder {
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
  const completion = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-4o-mini', choices, usage };
  return startRecorder(() => Response.json(completion));
}
