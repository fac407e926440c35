import { createServer, type Socket } from 'node:net';

/** One request as it is arriving: its body is read only while nobody holds it up. */
export interface Arrival {
  /** Request line and headers, as they were sent. */
  readonly head: string;
  /** The body as it is framed: with chunked framing, its marks are in it. */
  readonly body: Uint8Array;
  readonly received: number;
  /** Stops to read, so that what is sent stays where it is; and goes on. */
  pause(): void;
  resume(): void;
  /** Answers with JSON. */
  answer(body: object, status?: string): void;
  /** Whether the other side has closed the connection. */
  readonly isClosed: boolean;
}

export interface Sink {
  readonly origin: string;
  readonly arrivals: readonly Arrival[];
  stop(): Promise<void>;
}

/** A provider that is watched while a request arrives, one on each connection. */
export async function startSink(onHead: (arrival: Arrival) => void = () => {}): Promise<Sink> {
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    receive(socket, (arrival) => {
      arrivals.push(arrival);
      onHead(arrival);
    });
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
  return {
    origin: `http://127.0.0.1:${port}`,
    arrivals,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function receive(socket: Socket, onHead: (arrival: Arrival) => void): void {
  const pieces: Buffer[] = [];
  let head: string | undefined;
  let received = 0;
  let isClosed = false;
  socket.on('close', () => (isClosed = true));
  socket.on('data', (data) => {
    pieces.push(data);
    received += data.length;
    if (head !== undefined) return;
    const first = Buffer.concat(pieces);
    const end = first.indexOf('\r\n\r\n');
    if (end < 0) return;
    head = first.subarray(0, end).toString('latin1');
    const rest = first.subarray(end + 4);
    pieces.splice(0, pieces.length, rest);
    received = rest.length;
    onHead({
      head,
      get body() {
        return Buffer.concat(pieces);
      },
      get received() {
        return received;
      },
      get isClosed() {
        return isClosed;
      },
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      answer: (body, status = '200 OK') => {
        const text = JSON.stringify(body);
        socket.write(
          `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        );
      },
    });
  });
}
