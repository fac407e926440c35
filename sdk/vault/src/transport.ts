import { fieldsOf, type Fields, listOf, textOrNull } from './answer.ts';
import { RecoveryFailedError, TotpRequiredError, VaultError, WrongPasswordError } from './errors.ts';

/** How requests reach the server. */
export interface TransportOptions {
  /** The server's origin, for example `https://keys.example`. Plain http only on loopback, unless `allowInsecure`. */
  baseUrl: string;
  /** `cookie` is for the server's own pages: no token is ever visible to scripts. Default `bearer`. */
  transport?: TransportMode;
  /** Default: the global `fetch`. */
  fetch?: Fetch;
  /** Milliseconds for one request with its answer; default 30 000. */
  timeout?: number;
  /** Allows plain http to another machine. The session token then travels readably. */
  allowInsecure?: boolean;
}

export type TransportMode = 'bearer' | 'cookie';
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export interface RequestOptions {
  body?: Fields;
  query?: Readonly<Record<string, string | number | undefined>>;
  /** A credential of this one request (a link token) in place of the session. */
  bearer?: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Sends JSON, opens the envelope, turns failures into errors. Holds the session's token and shows it to nobody. */
export class Transport {
  readonly mode: TransportMode;
  readonly #base: string;
  readonly #fetch: Fetch;
  readonly #timeout: number;
  #token: string | null = null;

  constructor(options: TransportOptions) {
    this.mode = options.transport ?? 'bearer';
    this.#base = baseOf(options.baseUrl, options.allowInsecure ?? false);
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#timeout = options.timeout ?? 30_000;
  }

  /** Takes the session of a register or login answer; null ends it here. */
  useSession(token: string | null): void {
    this.#token = token;
  }

  /** The session's token, for a caller that keeps it itself (a command line); null with cookies. */
  get sessionToken(): string | null {
    return this.#token;
  }

  /** The `data` of a successful answer. Throws a {@link VaultError} with the server's code otherwise. */
  async request(method: Method, path: string, options: RequestOptions = {}): Promise<unknown> {
    const { response, body } = await this.#send(method, path, options);
    const requestId = response.headers.get('x-request-id') ?? undefined;
    const envelope = envelopeOf(body);
    if (envelope === null) {
      const message = `${this.#base} did not answer as a KeyPass server does.`;
      throw new VaultError('invalid_answer', message, { status: response.status, requestId });
    }
    if (response.ok && envelope['success'] === true) return envelope['data'];
    throw failureOf(response, envelope, requestId);
  }

  /** As {@link request}, for answers whose data is an object. */
  async fields(method: Method, path: string, options: RequestOptions = {}): Promise<Fields> {
    return fieldsOf(await this.request(method, path, options));
  }

  /** Every entry of a cursor-paginated list. */
  async all(path: string): Promise<Fields[]> {
    const items: Fields[] = [];
    let cursor: string | null = null;
    do {
      // Each page's cursor comes out of the page before it.
      const page: Page = await this.page(path, cursor === null ? {} : { cursor });
      items.push(...page.items);
      if (page.nextCursor === cursor && cursor !== null) {
        throw new VaultError('invalid_answer', 'The server repeats a page of a list.');
      }
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }

  /** One page of a cursor-paginated list. */
  async page(path: string, query: NonNullable<RequestOptions['query']>): Promise<Page> {
    const data = await this.fields('GET', path, { query });
    return { items: listOf(data['items'], 'items'), nextCursor: textOrNull(data, 'nextCursor') };
  }

  /** A successful answer that is a file, its body unread. The time limit is for its beginning: it may be long. */
  async file(path: string, query: NonNullable<RequestOptions['query']>): Promise<Response> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), this.#timeout);
    try {
      const response = await this.#reach(() => this.#fetchAnswer('GET', path, { query }, patience.signal));
      if (response.ok) return response;
      const body = await this.#reach(() => response.text());
      throw failureOf(response, envelopeOf(body) ?? {}, response.headers.get('x-request-id') ?? undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A GET of another server, which learns nothing of this one: no cookie, no referrer, no session. Throws what `fetch` does. */
  async outside(url: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; body: string }> {
    const response = await this.#fetch(url, {
      method: 'GET',
      headers: { accept: 'application/json', ...headers },
      credentials: 'omit',
      // A redirect would carry a key to wherever it points.
      redirect: 'error',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(this.#timeout),
    });
    return { status: response.status, body: await response.text() };
  }

  /** The address of a GET. */
  url(path: string, query: NonNullable<RequestOptions['query']>): string {
    return this.#base + path + queryOf(query);
  }

  #send(method: Method, path: string, options: RequestOptions): Promise<{ response: Response; body: string }> {
    return this.#reach(async () => {
      const response = await this.#fetchAnswer(method, path, options, AbortSignal.timeout(this.#timeout));
      return { response, body: await response.text() };
    });
  }

  #fetchAnswer(method: Method, path: string, options: RequestOptions, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    const credential = options.bearer ?? (this.mode === 'bearer' ? this.#token : null);
    if (credential !== null) headers['authorization'] = `Bearer ${credential}`;
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    return this.#fetch(this.url(path, options.query ?? {}), {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      credentials: this.mode === 'cookie' && options.bearer === undefined ? 'same-origin' : 'omit',
      // A redirect would carry the session to wherever it points.
      redirect: 'error',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal,
    });
  }

  async #reach<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (cause) {
      throw new VaultError('unreachable', `${this.#base} cannot be reached.`, { cause });
    }
  }
}

export interface Page {
  items: Fields[];
  nextCursor: string | null;
}

function baseOf(baseUrl: string, allowInsecure: boolean): string {
  const url = URL.parse(baseUrl);
  const plain = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url === null || !plain || !['http:', 'https:'].includes(url.protocol)) {
    throw new VaultError('invalid_request', 'baseUrl must be an origin such as https://keys.example.');
  }
  const loopback = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !loopback && !allowInsecure) {
    throw new VaultError('insecure_transport', `${url.origin} is plain http: use https, or set allowInsecure.`);
  }
  return url.origin;
}

function envelopeOf(body: string): Fields | null {
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return null;
  }
}

function queryOf(query: NonNullable<RequestOptions['query']>): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`;
}

const errorClasses: Readonly<Record<string, typeof VaultError>> = {
  login_failed: WrongPasswordError,
  totp_required: TotpRequiredError,
  totp_invalid: TotpRequiredError,
  recovery_failed: RecoveryFailedError,
};

function failureOf(response: Response, envelope: Fields, requestId: string | undefined): VaultError {
  const error = fieldsOf(envelope['error'] ?? {}, 'error');
  const code = textOrNull(error, 'code') ?? 'invalid_answer';
  const message = textOrNull(error, 'message') ?? `The server answered with status ${response.status}.`;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const facts = {
    status: response.status,
    requestId: textOrNull(error, 'requestId') ?? requestId,
    param: textOrNull(error, 'param') ?? undefined,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
    details: error['details'] === undefined || error['details'] === null ? undefined : fieldsOf(error['details']),
  };
  return new (errorClasses[code] ?? VaultError)(code, message, facts);
}
