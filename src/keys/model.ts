import { t } from 'elysia';
import { Blob, ManifestBlob, ManifestRevision, integer, object, Timestamp, Uuid } from '../http/schema.ts';

export const Provider = t.String({
  pattern: '^[a-z][a-z0-9_-]{1,31}$',
  description: 'a provider id, as in GET /v1/providers',
});
const Origin = t.String({ maxLength: 300, description: 'Origin that the key is sealed for' });
const Version = integer({ minimum: 1 });
const manifest = { manifest: ManifestBlob, manifestRevision: t.Optional(ManifestRevision) };

const Verdict = {
  rejected: t.Literal('rejected', { description: 'not taken, or out of credit' }),
  restricted: t.Literal('restricted', { description: 'taken, but not for what was asked, or not from there' }),
};

const Refusal = object(
  {
    at: Timestamp,
    status: integer({ description: "The provider's" }),
    verdict: t.Union([Verdict.rejected, Verdict.restricted]),
  },
  { description: 'Since when the provider refuses the key, by the calls that were made with it' },
);

export const KeyAnswer = object({
  id: Uuid,
  provider: t.String(),
  origin: t.String(),
  version: Version,
  isDefault: t.Boolean(),
  item: Blob,
  dekVault: Blob,
  connectionCount: integer(),
  createdAt: Timestamp,
  lastUsedAt: t.Union([Timestamp, t.Null()]),
  refusal: t.Union([Refusal, t.Null()]),
});

/** A key in the clear: asked about once, and kept nowhere. */
export const KeyToCheck = object({
  provider: Provider,
  secret: t.String({
    pattern: '^[\\x21-\\x7e]+$',
    maxLength: 4096,
    description: 'the key itself, as printable ASCII without spaces',
  }),
  headers: t.Optional(
    t.Record(t.String({ maxLength: 100 }), t.String({ maxLength: 500 }), {
      maxProperties: 10,
      description: 'What belongs to the key, such as an organisation; only those pass that the provider has',
    }),
  ),
});

export const CheckedKey = object({
  verdict: t.Union([
    t.Literal('works'),
    Verdict.rejected,
    Verdict.restricted,
    t.Literal('unknown', { description: 'the provider said nothing of the key, or nothing at all' }),
  ]),
});

export const NewKey = object({
  id: Uuid,
  provider: Provider,
  origin: Origin,
  version: t.Literal(1),
  item: Blob,
  dekVault: Blob,
  isDefault: t.Optional(t.Boolean()),
  ...manifest,
});

export const KeyReplacement = object({
  baseVersion: Version,
  origin: Origin,
  item: Blob,
  dekVault: Blob,
  grants: t.Array(object({ connectionId: Uuid, revision: integer({ minimum: 1 }), grant: Blob }), { maxItems: 1000 }),
  drop: t.Array(Uuid, { maxItems: 1000, description: 'Connections that lose this key instead' }),
  ...manifest,
});

/** Deletions may bring the manifest that no longer lists what was deleted. */
export const OptionalManifest = t.Optional(
  object({ manifest: t.Optional(ManifestBlob), manifestRevision: t.Optional(ManifestRevision) }),
);

export interface NewKeyInput {
  readonly id: string;
  readonly provider: string;
  readonly origin: string;
  readonly item: Uint8Array;
  readonly dekVault: Uint8Array;
  readonly isDefault?: boolean | undefined;
  readonly manifest: Uint8Array;
  readonly manifestRevision?: number | undefined;
}

export interface KeyReplacementInput {
  readonly baseVersion: number;
  readonly origin: string;
  readonly item: Uint8Array;
  readonly dekVault: Uint8Array;
}
