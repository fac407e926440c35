import { Elysia, t } from 'elysia';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { idempotencyKeyOf } from '../http/idempotency.ts';
import { pageQuery, pageRequest } from '../http/pages.ts';
import { decodeBlobs, encodeBlobs, Failure, object, page, success as Success, Uuid } from '../http/schema.ts';
import { OptionalManifest } from '../keys/model.ts';
import { formatUsd } from '../money/amount.ts';
import type { Access } from './access.ts';
import * as model from './model.ts';
import type { ConnectionOverview } from './overview.ts';
import type { Connections } from './service.ts';

type Summary = Awaited<ReturnType<ConnectionOverview['list']>>['items'][number];

interface Services {
  connections: Connections;
  overview: ConnectionOverview;
  access: Access;
}

/** `/v1/connections`: what the owner approved; `/v1/connection`: the same, as the app sees its own. */
export function connectionRoutes({ connections, overview, access }: Services, { auth }: { auth: Auth }) {
  return new Elysia({ prefix: '/v1', normalize: false, tags: ['Connections'] })
    .use(auth)
    .get(
      '/connections',
      async ({ session, query }) => {
        const { items, nextCursor } = await overview.list(session.userId, pageRequest(query));
        return success({ items: items.map(shownSummary), nextCursor });
      },
      {
        session: true,
        query: object(pageQuery),
        response: { 200: Success(page(model.ConnectionSummary)), 400: Failure, 401: Failure },
        detail: { summary: 'What the owner approved, with spend' },
      },
    )
    .post(
      '/connections',
      async ({ session, body, request }) => {
        const input = decodeBlobs(body, ['ckVault', 'ckToken', 'tokenLookup', 'tokenVault', 'manifest']);
        const grants = model.decodeGrants(body.grants);
        await connections.createPersonal(session.userId, { ...input, grants }, idempotencyKeyOf(request));
        return success({ id: body.id });
      },
      {
        session: true,
        body: model.NewConnection,
        response: { 200: Success(object({ id: Uuid })), 400: Failure, 401: Failure, 404: Failure, 409: Failure },
        detail: { summary: "A token of one's own for a tool; the server never sees it here" },
      },
    )
    .get(
      '/connections/:id',
      async ({ session, params }) => success(shownDetail(await overview.get(session.userId, params.id))),
      {
        session: true,
        params: object({ id: Uuid }),
        response: { 200: Success(model.ConnectionDetail), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'One connection with its sealed wraps and grants' },
      },
    )
    .patch(
      '/connections/:id',
      async ({ session, params, body }) => {
        await applyEdit(connections, session.userId, params.id, body);
        return success({ id: params.id });
      },
      {
        session: true,
        params: object({ id: Uuid }),
        body: model.ConnectionEdit,
        response: {
          200: Success(object({ id: Uuid })),
          400: Failure,
          401: Failure,
          403: Failure,
          404: Failure,
          409: Failure,
        },
        detail: { summary: 'Edit the policy, pause, or lower the budget' },
      },
    )
    .delete(
      '/connections/:id',
      async ({ session, params, body }) => {
        await connections.revoke(session.userId, params.id, decodeBlobs(body ?? {}, ['manifest']));
        return success({});
      },
      {
        session: true,
        params: object({ id: Uuid }),
        body: OptionalManifest,
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 404: Failure, 409: Failure },
        detail: { summary: 'Revoke: shred, deny at once, cut running streams' },
      },
    )
    .get('/connection', async ({ accessToken }) => success(shownOwn(await access.describe(accessToken))), {
      accessToken: true,
      response: { 200: Success(model.OwnConnection), 401: Failure, 403: Failure },
      detail: { summary: "The app's own connection: providers, models, budget, spent, held" },
    })
    .post('/connection/rotate', async ({ accessToken }) => success(await access.rotate(accessToken)), {
      accessToken: true,
      response: {
        200: Success(object({ accessToken: t.String(), generation: t.Integer() })),
        401: Failure,
      },
      detail: { summary: 'A new access token; the old one opens nothing from here on' },
    })
    .delete(
      '/connection',
      async ({ accessToken }) => {
        const { id } = await access.identify(accessToken);
        await connections.revokeAny(id, 'app');
        return success({});
      },
      {
        accessToken: true,
        response: { 200: Success(object({})), 401: Failure },
        detail: { summary: 'The app lets go by itself' },
      },
    );
}

async function applyEdit(
  connections: Connections,
  userId: string,
  id: string,
  body: typeof model.ConnectionEdit.static,
): Promise<void> {
  if ('paused' in body) return connections.setPaused(userId, id, body.paused);
  if ('capCents' in body) return connections.setCap(userId, id, body.capCents);
  return connections.edit(userId, id, { ...decodeBlobs(body, ['manifest']), grants: model.decodeGrants(body.grants) });
}

function shownSummary({ row, policy, missingKeys, spent, held, resetsAt }: Summary) {
  return {
    id: row.id,
    kind: row.kind,
    ...(row.appId === null || row.appName === null ? {} : { app: { id: row.appId, name: row.appName } }),
    ...(row.origin === null ? {} : { origin: row.origin }),
    status: row.status,
    revision: Number(row.revision),
    generation: Number(row.generation),
    policy,
    ...(row.capCents === null ? {} : { capCents: Number(row.capCents) }),
    spent: formatUsd(spent),
    held: formatUsd(held),
    resetsAt: resetsAt?.toISOString() ?? null,
    missingKeys,
    createdAt: row.createdAt.toISOString(),
  };
}

function shownDetail(detail: Awaited<ReturnType<ConnectionOverview['get']>>) {
  const { ckVault, tokenVault, grants, ...summary } = detail;
  return {
    ...shownSummary(summary),
    ...(ckVault === null ? {} : encodeBlobs({ ckVault }, ['ckVault'])),
    ...(tokenVault === null ? {} : encodeBlobs({ tokenVault }, ['tokenVault'])),
    grants: grants.map(({ keyId, provider, version, sealedDek }) => ({
      keyId,
      provider,
      version: Number(version),
      ...encodeBlobs({ grant: sealedDek }, ['grant']),
    })),
  };
}

function shownOwn({ id, status, policy, capCents, spent, held, resetsAt }: Awaited<ReturnType<Access['describe']>>) {
  return {
    id,
    status,
    providers: policy.providers.map((provider) => ({ id: provider.id, models: provider.models })),
    scopes: [...policy.scopes],
    budgetCents: Math.min(policy.budgetCents, Number(capCents ?? policy.budgetCents)),
    perModelCents: policy.perModelCents,
    period: policy.period,
    spent: formatUsd(spent),
    held: formatUsd(held),
    resetsAt: resetsAt?.toISOString() ?? null,
    limits: { ...policy.limits },
    expiresAt: policy.expiresAt,
  };
}
