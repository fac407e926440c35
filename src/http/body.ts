import { KeyPassError } from '../errors.ts';

/** Reads a request's body as it comes, never more than `limit` bytes of it; throws `body_too_large`. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    throw new KeyPassError('unsupported_encoding', 'Send the body without content-encoding.', {
      param: 'content-encoding',
    });
  }
  const tooLarge = new KeyPassError(
    'body_too_large',
    `The body is larger than the ${limit} bytes that are accepted here.`,
  );
  if (Number(request.headers.get('content-length')) > limit) throw tooLarge;
  if (request.body === null) return new Uint8Array();

  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.length;
    if (length > limit) throw tooLarge;
    chunks.push(chunk);
  }
  return joined(chunks, length);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
