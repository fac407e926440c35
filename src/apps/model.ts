import { t } from 'elysia';
import { object, Timestamp, Uuid } from '../http/schema.ts';

const WebOrigin = t.String({ maxLength: 300, description: 'Origin such as https://app.example' });
const Uri = t.String({ maxLength: 1000, description: 'https, or http on loopback; matched exactly' });

export const NewApp = object({
  name: t.String({ minLength: 1, maxLength: 80, pattern: '^\\S(.*\\S)?$' }),
  allowedOrigins: t.Array(WebOrigin, { minItems: 1, maxItems: 20 }),
  redirectUris: t.Optional(t.Array(Uri, { maxItems: 20 })),
  webhookUrl: t.Optional(Uri),
});

export const AppEdit = t.Partial(NewApp, { additionalProperties: false });

const app = {
  id: Uuid,
  name: t.String(),
  clientId: t.String(),
  allowedOrigins: t.Array(t.String()),
  redirectUris: t.Array(t.String()),
  webhookUrl: t.Union([t.String(), t.Null()]),
  createdAt: Timestamp,
};
export const AppAnswer = object(app);
export const CreatedApp = object({ ...app, clientSecret: t.String({ description: 'Shown this once' }) });

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
