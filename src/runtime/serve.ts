import { deno } from './runtime.ts';
import { endOfTurn } from './turns.ts';

export interface ServeOptions {
  hostname: string;
  /** 0 takes any free one. */
  port: number;
  /** Answers a request; `peer` tells the IP address at the other end of the connection, a proxy's where there is one. */
  fetch: (request: Request, peer: () => string) => Promise<Response> | Response;
  /**
   * Seconds after which a connection that sends no request is closed (Bun; at most 255). A request that is being
   * answered has no such limit: a model may think for minutes.
   */
  idleTimeout?: number;
}

export interface RunningServer {
  /** With the port that was taken and without a path: `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more connections, lets what runs end within the grace, then cuts it. Deno can't cut after it has begun to
   * wait: there, what is left ends with the process.
   */
  stop(graceSeconds: number): Promise<void>;
}

const defaultIdleTimeout = 30;
/** Limits of body sizes are the routes' own. */
const noBodyLimit = Number.MAX_SAFE_INTEGER;

/** Listens for HTTP requests. Throws what to do when the port is taken or not allowed. */
export function serve(options: ServeOptions): RunningServer {
  try {
    return deno === undefined ? serveWithBun(options) : serveWithDeno(deno, options);
  } catch (error) {
    throw explained(error, options);
  }
}

function serveWithBun({ hostname, port, fetch, idleTimeout = defaultIdleTimeout }: ServeOptions): RunningServer {
  const server = Bun.serve({
    hostname,
    port,
    idleTimeout,
    maxRequestBodySize: noBodyLimit,
    // In production Bun would share the port with another process that listens on it.
    reusePort: false,
    // Bun would show the source around an error to the caller.
    development: false,
    error: unanswered,
    fetch: async (request, self) => {
      self.timeout(request, 0);
      await endOfTurn();
      const response = await fetch(request, () => self.requestIP(request)?.address ?? '');
      await endOfTurn();
      return response;
    },
  });
  return {
    ...reachedAt(hostname, server.port ?? port),
    stop: async (graceSeconds) => {
      if (await endedWithin(server.stop(false), graceSeconds)) return;
      await server.stop(true);
    },
  };
}

function serveWithDeno(runtime: NonNullable<typeof deno>, { hostname, port, fetch }: ServeOptions): RunningServer {
  const server = runtime.serve(
    // Deno would print lines of its own.
    { hostname, port, onListen: () => {}, onError: unanswered },
    async (request, { remoteAddr }) => await fetch(request, () => remoteAddr.hostname),
  );
  return {
    ...reachedAt(hostname, server.addr.port),
    stop: async (graceSeconds) => {
      await endedWithin(server.shutdown(), graceSeconds);
    },
  };
}

/** For a handler that threw, which it should not: it knows best how to report what happened. */
function unanswered(): Response {
  return new Response(null, { status: 500 });
}

function reachedAt(hostname: string, port: number): { url: string; port: number } {
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  return { url: `http://${host}:${port}`, port };
}

async function endedWithin(ended: Promise<unknown>, seconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, false);
  });
  const inTime = await Promise.race([ended.then(() => true), grace]);
  clearTimeout(timer);
  return inTime;
}

function explained(error: unknown, { hostname, port }: ServeOptions): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `port ${port} on ${hostname}`;
  if (code === 'EADDRINUSE')
    return new Error(`Another program has ${place}. Set PORT to a free one.`, { cause: error });
  if (code === 'EACCES') return new Error(`Not allowed to take ${place}. Set PORT to 1024 or more.`, { cause: error });
  return new Error(`Could not take ${place}. Check HOST and PORT.`, { cause: error });
}
