import type { Case, Family } from './case.ts';
import { bearer, host, refused, request } from './requests.ts';

/** Paths that some other method is listed for. */
const places = [
  '/v1/proxy/passthrough/openai/v1/models',
  '/v1/proxy/passthrough/cohere/v1/models',
  '/anthropic/v1/models',
  '/google/v1beta/models',
  '/groq/openai/v1/models',
];

/** What Bun takes for a method and no table lists. */
const unlisted = [
  'PUT',
  'PATCH',
  'DELETE',
  'POST',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'SEARCH',
  'QUERY',
  'PURGE',
  'LINK',
  'UNLINK',
  'M-SEARCH',
  'NOTIFY',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'REPORT',
  'MKACTIVITY',
  'CHECKOUT',
  'MERGE',
  'SOURCE',
  'BIND',
  'REBIND',
  'ACL',
];

/** Bun hangs up on what it does not know. */
const unknown = [
  'get',
  'Get',
  'gET',
  'GETT',
  'GE',
  'G',
  'PRI',
  'TRACK',
  'DEBUG',
  'INVOKE',
  'BREW',
  'X',
  '-',
  'A'.repeat(300),
];

const malformed: readonly (readonly [method: string, answer: string])[] = [
  ['_', '400'],
  ['1', '400'],
  ['G ET', '400'],
  ['GET,POST', '400'],
  ['"GET"', '400'],
  ['G:T', '400'],
  ['G/T', '400'],
  ['\xe4', '400'],
  ['\xc5\x81GET', '400'],
  ['', '400'],
  ['GET\x00', '505'],
  ['GET\t', '505'],
  ['A'.repeat(20_000), '431'],
];

function at(method: string, place: string, ...headers: readonly string[]): string {
  return request(`${method} ${place} HTTP/1.1`, [host, bearer, ...headers]);
}

/** Every method for which a provider's table has no row, on the paths of calls that cost. */
const billed: readonly (readonly [path: string, provider: string])[] = [
  ['/v1/proxy/passthrough/openai/v1/chat/completions', 'openai'],
  ['/v1/proxy/passthrough/xai/v1/responses', 'xai'],
  ['/anthropic/v1/messages', 'anthropic'],
  ['/google/v1beta/models/gemini-2.5-flash:generateContent', 'google'],
  ['/groq/openai/v1/chat/completions', 'groq'],
];

function ofKeyPass(method: string): Case[] {
  const own = ['/v1/proxy/chat/completions', '/healthz', '/metrics'];
  return own.map((place) => refused(`${method} ${place}`, at(method, place), '404 not_found'));
}

export const methods: Family = {
  name: 'methods',
  cases: [
    ...places.flatMap((place) =>
      ['HEAD', ...unlisted].map((method) =>
        refused(`${method} ${place}`, at(method, place), '403 endpoint_not_allowed'),
      ),
    ),
    ...billed.flatMap(([place]) =>
      ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'HEAD', 'QUERY'].map((method) =>
        refused(`${method} ${place}`, at(method, place), '403 endpoint_not_allowed'),
      ),
    ),
    ...['PUT', 'PATCH', 'DELETE', 'TRACE', 'CONNECT', 'OPTIONS', 'QUERY'].flatMap(ofKeyPass),
    ...places
      .slice(0, 1)
      .flatMap((place) => [
        ...unknown.map((method) => refused(method.slice(0, 20), at(method, place), 'closed')),
        ...malformed.map(([method, answer]) => refused(JSON.stringify(method.slice(0, 20)), at(method, place), answer)),
      ]),
    refused('CONNECT to the sink', request('CONNECT $SINK HTTP/1.1', [host, bearer]), '421 misdirected_host'),
    refused('CONNECT to KeyPass', request('CONNECT $HOST HTTP/1.1', [host, bearer]), '421 misdirected_host'),
    refused('OPTIONS of everything', at('OPTIONS', '*'), '400'),
    refused(
      'a preflight of a foreign page',
      request('OPTIONS /v1/proxy/passthrough/openai/v1/models HTTP/1.1', [
        host,
        'Origin: https://evil.example',
        'Access-Control-Request-Method: POST',
      ]),
      '204',
    ),
    ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].map((name) =>
      refused(
        `${name}: GET`,
        at('DELETE', '/v1/proxy/passthrough/openai/v1/models', `${name}: GET`),
        '403 endpoint_not_allowed',
      ),
    ),
  ],
};
