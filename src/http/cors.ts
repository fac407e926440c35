/** Answers that any page may read: nothing in them depends on a cookie. */
const publicPaths = [/^\/v1\/link\/session$/, /^\/v1\/providers$/, /^\/openapi\.json$/, /^\/sdk\//];

/** The proxy, for the origins that the operator named. */
const proxyPaths = [/^\/v1\/proxy\//, /^\/v1\/connection$/, /^\/(openai|anthropic|google|groq)\//];

/** The origin that may read this answer from a page (`Access-Control-Allow-Origin`), or nothing. */
export function allowedReader(path: string, origin: string | null, corsOrigins: readonly string[]): string | undefined {
  if (origin === null) return undefined;
  if (publicPaths.some((pattern) => pattern.test(path))) return '*';
  return corsOrigins.includes(origin) && proxyPaths.some((pattern) => pattern.test(path)) ? origin : undefined;
}

/** The answer to a preflight (Fetch standard, 3.3); without a reader it allows nothing. */
export function preflightResponse(reader: string | undefined): Response {
  if (reader === undefined) return new Response(null, { status: 204 });
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': reader === '*' ? 'GET' : 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'authorization, content-type, idempotency-key, x-api-key, x-goog-api-key, x-goog-api-client, anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access, x-keypass-exact',
      'access-control-max-age': '600',
    },
  });
}

export function addReader(headers: Headers, reader: string): void {
  headers.set('access-control-allow-origin', reader);
  headers.set(
    'access-control-expose-headers',
    'x-request-id, x-keypass-error, x-keypass-max-tokens, x-keypass-unlisted, retry-after',
  );
  headers.set('cross-origin-resource-policy', 'cross-origin');
  if (reader !== '*') headers.append('vary', 'origin');
}
