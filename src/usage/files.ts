import { isPlainObject } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { formatUsd } from '../money/amount.ts';
import type { Cell } from './csv.ts';
import { fileResponse, type FileFormat, type Sheet } from './export.ts';
import type { CallsQuery, Receipt, Total, TotalsQuery } from './model.ts';
import type { UsageReports } from './service.ts';

type OnFault = (error: unknown) => void;

/** The columns are documented in docs/usage.md: new ones are added at the end. */
const totalsSheet: Sheet<Total> = {
  columns: ['key', 'split', 'name', 'calls', 'cost', 'estimated'],
  cells: ({ key, split, name, calls, cost, estimated }) => [key, split, name, calls, cost, estimated],
};

const facts = [
  'id',
  'startedAt',
  'connectionId',
  'appId',
  'appName',
  'provider',
  'model',
  'servedModel',
  'serviceTier',
  'endpoint',
  'status',
  'quality',
] as const;
const measures = ['cost', 'ttfbMs', 'durationMs'] as const;
const buckets = [
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'output',
  'audioOutput',
  'reasoning',
] as const;
const furtherBuckets = [
  'audioCacheRead',
  'imageInput',
  'imageCacheRead',
  'imageOutput',
  'videoInput',
  'videoOutput',
  'seconds',
  'characters',
] as const;
const pictures = { images: 'count', imageSize: 'size', imageQuality: 'quality' } as const;
const fees = ['webSearch', 'fileSearch', 'otherTools'] as const;

/** The columns are documented in docs/usage.md: new ones are added at the end. */
const callsSheet: Sheet<Receipt> = {
  columns: [...facts, 'flags', ...measures, ...buckets, ...furtherBuckets, ...Object.keys(pictures), ...fees],
  cells: (receipt) => [
    ...facts.map((name) => receipt[name]),
    receipt.flags.join(' '),
    ...measures.map((name) => receipt[name]),
    ...[...buckets, ...furtherBuckets].map((name) => cellAt(receipt.usage, name)),
    ...Object.values(pictures).map((name) => cellAt(memberOf(receipt.usage, 'images'), name)),
    ...fees.map((name) => cellAt(memberOf(receipt.usage, 'fees'), name)),
  ],
};

function cellAt(holder: unknown, name: string): Cell {
  const value = memberOf(holder, name);
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}

function memberOf(holder: unknown, name: string): unknown {
  return isPlainObject(holder) ? holder[name] : undefined;
}

/** The totals as a file: they are bounded, so one page. */
export async function totalsFile(
  usage: UsageReports,
  userId: string,
  query: typeof TotalsQuery.static & { format: FileFormat },
  onFault: OnFault,
): Promise<Response> {
  const { from, to, items } = await usage.totals(userId, query);
  const { by = 'day', split, format } = query;
  const name = fileName(`usage-by-${by}${split === undefined ? '' : `-and-${split}`}`, from, to);
  const rows = items.map((item) => shownTotal(item, split !== undefined));
  return fileResponse(onePage(rows), { format, sheet: totalsSheet, name, onFault });
}

interface Reader {
  readonly userId: string;
  /** Throws when they are no longer logged in. */
  readonly confirm: () => Promise<unknown>;
}

/** All receipts that match, as a file; it is torn when its reader's session ends before it does. */
export async function callsFile(
  usage: UsageReports,
  { userId, confirm }: Reader,
  query: typeof CallsQuery.static & { format: FileFormat },
  onFault: OnFault,
): Promise<Response> {
  const { format, from, to, cursor, limit } = query;
  if (cursor !== undefined || limit !== undefined) {
    const message = 'A file is always whole: bound it by `from` and `to`.';
    throw new KeyPassError('invalid_request', message, { param: cursor === undefined ? 'limit' : 'cursor' });
  }
  const pages = shownPages(usage.allCalls(userId, query), confirm);
  return fileResponse(pages, { format, sheet: callsSheet, name: fileName('calls', from, to), onFault });
}

/** `keypass-calls-from-2026-11-01-to-2026-12-01`: days alone, as they were asked for. */
function fileName(kind: string, from: string | Date | undefined, to: string | Date | undefined): string {
  const span = [from === undefined ? '' : `-from-${dayOf(from)}`, to === undefined ? '' : `-to-${dayOf(to)}`];
  return `keypass-${kind}${span.join('')}`;
}

function dayOf(time: string | Date): string {
  return (typeof time === 'string' ? time : time.toISOString()).slice(0, 10);
}

async function* onePage<Item>(items: Item[]): AsyncGenerator<Item[], void> {
  yield items;
}

async function* shownPages(
  pages: ReturnType<UsageReports['allCalls']>,
  confirm: Reader['confirm'],
): AsyncGenerator<Receipt[], void> {
  for await (const rows of pages) {
    await confirm();
    yield rows.map(shownReceipt);
  }
}

type TotalRow = Awaited<ReturnType<UsageReports['totals']>>['items'][number];

/** A row of totals as it goes out. */
export function shownTotal({ key, split, name, calls, cost, estimated }: TotalRow, isSplit: boolean): Total {
  return {
    key,
    ...(isSplit ? { split } : {}),
    ...(name === null ? {} : { name }),
    calls: Number(calls),
    cost: formatUsd(cost),
    estimated: Number(estimated),
  };
}

type ReceiptRow = Awaited<ReturnType<UsageReports['calls']>>['items'][number];

/** A receipt as it goes out. */
export function shownReceipt({ callId, at: _at, cost, startedAt, ...rest }: ReceiptRow): Receipt {
  return { id: callId, ...rest, cost: formatUsd(cost), startedAt: startedAt.toISOString() };
}
