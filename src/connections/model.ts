import { t } from 'elysia';
import type { Policy } from '../crypto/index.ts';
import {
  Blob,
  bytes,
  Cents,
  decodeBlob,
  integer,
  ManifestBlob,
  ManifestRevision,
  object,
  Timestamp,
  Usd,
  Uuid,
} from '../http/schema.ts';

/** Checked member by member by the kernel, which alone knows a policy's rules; here it is any object. */
export const PolicyBody = t.Unsafe<Policy>(
  t.Object(
    {},
    {
      description:
        'The policy of crypto.md: all members present, arrays sorted; its RFC 8785 form is hashed and stored',
    },
  ),
);

const NewGrant = object({ keyId: Uuid, version: integer({ minimum: 1 }), grant: Blob });
export const NewGrants = t.Array(NewGrant, { minItems: 1, maxItems: 32 });
export const manifest = { manifest: ManifestBlob, manifestRevision: t.Optional(ManifestRevision) };
export const Revision = integer({ minimum: 1 });

export const NewConnection = object({
  id: Uuid,
  kind: t.Union([t.Literal('personal'), t.Literal('site')]),
  policy: PolicyBody,
  ckVault: Blob,
  ckToken: Blob,
  tokenLookup: bytes(32, 32),
  tokenVault: Blob,
  grants: NewGrants,
  ...manifest,
});

const PolicyEdit = object({ baseRevision: Revision, policy: PolicyBody, grants: NewGrants, ...manifest });
const Pause = object({ paused: t.Boolean() });
const Cap = object({
  capCents: t.Union([Cents, t.Null()], { description: 'Lowers the budget without the vault; null lifts it' }),
});
export const ConnectionEdit = t.Union([PolicyEdit, Pause, Cap]);

const summary = {
  id: Uuid,
  kind: t.String(),
  app: t.Optional(object({ id: Uuid, name: t.String() })),
  origin: t.Optional(t.String()),
  status: t.String({ description: 'pending, active, paused or revoked' }),
  revision: Revision,
  generation: integer({ minimum: 0 }),
  policy: PolicyBody,
  capCents: t.Optional(Cents),
  spent: Usd,
  held: Usd,
  resetsAt: t.Union([Timestamp, t.Null()]),
  missingKeys: t.Array(t.String(), { description: 'Providers whose key was deleted: their calls answer key_missing' }),
  createdAt: Timestamp,
};

export const ConnectionSummary = object(summary);
export const ConnectionDetail = object({
  ...summary,
  ckVault: t.Optional(Blob),
  tokenVault: t.Optional(Blob),
  grants: t.Array(object({ keyId: Uuid, provider: t.String(), version: integer(), grant: Blob })),
});

const Limit = t.Union([integer({ minimum: 1 }), t.Null()]);

export const OwnConnection = object({
  id: Uuid,
  status: t.String({ description: 'active, paused or expired' }),
  providers: t.Array(object({ id: t.String(), models: t.Union([t.Array(t.String()), t.Null()]) })),
  scopes: t.Array(t.String()),
  budgetCents: Cents,
  perModelCents: t.Union([t.Record(t.String(), Cents), t.Null()]),
  period: t.String({ description: 'month (UTC) or total' }),
  spent: Usd,
  held: Usd,
  resetsAt: t.Union([Timestamp, t.Null()], { description: 'When spent starts anew; null: never' }),
  limits: object({ rpm: Limit, tpm: Limit, parallel: Limit }, { description: 'null: none' }),
  expiresAt: t.Union([Timestamp, t.Null()]),
});

export interface GrantInput {
  readonly keyId: string;
  readonly version: number;
  readonly grant: Uint8Array;
}

/** What the owner's client made for a new connection. */
export interface NewConnectionInput {
  readonly id: string;
  readonly policy: Policy;
  readonly ckVault: Uint8Array;
  readonly grants: readonly GrantInput[];
}

/** The access token of a connection, as the server may know it: its lookup and the wrap that it opens. */
export interface TokenWrap {
  readonly tokenLookup: Uint8Array;
  readonly ckToken: Uint8Array;
  readonly generation: number;
}

export interface PolicyEditInput {
  readonly baseRevision: number;
  readonly policy: Policy;
  readonly grants: readonly GrantInput[];
}

export function decodeGrants(grants: typeof NewGrants.static) {
  return grants.map((entry) => ({ ...entry, grant: decodeBlob(entry.grant, 'grants') }));
}
