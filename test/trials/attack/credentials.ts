import type { Case, Family } from './case.ts';
import { google, openai } from './providers.ts';
import { bearer, host, passes, postAs, refused, request } from './requests.ts';

const list = '/v1/proxy/passthrough/openai/v1/models';
const listed = { provider: 'openai', line: 'GET /v1/models' };

/** Every way in to a provider: method, path and a body that passes with the right token. */
const entrances: readonly (readonly [line: string, body: string])[] = [
  [`GET ${list}`, ''],
  [`POST /v1/proxy/passthrough/openai${openai.chat}`, JSON.stringify(openai.body)],
  [`POST /v1/proxy/passthrough/google${google.chat}`, JSON.stringify(google.body)],
  ['POST /v1/proxy/chat/completions', JSON.stringify({ provider: 'openai', ...openai.body })],
  [`POST /openai${openai.chat}`, JSON.stringify(openai.body)],
  ['POST /openai/v1/embeddings', '{"model":"text-embedding-3-small","input":"x"}'],
  ['GET /openai/v1/models', ''],
  ['GET /anthropic/v1/models', ''],
  ['GET /google/v1beta/models', ''],
  ['GET /groq/openai/v1/models', ''],
];

/** Where an official client puts its key. */
const slots: readonly ((token: string) => string)[] = [
  (token) => `Authorization: Bearer ${token}`,
  (token) => `x-api-key: ${token}`,
  (token) => `x-goog-api-key: ${token}`,
];

const unknown = [
  'Basic $TOKEN',
  'Token $TOKEN',
  'Digest username="$TOKEN"',
  'Bearer $TOKEN x',
  'Bearer $TOKEN,$FULL',
  'Bearer $TOKEN, Bearer $FULL',
];

/** As real ones look, so that nobody reads them where they must not be; each with the mark in it. */
const providerKeys = [
  ['sk', '-$MARK$MARK$MARK'],
  ['sk', `-proj-$MARK${'x'.repeat(40)}T3Blbk`, `FJ${'x'.repeat(20)}`],
  ['sk', `-ant-api03-$MARK${'x'.repeat(79)}AA`],
  ['sk', '-ant-admin01-$MARK'],
  ['sk', '-admin-$MARK'],
  ['AI', `za$MARK${'x'.repeat(21)}`],
  ['AQ', `.$MARK${'x'.repeat(40)}`],
  ['gs', `k_$MARK${'x'.repeat(38)}`],
  ['sk', '-or-v1-$MARK'],
  ['xa', `i-$MARK${'x'.repeat(60)}`],
  ['tg', 'p_v1_$MARK'],
  ['fw', `_$MARK${'x'.repeat(20)}`],
  ['pp', 'lx-$MARK'],
  ['cs', 'k-$MARK'],
  ['hf', '_$MARK'],
  ['ya', '29.$MARK'],
  ['ey', 'J$MARK.e30.x'],
].map((parts) => parts.join(''));

/** KeyPass's own tokens that open something else. */
const ownTokens = ['$SESSION', '$SECRET', '$LINK', '$PUBLIC'];

const broken = [
  'kp_at_',
  'kp_at_$MARK',
  `kp_at_${'0'.repeat(49)}`,
  '$TOKENx',
  'x$TOKEN',
  '$TOKEN;',
  '"$TOKEN"',
  '$TOKEN%20',
  "$TOKEN' or '1'='1",
  'null',
  'undefined',
  '[object Object]',
  '${TOKEN}',
  '*',
  '__proto__',
  'a'.repeat(8_000),
];

const none: readonly (readonly string[])[] = [
  [],
  ['Authorization:'],
  ['x-api-key:'],
  ['Cookie: keypass=$SESSION'],
  ['Cookie: keypass=$TOKEN'],
  ['Cookie: __Host-keypass=$TOKEN; token=$TOKEN; access_token=$TOKEN'],
  ['Cookie: Authorization=Bearer $TOKEN'],
  ['Proxy-Authorization: Bearer $TOKEN'],
  ['X-Authorization: Bearer $TOKEN'],
  ['Authentication: Bearer $TOKEN'],
  ['api-key: $TOKEN'],
  ['apikey: $TOKEN'],
  ['x-auth-token: $TOKEN'],
  ['x-access-token: $TOKEN'],
  ['x-goog-iam-authorization-token: $TOKEN'],
  ['Sec-WebSocket-Protocol: openai-insecure-api-key.$TOKEN'],
];

function at(line: string, body: string, ...headers: readonly string[]): string {
  const framed = body === '' ? [] : ['Content-Type: application/json', 'Content-Length: $LENGTH'];
  return request(`${line} HTTP/1.1`, [host, ...headers, ...framed], body);
}

const onAll = (name: string, answer: string, ...headers: readonly string[]): Case[] =>
  entrances.map(([line, body]) => refused(`${name}: ${line}`, at(line, body, ...headers), answer));

