import { t } from 'elysia';
import { manifest, NewGrants, PolicyBody, Revision } from '../connections/model.ts';
import type { GrantInput } from '../connections/model.ts';
import { requestableScopes, type Policy } from '../crypto/index.ts';
import { Blob, bytes, Cents, object, Timestamp, Uuid } from '../http/schema.ts';

const Token = t.String({ maxLength: 100 });
const ClientUserId = t.String({
  minLength: 1,
  maxLength: 200,
  description: "The app's own id of its user; kept as a hash",
});

const RequestedScope = t.String({
  pattern: `^(${requestableScopes.join('|')})$`,
  description: `one of ${requestableScopes.join(', ')}`,
});

export const NewLinkSession = object({
  requestedProviders: t.Array(t.String({ maxLength: 32 }), { minItems: 1, maxItems: 32, uniqueItems: true }),
  requestedScopes: t.Optional(
    t.Array(RequestedScope, {
      minItems: 1,
      maxItems: requestableScopes.length,
      uniqueItems: true,
      description:
        'The kinds of calls that the app asks for; absent: chat and embeddings, in update mode none beyond those it has',
    }),
  ),
  budgetSuggestionCents: t.Optional(Cents),
  models: t.Optional(
    t.Array(t.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 100, uniqueItems: true }),
  ),
  clientUserId: t.Optional(ClientUserId),
  origin: t.Optional(t.String({ maxLength: 300, description: 'The registered origin that will open the window' })),
  redirectUri: t.Optional(t.String({ maxLength: 1000, description: 'Registered; for phones and webviews' })),
  accessToken: t.Optional(t.String({ maxLength: 100, description: 'Update mode: the connection to be changed' })),
});

export const CreatedLinkSession = object({ linkToken: t.String(), linkUrl: t.String(), expiresAt: Timestamp });

export const LinkSessionAnswer = object({
  status: t.String({ description: 'pending, approved, exchanged, denied or expired' }),
  expiresAt: Timestamp,
  sessionId: t.Optional(Uuid),
  mode: t.Optional(t.String({ description: 'connect or update' })),
  app: t.Optional(object({ id: Uuid, name: t.String(), allowedOrigins: t.Array(t.String()) })),
  origin: t.Optional(t.String()),
  redirectUri: t.Optional(t.String()),
  requestedProviders: t.Optional(t.Array(t.String())),
  requestedScopes: t.Optional(
    t.Array(t.String(), { description: 'Sorted; in update mode beside what the connection has, so it may be empty' }),
  ),
  models: t.Optional(t.Array(t.String())),
  budgetSuggestionCents: t.Optional(Cents),
  clientUserIdHash: t.Optional(
    t.String({ description: "Goes into the policy: base64url of SHA-256 of the app's id of its user" }),
  ),
  connectionId: t.Optional(Uuid),
});

const Approval = object({
  linkToken: Token,
  connectionId: Uuid,
  origin: t.Union([t.String({ maxLength: 300 }), t.Null()], { description: 'What the Link window proved' }),
  policy: PolicyBody,
  ckVault: Blob,
  ckPublic: Blob,
  publicLookup: bytes(32, 32),
  grants: NewGrants,
  ...manifest,
});
const Update = object({
  linkToken: Token,
  connectionId: Uuid,
  baseRevision: Revision,
  policy: PolicyBody,
  grants: NewGrants,
  ...manifest,
});
export const Authorization = t.Union([Approval, Update]);
export const AuthorizationAnswer = object({ connectionId: Uuid, status: t.String() });

export const Denial = object({ linkToken: Token });
export const Exchange = object({ publicToken: Token, clientUserId: t.Optional(ClientUserId) });
export const ExchangeAnswer = object({ accessToken: t.String(), connectionId: Uuid, policy: PolicyBody });

export interface NewLinkSessionInput {
  readonly requestedProviders: readonly string[];
  readonly requestedScopes?: readonly string[] | undefined;
  readonly budgetSuggestionCents?: number | undefined;
  readonly models?: readonly string[] | undefined;
  readonly clientUserId?: string | undefined;
  readonly origin?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly accessToken?: string | undefined;
}

interface Written {
  readonly linkToken: string;
  readonly connectionId: string;
  readonly policy: Policy;
  readonly grants: readonly GrantInput[];
  readonly manifest: Uint8Array;
  readonly manifestRevision?: number | undefined;
}

export interface ApprovalInput extends Written {
  readonly origin: string | null;
  readonly ckVault: Uint8Array;
  readonly ckPublic: Uint8Array;
  readonly publicLookup: Uint8Array;
}

export interface UpdateInput extends Written {
  readonly baseRevision: number;
}
