import type { Answer } from '../dispatch.ts';
import { refuseKeyInQuery, targetOf } from '../paths.ts';
import type { Route } from '../paths.ts';
import { readContent } from '../prepare.ts';
import type { Content } from '../pricing.ts';
import type { Caller, Proxy } from '../service.ts';
import { malformed } from './refusal.ts';

/** A request in OpenAI's shape: who makes it, what is sent, and where OpenAI itself would take it. */
export interface Received {
  readonly callId: string;
  readonly request: Request;
  readonly caller: Caller;
  readonly content: Content;
  readonly route: Route;
}

/** Who calls comes before what is sent: a stranger's body is not read. `path` is OpenAI's own. Throws KeyPassError. */
export async function receive(
  proxy: Proxy,
  { request, callId, path, limit }: { request: Request; callId: string; path: string; limit: number },
): Promise<Received> {
  const { query } = targetOf(request.url);
  refuseKeyInQuery(query);
  const caller = await proxy.caller(request.headers);
  const route = proxy.route('openai', 'POST', path, query);
  const content = await readContent(request, route.endpoint, limit);
  if (content === null) throw malformed('body', 'a JSON object');
  return { callId, request, caller, content, route };
}

/** Calls OpenAI itself with what was received, byte for byte as on the passthrough. */
export async function passOn(proxy: Proxy, received: Received): Promise<Response> {
  const { callId, request, caller, content, route } = received;
  const { headers, signal } = request;
  const answer = await proxy.callAs(caller, { callId, route, headers, content, signal, tellsErrors: true });
  return new Response(answer.body, answer);
}

/** The headers of a request that goes to another API than the client wrote it for: only those about the call pass. */
export function headersAbout(request: Request, names: readonly string[]): Headers {
  const given = names.map((name) => [name, request.headers.get(name)] as const);
  return new Headers(
    given.flatMap(([name, value]) => (value === null ? [] : [[name, value] satisfies [string, string]])),
  );
}

/** The headers of an answer that was written anew. */
export function headersOf({ headers }: Answer, contentType: string): Headers {
  const sent = new Headers(headers);
  sent.set('content-type', contentType);
  return sent;
}
