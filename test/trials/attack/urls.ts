import type { Case, Family } from './case.ts';
import { openai } from './providers.ts';
import { bearer, get, host, post, refused, request } from './requests.ts';

const list = '/v1/proxy/passthrough/openai/v1/models';

/** Names of query members in which a key may stand out of habit, and ways to write them. */
const keyMembers = [
  'key',
  'KEY',
  'Key',
  'k%65y',
  '%6b%65%79',
  'api_key',
  'API_KEY',
  'apikey',
  'apiKey',
  'api-key',
  'access_token',
  'token',
  'Token',
];

/** Whatever else is said in a query is not passed on either. */
const otherMembers = [
  'auth',
  'authorization',
  'Authorization',
  'bearer',
  'x-api-key',
  'x-goog-api-key',
  'sig',
  'password',
  'secret',
  'a',
  '',
  'constructor',
  '__proto__',
  'key[]',
  'key%00',
  'key%20',
  'alt',
  'fields',
  'callback',
  'prettyPrint',
  '$MARK',
];

const inQuery: readonly Case[] = [
  ...keyMembers.flatMap((name) =>
    [list, '/google/v1beta/models', '/openai/v1/models', '/anthropic/v1/models'].map((path) =>
      refused(`${path}?${name}`, request(`GET ${path}?${name}=$TOKEN HTTP/1.1`, [host]), '400 token_in_url'),
    ),
  ),
  ...keyMembers
    .slice(0, 4)
    .map((name) => refused(`${name} beside a token`, get(`${list}?a=b&${name}=$OTHER`), '400 token_in_url')),
  ...['/v1/proxy/chat/completions', '/openai/v1/chat/completions', '/openai/v1/embeddings'].flatMap((path) =>
    keyMembers
      .slice(0, 4)
      .map((name) => refused(`${path}?${name}`, post(`${path}?${name}=$OTHER`, '{}'), '400 token_in_url')),
  ),
  ...otherMembers.flatMap((name) => [
    refused(`${list}?${name}`, get(`${list}?${name}=$OTHER`), '400 unsupported_parameter'),
    refused(
      `?${name} in the place of a token`,
      request(`GET ${list}?${name}=$TOKEN HTTP/1.1`, [host]),
      '401 credentials_missing',
    ),
  ]),
  refused(
    'the own API, with a token in its URL',
    request('GET /v1/connection?token=$TOKEN HTTP/1.1', [host, bearer]),
    '400 token_in_url',
  ),
  refused(
    'the own API, under any name',
    request('GET /v1/keys?x=$SESSION HTTP/1.1', [host, bearer]),
    '400 unknown_member',
  ),
];

/** Where a token could stand for a name: it would go up, and onto a receipt. */
const inPath: readonly Case[] = [
  refused('the token as a model in the path', get(`${list}/$TOKEN`), '400 token_in_url'),
  refused(
    'the token as a model of Google',
    post('/google/v1beta/models/$TOKEN:generateContent', '{"contents":[]}'),
    '400 token_in_url',
  ),
  refused(
    'the token as an id in the path',
    request('GET /openai/v1/files/$FULL HTTP/1.1', [host, 'Authorization: Bearer $FULL']),
    '400 token_in_url',
  ),
  refused('the token as a model to look up', get('/openai/v1/models/$TOKEN'), '400 token_in_url'),
  refused('the token as the provider', get('/v1/proxy/passthrough/$TOKEN/v1/models'), '400 token_in_url'),
  refused(
    'the token as a member',
    post(`/v1/proxy/passthrough/openai${openai.chat}`, '{"$TOKEN":1}'),
    '400 invalid_request',
  ),
  refused(
    'the token as the model of a call that is counted',
    post('/anthropic/v1/messages/count_tokens', '{"model":"$TOKEN","messages":[]}'),
    '400 invalid_request',
  ),
];

/** Credentials in a URL, where logs and histories would keep them. */
export const urls: Family = { name: 'urls', cases: [...inQuery, ...inPath] };
