import { failureOf, readData, unexpected } from './answer.ts';
import { parseBaseUrl, passthroughUrl } from './base-url.ts';
import { CallPromise, StreamPromise, type WithResponse } from './call-promise.ts';
import { ChatStream } from './chat-stream.ts';
import { type ClientOptionsByProvider, clientOptionsFor } from './client-options.ts';
import { basic, bearer, refuseSecretInPage } from './credentials.ts';
import { isRecord, KeyPassError } from './errors.ts';
import { isAnything, isCompletion, isConnection, isExchange, isLinkSession } from './guards.ts';
import {
  type Call,
  type CallOptions,
  type Fetch,
  type RequestBody,
  send,
  type TransportSettings,
} from './transport.ts';
import type * as types from './types.ts';

export interface KeyPassClientOptions {
  /** The origin of the KeyPass server, like `https://keypass.example.com`. */
  baseUrl: string;
  /** From the console. Needed for link sessions and exchange; calls need only an access token. */
  clientId?: string | undefined;
  /** From the console. Never in a page or an app that people install. */
  clientSecret?: string | undefined;
  /** Milliseconds for a whole call, retries included; 10 minutes unless given. */
  timeout?: number | undefined;
  /** Attempts after the first; 2 unless given. */
  maxRetries?: number | undefined;
  fetch?: Fetch | undefined;
}

/** Whose connection a call uses. */
export interface TokenHolder {
  accessToken: string;
}

export interface PassthroughRequest extends TokenHolder, CallOptions {
  provider: string;
  /** The provider's own full path and query, like `/v1/embeddings`. */
  path: string;
  /** GET, or POST if there is a body. */
  method?: string | undefined;
  headers?: Record<string, string> | Headers | undefined;
  /** A plain object is sent as JSON. */
  body?: RequestBody | Readonly<Record<string, unknown>> | undefined;
}

type Read<T> = Call<T>['read'];

const tenMinutes = 600_000;

/** An app's server talking to KeyPass. Every method rejects with a KeyPassError, or with the reason of an aborted signal. */
export class KeyPassClient {
  readonly #origin: string;
  readonly #clientId: string | undefined;
  readonly #clientSecret: string | undefined;
  readonly #settings: TransportSettings;

  constructor(options: KeyPassClientOptions) {
    if (options.clientSecret !== undefined) refuseSecretInPage();
    this.#origin = parseBaseUrl(options.baseUrl);
    this.#clientId = options.clientId;
    this.#clientSecret = options.clientSecret;
    const { timeout = tenMinutes, maxRetries = 2, fetch = globalThis.fetch } = options;
    // Called as a plain function: a browser's fetch refuses any other `this`.
    this.#settings = { timeout, maxRetries, fetch: (url, init) => fetch(url, init) };
  }

  /** Starts a consent: hand `linkToken` to the link SDK in the person's browser. POST /v1/link/sessions */
  createLinkSession(request: types.LinkSessionRequest, options: CallOptions = {}): CallPromise<types.LinkSession> {
    const create = () => this.#asApp('/v1/link/sessions', request, options, readData(isLinkSession));
    const repeatIfLost = (error: unknown) => {
      // The answer of an earlier attempt was lost and its token can't be shown again. A fresh session costs nothing.
      const lost = error instanceof KeyPassError && error.code === 'already_created';
      if (lost && options.idempotencyKey === undefined) return create();
      throw error;
    };
    return new CallPromise(create().catch(repeatIfLost));
  }

  /** Turns the public token of `onSuccess` into an access token, once and within 10 minutes. POST /v1/link/exchange */
  exchangePublicToken(
    publicToken: string,
    request: { clientUserId?: string | undefined } = {},
    options: CallOptions = {},
  ): CallPromise<types.Exchange> {
    return new CallPromise(
      this.#asApp('/v1/link/exchange', { publicToken, ...request }, options, readData(isExchange)),
    );
  }

