import { Elysia } from 'elysia';
import type { OptionalManifestWrite } from '../accounts/model.ts';
import { addressGroup } from '../http/address.ts';
import type { Auth } from '../http/auth.ts';
import { contextOf } from '../http/context.ts';
import { success } from '../http/envelope.ts';
import { idempotencyKeyOf } from '../http/idempotency.ts';
import { pageQuery, pageRequest } from '../http/pages.ts';
import {
  decodeBlob,
  decodeBlobs,
  encodeBlobs,
  Failure,
  object,
  page,
  success as Success,
  Uuid,
} from '../http/schema.ts';
import type { KeyChecks } from './checks.ts';
import type { KeyHealth } from './health.ts';
import type { KeyReplacementInput } from './model.ts';
import * as model from './model.ts';
import type { Keys } from './service.ts';

/** A key's next version together with the grants that follow it; wired to the connections, which own the grants. */
export type ReplaceKey = (
  userId: string,
  key: { provider: string; id: string },
  input: KeyReplacementInput & {
    grants: { connectionId: string; revision: number; grant: Uint8Array }[];
    drop: string[];
    manifest: Uint8Array;
    manifestRevision?: number | undefined;
  },
) => Promise<{ version: number }>;

/** Removes a key, or all of a provider where none is named; wired to the connections, whose running calls end with it. */
type RemoveKey = (
  userId: string,
  key: { provider: string; id: string | null },
  manifest: OptionalManifestWrite,
) => Promise<void>;

interface Options {
  auth: Auth;
  checks: KeyChecks;
  health: KeyHealth;
  replaceKey: ReplaceKey;
  removeKey: RemoveKey;
}

/** `/v1/keys`: the vault's items. */
export function keyRoutes(keys: Keys, { auth, checks, health, replaceKey, removeKey }: Options) {
  return new Elysia({ prefix: '/v1/keys', normalize: false, tags: ['Keys'] })
    .use(auth)
    .get(
      '/',
      async ({ session, query }) => {
        const { items, nextCursor } = await keys.list(session.userId, pageRequest(query));
        return success({ items: items.map(shown), nextCursor });
      },
      {
        session: true,
        query: object(pageQuery),
        response: { 200: Success(page(model.KeyAnswer)), 400: Failure, 401: Failure },
        detail: { summary: 'The keys of the vault, sealed' },
      },
    )
    .post(
      '/',
      async ({ session, body, request }) => {
        const input = decodeBlobs(body, ['item', 'dekVault', 'manifest']);
        await keys.add(session.userId, input, idempotencyKeyOf(request));
        return success({ id: body.id, version: 1 });
      },
      {
        session: true,
        body: model.NewKey,
        response: {
          200: Success(object({ id: Uuid, version: model.KeyAnswer.properties.version })),
          400: Failure,
          401: Failure,
          409: Failure,
        },
        detail: { summary: 'Store a sealed key' },
      },
    )
    .post(
      '/check',
      async ({ session, body, request }) => {
        const place = addressGroup(contextOf(request).address());
        const verdict = await checks.check({ userId: session.userId, place }, body, request.signal);
        return success({ verdict });
      },
      {
        session: true,
        body: model.KeyToCheck,
        response: { 200: Success(model.CheckedKey), 400: Failure, 401: Failure, 429: Failure },
        detail: { summary: 'Ask a provider whether it takes a key' },
      },
    )
    .put(
      '/:provider/:keyId',
      async ({ session, params, body }) => {
        const input = decodeBlobs(body, ['item', 'dekVault', 'manifest']);
        const grants = body.grants.map((entry) => ({ ...entry, grant: decodeBlob(entry.grant, 'grants') }));
        const key = { provider: params.provider, id: params.keyId };
        return success({ id: key.id, ...(await replaceKey(session.userId, key, { ...input, grants })) });
      },
      {
        session: true,
        params: object({ provider: model.Provider, keyId: Uuid }),
        body: model.KeyReplacement,
        response: {
          200: Success(object({ id: Uuid, version: model.KeyAnswer.properties.version })),
          400: Failure,
          401: Failure,
          404: Failure,
          409: Failure,
        },
        detail: { summary: 'Replace a key; connected apps keep their tokens' },
      },
    )
    .delete(
      '/:provider/:keyId/refusal',
      async ({ session, params }) => {
        await health.seenTo(session.userId, params.provider, params.keyId);
        return success({});
      },
      {
        session: true,
        params: object({ provider: model.Provider, keyId: Uuid }),
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'Take the mark of a refusal away' },
      },
    )
    .delete(
      '/:provider',
      async ({ session, params, body }) => {
        await removeKey(session.userId, { ...params, id: null }, decodeBlobs(body ?? {}, ['manifest']));
        return success({});
      },
      {
        session: true,
        params: object({ provider: model.Provider }),
        body: model.OptionalManifest,
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 404: Failure, 409: Failure },
        detail: { summary: 'Delete all keys of a provider' },
      },
    )
    .delete(
      '/:provider/:keyId',
      async ({ session, params, body }) => {
        const key = { provider: params.provider, id: params.keyId };
        await removeKey(session.userId, key, decodeBlobs(body ?? {}, ['manifest']));
        return success({});
      },
      {
        session: true,
        params: object({ provider: model.Provider, keyId: Uuid }),
        body: model.OptionalManifest,
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 404: Failure, 409: Failure },
        detail: { summary: 'Delete one key' },
      },
    );
}

function shown(row: Awaited<ReturnType<Keys['list']>>['items'][number]) {
  const { id, provider, origin, isDefault } = row;
  return {
    id,
    provider,
    origin,
    version: Number(row.version),
    isDefault,
    ...encodeBlobs({ item: row.item, dekVault: row.dekVault }, ['item', 'dekVault']),
    connectionCount: Number(row.connectionCount),
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    refusal: refusalOf(row),
  };
}

function refusalOf({ refusedAt, refusedStatus, refusedVerdict }: Parameters<typeof shown>[0]) {
  if (refusedAt === null || refusedStatus === null || refusedVerdict === null) return null;
  return { at: refusedAt.toISOString(), status: refusedStatus, verdict: refusedVerdict };
}
