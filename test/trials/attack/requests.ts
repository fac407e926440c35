import type { Arrival, Case } from './case.ts';

/** Lines of a head; the last two are the empty ones. */
export function request(line: string, headers: readonly string[], body = ''): string {
  return [line, ...headers, '', body].join('\r\n');
}

export const host = 'Host: $HOST';
export const bearer = 'Authorization: Bearer $TOKEN';
const json = 'Content-Type: application/json';

/** A request with the token, as a client would write it. */
export function get(path: string, ...headers: readonly string[]): string {
  return request(`GET ${path} HTTP/1.1`, [host, bearer, ...headers]);
}

export function post(path: string, body: string, ...headers: readonly string[]): string {
  return postAs(bearer, path, body, ...headers);
}

/** The same with another credential. */
export function postAs(credential: string, path: string, body: string, ...headers: readonly string[]): string {
  return request(`POST ${path} HTTP/1.1`, [host, credential, json, ...headers, 'Content-Length: $LENGTH'], body);
}

export function refused(name: string, send: string, ...answers: readonly string[]): Case {
  return { name, send, answers, arrives: [] };
}

export function passes(name: string, send: string, arrival: Arrival): Case {
  return { name, send, answers: ['200'], arrives: [arrival] };
}
