import { Elysia } from 'elysia';
import { setContext } from '../../src/http/context.ts';
import { Log } from '../../src/http/log.ts';
import { PriceBook } from '../../src/money/price-book.ts';
import { proxyRoutes } from '../../src/proxy/routes.ts';
import type { NumberedCalls } from '../../src/proxy/unified/calls.ts';
import { Models } from '../../src/proxy/unified/models.ts';
import { unifiedRoutes } from '../../src/proxy/unified/routes.ts';
import { Unified } from '../../src/proxy/unified/service.ts';
import { startProxy, type ProxyHarness } from './proxy.ts';

export type UnifiedOptions = Parameters<typeof startProxy>[0] & {
  /** How long a provider may take for its list of models. */
  readonly patienceMs?: number;
};

export interface UnifiedHarness {
  readonly url: string;
  /** The proxy that the calls go through. */
  readonly keypass: ProxyHarness;
  /** The `Idempotency-Key`s that were acted on. */
  readonly numbered: { readonly given: readonly string[] };
  stop(): Promise<void>;
}

const clock = { now: () => new Date('2026-11-01T12:00:00Z') };
const limits = {
  maxJsonBytes: 1_000_000,
  maxUploadBytes: 1_000_000,
  maxFileBytes: 1_000_000,
  maxCopyBytes: 1_000_000,
  firstByteMs: 0,
  silenceMs: 0,
  totalMs: 0,
  drainMs: 0,
};

/** Makes every call, and says under which numbers. */
class Numbers implements Pick<NumberedCalls, 'once'> {
  readonly given: string[] = [];

  async once<T>({ key }: { key: string }, make: () => Promise<T>): Promise<T> {
    this.given.push(key);
    return make();
  }
}

/** OpenAI's shape for all providers beside the proxy's own routes on a loopback server, over the proxy of its harness. */
export function startUnified(options: UnifiedOptions): UnifiedHarness {
  const keypass = startProxy(options);
  const numbered = new Numbers();
  const { proxy, providers } = keypass;
  const { patienceMs = 20_000 } = options;
  const parts = { proxy, providers, prices: new PriceBook(), numbered, limits, clock, patienceMs };
  const log = new Log(() => {});
  const routes = new Elysia()
    .use(proxyRoutes(proxy, log))
    .use(unifiedRoutes(new Unified(parts), new Models(parts), log));
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    development: false,
    fetch(request) {
      setContext(request, { id: crypto.randomUUID(), address: () => '127.0.0.1' });
      return routes.fetch(request);
    },
  });
  const stop = async () => {
    await server.stop(true);
    await keypass.stop();
  };
  return { url: `http://127.0.0.1:${server.port}`, keypass, numbered, stop };
}

/** Asks KeyPass's own path. */
export function ask({ url, keypass }: UnifiedHarness, body: object, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('authorization')) headers.set('authorization', `Bearer ${keypass.token}`);
  headers.set('content-type', 'application/json');
  return fetch(`${url}/v1/proxy/chat/completions`, { ...init, method: 'POST', headers, body: JSON.stringify(body) });
}
