import {
  fieldsOf,
  type Fields,
  integer,
  integerOrNull,
  listOf,
  quantityOf,
  text,
  textOrNull,
  texts,
} from './answer.ts';
import type { Transport } from './transport.ts';

/** Which calls: all that is named must be met. */
export interface CallFilters {
  /** From this moment on: a Date, RFC 3339, or a day (UTC). */
  from?: string | Date;
  /** Before this moment. */
  to?: string | Date;
  connectionId?: string;
  appId?: string;
  provider?: string;
  /** As the app named it. */
  model?: string;
  /** `unmeasured`: estimated or unknown. */
  quality?: 'measured' | 'estimated' | 'unknown' | 'unmeasured';
  flag?: string;
  /** Only calls of the kinds that cost nothing, such as lists of models; or only the others. */
  free?: boolean;
}

/** Which calls, and how their totals are grouped; without a span of this calendar month (UTC), by day. */
export interface UsageQuery extends CallFilters {
  by?: 'hour' | 'day' | 'month' | 'app' | 'provider' | 'model';
  /** Divides each group further. */
  split?: 'app' | 'provider' | 'model';
}

export interface CallsQuery extends CallFilters {
  cursor?: string;
  limit?: number;
}

/** Totals or receipts as a file. */
export type ExportQuery = { format: 'csv' | 'ndjson' } & (
  | ({ of: 'totals' } & UsageQuery)
  | ({ of: 'calls' } & CallFilters)
);

/** A file as it comes. A reader that stops is waited for; one that is done with it early cancels `body`. */
export type UsageFile = {
  /** As the server names it. */
  name: string;
  /** Fails where the file is not whole. */
  body: ReadableStream<Uint8Array>;
};

/** One group of a span's totals. */
export type Total = {
  /** Start of the time span, or the app, connection, provider or model. */
  key: string | null;
  /** The same of the second dimension, where one was asked for. */
  split: string | null;
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
  /** As it is billed. A whole number, except of seconds. */
  quantity: number;
  /** Which of the prices of pictures it is, such as "1024x1024 hd"; null for all else. */
  variant: string | null;
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
  appId: string | null;
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
  /** Where the prices are from: `list`, its `version`, `entry`, `match`, and `tier`; null where nothing was priced. */
  price: Fields | null;
  /** US dollars, exact: the sum of the lines, unless flagged. */
  cost: string;
  startedAt: string;
  ttfbMs: number | null;
  durationMs: number;
};

export async function usage(transport: Transport, query: UsageQuery): Promise<Total[]> {
  const { items } = await transport.page(paths.totals, parameters(query));
  return items.map((item) => ({
    key: textOrNull(item, 'key'),
    split: textOrNull(item, 'split'),
    name: textOrNull(item, 'name'),
    calls: integer(item, 'calls'),
    cost: text(item, 'cost'),
    estimated: integer(item, 'estimated'),
  }));
}

/** A page of receipts, newest first; `nextCursor` is null on the last. */
export async function calls(transport: Transport, query: CallsQuery) {
  const page = await transport.page(paths.calls, parameters(query));
  return { items: page.items.map(receiptOf), nextCursor: page.nextCursor };
}

const paths = { totals: '/v1/usage', calls: '/v1/usage/calls' } as const;

export async function exportFile(transport: Transport, { of, ...query }: ExportQuery): Promise<UsageFile> {
  const response = await transport.file(paths[of], parameters(query));
  const name = /filename="([\w.-]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  return { name: name ?? `keypass-${of}.${query.format}`, body: response.body ?? new ReadableStream() };
}

export function exportUrl(transport: Transport, { of, ...query }: ExportQuery): string {
  return transport.url(paths[of], parameters(query));
}

/** A Date as RFC 3339; what is undefined is left out by the transport. */
function parameters<T extends CallFilters>({ from, to, free, ...rest }: T) {
  return { ...rest, from: timeOf(from), to: timeOf(to), free: free === undefined ? undefined : String(free) };
}

function receiptOf(fields: Fields): Receipt {
  const quality = text(fields, 'quality');
  return {
    id: text(fields, 'id'),
    connectionId: text(fields, 'connectionId'),
    appId: textOrNull(fields, 'appId'),
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
  return {
    bucket: text(fields, 'bucket'),
    quantity: quantityOf(fields, 'quantity'),
    variant: textOrNull(fields, 'variant'),
    usd: text(fields, 'usd'),
    per: integer(fields, 'per'),
    cost: text(fields, 'cost'),
  };
}

function timeOf(time: string | Date | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}
