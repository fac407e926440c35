import { v7 as uuidv7 } from 'uuid';
import type { Config } from '../config.ts';
import { KeyPassError } from '../errors.ts';
import { clientAddress } from './address.ts';
import { setContext } from './context.ts';
import { addReader, allowedReader, preflightResponse } from './cors.ts';
import { asKeyPassError } from './errors.ts';
import { failureResponse } from './envelope.ts';
import { createHostGuard } from './hosts.ts';
import { type Location, locationOf } from './location.ts';
import type { Log } from './log.ts';
import { addSecurityHeaders } from './security-headers.ts';

/** `path` is the URL's. */
type Handler = (request: Request, path: string) => Response | Promise<Response>;

/** Here and not at the routes: a browser that opens one sends its token in a place that is read nowhere. */
function refuseWebSocket({ method, headers }: Request): void {
  if (method !== 'GET' || headers.get('upgrade')?.toLowerCase() !== 'websocket') return;
  throw new KeyPassError('websocket_unsupported', 'KeyPass passes no WebSocket on. Use the HTTP endpoints of the API.');
}

/**
 * What every request passes before anything is routed: its id, its client's address, the host guard, CORS; and what
 * every answer gets: the id and the security headers. Headers are set on the response itself, never through hooks of
 * the router, because those would send a proxied stream through a text decoder.
 */
export function createFrontDoor(handler: Handler, config: Config, log: Log) {
  const refuseForeignHost = createHostGuard(config.origin);

  async function respond(request: Request, { host, path }: Location, reader: string | undefined, requestId: string) {
    try {
      refuseForeignHost(request, host);
      refuseWebSocket(request);
      const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
      return isPreflight ? preflightResponse(reader) : await handler(request, path);
    } catch (error) {
      return failureResponse(asKeyPassError(error, log, requestId), requestId);
    }
  }

  return async (request: Request, peer: () => string): Promise<Response> => {
    const startedAt = performance.now();
    // By time, so that a call's receipt goes where its index was written last, not to a random page of it.
    const id = uuidv7();
    setContext(request, { id, address: () => clientAddress(request, peer(), config.trustedProxies) });
    const location = locationOf(request.url);
    const reader = allowedReader(location.path, request.headers.get('origin'), config.corsOrigins);
    const response = await respond(request, location, reader, id);
    const { headers } = response;
    headers.set('x-request-id', id);
    if (reader !== undefined) addReader(headers, reader);
    addSecurityHeaders(headers, config.origin);
    log.request(request, location.path, response, id, performance.now() - startedAt);
    return response;
  };
}