const twoOf = (first: string, second: string): Case[] =>
  slots.flatMap((one, index) =>
    slots
      .filter((_, other) => other !== index)
      .map((another) => {
        const lines = [one(first), another(second)];
        return refused(
          lines.join(', '),
          request(`GET ${list} HTTP/1.1`, [host, ...lines]),
          '400 ambiguous_credentials',
        );
      }),
  );

const standing: readonly Case[] = [
  refused('paused', request(`GET ${list} HTTP/1.1`, [host, 'Authorization: Bearer $PAUSED']), '403 connection_paused'),
  refused(
    'revoked',
    request(`GET ${list} HTTP/1.1`, [host, 'Authorization: Bearer $REVOKED']),
    '401 access_token_invalid',
  ),
  refused(
    'a provider that is not in it',
    request('GET /groq/openai/v1/models HTTP/1.1', [host, 'Authorization: Bearer $OTHER']),
    '403 provider_not_connected',
  ),
  refused(
    'the same, unified',
    postAs(
      'Authorization: Bearer $OTHER',
      '/v1/proxy/chat/completions',
      '{"provider":"groq","model":"llama-3.3-70b-versatile","messages":[]}',
    ),
    '403 provider_not_connected',
  ),
  refused('a key of the vault with it', request('GET /v1/keys HTTP/1.1', [host, bearer]), '401 session_invalid'),
  refused(
    'connections of the owner with it',
    request('GET /v1/connections HTTP/1.1', [host, bearer]),
    '401 session_invalid',
  ),
  refused(
    'receipts of the owner with it',
    request('GET /v1/usage/calls HTTP/1.1', [host, bearer]),
    '401 session_invalid',
  ),
  refused(
    'a more generous policy with it',
    request(
      'PATCH /v1/connections/00000000-0000-4000-8000-000000000000 HTTP/1.1',
      [host, bearer, 'Content-Type: application/json', 'Content-Length: $LENGTH'],
      '{"capCents":1}',
    ),
    '401 session_invalid',
  ),
];

export const credentials: Family = {
  name: 'credentials',
  cases: [
    ...onAll('no credential', '401 credentials_missing'),
    ...onAll('a session of its owner', '401 access_token_invalid', 'Authorization: Bearer $SESSION'),
    ...onAll("a provider's key", '401 not_a_keypass_token', `x-api-key: ${providerKeys[0]}`),
    ...onAll('two tokens', '400 ambiguous_credentials', bearer, 'x-goog-api-key: $FULL'),
    ...none
      .slice(1)
      .map((lines) =>
        refused(lines.join(', '), request(`GET ${list} HTTP/1.1`, [host, ...lines]), '401 credentials_missing'),
      ),
    ...slots.map((slot) => passes(slot('the token'), request(`GET ${list} HTTP/1.1`, [host, slot('$TOKEN')]), listed)),
    passes(
      'the same in every slot',
      request(`GET ${list} HTTP/1.1`, [host, ...slots.map((slot) => slot('$TOKEN'))]),
      listed,
    ),
    ...twoOf('$TOKEN', '$FULL'),
    ...twoOf('$TOKEN', providerKeys[0] ?? ''),
    ...twoOf('$SESSION', '$TOKEN'),
    ...['Authorization: Bearer', 'x-api-key:', 'x-goog-api-key:'].flatMap((start) => [
      refused(
        `${start} twice`,
        request(`GET ${list} HTTP/1.1`, [host, `${start} $TOKEN`, `${start} $FULL`]),
        '400 ambiguous_credentials',
      ),
    ]),
    ...unknown.map((value) =>
      refused(
        `Authorization: ${value}`,
        request(`GET ${list} HTTP/1.1`, [host, `Authorization: ${value}`]),
        '400 ambiguous_credentials',
      ),
    ),
    ...slots.flatMap((slot) => [
      ...providerKeys.map((key) =>
        refused(slot(key.slice(0, 16)), request(`GET ${list} HTTP/1.1`, [host, slot(key)]), '401 not_a_keypass_token'),
      ),
      ...ownTokens.map((token) =>
        refused(slot(token), request(`GET ${list} HTTP/1.1`, [host, slot(token)]), '401 access_token_invalid'),
      ),
    ]),
    ...broken.map((token) =>
      refused(
        `the token ${token.slice(0, 20)}`,
        request(`GET ${list} HTTP/1.1`, [host, `Authorization: Bearer ${token}`]),
        /^(?:kp_|\$TOKEN[x;%])/.test(token)
          ? '401 access_token_invalid'
          : token.includes("' ") || token.includes('[object ')
            ? '400 ambiguous_credentials'
            : '401 not_a_keypass_token',
      ),
    ),
    ...standing,
  ],
};
