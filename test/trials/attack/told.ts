import type { Arrival, Case } from './case.ts';
import { get } from './requests.ts';

export const list = get('/v1/proxy/passthrough/openai/v1/models');
export const listed: Arrival = { provider: 'openai', line: 'GET /v1/models' };

export function answer(status: string, headers: readonly string[], body: string): string {
  const length = body.includes('$KEY') ? '$LENGTH' : body.length;
  return [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${length}`, '', body].join('\r\n');
}

export const ok = (headers: readonly string[], body = '{"object":"list","data":[]}') =>
  answer('200 OK', ['Content-Type: application/json', ...headers], body);

/** A call that costs nothing is made once more where its answer breaks. */
export const twice = [listed, listed];

/** A provider that says this; what comes of it, and what the client must not hear. */
export function told(name: string, bytes: string, outcome: string, more: Partial<Case> = {}): Case {
  return { name, send: list, told: bytes, answers: [outcome], arrives: [listed], ...more };
}