  /** A completion in OpenAI's shape from any provider of the connection. POST /v1/proxy/chat/completions */
  chatCompletion(
    request: types.StreamingChatRequest,
    options?: CallOptions,
  ): StreamPromise<types.ChatCompletionChunk, ChatStream>;
  chatCompletion(request: types.ChatRequest, options?: CallOptions): CallPromise<types.ChatCompletion>;
  chatCompletion(
    { accessToken, ...body }: types.ChatRequest | types.StreamingChatRequest,
    options: CallOptions = {},
  ): CallPromise<types.ChatCompletion> | StreamPromise<types.ChatCompletionChunk, ChatStream> {
    const path = '/v1/proxy/chat/completions';
    if (body.stream !== true) {
      return new CallPromise(this.#withToken(accessToken, 'POST', path, options, readData(isCompletion), body));
    }
    const read = (response: Response, abort: () => void) => openStream(response, abort, options.signal);
    return new StreamPromise(this.#withToken(accessToken, 'POST', path, options, read, body));
  }

  /**
   * A provider's own API: its status, headers and body come back as they are. Rejects only for failures that KeyPass
   * itself reports. What writes is repeated only when KeyPass says that it forwarded nothing.
   */
  async passthrough(request: PassthroughRequest): Promise<Response> {
    const { accessToken, provider, path, body } = request;
    const url = passthroughUrl(this.#origin, provider, path);
    const method = (request.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase();
    const headers = new Headers(request.headers);
    const asJson = isPlainObject(body);
    if (asJson && !headers.has('content-type')) headers.set('content-type', 'application/json');
    headers.set('authorization', bearer(accessToken));
    const reads = method === 'GET' || method === 'HEAD';
    if (!reads) nameCall(headers, request);
    const { response } = await send<void>(this.#settings, {
      method,
      url,
      headers,
      body: asJson ? JSON.stringify(body) : body,
      replay: reads ? 'keyed' : 'refused',
      options: request,
      read: refuseOwnFailures,
    });
    return response;
  }

  /** Providers, models, budget, spent and held of a connection. GET /v1/connection */
  connection({ accessToken }: TokenHolder, options: CallOptions = {}): CallPromise<types.Connection> {
    return new CallPromise(this.#withToken(accessToken, 'GET', '/v1/connection', options, readData(isConnection)));
  }

  /** Lets go of a connection: its token ends at once. DELETE /v1/connection */
  releaseConnection({ accessToken }: TokenHolder, options: CallOptions = {}): CallPromise<void> {
    return new CallPromise(this.#withToken(accessToken, 'DELETE', '/v1/connection', options, readNothing));
  }

  /** What the provider's official SDK takes in its constructor to work through KeyPass. */
  clientOptions<P extends keyof ClientOptionsByProvider>(accessToken: string, provider: P): ClientOptionsByProvider[P] {
    return clientOptionsFor(this.#origin, accessToken, provider);
  }

  toJSON(): { baseUrl: string; clientId: string | undefined } {
    return { baseUrl: this.#origin, clientId: this.#clientId };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `KeyPassClient ${JSON.stringify(this)}`;
  }

  async #asApp<T>(path: string, body: object, options: CallOptions, read: Read<T>): Promise<WithResponse<T>> {
    return this.#send('POST', path, basic(this.#clientId, this.#clientSecret), options, read, body);
  }

  async #withToken<T>(
    accessToken: string,
    method: string,
    path: string,
    options: CallOptions,
    read: Read<T>,
    body?: object,
  ): Promise<WithResponse<T>> {
    return this.#send(method, path, bearer(accessToken), options, read, body);
  }

  #send<T>(
    method: string,
    path: string,
    authorization: string,
    options: CallOptions,
    read: Read<T>,
    body?: object,
  ): Promise<WithResponse<T>> {
    const headers = new Headers({ authorization });
    const call: Call<T> = { method, url: this.#origin + path, headers, replay: 'keyed', options, read };
    if (body === undefined) return send(this.#settings, call);
    headers.set('content-type', 'application/json');
    nameCall(headers, options);
    return send(this.#settings, { ...call, body: JSON.stringify(body) });
  }
}

/** One name for all attempts of a call, so that the server can tell a repeat from a second call. */
function nameCall(headers: Headers, options: CallOptions): void {
  if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey);
  else if (!headers.has('idempotency-key')) headers.set('idempotency-key', crypto.randomUUID());
}

async function readNothing(response: Response): Promise<void> {
  if (response.status !== 204) await readData(isAnything)(response);
}

async function refuseOwnFailures(response: Response): Promise<void> {
  if (response.headers.has('x-keypass-error')) throw await failureOf(response);
}

async function openStream(response: Response, abort: () => void, signal: AbortSignal | undefined): Promise<ChatStream> {
  if (!response.ok) throw await failureOf(response);
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response.body !== null && isStream) return new ChatStream(response.body, abort, signal);
  throw unexpected(response, 'The answer is not an event stream');
}

function isPlainObject(body: PassthroughRequest['body']): body is Readonly<Record<string, unknown>> {
  return isRecord(body) && Object.getPrototypeOf(body) === Object.prototype;
}
