import { t } from 'elysia';
import { pageQuery } from '../http/pages.ts';
import { integer, object, Timestamp, Usd, Uuid } from '../http/schema.ts';

const By = t.Union(
  [
    t.Literal('hour'),
    t.Literal('day'),
    t.Literal('month'),
    t.Literal('app'),
    t.Literal('provider'),
    t.Literal('model'),
  ],
  { description: 'What the totals are grouped by' },
);
const Moment = t.String({
  pattern: '^[12]\\d{3}-\\d{2}-\\d{2}(T[0-9:.]+Z)?$',
  description: 'RFC 3339 in UTC, or a day',
});

export const TotalsQuery = object({ from: t.Optional(Moment), to: t.Optional(Moment), by: t.Optional(By) });
export const Totals = object({
  from: Timestamp,
  to: Timestamp,
  cost: Usd,
  calls: integer(),
  items: t.Array(
    object({
      key: t.Union([t.String(), t.Null()], {
        description: 'Start of the time span, or id of the app or connection, provider, model',
      }),
      name: t.Optional(t.String()),
      calls: integer(),
      cost: Usd,
      estimated: integer({ description: 'Calls whose cost was not measured' }),
    }),
  ),
});

export const CallsQuery = object({ ...pageQuery, connectionId: t.Optional(Uuid) });
export const Receipt = object({
  id: Uuid,
  connectionId: Uuid,
  appName: t.Union([t.String(), t.Null()]),
  provider: t.String(),
  model: t.Union([t.String(), t.Null()]),
  servedModel: t.Union([t.String(), t.Null()]),
  serviceTier: t.Union([t.String(), t.Null()]),
  endpoint: t.String(),
  status: t.Union([integer(), t.Null()]),
  quality: t.String({ description: 'measured, estimated or unknown' }),
  flags: t.Array(t.String()),
  usage: t.Unknown(),
  lines: t.Unknown(),
  price: t.Unknown({ description: 'The catalogue, with its version, and the entry that the prices are from' }),
  cost: Usd,
  startedAt: Timestamp,
  ttfbMs: t.Union([integer(), t.Null()]),
  durationMs: integer(),
});

export type Grouping = typeof By.static;
