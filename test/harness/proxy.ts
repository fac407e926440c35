import { afterEach } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { createToken, type Policy } from '../../src/crypto/index.ts';
import { KeyPassError } from '../../src/errors.ts';
import { setContext } from '../../src/http/context.ts';
import { Log } from '../../src/http/log.ts';
import type { Pico } from '../../src/money/amount.ts';
import { PriceBook } from '../../src/money/price-book.ts';
import { type Catalogue, catalogueOf, providerIds } from '../../src/providers/index.ts';
import type {
  Access,
  Grantee,
  Hold,
  HoldRequest,
  Ledger,
  Limits,
  PlainKey,
  Settlement,
} from '../../src/proxy/ports.ts';
import { proxyRoutes } from '../../src/proxy/routes.ts';
import { Proxy, type ProxyServices } from '../../src/proxy/service.ts';
import { startRawUpstream, type RawExchange } from './upstream.ts';

/** The provider key that every test connection opens: built here so that no scanner takes it for a real one. */
export const providerKey = 'sk-' + 'canary'.repeat(6);
const keyId = '00000000-0000-4000-8000-000000000001';

const oneDollar = 1_000_000_000_000n;

export interface ProxyHarness {
  readonly url: string;
  readonly token: string;
  readonly proxy: Proxy;
  /** What it can call, all of it at one origin. */
  readonly providers: Catalogue;
  readonly access: MemoryAccess;
  readonly ledger: MemoryLedger;
  readonly grantee: Grantee;
  readonly faults: unknown[];
  /** Every line that was logged. */
  readonly log: string[];
  stop(): Promise<void>;
}

interface Options {
  readonly policy?: Partial<Policy>;
  readonly limits?: Partial<Limits>;
  readonly budget?: Pico;
  readonly origin: string;
  readonly fetch?: ProxyServices['fetch'];
  readonly onKeyRefused?: ProxyServices['onKeyRefused'];
  readonly onKeyTaken?: ProxyServices['onKeyTaken'];
}

/** The proxy's routes on a loopback server, over an access service and a ledger in memory; all providers at one origin. */
export function startProxy(options: Options): ProxyHarness {
  const token = createToken('access');
  const grantee = granteeOf(options.policy);
  const access = new MemoryAccess(token, grantee);
  const ledger = new MemoryLedger(options.budget ?? 100n * oneDollar);
  const faults: unknown[] = [];
  const lines: string[] = [];
  const { origin } = options;
  const providers = catalogueOf(Object.fromEntries(providerIds.map((id) => [id, origin])));
  const proxy = new Proxy({
    access,
    ledger,
    prices: new PriceBook(),
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    limits: { ...testLimits, ...options.limits },
    providers,
    get origin() {
      return url;
    },
    clock: { now: () => new Date('2026-11-01T12:00:00Z') },
    onFault: (_event, error) => faults.push(error),
    onKeyRefused: async (key) => options.onKeyRefused?.(key),
    onKeyTaken: (key) => options.onKeyTaken?.(key),
  });
  const routes = proxyRoutes(proxy, new Log((line) => lines.push(line)));
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    development: false,
    // As in src/runtime/serve.ts: the limits are the routes' own.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch(request) {
      setContext(request, { id: crypto.randomUUID(), address: () => '127.0.0.1' });
      return routes.fetch(request);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, token, proxy, providers, access, ledger, grantee, faults, log: lines, stop: () => server.stop(true) };
}

/** Starts KeyPass before a raw upstream, as often as a test wants; after each test, what it has started is stopped. */
export function upstreamStarter(usual: Partial<Limits> = {}) {
  const running: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const part of running.splice(0)) await part.stop();
  });
  return async (respond: (exchange: RawExchange) => unknown, limits: Partial<Limits> = {}) => {
    const upstream = await startRawUpstream(respond);
    const keypass = startProxy({ origin: upstream.origin, limits: { ...usual, ...limits } });
    running.push(keypass, upstream);
    return { upstream, keypass };
  };
}

export const testLimits: Limits = {
  maxJsonBytes: 1_000_000,
  maxUploadBytes: 100_000_000,
  maxFileBytes: 100_000_000,
  maxCopyBytes: 1_000_000,
  firstByteMs: 20_000,
  silenceMs: 20_000,
  totalMs: 20_000,
  drainMs: 1_000,
};

