import type { Case, Family } from './case.ts';
import { answer, list, listed, ok, told, twice } from './told.ts';

/** With these a page or a proxy in between could be steered. None comes through. */
const steering = [
  'Set-Cookie: keypass=forged; Path=/',
  'Set-Cookie: __Host-keypass=forged; Path=/; Secure',
  'Set-Cookie2: forged',
  'Clear-Site-Data: "forged", "*"',
  'Service-Worker-Allowed: /forged',
  'Content-Security-Policy: default-src * forged',
  'Content-Security-Policy-Report-Only: report-uri http://forged',
  'X-Frame-Options: forged',
  'Access-Control-Allow-Origin: http://forged',
  'Access-Control-Allow-Credentials: forged',
  'Access-Control-Expose-Headers: forged',
  'Strict-Transport-Security: max-age=0; forged',
  'Public-Key-Pins: forged',
  'Expect-CT: forged',
  'NEL: {"report_to":"forged"}',
  'Report-To: {"url":"http://forged"}',
  'Reporting-Endpoints: a="http://forged"',
  'Permissions-Policy: camera=(forged)',
  'Feature-Policy: camera forged',
  'Referrer-Policy: unsafe-url, forged',
  'X-Content-Type-Options: forged',
  'X-XSS-Protection: 0; report=forged',
  'Cache-Control: public, max-age=31536000, forged',
  'Expires: Fri, 01 Jan 2100 00:00:00 GMT forged',
  'Age: 1 forged',
  'Vary: forged',
  'ETag: "forged"',
  'Last-Modified: forged',
  'Server: forged',
  'X-Powered-By: forged',
  'Via: 1.1 forged',
  'Warning: 199 forged',
  'SourceMap: forged',
  'X-SourceMap: forged',
  'Timing-Allow-Origin: forged',
  'Cross-Origin-Resource-Policy: forged',
  'Cross-Origin-Opener-Policy: forged',
  'Cross-Origin-Embedder-Policy: forged',
  'Origin-Agent-Cluster: forged',
  'Document-Policy: forged',
  'Accept-CH: forged',
  'Critical-CH: forged',
  'Speculation-Rules: "forged"',
  'No-Vary-Search: forged',
  'Upgrade: forged',
  'Proxy-Authenticate: forged',
  'WWW-Authenticate: Basic realm="forged"',
  'Authentication-Info: forged',
  'X-Accel-Buffering: forged',
  'X-Accel-Expires: forged',
  'X-LiteSpeed-Location: forged',
  'Surrogate-Control: forged',
  'CDN-Cache-Control: forged',
  'X-DNS-Prefetch-Control: forged',
  'X-Robots-Tag: forged',
  'X-Forwarded-For: forged',
  'X-KeyPass-Error: forged',
  'X-KeyPass-Max-Tokens: forged',
  'X-KeyPass-Unlisted: forged',
  'X-KeyPass-Budget: forged',
  'X-Provider-Request-Id: forged',
  'OpenAI-Organization: forged',
  'OpenAI-Project: forged',
  'Anthropic-Organization-Id: forged',
  'X-Goog-User-Project: forged',
  'Authorization: Bearer forged',
  'X-Api-Key: forged',
  'Keep-Alive: timeout=forged',
  'Trailer: forged',
  'Forged: yes forged',
];

