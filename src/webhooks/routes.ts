import { Elysia } from 'elysia';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { pageQuery, pageRequest } from '../http/pages.ts';
import { Failure, object, page, success as Success, Uuid } from '../http/schema.ts';
import * as model from './model.ts';
import type { Webhooks } from './service.ts';

const failures = { 400: Failure, 401: Failure, 404: Failure, 409: Failure };

/** What a developer does with an app's webhook, beside setting its URL. */
export function webhookRoutes(webhooks: Webhooks, { auth }: { auth: Auth }) {
  return new Elysia({ prefix: '/v1/apps/:id', normalize: false, tags: ['Webhooks'] })
    .use(auth)
    .post(
      '/webhook/secret',
      async ({ session, params }) => {
        const { webhookSecret, oldSecretsExpireAt } = await webhooks.rotateSecret(session.userId, params.id);
        return success({ webhookSecret, oldSecretsExpireAt: oldSecretsExpireAt.toISOString() });
      },
      {
        session: true,
        params: object({ id: Uuid }),
        response: { 200: Success(model.NewWebhookSecret), ...failures },
        detail: { summary: 'A new webhook secret; the old one signs too for a day' },
      },
    )
    .post('/webhook/test', async ({ session, params }) => success(await webhooks.sendTest(session.userId, params.id)), {
      session: true,
      params: object({ id: Uuid }),
      response: { 200: Success(model.EventId), ...failures, 429: Failure },
      detail: { summary: 'Send a test event' },
    })
    .get(
      '/deliveries',
      async ({ session, params, query }) => {
        const { items, nextCursor } = await webhooks.deliveries(session.userId, params.id, pageRequest(query));
        return success({ items: items.map(shown), nextCursor });
      },
      {
        session: true,
        params: object({ id: Uuid }),
        query: object(pageQuery),
        response: { 200: Success(page(model.Delivery)), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'What the app was told, and how each attempt went' },
      },
    )
    .post(
      '/deliveries/:eventId/redeliver',
      async ({ session, params }) => success(await webhooks.redeliver(session.userId, params.id, params.eventId)),
      {
        session: true,
        params: object({ id: Uuid, eventId: Uuid }),
        response: { 200: Success(model.EventId), ...failures, 429: Failure },
        detail: { summary: 'Deliver an event once more' },
      },
    );
}

function shown(event: Awaited<ReturnType<Webhooks['deliveries']>>['items'][number]) {
  return {
    eventId: event.id,
    type: event.type,
    connectionId: event.connectionId,
    createdAt: event.createdAt.toISOString(),
    state: event.state,
    nextAttemptAt: event.nextAttemptAt?.toISOString() ?? null,
    attempts: event.attempts.map(({ attempt, startedAt, status, failure, durationMs }) => ({
      attempt,
      at: startedAt.toISOString(),
      status,
      failure,
      durationMs,
    })),
  };
}
