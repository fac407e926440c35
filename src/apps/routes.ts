import { Elysia } from 'elysia';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { idempotencyKeyOf } from '../http/idempotency.ts';
import { pageQuery, pageRequest } from '../http/pages.ts';
import { Failure, object, page, success as Success, Uuid } from '../http/schema.ts';
import * as model from './model.ts';
import type { Apps } from './service.ts';

/** Removal revokes an app's connections; wired to the connections, which know them. */
export type RemoveApp = (userId: string, id: string) => Promise<void>;

/** `/v1/apps`: a developer's apps. */
export function appRoutes(apps: Apps, { auth, removeApp }: { auth: Auth; removeApp: RemoveApp }) {
  return new Elysia({ prefix: '/v1/apps', normalize: false, tags: ['Apps'] })
    .use(auth)
    .post(
      '/',
      async ({ session, body, request }) => {
        const app = await apps.create(session.userId, body, idempotencyKeyOf(request));
        return success({ ...shown(app), clientSecret: app.clientSecret, ...shownSecret(app) });
      },
      {
        session: true,
        body: model.NewApp,
        response: { 200: Success(model.CreatedApp), 400: Failure, 401: Failure, 409: Failure },
        detail: { summary: 'Register an app; its secret is shown once' },
      },
    )
    .get(
      '/',
      async ({ session, query }) => {
        const { items, nextCursor } = await apps.list(session.userId, pageRequest(query));
        return success({ items: items.map(shown), nextCursor });
      },
      {
        session: true,
        query: object(pageQuery),
        response: { 200: Success(page(model.AppAnswer)), 400: Failure, 401: Failure },
        detail: { summary: "The developer's apps" },
      },
    )
    .patch(
      '/:id',
      async ({ session, params, body }) => {
        const app = await apps.edit(session.userId, params.id, body);
        return success({ ...shown(app), ...shownSecret(app) });
      },
      {
        session: true,
        params: object({ id: Uuid }),
        body: model.AppEdit,
        response: { 200: Success(model.EditedApp), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'Change the name, origins, redirect URIs or webhook' },
      },
    )
    .post(
      '/:id/secret',
      async ({ session, params }) => {
        const { clientSecret, oldSecretsExpireAt } = await apps.rotateSecret(session.userId, params.id);
        return success({ clientSecret, oldSecretsExpireAt: oldSecretsExpireAt.toISOString() });
      },
      {
        session: true,
        params: object({ id: Uuid }),
        response: { 200: Success(model.NewSecret), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'A new secret; the old one lives on for a day' },
      },
    )
    .delete(
      '/:id',
      async ({ session, params }) => {
        await removeApp(session.userId, params.id);
        return success({});
      },
      {
        session: true,
        params: object({ id: Uuid }),
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'Remove an app; revokes every connection to it' },
      },
    );
}

function shownSecret({ webhookSecret }: { webhookSecret: string | undefined }) {
  return webhookSecret === undefined ? {} : { webhookSecret };
}

function shown(app: Awaited<ReturnType<Apps['list']>>['items'][number]) {
  const { id, name, clientId, allowedOrigins, redirectUris, webhookUrl } = app;
  return { id, name, clientId, allowedOrigins, redirectUris, webhookUrl, createdAt: app.createdAt.toISOString() };
}
