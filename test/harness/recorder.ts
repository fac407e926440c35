/** One request as it arrived at a provider, credentials and all: what a mock's own journal hides. */
export interface RecordedRequest {
  /** The name that the recorder was started with. */
  readonly provider: string;
  readonly method: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Answers in the upstream's place, or passes on what `forward` brings from it. */
export type Answer = (request: RecordedRequest, forward: Forward) => Response | Promise<Response>;

/** Asks the upstream, under another path if one is given. */
export type Forward = (path?: string) => Promise<Response>;

export interface RecordingProxy {
  readonly origin: string;
  readonly requests: readonly RecordedRequest[];
  /** Answers the next request with this, the one after with the next call's, and then again as usual. */
  answerNext(answer: Answer): void;
  /** Forgets the requests and the answers that were not used. */
  clear(): void;
  stop(): Promise<void>;
}

interface Options {
  readonly provider: string;
  /** Origin of the upstream. */
  readonly target: string;
  readonly usually?: Answer;
  readonly onRequest?: ((request: RecordedRequest) => void) | undefined;
}

/** A loopback server that writes down every request and hands it on, bytes and stream as they are. */
export function startRecordingProxy({ provider, target, usually = passOn, onRequest }: Options): RecordingProxy {
  const requests: RecordedRequest[] = [];
  const planned: Answer[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      const { pathname: path, search: query } = new URL(request.url);
      const { method, headers } = request;
      const recorded: RecordedRequest = { provider, method, path, query, headers, body: await request.bytes() };
      requests.push(recorded);
      onRequest?.(recorded);
      const answer = planned.shift() ?? usually;
      return answer(recorded, (other = path) => forward(recorded, target + other + query, request.signal));
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    requests,
    answerNext: (answer) => planned.push(answer),
    clear() {
      requests.length = 0;
      planned.length = 0;
    },
    stop: () => server.stop(true),
  };
}

const passOn: Answer = (_request, forwardIt) => forwardIt();

/** Belong to one connection and not to the message (RFC 9110, 7.6.1), or are made anew by `fetch`. */
const connectionHeaders = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host'];

async function forward(recorded: RecordedRequest, url: string, signal: AbortSignal): Promise<Response> {
  const { method, headers, body } = recorded;
  const response = await fetch(url, {
    method,
    headers: withoutConnection(headers),
    body: method === 'GET' || method === 'HEAD' ? null : body,
    redirect: 'manual',
    // A pooled connection would keep the upstream from stopping, and decompression would change the bytes.
    keepalive: false,
    decompress: false,
    signal,
  });
  return new Response(response.body, { status: response.status, headers: withoutConnection(response.headers) });
}

function withoutConnection(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of connectionHeaders) kept.delete(name);
  return kept;
}

/** The usual answer in pieces of `bytes`, each after `delayMs`: long enough to cancel, revoke or crash in its middle. */
export function slowly(delayMs: number, bytes = 64): Answer {
  return async (_request, forwardIt) => {
    const { status, headers, body } = await forwardIt();
    return new Response(body && inPieces(body, delayMs, bytes), { status, headers });
  };
}

export function redirectTo(url: string, status: 301 | 302 | 307 | 308 = 307): Answer {
  return () => new Response(null, { status, headers: { location: url } });
}

function inPieces(body: ReadableStream<Uint8Array>, delayMs: number, bytes: number): ReadableStream<Uint8Array> {
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        for (let from = 0; from < chunk.length; from += bytes) {
          await Bun.sleep(delayMs);
          controller.enqueue(chunk.subarray(from, from + bytes));
        }
      },
    }),
  );
}
