import { connect } from 'node:net';

/** An answer as its bytes have it: nothing decoded, nothing joined, nothing made up. */
export interface RawAnswer {
  readonly status: number;
  /** In lower case, in their order, repeated where they are. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without its framing. */
  readonly body: Buffer;
  /** `torn`: the connection ended before the body did. */
  readonly end: 'whole' | 'torn';
}

/** Sends one request on a bare socket and reads its answer to the end, or to that of the connection. */
export async function askRaw(origin: string, lines: readonly string[], body = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  let length = 0;
  socket.write(`${lines.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return new Promise((resolve) => {
    const look = (isOver: boolean) => {
      const answer = answerIn(Buffer.concat(received), isOver);
      if (answer === undefined) return;
      resolve(answer);
      clearInterval(timer);
      socket.destroy();
    };
    const timer = setInterval(() => look(false), largeMs);
    socket.on('data', (data) => {
      received.push(data);
      length += data.length;
      if (length < largeBytes) look(false);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => look(true));
  });
}

/** A larger answer is not put together for each of its pieces, but from time to time. */
const largeBytes = 2 ** 20;
const largeMs = 100;

/** Undefined while more is to come. Answers before the last one (1xx) are left out. */
function answerIn(bytes: Buffer, isOver: boolean): RawAnswer | undefined {
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) return isOver ? { status: 0, headers: [], body: bytes, end: 'torn' } : undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, at).split('\r\n');
  const status = Number(first.split(' ')[1]);
  const rest = bytes.subarray(at + 4);
  if (status < 200) return answerIn(rest, isOver);
  const headers = lines.map((line) => [nameOf(line), line.slice(line.indexOf(':') + 1).trim()] as const);
  const body = bodyIn(rest, status, new Map(headers), isOver);
  return body && { status, headers, ...body };
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase();
}

type Body = Pick<RawAnswer, 'body' | 'end'>;

function bodyIn(
  bytes: Buffer,
  status: number,
  headers: ReadonlyMap<string, string>,
  isOver: boolean,
): Body | undefined {
  if (status === 204) return { body: Buffer.alloc(0), end: 'whole' };
  if (headers.get('transfer-encoding') === 'chunked') return chunksIn(bytes, isOver);
  const length = headers.get('content-length');
  if (length === undefined) return isOver ? { body: bytes, end: 'whole' } : undefined;
  const body = bytes.subarray(0, Number(length));
  if (body.length === Number(length)) return { body, end: 'whole' };
  return isOver ? { body, end: 'torn' } : undefined;
}

/** RFC 9112, 7.1. */
function chunksIn(bytes: Buffer, isOver: boolean): Body | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    const length = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (length === 0) return { body: Buffer.concat(parts), end: 'whole' };
    const part = bytes.subarray(line + 2, line + 2 + length);
    if (Number.isNaN(length) || part.length < length) {
      if (!Number.isNaN(length)) parts.push(part);
      return isOver ? { body: Buffer.concat(parts), end: 'torn' } : undefined;
    }
    parts.push(part);
    at = line + 2 + length + 2;
  }
}
