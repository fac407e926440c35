import { Elysia } from 'elysia';
import { requestIdOf } from '../../http/context.ts';
import { failureBody, failureHeaders } from '../../http/envelope.ts';
import { asKeyPassError } from '../../http/errors.ts';
import type { Log } from '../../http/log.ts';
import { errorBody, errorResponse } from '../errors.ts';
import { ProviderRefusal } from './failures.ts';
import type { UnifiedChat } from './service.ts';

type Shape = 'envelope' | 'openai';

/** Unified chat, on KeyPass's own path and on OpenAI's. Without hooks, like every proxied answer. */
export function unifiedRoutes(unified: UnifiedChat, log: Log) {
  return new Elysia({ name: 'unified' })
    .post(
      '/v1/proxy/chat/completions',
      ({ request }) => respond((id) => unified.chat(request, id), 'envelope', request, log),
      { parse: 'none' },
    )
    .post(
      '/openai/v1/chat/completions',
      ({ request }) => respond((id) => unified.dropIn(request, id), 'openai', request, log),
      { parse: 'none' },
    );
}

async function respond(
  answer: (requestId: string) => Promise<Response>,
  shape: Shape,
  request: Request,
  log: Log,
): Promise<Response> {
  const requestId = requestIdOf(request);
  try {
    return await answer(requestId);
  } catch (error) {
    // Nobody reads this one: the client has closed its connection.
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if (error instanceof ProviderRefusal) return refusalResponse(error, shape, requestId);
    return errorResponse(asKeyPassError(error, log, requestId), shape, requestId);
  }
}

/** The provider refused, not KeyPass: its own status and headers, and no `X-KeyPass-Error`. */
function refusalResponse(refusal: ProviderRefusal, shape: Shape, requestId: string): Response {
  const headers = new Headers(refusal.headers);
  for (const [name, value] of Object.entries(failureHeaders(refusal))) headers.set(name, value);
  headers.delete('x-keypass-error');
  // A refused key is not taken the next time either.
  if (refusal.code === 'provider_key_rejected') headers.set('x-should-retry', 'false');
  headers.set('content-type', 'application/json');
  headers.set('x-request-id', requestId);
  const body = shape === 'envelope' ? failureBody(refusal, requestId) : errorBody(refusal, shape);
  return Response.json(body, { status: refusal.status, headers });
}
