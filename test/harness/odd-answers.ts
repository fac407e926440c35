import { brotliCompressSync, gzipSync } from 'node:zlib';
import { delta, done, stop, usageEvent } from './streams.ts';
import { chunk, type RawExchange } from './upstream.ts';

/** Answers of a provider on a bare socket, byte by byte, usual and odd. */

export const json =
  '{"id":"x","choices":[{"message":{"content":"ä"}}],"usage":{"prompt_tokens":9,"completion_tokens":4}}';
export const failure = '{"error":{"message":"No.","type":"t","code":null}}';
export const events = delta('Grüße ') + stop() + usageEvent + done;
export const typed = 'content-type: application/json';
export const streamed = ['content-type: text/event-stream', 'transfer-encoding: chunked'];
/** More than any buffer between the two. */
const large = `{"usage":{"prompt_tokens":9,"completion_tokens":4},"x":"${'y'.repeat(40 * 1024 * 1024)}"}`;

export type Answer = (exchange: RawExchange) => unknown;

export function message(status: string, headers: readonly string[], body: string | Uint8Array = ''): Buffer {
  return Buffer.concat([
    Buffer.from([`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n'), 'latin1'),
    Buffer.from(body),
  ]);
}

/** With the length of its body. */
export const sized = (status: string, headers: readonly string[], body: string | Uint8Array = ''): Answer =>
  sent(message(status, [...headers, `content-length: ${Buffer.byteLength(body)}`], body));

export const sent =
  (...parts: Uint8Array[]): Answer =>
  (exchange) =>
    exchange.write(Buffer.concat(parts));

const thenClosed =
  (...parts: Uint8Array[]): Answer =>
  async (exchange) => {
    await exchange.write(Buffer.concat(parts));
    exchange.end();
  };

/** After what came before has been read. */
export const thenReset =
  (...parts: Uint8Array[]): Answer =>
  async (exchange) => {
    await exchange.write(Buffer.concat(parts));
    await Bun.sleep(50);
    exchange.reset();
  };

const limits = [
  'x-ratelimit-limit-requests: 60',
  'x-ratelimit-remaining-tokens: 149984',
  'x-ratelimit-reset-requests: 6m0s',
  'retry-after: 7',
  'retry-after-ms: 6800',
  'x-should-retry: true',
  'openai-processing-ms: 17',
  'openai-version: 2020-10-01',
];
const odd = [201, 202, 206, 400, 402, 404, 408, 409, 413, 418, 422, 424, 429, 498, 500, 502, 503, 504, 520, 529, 599];

/** What the provider sends, and how it is booked: in all of these the app gets what it would have got without KeyPass. */
export const same: Readonly<Record<string, readonly [answer: Answer, booked: string]>> = {
  'an answer': [sized('200 OK', [typed], json), 'measured'],
  'an answer with rate limits': [sized('200 OK', [typed, ...limits], json), 'measured'],
  'the same header twice': [sized('200 OK', [typed, 'x-ratelimit-a: 1', 'x-ratelimit-a: 2'], json), 'measured'],
  'chunks with extensions and trailers': [
    sent(
      message('200 OK', [typed, 'transfer-encoding: chunked', 'trailer: x-t']),
      Buffer.from(
        `${Buffer.byteLength(json).toString(16)};a="b;c"\r\n${json}\r\n0;d\r\nx-t: 1\r\nset-cookie: a=b\r\n\r\n`,
      ),
    ),
    'measured',
  ],
  'an answer that ends with its connection': [thenClosed(message('200 OK', [typed], json)), 'measured'],
  'an answer after 100 and 103': [
    sent(
      message('100 Continue', []),
      message('103 Early Hints', ['link: </a>; rel=preload']),
      message('200 OK', [typed, `content-length: ${Buffer.byteLength(json)}`], json),
    ),
    'measured',
  ],
  'an answer of 40 MiB': [sized('200 OK', [typed], large), 'unknown'],
  'an empty answer': [sized('200 OK', [typed]), 'unknown'],
  '204': [sent(message('204 No Content', [])), 'unknown'],
  'a failure as a page': [sized('500 Oops', ['content-type: text/html'], '<html>Oops</html>'), 'measured'],
  'a failure without a body': [sized('502 Bad Gateway', []), 'measured'],
  'a failure that ends with its connection': [thenClosed(message('503 Busy', [typed], failure)), 'measured'],
  'a coding that nobody undoes': [
    sized('200 OK', [typed, 'content-encoding: gzip, br'], brotliCompressSync(gzipSync(json))),
    'unknown',
  ],
  'a stream': [sent(message('200 OK', streamed), chunk(events), chunk('')), 'measured'],
  'a stream with its length': [sized('200 OK', ['content-type: text/event-stream'], events), 'measured'],
  'a stream that ends with its connection': [
    thenClosed(message('200 OK', ['content-type: text/event-stream'], events)),
    'measured',
  ],
  'a failure within a stream': [
    sent(message('200 OK', streamed), chunk(delta('x')), chunk('data: {"error":{"message":"No."}}\n\n'), chunk('')),
    'estimated',
  ],
  'a stream that is reset': [thenReset(message('200 OK', streamed), chunk(delta('x'))), 'estimated'],
  'a stream that is closed within a chunk': [
    async (exchange) => {
      await exchange.write(
        Buffer.concat([message('200 OK', streamed), chunk(delta('x')), chunk(delta('y')).subarray(0, 40)]),
      );
      await Bun.sleep(50);
      exchange.end();
    },
    'estimated',
  ],
  ...Object.fromEntries(
    odd.map((status) => [
      `${status}`,
      [sized(`${status} Odd`, [typed, ...limits], failure), status < 300 ? 'estimated' : 'measured'] as const,
    ]),
  ),
};
