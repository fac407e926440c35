import { Elysia } from 'elysia';
import { decodeGrants } from '../connections/model.ts';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { idempotencyKeyOf } from '../http/idempotency.ts';
import { decodeBlobs, Failure, object, success as Success } from '../http/schema.ts';
import * as model from './model.ts';
import type { Link } from './service.ts';

/** `/v1/link/*`: an app asks, a person decides, the app exchanges. */
export function linkRoutes(link: Link, { auth, origin }: { auth: Auth; origin: string }) {
  return new Elysia({ prefix: '/v1/link', normalize: false, tags: ['Link'] })
    .use(auth)
    .post(
      '/sessions',
      async ({ app, body, request }) => {
        const created = await link.createSession(app, body, idempotencyKeyOf(request));
        return success({ ...created, expiresAt: created.expiresAt.toISOString() });
      },
      {
        app: true,
        body: model.NewLinkSession,
        response: { 200: Success(model.CreatedLinkSession), 400: Failure, 401: Failure, 403: Failure, 409: Failure },
        detail: { summary: 'Ask one person for the use of their keys' },
      },
    )
    .get(
      '/session',
      async ({ linkToken, request }) => {
        // A page of another origin always sends Origin with this request; KeyPass's own pages and clients without one may see more.
        const from = request.headers.get('origin');
        return success(shown(await link.describe(linkToken, from === null || from === origin)));
      },
      {
        linkToken: true,
        response: { 200: Success(model.LinkSessionAnswer), 401: Failure },
        detail: { summary: 'How far a request is; to the consent window also what it shows' },
      },
    )
    .post(
      '/authorize',
      async ({ session, body }) => {
        const grants = decodeGrants(body.grants);
        if ('baseRevision' in body) {
          await link.update(session.userId, { ...decodeBlobs(body, ['manifest']), grants });
          return success({ connectionId: body.connectionId, status: 'exchanged' });
        }
        const input = decodeBlobs(body, ['ckVault', 'ckPublic', 'publicLookup', 'manifest']);
        await link.approve(session.userId, { ...input, grants });
        return success({ connectionId: body.connectionId, status: 'approved' });
      },
      {
        session: true,
        body: model.Authorization,
        response: {
          200: Success(model.AuthorizationAnswer),
          400: Failure,
          401: Failure,
          403: Failure,
          404: Failure,
          409: Failure,
        },
        detail: { summary: 'Approve: grants sealed by the browser under the policy that the person saw' },
      },
    )
    .post(
      '/deny',
      async ({ body }) => {
        await link.deny(body.linkToken);
        return success({});
      },
      {
        body: model.Denial,
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 409: Failure },
        detail: { summary: 'Deny a request; the link token alone is enough' },
      },
    )
    .post(
      '/exchange',
      async ({ app, body }) => success(await link.exchange(app, body.publicToken, body.clientUserId)),
      {
        app: true,
        body: model.Exchange,
        response: { 200: Success(model.ExchangeAnswer), 400: Failure, 401: Failure, 403: Failure },
        detail: { summary: 'Trade a public token for an access token, once' },
      },
    );
}

function shown(answer: Awaited<ReturnType<Link['describe']>>): typeof model.LinkSessionAnswer.static {
  const seen = { status: answer.status, expiresAt: answer.expiresAt.toISOString() };
  if (!('session' in answer)) return seen;
  const {
    id,
    updateOf,
    app,
    origin,
    redirectUri,
    requestedProviders,
    requestedScopes,
    models,
    budgetSuggestionCents,
    clientUserIdHash,
  } = answer.session;
  return {
    ...seen,
    sessionId: id,
    mode: updateOf === null ? 'connect' : 'update',
    app: { ...app, allowedOrigins: [...app.allowedOrigins] },
    requestedProviders,
    requestedScopes,
    ...(origin === null ? {} : { origin }),
    ...(redirectUri === null ? {} : { redirectUri }),
    ...(models === null ? {} : { models }),
    ...(budgetSuggestionCents === null ? {} : { budgetSuggestionCents }),
    ...(clientUserIdHash === null ? {} : { clientUserIdHash }),
    ...(updateOf === null ? {} : { connectionId: updateOf }),
  };
}