export function granteeOf(policy: Partial<Policy> = {}): Grantee {
  const ids = ['anthropic', 'google', 'groq', 'openai'];
  return {
    connectionId: crypto.randomUUID(),
    userId: crypto.randomUUID(),
    appId: null,
    seal: 'as it was opened',
    revision: 1,
    generation: 1,
    policy: {
      v: 1,
      revision: 1,
      kind: 'personal',
      app: null,
      origin: null,
      clientUserIdHash: null,
      providers: ids.map((id) => ({ id, keyId, models: null })),
      scopes: ['chat', 'embeddings'],
      budgetCents: 10_000,
      period: 'month',
      perModelCents: null,
      limits: { rpm: null, tpm: null, parallel: null },
      expiresAt: null,
      sandbox: false,
      ...policy,
    },
  };
}

/** One connection with one token. */
export class MemoryAccess implements Access {
  /** Runs just before a key is opened. */
  beforeOpening: () => void | Promise<void> = () => {};
  headers: Record<string, string> = {};
  readonly #token: string;
  readonly #grantee: Grantee;
  readonly #cuts = new Set<(reason: KeyPassError) => void>();

  constructor(token: string, grantee: Grantee) {
    this.#token = token;
    this.#grantee = grantee;
  }

  async authenticate(accessToken: string): Promise<Grantee> {
    if (accessToken === this.#token) return this.#grantee;
    throw new KeyPassError('access_token_invalid', 'This access token is not known.');
  }

  keySeal(): null {
    return null;
  }

  async useKey<T>(_grantee: Grantee, provider: string, work: (key: PlainKey) => T): Promise<T> {
    await this.beforeOpening();
    const secret = new TextEncoder().encode(`${providerKey}-${provider}`);
    const result = work({ keyId, version: 1, secret, headers: this.headers });
    // As the real one does, so that whatever was kept of it is of no use.
    secret.fill(0);
    return result;
  }

  onCut(_call: unknown, cut: (reason: KeyPassError) => void): () => void {
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  /** Cuts whatever is running, as a revocation does. */
  cut(reason: KeyPassError): void {
    for (const cut of this.#cuts) cut(reason);
  }

  get listeners(): number {
    return this.#cuts.size;
  }
}

/** A budget in memory that refuses as the real one does, and fails on a hold that is resolved twice. */
export class MemoryLedger implements Ledger {
  readonly requests: HoldRequest[] = [];
  readonly holds: Hold[] = [];
  readonly settlements: (Settlement & { callId: string })[] = [];
  released = 0;
  spent = 0n;
  budget: Pico;
  readonly #open = new Map<string, Pico>();

  constructor(budget: Pico) {
    this.budget = budget;
  }

  get held(): Pico {
    return [...this.#open.values()].reduce((sum, amount) => sum + amount, 0n);
  }

  async hold(request: HoldRequest): Promise<Hold> {
    this.requests.push(request);
    const left = this.budget - this.spent;
    if (request.minimum > left) throw new KeyPassError('budget_exceeded', 'The budget is used up.');
    if (request.minimum > left - this.held) {
      throw new KeyPassError('budget_held', 'Running calls hold the rest of the budget.', { retryAfter: 1 });
    }
    const amount = request.amount < left - this.held ? request.amount : left - this.held;
    this.#open.set(request.callId, amount);
    const hold = { callId: request.callId, amount };
    this.holds.push(hold);
    return hold;
  }

  async settle(hold: Hold, settlement: Settlement): Promise<void> {
    this.#resolve(hold);
    this.spent += settlement.cost;
    this.settlements.push({ ...settlement, callId: hold.callId });
  }

  async booked(): Promise<void> {}

  async release(hold: Hold): Promise<void> {
    this.#resolve(hold);
    this.released += 1;
  }

  #resolve(hold: Hold): void {
    if (!this.#open.delete(hold.callId)) throw new Error('a hold was resolved twice');
  }
}

/** A JSON request with the connection's token. */
export function post(keypass: ProxyHarness, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(keypass.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${keypass.token}`, 'content-type': 'application/json', ...headers },
  });
}

/** A client on a bare socket, which reads only when it is told to and sees how its connection ended. */
export function rawClient(keypass: ProxyHarness, path: string, body: unknown) {
  const text = JSON.stringify(body);
  const received = { text: '', wasReset: false };
  const socket: Socket = connect(Number(new URL(keypass.url).port), '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (data) => (received.text += data.toString('utf8')));
  socket.on('error', () => (received.wasReset = true));
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${keypass.token}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  return { socket, received, closed };
}

/** Waits until something has become true; a test that never sees it fails by the runner's own time limit. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1));
}
