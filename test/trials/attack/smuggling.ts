import type { Case, Family } from './case.ts';
import { bearer, host, request } from './requests.ts';

const chat = '/v1/proxy/passthrough/openai/v1/chat/completions';
const list = '/v1/proxy/passthrough/openai/v1/models';
const body = '{"model":"gpt-4o-mini","messages":[],"max_tokens":16,"store":false,"service_tier":"default"}';
const size = body.length.toString(16);
const type = 'Content-Type: application/json';
const length = `Content-Length: ${body.length}`;
const chunkedCoding = 'Transfer-Encoding: chunked';
const inChunks = `${size}\r\n${body}\r\n0\r\n\r\n`;
/** A whole request, to be hidden behind or in another one. */
const second = request(`GET ${list} HTTP/1.1`, ['Host: $HOST', 'Authorization: Bearer $TOKEN']);
/** One whose path swallows the line that comes after it. */
const prefix = `GET ${list} HTTP/1.1\r\nHost: $HOST\r\nX: `;

function chatOf(headers: readonly string[], text: string): string {
  return request(`POST ${chat} HTTP/1.1`, [host, bearer, type, ...headers], text);
}

/** However many requests somebody might see: none goes up. */
function none(name: string, send: string, ...answers: readonly string[]): Case {
  return { name, send, answers, arrives: [], lingers: true };
}

/** One request, framed anew by KeyPass. */
function one(name: string, send: string): Case {
  const arrival = { provider: 'openai', line: 'POST /v1/chat/completions', body };
  return { name, send, answers: ['200'], arrives: [arrival], lingers: true };
}

function oneGet(name: string, send: string): Case {
  return {
    name,
    send,
    answers: ['200'],
    arrives: [{ provider: 'openai', line: 'GET /v1/models', body: '' }],
    lingers: true,
  };
}

const badLengths = [
  `+${body.length}`,
  '-1',
  '-0',
  `${body.length}, ${body.length}`,
  `${body.length},5`,
  '0x60',
  '1e2',
  '',
  '99999999999999999999',
  '18446744073709551615',
  '18446744073709551713',
  '9223372036854775808',
  `${body.length};`,
  `${body.length}.0`,
  `${body.length} ${body.length}`,
  'abc',
  '"97"',
  '\x0b97',
  '97\x00',
  '\xd9\xa5',
  'NaN',
  'Infinity',
  'chunked',
];

const lengths: readonly Case[] = [
  one('a length', chatOf([length], body)),
  one('the same length twice', chatOf([length, length], body)),
  one('a length with white space', chatOf([`Content-Length: \t${body.length} `], body)),
  one('a length with a zero before', chatOf([`Content-Length: 0${body.length}`], body)),
  none('two lengths, the first is right', chatOf([length, 'Content-Length: 5'], body), '400'),
  none('two lengths, the second is right', chatOf(['Content-Length: 5', length], body), '400'),
  none('two lengths, one zero', chatOf([length, 'Content-Length: 0'], body), '400'),
  ...badLengths.map((value) =>
    none(`the length ${JSON.stringify(value)}`, chatOf([`Content-Length: ${value}`], body), '400'),
  ),
  none('a length that is too short', chatOf([`Content-Length: ${body.length - 5}`], body), '400'),
  none('no length and no chunks', chatOf([], body), '400'),
  none('a length that is too long', chatOf([`Content-Length: ${body.length + 5}`], body)),
  none('a length of one gigabyte', chatOf(['Content-Length: 1073741824'], body), '413 body_too_large'),
];

const badCodings = [
  'xchunked',
  'chunkedx',
  'chunked, identity',
  'identity',
  'identity, chunked',
  'gzip, chunked',
  'chunked, chunked',
  'chunked;q=1',
  'chunked; a=b',
  '"chunked"',
  '\x0bchunked',
  'chunked\x00',
  '',
  'trailers',
  'deflate',
  'cow, chunked',
  'chunked cow',
  'nothing',
  '\xc5\xbfhunked',
];

const badLines = [
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  '\tTransfer-Encoding: chunked',
  'Transfer-Encoding\x00: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow',
];

const codings: readonly Case[] = [
  one('chunks', chatOf([chunkedCoding], inChunks)),
  one('chunks, in capitals', chatOf(['TRANSFER-ENCODING: CHUNKED'], inChunks)),
  one('chunks, in a list of one', chatOf(['Transfer-Encoding: ,chunked,'], inChunks)),
  one('chunks, with white space', chatOf(['Transfer-Encoding:\tchunked\t'], inChunks)),
  none('chunks, then a length', chatOf([chunkedCoding, 'Content-Length: 4'], inChunks), '400'),
  none('a length, then chunks', chatOf([`Content-Length: ${inChunks.length}`, chunkedCoding], inChunks), '400'),
  none('a length of zero, then chunks', chatOf(['Content-Length: 0', chunkedCoding], inChunks), '400'),
  none('a length, then chunks of nothing', chatOf([length, chunkedCoding], `0\r\n\r\n${second}`), '400'),
  none(
    'chunks, then a length, a request behind',
    chatOf([chunkedCoding, 'Content-Length: 6'], `0\r\n\r\n${second}`),
    '400',
  ),
  ...badCodings.map((value) =>
    none(`the coding ${JSON.stringify(value)}`, chatOf([`Transfer-Encoding: ${value}`], inChunks), '400'),
  ),
  ...badLines.map((line) => none(`the line ${JSON.stringify(line)}`, chatOf([line], inChunks), '400')),
  ...badLines.map((line) =>
    none(
      `a length and the line ${JSON.stringify(line)}`,
      chatOf([`Content-Length: ${inChunks.length}`, line], inChunks),
      '400',
    ),
  ),
  none(
    'a name that is almost it',
    chatOf([`Content-Length: ${inChunks.length}`, 'Transfer_Encoding: chunked'], inChunks),
    '400 invalid_json',
  ),
];

