import { afterAll, beforeEach } from 'bun:test';

/** One request as it arrived. */
export interface Seen {
  method: string;
  path: string;
  headers: Headers;
  body: string;
  signal: AbortSignal;
}

/** `count` is 1 for the first request of a test. */
export type Answer = (request: Seen, count: number) => Response | Promise<Response>;

/** A real HTTP server on loopback whose answer each test chooses; it forgets everything before each test. */
export function startServer() {
  const state: { seen: Seen[]; answer: Answer } = { seen: [], answer: () => success({}) };
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { method, headers, signal, url } = request;
      const { pathname, search } = new URL(url);
      const seen = { method, headers, signal, path: pathname + search, body: await request.text() };
      state.seen.push(seen);
      return state.answer(seen, state.seen.length);
    },
  });
  beforeEach(() => {
    state.seen = [];
    state.answer = () => success({});
  });
  afterAll(() => server.stop(true));
  return Object.assign(state, { baseUrl: `http://127.0.0.1:${server.port}` });
}

export function success(data: unknown, init: ResponseInit = {}): Response {
  return Response.json({ success: true, data }, init);
}

export function failure(status: number, type: string, code: string, more: object = {}, headers: HeadersInit = {}) {
  const docUrl = `https://docs.test/${code}`;
  const error = { type, code, message: `about ${code}`, docUrl, requestId: 'req_1', ...more };
  return Response.json({ success: false, error }, { status, headers });
}

/** What a promise rejects with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the promise did not reject');
}

export const clientId = 'kp_cid_' + 'a'.repeat(43);
export const clientSecret = 'kp_cs_' + 'b'.repeat(43);
export const accessToken = 'kp_at_' + 'c'.repeat(43);
export const chat = {
  accessToken,
  provider: 'openai',
  model: 'gpt-x',
  messages: [{ role: 'user' as const, content: 'hi' }],
};
export const completion = { id: 'c1', object: 'chat.completion' as const, created: 1, model: 'gpt-x', choices: [] };
