import { createServer, type Server, type Socket } from 'node:net';

/** One request as it arrived at a raw upstream, and the socket that it came on. */
export interface RawExchange {
  /** Request line and headers, as they were sent. */
  readonly head: string;
  readonly body: string;
  /** Writes bytes as they are: headers, framing and all. */
  write(bytes: Uint8Array | string): Promise<void>;
  end(): void;
  /** Closes with RST, as a crashed server does. */
  reset(): void;
  /** How many bytes have left for the client and not for the socket's own buffer. */
  readonly bytesBuffered: number;
  /** Resolves when the client's side has closed the connection. */
  readonly closed: Promise<void>;
}

export interface RawUpstream {
  readonly origin: string;
  readonly exchanges: readonly RawExchange[];
  stop(): Promise<void>;
}

/** Headers of an event stream in chunked framing. */
export const eventStreamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** One chunk of the chunked framing (RFC 9112, 7.1); the empty one ends the body. */
export function chunk(text: string | Uint8Array): Uint8Array {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** A provider on a bare socket, for tests where bytes, timing and broken connections matter. */
export async function startRawUpstream(respond: (exchange: RawExchange) => unknown): Promise<RawUpstream> {
  const exchanges: RawExchange[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        sockets.delete(socket);
        resolve();
      });
    });
    socket.on('error', () => socket.destroy());
    readRequests(socket, (head, body) => {
      const exchange = exchangeOn(socket, head, body, closed);
      exchanges.push(exchange);
      respond(exchange);
    });
  });
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    exchanges,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Recorder {
  readonly origin: string;
  readonly requests: readonly RecordedRequest[];
  stop(): Promise<void>;
}

/** A provider that writes down what it was asked and answers as it is told. */
export function startRecorder(answer: (request: RecordedRequest) => Response | Promise<Response>): Recorder {
  const requests: RecordedRequest[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const bytes = await request.bytes();
      const body = new TextDecoder().decode(bytes);
      const recorded = { method, path: pathname + search, headers, body, bytes };
      requests.push(recorded);
      return answer(recorded);
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    requests,
    stop: () => server.stop(true),
  };
}

function exchangeOn(socket: Socket, head: string, body: string, closed: Promise<void>): RawExchange {
  return {
    head,
    body,
    write: (bytes) =>
      new Promise((resolve) => {
        if (socket.destroyed) resolve();
        else socket.write(bytes, () => resolve());
      }),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    get bytesBuffered() {
      return socket.writableLength;
    },
    closed,
  };
}

/** Requests one after the other on a kept connection; bodies by content-length, which is how KeyPass sends them. */
function readRequests(socket: Socket, onRequest: (head: string, body: string) => void): void {
  let pending = '';
  socket.on('data', (data) => {
    pending += data.toString('latin1');
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.slice(0, end);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      const body = Buffer.from(pending.slice(end + 4, end + 4 + length), 'latin1').toString('utf8');
      pending = pending.slice(end + 4 + length);
      onRequest(head, body);
    }
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
