import { afterEach, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { KeyPassError } from '../errors.ts';
import { readBody } from './body.ts';

const running: { stop(closeAll: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop(true);
});

/** A server that tells what it read, or the code of what it refused. */
function start(limit: number, deadlineMs?: number) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      try {
        return new Response(await readBody(request, limit, deadlineMs));
      } catch (error) {
        return new Response(error instanceof KeyPassError ? error.code : 'fault');
      }
    },
  });
  running.push(server);
  return server;
}

/** Sends bytes as they are and leaves the connection open; what came back when `mark` is in it. */
async function sendRaw(port: number | undefined, bytes: string, mark: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(bytes);
  let text = '';
  for await (const data of socket) {
    text += String(data);
    if (text.includes(mark)) break;
  }
  socket.destroy();
  return text;
}

test.each([
  ['a length that it never reaches', 'content-length: 100\r\n\r\n{"half":'],
  ['chunks that never end', 'transfer-encoding: chunked\r\n\r\n3\r\n{"h\r\n'],
  ['nothing', 'content-length: 100\r\n\r\n'],
])('half a body is not waited for: %s', async (_, rest) => {
  const { port } = start(1_000, 30);
  const answer = await sendRaw(port, `POST / HTTP/1.1\r\nhost: localhost\r\n${rest}`, 'body_timeout');
  expect(answer).toStartWith('HTTP/1.1 200');
});

test('a body that is too long is refused as soon as it is', async () => {
  const { port } = start(10);
  const chunked = 'transfer-encoding: chunked\r\n\r\nb\r\n12345678901\r\n';
  const declared = 'content-length: 11\r\n\r\n1';
  for (const rest of [chunked, declared]) {
    const answer = await sendRaw(port, `POST / HTTP/1.1\r\nhost: localhost\r\n${rest}`, 'body_too_large');
    expect(answer).toStartWith('HTTP/1.1 200');
  }
});

test('a whole body comes as it was sent, in whatever pieces', async () => {
  const { port } = start(1_000_000);
  const body = 'ü'.repeat(100_000);
  const url = `http://127.0.0.1:${port}/`;
  expect(await (await fetch(url, { method: 'POST', body })).text()).toBe(body);
  const pieces = new Blob([body]).stream();
  expect(await (await fetch(url, { method: 'POST', body: pieces })).text()).toBe(body);
  expect(await (await fetch(url)).text()).toBe('');
});

test.each<[string, Record<string, string>]>([
  ['no length', {}],
  ['a length that is worth holding', { 'content-length': '65537' }],
])('the source is told that nobody reads on: %s', async (_, headers) => {
  const told = Promise.withResolvers<unknown>();
  const body = new ReadableStream<Uint8Array>({ cancel: told.resolve });
  const request = new Request('http://localhost/', { method: 'POST', headers, body });
  const failure: unknown = await readBody(request, 100_000, 5).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'body_timeout' });
  expect(await told.promise).toBe(failure);
});