const badChunks: readonly (readonly [name: string, text: string])[] = [
  ['an extension that ends in LF', `${size};a\n${body}\r\n0\r\n\r\n`],
  ['an extension with a line end in quotes', `${size};a="\r\n"\r\n${body}\r\n0\r\n\r\n`],
  ['a size with 0x', `0x${size}\r\n${body}\r\n0\r\n\r\n`],
  ['a size after a space', ` ${size}\r\n${body}\r\n0\r\n\r\n`],
  ['a size before a space', `${size} \r\n${body}\r\n0\r\n\r\n`],
  ['a size below zero', `-1\r\n${body}\r\n0\r\n\r\n`],
  ['a size with a plus', `+${size}\r\n${body}\r\n0\r\n\r\n`],
  ['a size beyond 64 bits', `FFFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`],
  ['a size of 64 bits', `FFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`],
  ['a size that wraps around', `100000000000000${size}\r\n${body}\r\n0\r\n\r\n`],
  ['a size that is too small', `5\r\n${body}\r\n0\r\n\r\n`],
  ['a size with an underscore', `6_1\r\n${body}\r\n0\r\n\r\n`],
  ['no size', `\r\n${body}\r\n0\r\n\r\n`],
  ['no number', `zz\r\n${body}\r\n0\r\n\r\n`],
  ['two CRs', `${size}\r\r\n${body}\r\n0\r\n\r\n`],
  ['no line end behind', `${size}\r\n${body}0\r\n\r\n`],
  ['LF behind', `${size}\r\n${body}\n0\r\n\r\n`],
  ['LF alone', `${size}\n${body}\n0\n\n`],
  ['the end before the body', `0\r\n\r\n${body}`],
  ['a host in the trailer', `${size}\r\n${body}\r\n0\r\nHost: $SINK\r\n\r\n`],
  ['a credential in the trailer', `${size}\r\n${body}\r\n0\r\nAuthorization: Bearer $TOKEN\r\n\r\n`],
  ['a length in the trailer', `${size}\r\n${body}\r\n0\r\nContent-Length: 5\r\n\r\n`],
];

const chunks: readonly Case[] = [
  one('an extension', chatOf([chunkedCoding], `${size};a=b\r\n${body}\r\n0\r\n\r\n`)),
  one('a size with zeros before', chatOf([chunkedCoding], `000${size}\r\n${body}\r\n0\r\n\r\n`)),
  one('chunks of one byte', chatOf([chunkedCoding], `${body.replaceAll(/./g, '1\r\n$&\r\n')}0\r\n\r\n`)),
  ...badChunks.map(([name, text]) => none(name, chatOf([chunkedCoding], text), '400')),
  none('a chunk that ends early', chatOf([chunkedCoding], `${size}\r\n${body.slice(0, 9)}`)),
];

/** Bun hangs up on a client that does not wait for its answer, so nothing hides behind a request. */
const hidden: readonly Case[] = [
  none('a request behind a request', second + second, 'closed'),
  none('a request behind one that is refused', request(`GET ${list} HTTP/1.1`, [host]) + second, 'closed'),
  none('a request behind a body', chatOf([length], body + second), 'closed'),
  none('a request behind chunks', chatOf([chunkedCoding], inChunks + second), 'closed'),
  one('a beginning behind a body', chatOf([length], body + prefix)),
  oneGet(
    'a request as the body of a GET',
    request(`GET ${list} HTTP/1.1`, [host, bearer, 'Content-Length: $LENGTH'], second),
  ),
  oneGet('chunks in a GET', request(`GET ${list} HTTP/1.1`, [host, bearer, chunkedCoding], '5\r\nhello\r\n0\r\n\r\n')),
  oneGet(
    'a request in the chunks of a GET',
    request(`GET ${list} HTTP/1.1`, [host, bearer, chunkedCoding], `${second.length.toString(16)}\r\n`),
  ),
  none(
    'a GET whose body is longer than it says',
    request(`GET ${list} HTTP/1.1`, [host, bearer, 'Content-Length: 5'], second),
    '400',
  ),
  none('a request as JSON', chatOf(['Content-Length: $LENGTH'], second), '400 invalid_json'),
  none('a preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'),
  none('a greeting of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400'),
  none('a greeting of SSH', 'SSH-2.0-x\r\n\r\n', '400'),
  none('the line of a proxy before', `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n${second}`, '400'),
  none('the bytes of a proxy before', `\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c${second}`, '400'),
  none('zeros', '\x00\x00\x00\x00\r\n\r\n', '400'),
  none('empty lines', '\r\n\r\n\r\n\r\n', '400'),
  none('an empty line before', `\r\n${second}`, '400'),
  none('a space before', ` ${second}`, '400'),
  none('a line feed before', `\n${second}`, '400'),
  none('line feeds alone', second.replaceAll('\r\n', '\n'), '505'),
  none('carriage returns alone', second.replaceAll('\r\n', '\r'), '505'),
];

export const smuggling: Family = { name: 'smuggling', cases: [...lengths, ...codings, ...chunks, ...hidden] };