/** Malformed or far too much: the call fails, and nothing of it comes through as KeyPass's own. */
const broken: readonly (readonly [name: string, bytes: string, outcome: string])[] = [
  ['no answer', '', '502 provider_unreachable'],
  ['half a status line', 'HTTP/1.1 20', '502 provider_unreachable'],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-Type: a', '502 provider_unreachable'],
  ['another protocol', 'SSH-2.0-forged\r\n', '502 provider_unreachable'],
  ['HTTP/0.9', '<html>forged</html>', '502 provider_unreachable'],
  ['no status', 'HTTP/1.1 forged\r\n\r\n', '502 provider_unreachable'],
  ['a status below all', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n', '502 provider_error'],
  ['a status of two digits', 'HTTP/1.1 99 OK\r\nContent-Length: 0\r\n\r\n', '502 provider_unreachable'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n', '502 provider_unreachable'],
  ['a status below zero', 'HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n', '502 provider_unreachable'],
  ['a status of nobody', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n', '502 provider_error'],
  ['the highest status', 'HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n', '502 provider_error'],
  [
    'another protocol instead',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: forged\r\nConnection: Upgrade\r\n\r\nforged',
    '502 provider_unreachable',
  ],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nforged\r\nContent-Length: 0\r\n\r\n', '502 provider_unreachable'],
  [
    'a header with a space in its name',
    'HTTP/1.1 200 OK\r\nX forged: y\r\nContent-Length: 0\r\n\r\n',
    '502 provider_unreachable',
  ],
  [
    'a header of a hundred thousand bytes',
    `HTTP/1.1 200 OK\r\nX-RateLimit-A: ${'a'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`,
    '200',
  ],
  [
    'ten thousand headers',
    `HTTP/1.1 200 OK\r\n${'X-RateLimit-A: forged\r\n'.repeat(10_000)}Content-Length: 0\r\n\r\n`,
    '502 provider_unreachable',
  ],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}', '502 provider_unreachable'],
  ['a length below zero', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}', '502 provider_unreachable'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: forged\r\n\r\n{}', '502 provider_unreachable'],
];

const injected: readonly Case[] = [
  told('a line break in a header that passes', ok(['X-RateLimit-A: 1\r\nSet-Cookie: forged=1']), '200', {
    lacks: ['forged'],
  }),
  told('a folded header that passes', ok(['X-RateLimit-A: 1\r\n Set-Cookie: forged=1']), '502 provider_unreachable', {
    arrives: twice,
  }),
  told(
    'a carriage return in a header that passes',
    ok(['X-RateLimit-A: 1\rSet-Cookie: forged=1']),
    '502 provider_unreachable',
    { arrives: twice },
  ),
  told('a zero in a header that passes', ok(['X-RateLimit-A: 1\x00forged']), '502 provider_unreachable', {
    arrives: twice,
  }),
  told('a header that passes, twice', ok(['Retry-After: 1', 'Retry-After: 2']), '200'),
  told('a header that passes, in bytes', ok(['X-RateLimit-A: \xff\xfe']), '200'),
  told(
    'a prefix that passes, and what follows',
    ok(['X-RateLimit-Set-Cookie: a=b', 'X-RateLimit-Location: http://$SINK/']),
    '200',
  ),
  told('the id of a request', ok(['X-Request-Id: theirs']), '200', { has: ['theirs'] }),
  told('the id of a request, with a script', ok(['X-Request-Id: <script>']), '200'),
  told('HTML', answer('200 OK', ['Content-Type: text/html'], '<script>alert(1)</script>'), '200', {
    has: ["sandbox; default-src 'none'", 'nosniff'],
  }),
  told('SVG', answer('200 OK', ['Content-Type: image/svg+xml'], '<svg onload="alert(1)"/>'), '200', {
    has: ["sandbox; default-src 'none'", 'nosniff'],
  }),
  told('a script', answer('200 OK', ['Content-Type: text/javascript'], 'alert(1)'), '200', {
    has: ["sandbox; default-src 'none'", 'nosniff'],
  }),
  told('no type', answer('200 OK', [], '<html>'), '200', { has: ["sandbox; default-src 'none'", 'nosniff'] }),
  told('two types', ok(['Content-Type: text/html']), '200', { has: ["sandbox; default-src 'none'", 'nosniff'] }),
  told('a file to save', ok(['Content-Disposition: attachment; filename="../../a.exe"']), '200'),
  told('a failure in HTML', answer('500 Oh', ['Content-Type: text/html'], '<script>alert(1)</script>'), '500', {
    has: ["sandbox; default-src 'none'", 'nosniff'],
  }),
  told('a reason that is a header', 'HTTP/1.1 200 OK Set-Cookie: forged=1\r\nContent-Length: 2\r\n\r\n{}', '200', {
    lacks: ['forged'],
  }),
];

const second = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';

/** What a provider says beyond its answer must not be taken for the answer of the next call on that connection. */
const beyond: readonly Case[] = [
  ['an answer behind the answer', ok([]) + second],
  ['bytes behind the answer', `${ok([])}forged`],
  ['an answer behind one without a body', `HTTP/1.1 204 No Content\r\n\r\n${second}`],
  ['an answer in a trailer', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${second}`],
  [
    'an answer behind a length and chunks',
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${second}`,
  ],
].flatMap(([name = '', bytes = '']) => [
  told(name, bytes, bytes.includes(' 204 ') ? '204' : '200', { staysOpen: true, lacks: ['forged'] }),
  {
    name: `the call after ${name}`,
    send: list,
    answers: ['200'],
    arrives: [listed],
    has: ['an-answer'],
    lacks: ['forged'],
  },
]);

export const answers: Family = {
  name: 'answers',
  cases: [
    ...steering.map((line) =>
      told(line, ok([line]), '200', { lacks: ['forged'], has: ['no-store', 'nosniff', "sandbox; default-src 'none'"] }),
    ),
    ...broken.map(([name, bytes, outcome]) =>
      told(name, bytes, outcome, {
        lacks: ['forged'],
        ...(outcome === '502 provider_unreachable' ? { arrives: twice } : {}),
      }),
    ),
    ...injected,
    ...beyond,
    { name: 'the server still answers', send: list, answers: ['200'], arrives: [listed], has: ['an-answer'] },
  ],
};
