/** What KeyPass needs of `Deno`, whose own types can't stand beside Bun's. */
interface DenoRuntime {
  serve(
    options: { hostname: string; port: number; onListen: () => void; onError: () => Response },
    handler: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
  ): { addr: { hostname: string; port: number }; shutdown(): Promise<void> };
  createHttpClient(options: { poolMaxIdlePerHost: number }): object;
}

declare global {
  // Undefined under Bun.
  var Deno: DenoRuntime | undefined;
}

/** The runtime's own API where it is Deno, else undefined. */
export const deno: DenoRuntime | undefined = globalThis.Deno;

export const runtimeName: 'bun' | 'deno' = deno === undefined ? 'bun' : 'deno';

/** Whether this is the executable that `bun build --compile` made: its modules lie in a file system of its own. */
export const isCompiled: boolean = /\/(?:\$bunfs|~BUN)\//.test(import.meta.url);
