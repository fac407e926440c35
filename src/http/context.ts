/** What is known of a request besides its own bytes. */
export interface RequestContext {
  /** Unique; sent back as `X-Request-Id` and written to the log. */
  readonly id: string;
  /** The client's address, through trusted proxies; asked for only where it is counted. */
  readonly address: () => string;
}

const contexts = new WeakMap<Request, RequestContext>();

export function setContext(request: Request, context: RequestContext): void {
  contexts.set(request, context);
}

/** Elysia hands the very Request on, so what the front door knew of it is found again by identity. */
export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error('a request came in past the front door');
  return context;
}

export function requestIdOf(request: Request): string {
  return contextOf(request).id;
}
