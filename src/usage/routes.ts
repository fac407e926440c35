import { Elysia } from 'elysia';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { limitOf } from '../http/pages.ts';
import { Failure, page, success as Success } from '../http/schema.ts';
import { formatUsd } from '../money/amount.ts';
import { callsFile, shownReceipt, shownTotal, totalsFile } from './files.ts';
import * as model from './model.ts';
import type { UsageReports } from './service.ts';

interface Options {
  auth: Auth;
  onFault: (event: string, error: unknown) => void;
}

/**
 * `/v1/usage`: every cent, by time, app, provider and model, down to the single call; as JSON or as a file. The handlers
 * return one of two promises, because Elysia's types have no promise of either.
 */
export function usageRoutes(usage: UsageReports, { auth, onFault }: Options) {
  const onFileFault = (error: unknown) => onFault('export_failed', error);
  return new Elysia({ prefix: '/v1/usage', normalize: false, tags: ['Usage'] })
    .use(auth)
    .get(
      '/',
      ({ session, query }) => {
        const { format = 'json' } = query;
        if (format === 'json') return totalsOf(usage, session.userId, query);
        return totalsFile(usage, session.userId, { ...query, format }, onFileFault);
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
      ({ session, confirmSession, query }) => {
        const { format = 'json' } = query;
        if (format === 'json') return callsOf(usage, session.userId, query);
        const reader = { userId: session.userId, confirm: confirmSession };
        return callsFile(usage, reader, { ...query, format }, onFileFault);
      },
      {
        session: true,
        query: model.CallsQuery,
        response: { 200: Success(page(model.Receipt)), 400: Failure, 401: Failure },
        detail: { summary: 'Receipts: raw usage × dated price = cost' },
      },
    );
}

async function totalsOf(usage: UsageReports, userId: string, query: typeof model.TotalsQuery.static) {
  const { from, to, items } = await usage.totals(userId, query);
  return success({
    from: from.toISOString(),
    to: to.toISOString(),
    cost: formatUsd(items.reduce((sum, item) => sum + item.cost, 0n)),
    calls: items.reduce((sum, item) => sum + Number(item.calls), 0),
    items: items.map((item) => shownTotal(item, query.split !== undefined)),
  });
}

async function callsOf(usage: UsageReports, userId: string, query: typeof model.CallsQuery.static) {
  const { items, nextCursor } = await usage.calls(userId, { ...query, limit: limitOf(query) });
  return success({ items: items.map(shownReceipt), nextCursor });
}
