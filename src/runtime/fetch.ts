/**
 * `fetch` for calls to providers. Bun ends a request of its own accord after five minutes; a model may think for longer,
 * and the proxy has limits of its own (https://bun.com/docs/api/fetch, `timeout`).
 */
export function upstreamFetch(url: URL, init: RequestInit): Promise<Response> {
  const options: RequestInit & { timeout: false } = { ...init, timeout: false };
  return fetch(url, options);
}
