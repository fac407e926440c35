/**
 * The rows of `GET /v1/usage` and `GET /v1/usage/calls` as the screens read them. What is missing or of another kind
 * reads as unknown: a list of receipts must never fail because of one of them.
 */
type Fields = Readonly<Record<string, unknown>>;

export interface Total {
  /** Id of the app or connection, the provider, the model; null where a call named none. */
  key: string | null;
  name: string | null;
  calls: number;
  /** US dollars, decimal. */
  cost: string;
}

/** A quantity at a dated price: `usd` dollars for `per` units. */
export interface Line {
  bucket: string;
  quantity: number;
  usd: string;
  per: number;
  cost: string;
}

export interface Receipt {
  id: string;
  connectionId: string;
  /** RFC 3339, UTC. */
  startedAt: string;
  provider: string;
  model: string;
  app: string | null;
  cost: string;
  quality: string;
  lines: Line[];
}

const decimal = /^-?\d+(\.\d{1,12})?$/;

export function totalOf(row: Fields): Total {
  return { key: text(row['key']), name: text(row['name']), calls: whole(row['calls']), cost: amount(row['cost']) };
}

export function receiptOf(row: Fields): Receipt {
  return {
    id: text(row['id']) ?? '',
    connectionId: text(row['connectionId']) ?? '',
    startedAt: text(row['startedAt']) ?? '',
    provider: text(row['provider']) ?? '',
    model: text(row['servedModel']) ?? text(row['model']) ?? '',
    app: text(row['appName']),
    cost: amount(row['cost']),
    quality: text(row['quality']) ?? 'unknown',
    lines: Array.isArray(row['lines']) ? row['lines'].map(lineOf) : [],
  };
}

function lineOf(value: unknown): Line {
  const line: Fields = typeof value === 'object' && value !== null ? { ...value } : {};
  return {
    bucket: text(line['bucket']) ?? '',
    quantity: whole(line['quantity']),
    usd: amount(line['usd']),
    per: whole(line['per']),
    cost: amount(line['cost']),
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function amount(value: unknown): string {
  return typeof value === 'string' && decimal.test(value) ? value : '0';
}
