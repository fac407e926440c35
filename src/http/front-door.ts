import type { Config } from '../config.ts';
import { clientAddress } from './address.ts';
import { setContext, type RequestContext } from './context.ts';
import { addReader, allowedReader, preflightResponse } from './cors.ts';
import { asKeyPassError } from './errors.ts';
import { failureResponse } from './envelope.ts';
import { refuseForeignHost } from './hosts.ts';
import type { Log } from './log.ts';
import { addSecurityHeaders } from './security-headers.ts';

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * What every request passes before anything is routed: its id, its client's address, the host guard, CORS; and what
 * every answer gets: the id and the security headers. Headers are set on the response itself, never through hooks of
 * the router, because those would send a proxied stream through a text decoder.
 */
export function createFrontDoor(handler: Handler, config: Config, log: Log) {
  return async (request: Request, peer: string): Promise<Response> => {
    const startedAt = performance.now();
    const context = { id: crypto.randomUUID(), address: clientAddress(request, peer, config.trustedProxies) };
    setContext(request, context);
    // A malformed Host makes a URL that is none: it is refused below, with all that an answer has.
    const path = URL.parse(request.url)?.pathname ?? '';
    const reader = allowedReader(path, request.headers.get('origin'), config.corsOrigins);
    const response = await respond(handler, request, reader, config, context, log);
    finish(response.headers, context, reader, config);
    log.request(request, path, response, context.id, performance.now() - startedAt);
    return response;
  };
}

async function respond(
  handler: Handler,
  request: Request,
  reader: string | undefined,
  config: Config,
  context: RequestContext,
  log: Log,
): Promise<Response> {
  try {
    refuseForeignHost(request, config.origin);
    const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
    return isPreflight ? preflightResponse(reader) : await handler(request);
  } catch (error) {
    return failureResponse(asKeyPassError(error, log, context.id), context.id);
  }
}

function finish(headers: Headers, context: RequestContext, reader: string | undefined, config: Config): void {
  headers.set('x-request-id', context.id);
  if (reader !== undefined) addReader(headers, reader);
  addSecurityHeaders(headers, config.origin);
}
