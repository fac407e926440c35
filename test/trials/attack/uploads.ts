import type { Case, Family } from './case.ts';
import { host, request } from './requests.ts';

const full = 'Authorization: Bearer $FULL';
const type = 'multipart/form-data; boundary=x';
const form = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n$MARK\r\n--x--\r\n';
const files = '/v1/proxy/passthrough/openai/v1/files';
const google = '/google/upload/v1beta/files';

function to(path: string, headers: readonly string[], body: string): string {
  return request(`POST ${path} HTTP/1.1`, [host, full, ...headers], body);
}

/** What streams through unread still arrives as one request, framed by KeyPass. */
function streamed(
  name: string,
  headers: readonly string[],
  body: string,
  arrives: Partial<Case['arrives'][number]> = {},
): Case {
  const arrival = { provider: 'openai', line: 'POST /v1/files', headers: { 'content-type': type }, ...arrives };
  return { name, send: to(files, headers, body), answers: ['200'], arrives: [arrival], lingers: true };
}

function none(name: string, send: string, ...answers: readonly string[]): Case {
  return { name, send, answers, arrives: [], lingers: true };
}

const typed = `Content-Type: ${type}`;
const length = 'Content-Length: $LENGTH';
const second =
  'GET /v1/proxy/passthrough/openai/v1/models HTTP/1.1\r\nHost: $HOST\r\nAuthorization: Bearer $TOKEN\r\n\r\n';
/** Without the token: what stands in a body is for the provider to see. */
const hidden = `${form}0\r\n\r\n${second.replace('$TOKEN', 'x')}`;

const framings: readonly Case[] = [
  streamed('a form', [typed, length], form),
  streamed('a request in a form', [typed, length], hidden),
  streamed('a form in chunks', [typed, 'Transfer-Encoding: chunked'], `5\r\nhello\r\n0\r\n\r\n`, {
    body: 'hello',
    isChunked: true,
  }),
  streamed('the end of chunks within a chunk', [typed, 'Transfer-Encoding: chunked'], '7\r\n0\r\n\r\nGE\r\n0\r\n\r\n', {
    body: '0\r\n\r\nGE',
    isChunked: true,
  }),
  none(
    'a form with chunks and a length',
    to(files, [typed, length, 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
    '400',
  ),
  none(
    'a form with a length and chunks',
    to(files, [typed, 'Transfer-Encoding: chunked', 'Content-Length: 5'], '5\r\nhello\r\n0\r\n\r\n'),
    '400',
  ),
  none('a form with two lengths', to(files, [typed, length, 'Content-Length: 5'], form), '400'),
  none('a request behind a form', to(files, [typed, 'Content-Length: 5'], `hello${second}`), 'closed'),
  none('a form that is longer than it says', to(files, [typed, 'Content-Length: 5'], 'hello, world'), '400'),
  none('a form that is shorter than it says', to(files, [typed, 'Content-Length: 50'], 'hello')),
  none('chunks of a form that end early', to(files, [typed, 'Transfer-Encoding: chunked'], '5\r\nhe')),
  none(
    'chunks of a form that are none',
    to(files, [typed, 'Transfer-Encoding: chunked'], 'zz\r\nhello\r\n0\r\n\r\n'),
    '400',
  ),
  none('a form of a terabyte', to(files, [typed, 'Content-Length: 1099511627776'], form), '413 body_too_large'),
];

const types: readonly Case[] = [
  'application/json',
  'text/plain',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/mixed; boundary=x',
  'multipart/form-data; boundary=x; boundary=y',
  'multipart/form-data, text/plain; boundary=x',
  'multipart/form-data; boundary="x\ty"',
  'multipart/form-data; boundary=x\xa0y',
  `multipart/form-data; boundary=${'x'.repeat(300)}`,
].map((value) =>
  none(
    `a form as ${value.slice(0, 60)}`,
    to(files, [`Content-Type: ${value}`, length], form),
    '415 unsupported_media_type',
  ),
);

const codings = ['gzip', 'br', 'zstd', 'x', 'identity, gzip'].map((coding) =>
  none(
    `a form in ${coding}`,
    to(files, [typed, length, `Content-Encoding: ${coding}`], form),
    '415 unsupported_encoding',
  ),
);

const steering = [
  'X-Goog-Upload-Protocol: raw',
  'X-Goog-Upload-Protocol: multipart',
  'X-Goog-Upload-Command: delete',
  'X-Goog-Upload-Command: start, delete',
  'X-Goog-Upload-Command: start\xa0',
  'X-Goog-Upload-Offset: -1',
  'X-Goog-Upload-Offset: 1e9',
  'X-Goog-Upload-Offset: 9999999999999',
  'X-Goog-Upload-Header-Content-Length: $MARK',
  'X-Goog-Upload-Header-Content-Type: text/html; a',
  'X-Goog-Upload-Header-Content-Type: text',
  `X-Goog-Upload-File-Name: ${'a'.repeat(513)}`,
  'X-Goog-Upload-File-Name: \xff',
].map((line) =>
  none(line.slice(0, 60), to(google, ['Content-Type: text/plain', length, line], 'x'), '400 unsupported_parameter'),
);

const arrival = { provider: 'google', line: 'POST /upload/v1beta/files', headers: { 'content-type': 'text/plain' } };

/** Headers that an upload knows elsewhere, or that nobody has listed, stay here. */
const dropped = [
  'X-Goog-Upload-URL: http://$SINK/',
  'X-Goog-Upload-Control-URL: http://$SINK/',
  'X-Goog-Resumable: start',
  'X-Upload-Content-Type: a/b',
  'Content-Range: bytes 0-1/2',
  'Slug: $MARK',
  'Digest: $MARK',
].map((line): Case => ({
  name: `an upload with ${line}`,
  send: to(google, ['Content-Type: text/plain', length, line], 'x'),
  answers: ['200'],
  arrives: [arrival],
}));

/** Where an upload goes on is an address that the client will send its token to: only ever KeyPass's own. */
const continued = [
  'http://$SINK/upload/v1beta/files?upload_id=a',
  '//$SINK/upload/v1beta/files?upload_id=a',
  'http://user@$SINK/upload/v1beta/files?upload_id=a',
  'https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=forged',
  '/upload/v1beta/files?upload_id=forged',
  'javascript:forged',
  'forged',
  '\\\\$SINK\\forged',
].map((address): Case => ({
  name: `an upload that goes on at ${address}`,
  send: to(google, ['Content-Type: text/plain', length], 'x'),
  told: `HTTP/1.1 200 OK\r\nX-Goog-Upload-URL: ${address}\r\nContent-Length: 2\r\n\r\n{}`,
  answers: ['200'],
  arrives: [arrival],
  lacks: ['$SINK', 'forged'],
}));

const queries = [
  'uploadType=media',
  'upload_protocol=raw',
  'upload_id=a&upload_id=b',
  'upload_id=../a',
  'name=x',
  'alt=media',
  'upload_id=$SINK',
].map((query) =>
  none(
    `an upload to ?${query}`,
    to(`${google}?${query}`, ['Content-Type: text/plain', length], 'x'),
    '400 unsupported_parameter',
  ),
);

export const uploads: Family = {
  name: 'uploads',
  cases: [...framings, ...types, ...codings, ...steering, ...dropped, ...continued, ...queries],
};
