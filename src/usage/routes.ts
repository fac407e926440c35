import { Elysia } from 'elysia';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { pageRequest } from '../http/pages.ts';
import { Failure, page, success as Success } from '../http/schema.ts';
import { formatUsd } from '../money/amount.ts';
import * as model from './model.ts';
import type { UsageReports } from './service.ts';

/** `/v1/usage`: every cent, by time, app, provider and model, down to the single call. */
export function usageRoutes(usage: UsageReports, { auth }: { auth: Auth }) {
  return new Elysia({ prefix: '/v1/usage', normalize: false, tags: ['Usage'] })
    .use(auth)
    .get(
      '/',
      async ({ session, query }) => {
        const { from, to, items } = await usage.totals(session.userId, query);
        return success({
          from: from.toISOString(),
          to: to.toISOString(),
          cost: formatUsd(items.reduce((sum, item) => sum + item.cost, 0n)),
          calls: items.reduce((sum, item) => sum + Number(item.calls), 0),
          items: items.map(shownTotal),
        });
      },
      {
        session: true,
        query: model.TotalsQuery,
        response: { 200: Success(model.Totals), 400: Failure, 401: Failure },
        detail: { summary: 'Totals of a span of time' },
      },
    )
    .get(
      '/calls',
      async ({ session, query }) => {
        const { items, nextCursor } = await usage.calls(session.userId, query.connectionId ?? null, pageRequest(query));
        return success({ items: items.map(shownReceipt), nextCursor });
      },
      {
        session: true,
        query: model.CallsQuery,
        response: { 200: Success(page(model.Receipt)), 400: Failure, 401: Failure },
        detail: { summary: 'Receipts: raw usage × dated price = cost' },
      },
    );
}

function shownTotal(item: Awaited<ReturnType<UsageReports['totals']>>['items'][number]) {
  const { key, name, calls, cost, estimated } = item;
  return {
    key,
    ...(name === null ? {} : { name }),
    calls: Number(calls),
    cost: formatUsd(cost),
    estimated: Number(estimated),
  };
}

function shownReceipt(row: Awaited<ReturnType<UsageReports['calls']>>['items'][number]) {
  const { callId, cost, startedAt, ...rest } = row;
  return { ...rest, id: callId, cost: formatUsd(cost), startedAt: startedAt.toISOString() };
}
