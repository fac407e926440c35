import { Elysia } from 'elysia';
import { requestIdOf } from '../../http/context.ts';
import { failureBody, failureHeaders } from '../../http/envelope.ts';
import { asKeyPassError } from '../../http/errors.ts';
import type { Log } from '../../http/log.ts';
import { errorBody, errorResponse } from '../errors.ts';
import { ProviderRefusal } from './failures.ts';
import type { Models } from './models.ts';
import type { Unified } from './service.ts';

type Shape = 'envelope' | 'openai';
type Handler = (request: Request, requestId: string) => Promise<Response>;

/** OpenAI's shape for all providers, on KeyPass's own path and on OpenAI's. Without hooks, like every proxied answer. */
export function unifiedRoutes(unified: Unified, models: Models, log: Log) {
  const respondIn = (shape: Shape, answer: Handler) => {
    return ({ request }: { request: Request }) => respond(answer, shape, request, log);
  };
  const raw = { parse: 'none' } as const;
  return new Elysia({ name: 'unified' })
    .post(
      '/v1/proxy/chat/completions',
      respondIn('envelope', (request, id) => unified.chat(request, id)),
      raw,
    )
    .post(
      '/openai/v1/chat/completions',
      respondIn('openai', (request, id) => unified.dropInChat(request, id)),
      raw,
    )
    .post(
      '/openai/v1/embeddings',
      respondIn('openai', (request, id) => unified.dropInEmbeddings(request, id)),
      raw,
    )
    .get(
      '/openai/v1/models',
      respondIn('openai', (request) => listModels(models, request)),
      raw,
    )
    .get(
      '/openai/v1/models/*',
      respondIn('openai', (request) => findModel(models, request)),
      raw,
    );
}

async function listModels(models: Models, request: Request): Promise<Response> {
  const { models: data, unlisted } = await models.list(request);
  const headers = unlisted.length === 0 ? unstored : { ...unstored, 'x-keypass-unlisted': unlisted.join(', ') };
  return Response.json({ object: 'list', data }, { headers });
}

async function findModel(models: Models, request: Request): Promise<Response> {
  return Response.json(await models.find(request), { headers: unstored });
}

const unstored = { 'cache-control': 'no-store' };

async function respond(answer: Handler, shape: Shape, request: Request, log: Log): Promise<Response> {
  const requestId = requestIdOf(request);
  try {
    return await answer(request, requestId);
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
  headers.set('content-type', 'application/json');
  headers.set('x-request-id', requestId);
  const body = shape === 'envelope' ? failureBody(refusal, requestId) : errorBody(refusal, shape);
  return Response.json(body, { status: refusal.status, headers });
}
