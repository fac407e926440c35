import { KeyPassError } from '../errors.ts';

/** Enough for the largest body over a slow line; a client that sends half of one and waits holds nothing for longer. */
const longestMs = 60_000;

/**
 * Little enough to be left with a client that sends half of a body and keeps its connection: what `bytes()` has read
 * can't be given up, and Deno holds it for as long.
 */
const smallBytes = 64 * 1024;

/**
 * Reads a request's body: never more than `limit` bytes of it, and for `deadlineMs` at most. `onBytes` hears of every
 * piece before it is kept. Throws `unsupported_encoding`, `body_too_large`, `body_timeout`, what `onBytes` throws.
 */
export async function readBody(
  request: Request,
  limit: number,
  deadlineMs = longestMs,
  onBytes?: (length: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  refuseEncoding(request);
  const { headers } = request;
  const length = Number(headers.get('content-length') ?? Number.NaN);
  if (length > limit) throw tooLarge(limit);
  // HTTP lets no more through than was stated, and to read piece by piece costs more than all else of a small body.
  const isSmall = length <= smallBytes && !headers.has('transfer-encoding');
  if (isSmall && onBytes === undefined) return within(deadlineMs, request.bytes());
  if (request.body === null) return new Uint8Array();

  const reader = request.body.getReader();
  try {
    return await within(deadlineMs, readAll(reader, limit, onBytes));
  } catch (error) {
    void reader.cancel(error).catch(() => {});
    throw error;
  }
}

/** Throws `unsupported_encoding`. */
export function refuseEncoding({ headers }: Request): void {
  const encoding = headers.get('content-encoding');
  if (encoding === null || encoding === 'identity') return;
  throw new KeyPassError('unsupported_encoding', 'Send the body without content-encoding.', {
    param: 'content-encoding',
  });
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(tooLate()), milliseconds);
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: number,
  onBytes: (length: number) => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > limit) throw tooLarge(limit);
    onBytes(next.value.length);
    chunks.push(next.value);
  }
  return joined(chunks, length);
}

/** Not by spreading: a body can come in more pieces than a call takes arguments. */
function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

export function tooLarge(limit: number): KeyPassError {
  return new KeyPassError('body_too_large', `The body is larger than the ${limit} bytes that are accepted here.`);
}

function tooLate(): KeyPassError {
  return new KeyPassError('body_timeout', 'The body did not arrive in time. Send it whole, right after the headers.');
}
