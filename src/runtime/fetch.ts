import { deno } from './runtime.ts';

type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/**
 * `fetch` for calls to providers. Bun ends a request of its own accord after five minutes; a model may think for longer,
 * and the proxy has limits of its own (https://bun.com/docs/api/fetch, `timeout`).
 *
 * A connection that has been idle for `keepAliveSeconds` is closed: a request that is written while the provider closes
 * it fails, and nobody can tell whether it was read. Deno would send it again then, and have it billed again: there, no
 * connection is used twice.
 */
export function createUpstreamFetch(keepAliveSeconds: number): Fetch {
  if (deno !== undefined) {
    const client = deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    return (url, init) => {
      const options: RequestInit & { client: object } = { ...init, client };
      return fetch(url, options);
    };
  }
  const session = new Bun.FetchSession({ keepAlive: keepAliveSeconds > 0 && { idleTimeout: keepAliveSeconds } });
  return (url, init) => {
    const options: RequestInit & { timeout: false } = { ...init, timeout: false };
    return session.fetch(url, options);
  };
}
