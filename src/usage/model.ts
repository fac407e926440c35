import { t } from 'elysia';
import { pageQuery } from '../http/pages.ts';
import { integer, object, Timestamp, Usd, Uuid } from '../http/schema.ts';

const times = [t.Literal('hour'), t.Literal('day'), t.Literal('month')] as const;
const names = [t.Literal('app'), t.Literal('provider'), t.Literal('model')] as const;

const By = t.Union([...times, ...names], { description: 'What the totals are grouped by; times are of UTC' });
const Split = t.Union([...names], { description: 'Divides each group further: two dimensions at once' });
const Format = t.Union([t.Literal('json'), t.Literal('csv'), t.Literal('ndjson')], {
  description: 'csv and ndjson are whole files, sent as a stream',
});
/** As refusals say it. */
export const momentForm = 'a day such as 2026-11-01, or an RFC 3339 time; a + in it is written %2B';
const Moment = t.String({
  pattern: String.raw`^[12]\d{3}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$`,
  description: momentForm,
});

/** Which calls: all that are named must be met. */
const filters = {
  from: t.Optional(Moment),
  to: t.Optional(Moment),
  connectionId: t.Optional(Uuid),
  appId: t.Optional(Uuid),
  provider: t.Optional(
    t.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'a provider id, as in GET /v1/providers' }),
  ),
  model: t.Optional(
    t.String({
      pattern: String.raw`^[^\s\u0000-\u001f\u007f]+$`,
      maxLength: 400,
      description: 'a model as the app named it, without white space',
    }),
  ),
  quality: t.Optional(
    t.Union([t.Literal('measured'), t.Literal('estimated'), t.Literal('unknown'), t.Literal('unmeasured')], {
      description: 'unmeasured: estimated or unknown',
    }),
  ),
  flag: t.Optional(t.String({ pattern: '^[a-z_]{1,40}$', description: 'a flag of receipts, such as usage_missing' })),
  free: t.Optional(
    t.Union([t.Literal('true'), t.Literal('false')], {
      description: 'Only calls of the kinds that cost nothing, such as lists of models; false: only the others',
    }),
  ),
};

export const TotalsQuery = object({
  ...filters,
  by: t.Optional(By),
  split: t.Optional(Split),
  format: t.Optional(Format),
});

const Total = object({
  key: t.Union([t.String(), t.Null()], {
    description: 'Start of the time span, or id of the app or connection, provider, model',
  }),
  split: t.Optional(t.Union([t.String(), t.Null()], { description: 'The same of the second dimension' })),
  name: t.Optional(t.String({ description: 'Of the app, where the totals are by app' })),
  calls: integer(),
  cost: Usd,
  estimated: integer({ description: 'Calls whose cost was not measured' }),
});

export const Totals = object({ from: Timestamp, to: Timestamp, cost: Usd, calls: integer(), items: t.Array(Total) });

export const CallsQuery = object({
  ...filters,
  ...pageQuery,
  format: t.Optional(Format),
});

export const Receipt = object({
  id: t.String({ description: 'The `x-request-id` of the call, a UUIDv7' }),
  connectionId: Uuid,
  appId: t.Union([Uuid, t.Null()]),
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
  price: t.Unknown({ description: 'The list, with its version, and the entry that the prices are from' }),
  cost: Usd,
  startedAt: Timestamp,
  ttfbMs: t.Union([integer(), t.Null()]),
  durationMs: integer(),
});

export type TimeUnit = 'hour' | 'day' | 'month';
export type Grouping = typeof By.static;
export type Splitting = typeof Split.static;
export type Total = typeof Total.static;
export type Receipt = typeof Receipt.static;
export type Filters = Omit<typeof TotalsQuery.static, 'by' | 'split' | 'format'>;
