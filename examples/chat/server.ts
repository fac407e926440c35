/**
 * A small chat app whose users bring their own AI. Its server holds the client secret and the access tokens; its page
 * (page/) opens the consent window and shows the chat. Neither ever sees an API key.
 */
import { type ChatStream, KeyPassClient, KeyPassError } from '@keypass/node-sdk';
import { buildPage } from './build.ts';
import type { ChatEvent, ConnectionView, Failure } from './protocol.ts';
import { BadRequest, readChat, readPublicToken } from './requests.ts';
import { keepSession, type Session, sessionOf } from './sessions.ts';

const port = Number(process.env['PORT'] ?? 3000);
const origin = process.env['APP_ORIGIN'] ?? `http://localhost:${port}`;
const keypassUrl = required('KEYPASS_URL');
const keypass = new KeyPassClient({
  baseUrl: keypassUrl,
  clientId: required('KEYPASS_CLIENT_ID'),
  clientSecret: required('KEYPASS_CLIENT_SECRET'),
});

function required(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  throw new Error(`Set ${name}: register this app in the console of your KeyPass server, see README.md.`);
}

/** Step 1: a link session. The page gives the token to the link SDK, which opens the consent window. */
async function connect(_request: Request, session: Session): Promise<Response> {
  const { linkToken } = await keypass.createLinkSession({
    requestedProviders: ['openai', 'anthropic'],
    budgetSuggestionCents: 1000,
    clientUserId: session.userId,
    origin,
  });
  return Response.json({ linkToken }, { headers: { 'set-cookie': keepSession(session, origin) } });
}

/** Again for a connection that exists: the owner may raise the budget, and the access token stays. */
async function askForMore(_request: Request, session: Session): Promise<Response> {
  const accessToken = tokenOf(session);
  const { budgetCents } = await viewOf(accessToken);
  const { linkToken } = await keypass.createLinkSession({
    requestedProviders: ['openai', 'anthropic'],
    budgetSuggestionCents: Math.max(500, budgetCents * 2),
    clientUserId: session.userId,
    origin,
    accessToken,
  });
  return Response.json({ linkToken });
}

/** Step 2: the public token of the window for an access token, which stays on this server. */
async function exchange(request: Request, session: Session): Promise<Response> {
  const publicToken = await readPublicToken(request);
  const { accessToken } = await keypass.exchangePublicToken(publicToken, { clientUserId: session.userId });
  session.accessToken = accessToken;
  return Response.json(await viewOf(accessToken));
}

/** Step 3: AI, paid by the owner of the connection within their budget. */
async function chat(request: Request, session: Session): Promise<Response> {
  const { provider, model, messages } = await readChat(request);
  const stream = await keypass.chatCompletion(
    { accessToken: tokenOf(session), provider, model, messages, stream: true, max_completion_tokens: 1024 },
    { signal: request.signal },
  );
  return eventStream(stream, request.signal);
}

/** `null` for a visitor who has connected nothing yet. */
async function showConnection(_request: Request, { accessToken }: Session): Promise<Response> {
  return Response.json(accessToken === undefined ? null : await viewOf(accessToken));
}

/** The app lets go by itself; the owner can do the same in their vault at any time. */
async function disconnect(_request: Request, session: Session): Promise<Response> {
  const accessToken = tokenOf(session);
  delete session.accessToken;
  await keypass.releaseConnection({ accessToken });
  return new Response(null, { status: 204 });
}

function tokenOf({ accessToken }: Session): string {
  if (accessToken !== undefined) return accessToken;
  throw new BadRequest('not_connected', 'Connect your AI keys first.');
}

async function viewOf(accessToken: string): Promise<ConnectionView> {
  const connection = await keypass.connection({ accessToken });
  const { status, providers, budgetCents, spent, held, resetsAt } = connection;
  return { status, providers, budgetCents, spent, held, resetsAt };
}

/** The answer's text as lines of JSON, as it comes. When the page leaves, the call ends and nothing more is spent. */
function eventStream(stream: ChatStream, signal: AbortSignal): Response {
  const events = eventsOf(stream, signal);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await events.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    cancel: () => stream.abort(),
  });
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

async function* eventsOf(stream: ChatStream, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
  try {
    for await (const { choices } of stream) {
      const text = choices[0]?.delta.content;
      if (text) yield { text };
    }
    yield { done: true };
  } catch (error) {
    if (!signal.aborted) yield { error: failureOf(error) };
  }
}

/** KeyPass's messages are written for the reader and hold no secret; anything else is this app's own fault. */
function failureOf(error: unknown): Failure {
  if (error instanceof KeyPassError || error instanceof BadRequest) return { code: error.code, message: error.message };
  process.stderr.write(`${String(error)}\n`);
  return { code: 'app_failed', message: 'This app failed. Try again.' };
}

type Handler = (request: Request, session: Session) => Promise<Response>;

/** A cookie comes along with requests that other sites make: only this page's own requests count. */
function guarded(handle: Handler): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== 'GET' && request.headers.get('origin') !== origin) {
        throw new BadRequest('foreign_origin', `This app answers to its own page alone: ${origin}`);
      }
      return await handle(request, sessionOf(request));
    } catch (error) {
      const status = error instanceof KeyPassError ? (error.status ?? 502) : 400;
      return Response.json({ error: failureOf(error) }, { status });
    }
  };
}

const page = await buildPage(keypassUrl);

const server = Bun.serve({
  port,
  hostname: new URL(origin).hostname,
  // A model may think for longer than Bun's ten seconds before its first word.
  idleTimeout: 0,
  routes: {
    ...page,
    '/connect': { POST: guarded(connect) },
    '/ask-for-more': { POST: guarded(askForMore) },
    '/exchange': { POST: guarded(exchange) },
    '/chat': { POST: guarded(chat) },
    '/connection': { GET: guarded(showConnection), DELETE: guarded(disconnect) },
  },
  fetch: () => new Response('Not found', { status: 404 }),
});

process.stdout.write(`The chat app listens on ${server.url.origin}\n`);
