import { fieldsOf, type Fields, integer, integerOrNull, listOf, text, textOrNull, texts } from './answer.ts';
import type { Transport } from './transport.ts';

/** A span of time and how its totals are grouped. */
export interface UsageQuery {
  from?: string | Date;
  to?: string | Date;
  by?: 'hour' | 'day' | 'month' | 'app' | 'provider' | 'model';
}

export interface CallsQuery {
  connectionId?: string;
  cursor?: string;
  limit?: number;
}

/** One group of a span's totals. */
export type Total = {
  /** Start of the time span, or the app, connection, provider or model. */
  key: string | null;
  /** The app's name, where the totals are by app. */
  name: string | null;
  calls: number;
  /** US dollars, exact. */
  cost: string;
  /** Calls whose cost was not measured. */
  estimated: number;
};

/** One bucket of a receipt: `quantity` at `usd` dollars for `per` units is `cost`. */
export type ReceiptLine = {
  /** What was used: `uncachedInput`, `cacheRead`, `output` … */
  bucket: string;
  quantity: number;
  /** The dated price in US dollars, exact. */
  usd: string;
  per: number;
  /** US dollars, exact. */
  cost: string;
};

/** What one call used, what that cost, and why. */
export type Receipt = {
  id: string;
  connectionId: string;
  appName: string | null;
  provider: string;
  model: string | null;
  /** The model that answered, by the provider's name for it. */
  servedModel: string | null;
  serviceTier: string | null;
  /** Method and path template. */
  endpoint: string;
  /** The provider's status; null if it never answered. */
  status: number | null;
  quality: 'measured' | 'estimated' | 'unknown';
  flags: string[];
  /** The usage in KeyPass's buckets, with the provider's own object as `raw`; null if none is known. */
  usage: Fields | null;
  /** Quantity × price = cost, bucket by bucket. */
  lines: ReceiptLine[];
  /** Where the prices are from: `entry`, `match` and `catalogue` with its version; null where nothing was priced. */
  price: Fields | null;
  /** US dollars, exact: the sum of the lines, unless flagged. */
  cost: string;
  startedAt: string;
  ttfbMs: number | null;
  durationMs: number;
};

export async function usage(transport: Transport, { from, to, by }: UsageQuery): Promise<Total[]> {
  const { items } = await transport.page('/v1/usage', { from: timeOf(from), to: timeOf(to), by });
  return items.map((item) => ({
    key: textOrNull(item, 'key'),
    name: textOrNull(item, 'name'),
    calls: integer(item, 'calls'),
    cost: text(item, 'cost'),
    estimated: integer(item, 'estimated'),
  }));
}

/** A page of receipts, newest first; `nextCursor` is null on the last. */
export async function calls(transport: Transport, { connectionId, cursor, limit }: CallsQuery) {
  const page = await transport.page('/v1/usage/calls', { connectionId, cursor, limit });
  return { items: page.items.map(receiptOf), nextCursor: page.nextCursor };
}

function receiptOf(fields: Fields): Receipt {
  const quality = text(fields, 'quality');
  return {
    id: text(fields, 'id'),
    connectionId: text(fields, 'connectionId'),
    appName: textOrNull(fields, 'appName'),
    provider: text(fields, 'provider'),
    model: textOrNull(fields, 'model'),
    servedModel: textOrNull(fields, 'servedModel'),
    serviceTier: textOrNull(fields, 'serviceTier'),
    endpoint: text(fields, 'endpoint'),
    status: integerOrNull(fields, 'status'),
    quality: quality === 'measured' || quality === 'estimated' ? quality : 'unknown',
    flags: texts(fields, 'flags'),
    usage: given(fields, 'usage'),
    lines: listOf(fields['lines'], 'lines').map(lineOf),
    price: given(fields, 'price'),
    cost: text(fields, 'cost'),
    startedAt: text(fields, 'startedAt'),
    ttfbMs: integerOrNull(fields, 'ttfbMs'),
    durationMs: integer(fields, 'durationMs'),
  };
}

function given(fields: Fields, name: string): Fields | null {
  return fields[name] === undefined || fields[name] === null ? null : fieldsOf(fields[name], name);
}

function lineOf(fields: Fields): ReceiptLine {
  const [bucket, usd, cost] = [text(fields, 'bucket'), text(fields, 'usd'), text(fields, 'cost')];
  return { bucket, quantity: integer(fields, 'quantity'), usd, per: integer(fields, 'per'), cost };
}

function timeOf(time: string | Date | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}
