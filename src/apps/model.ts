import { t } from 'elysia';
import { object, Timestamp, Uuid } from '../http/schema.ts';

const WebOrigin = t.String({ maxLength: 300, description: 'Origin such as https://app.example' });
const Uri = t.String({ maxLength: 1000, description: 'https, or http on loopback; matched exactly' });
const WebhookUrl = t.String({ maxLength: 1000, description: 'https, to a public host; see /docs/webhooks' });

export const NewApp = object({
  name: t.String({
    minLength: 1,
    maxLength: 80,
    pattern: '^\\S(.*\\S)?$',
    description: 'text without white space at its ends',
  }),
  allowedOrigins: t.Array(WebOrigin, { minItems: 1, maxItems: 20 }),
  redirectUris: t.Optional(t.Array(Uri, { maxItems: 20 })),
  webhookUrl: t.Optional(WebhookUrl),
});

export const AppEdit = t.Partial(
  object({ ...NewApp.properties, webhookUrl: t.Union([WebhookUrl, t.Null()], { description: 'null: no webhook' }) }),
  { additionalProperties: false },
);

const app = {
  id: Uuid,
  name: t.String(),
  clientId: t.String(),
  allowedOrigins: t.Array(t.String()),
  redirectUris: t.Array(t.String()),
  webhookUrl: t.Union([t.String(), t.Null()]),
  createdAt: Timestamp,
};
const webhookSecret = {
  webhookSecret: t.Optional(t.String({ description: 'Of a first webhook URL; shown this once' })),
};
export const AppAnswer = object(app);
export const EditedApp = object({ ...app, ...webhookSecret });
export const CreatedApp = object({
  ...app,
  clientSecret: t.String({ description: 'Shown this once' }),
  ...webhookSecret,
});

export const NewSecret = object({
  clientSecret: t.String({ description: 'Shown this once' }),
  oldSecretsExpireAt: Timestamp,
});

export interface NewAppInput {
  readonly name: string;
  readonly allowedOrigins: readonly string[];
  readonly redirectUris?: readonly string[] | undefined;
  readonly webhookUrl?: string | undefined;
}

export interface AppEditInput extends Partial<Omit<NewAppInput, 'webhookUrl'>> {
  /** Null: no webhook any more. */
  readonly webhookUrl?: string | null | undefined;
}
