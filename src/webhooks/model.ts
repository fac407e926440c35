import { t } from 'elysia';
import { integer, object, Timestamp, Uuid } from '../http/schema.ts';

export const NewWebhookSecret = object({
  webhookSecret: t.String({ description: 'Shown this once' }),
  oldSecretsExpireAt: Timestamp,
});

export const EventId = object({ eventId: Uuid });

const Attempt = object({
  attempt: integer({ minimum: 1 }),
  at: Timestamp,
  status: t.Union([integer(), t.Null()], { description: 'Of the answer; null where there was none' }),
  failure: t.Union([t.String(), t.Null()], { description: 'Why there was no answer: see /docs/webhooks' }),
  durationMs: integer({ minimum: 0 }),
});

export const Delivery = object({
  eventId: Uuid,
  type: t.String(),
  connectionId: t.Union([Uuid, t.Null()]),
  createdAt: Timestamp,
  state: t.String({ description: 'pending, delivered, or failed: given up' }),
  nextAttemptAt: t.Union([Timestamp, t.Null()]),
  attempts: t.Array(Attempt),
});
