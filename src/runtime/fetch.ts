import { deno } from './runtime.ts';

type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/**
 * `fetch` for calls to providers. Bun ends a request of its own accord after five minutes; a model may think for longer,
 * and the proxy has limits of its own (https://bun.com/docs/api/fetch, `timeout`).
 *
 * A connection that has been idle for `keepAliveSeconds` is closed: a request that is written while the provider closes
 * it fails, and nobody can tell whether it was read. Under Deno connections are kept as Deno does it.
 */
export function createUpstreamFetch(keepAliveSeconds: number): Fetch {
  const keepAlive = keepAliveSeconds > 0 && { idleTimeout: keepAliveSeconds };
  const send: Fetch = deno === undefined ? new Bun.FetchSession({ keepAlive }).fetch : fetch;
  return (url, init) => {
    const options: RequestInit & { timeout: false } = { ...init, timeout: false };
    return send(url, options);
  };
}
