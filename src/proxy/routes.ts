import { Elysia } from 'elysia';
import { requestIdOf } from '../http/context.ts';
import { asKeyPassError } from '../http/errors.ts';
import type { Log } from '../http/log.ts';
import { providers } from '../providers/index.ts';
import { errorResponse, type AnswerShape } from './errors.ts';
import type { Proxy } from './service.ts';

/** Where a provider's API is found: KeyPass's own path, and the base URLs that its official clients can be given. */
const mounts = ['/v1/proxy/passthrough/:provider/*', '/openai/v1/*', '/anthropic/*', '/google/*', '/groq/*'];

/**
 * The provider's own APIs. One thin handler without a hook and with a Response of its own: a hook or `set.headers` would
 * send the stream through Elysia's text decoder, which breaks bytes, hides upstream resets and delays aborts.
 */
export function proxyRoutes(proxy: Proxy, log: Log) {
  const routes = new Elysia({ name: 'proxy' });
  for (const mount of mounts) {
    routes.all(mount, ({ request }) => respond(proxy, log, request), { parse: 'none' });
  }
  return routes;
}

async function respond(proxy: Proxy, log: Log, request: Request): Promise<Response> {
  const requestId = requestIdOf(request);
  try {
    return await proxy.passthrough(request, requestId);
  } catch (error) {
    // Nobody reads this one: the client has closed its connection.
    if (request.signal.aborted) return new Response(null, { status: 499 });
    return errorResponse(asKeyPassError(error, log, requestId), shapeOf(request), requestId);
  }
}

/** A drop-in's client understands its own API's errors only; KeyPass's own paths have KeyPass's envelope. */
function shapeOf(request: Request): AnswerShape {
  const [first] = new URL(request.url).pathname.slice(1).split('/');
  return providers.find(({ id }) => id === first)?.errorShape ?? 'envelope';
}
