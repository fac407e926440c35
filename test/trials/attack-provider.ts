import { createServer, type Server, type Socket } from 'node:net';
import { framedBody } from './attack/framing.ts';

/** A request as it arrived at a provider. */
export interface Arrived {
  readonly provider: string;
  /** Request line and headers, as they were sent. */
  readonly head: string;
  /** Bytes as latin-1, without the framing. */
  readonly body: string;
  readonly isChunked: boolean;
}

/** Providers on bare sockets, which take what they get at its word, and a place that nobody may ever reach. */
export interface AttackedProviders {
  readonly origins: Readonly<Record<string, string>>;
  /** Host and port of the place that nobody may reach. */
  readonly sink: string;
  /** What came there. */
  readonly sunk: readonly string[];
  /** What arrived since the last time that it was asked. */
  take(): Arrived[];
  /** From now on every request gets these bytes, after which its connection is closed; without: what is usual. */
  answerWith(bytes: Uint8Array | undefined, staysOpen: boolean): void;
  stop(): Promise<void>;
}

export async function startProviders(ids: readonly string[]): Promise<AttackedProviders> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const arrived: Arrived[] = [];
  const sunk: string[] = [];
  let planned: { bytes: Uint8Array; staysOpen: boolean } | undefined;

  async function listen(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      onSocket(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  const origins: Record<string, string> = {};
  for (const provider of ids) {
    const port = await listen((socket) =>
      readRequests(socket, (request) => {
        arrived.push({ provider, ...request });
        if (planned === undefined) socket.write(usual);
        else if (planned.staysOpen) socket.write(planned.bytes);
        else socket.end(planned.bytes);
      }),
    );
    origins[provider] = `http://127.0.0.1:${port}`;
  }
  const sinkPort = await listen((socket) => {
    sunk.push('a connection');
    socket.on('data', (data) => {
      sunk.push(data.toString('latin1'));
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
  });
  return {
    origins,
    sink: `127.0.0.1:${sinkPort}`,
    sunk,
    take: () => arrived.splice(0),
    answerWith(bytes, staysOpen) {
      planned = bytes === undefined ? undefined : { bytes, staysOpen };
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** In every API's shape at once. */
const success = JSON.stringify({
  id: 'an-answer',
  object: 'chat.completion',
  type: 'message',
  role: 'assistant',
  created: 1,
  model: 'a-model',
  stop_reason: 'end_turn',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  content: [{ type: 'text', text: 'Hi' }],
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
  data: [],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, input_tokens: 9, output_tokens: 2 },
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2, totalTokenCount: 11 },
});
const usual = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${success.length}\r\n\r\n${success}`;

/** Requests one after the other. */
function readRequests(socket: Socket, onRequest: (request: Omit<Arrived, 'provider'>) => void): void {
  let pending = '';
  socket.on('data', (data) => {
    pending += data.toString('latin1');
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.slice(0, end);
      const body = framedBody(head, pending, end + 4);
      if (body === undefined) return;
      pending = pending.slice(body.end);
      onRequest({ head, body: body.text, isChunked: /^transfer-encoding:/im.test(head) });
    }
  });
}
