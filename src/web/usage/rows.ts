/**
 * The rows of `GET /v1/usage` and `GET /v1/usage/calls` as the screens read them. What is missing or of another kind
 * reads as unknown: a list of receipts must never fail because of one of them.
 */
type Fields = Readonly<Record<string, unknown>>;

export interface Total {
  id: string;
  name: string | null;
  calls: number;
  /** US dollars, decimal. */
  cost: string;
}

export interface Receipt {
  id: string;
  at: string;
  provider: string;
  model: string;
  app: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  /** US dollars, decimal; null while a call runs. */
  cost: string | null;
  quality: string;
}

const decimal = /^-?\d+(\.\d{1,12})?$/;

export function totalOf(row: Fields, by: 'app' | 'provider' | 'model'): Total {
  const group = objectOf(row[by]);
  const name = text(row['name']) ?? text(group['name']) ?? text(row[by]) ?? text(row['group']) ?? text(row['key']);
  const id = text(group['id']) ?? name ?? '';
  return { id, name, calls: whole(row['calls']) ?? 0, cost: amount(row['cost']) ?? '0' };
}

export function receiptOf(row: Fields): Receipt {
  const usage = objectOf(row['usage']);
  return {
    id: text(row['id']) ?? '',
    at: text(row['at']) ?? text(row['createdAt']) ?? text(row['startedAt']) ?? '',
    provider: text(row['provider']) ?? '',
    model: text(row['model']) ?? '',
    app: text(objectOf(row['app'])['name']) ?? text(row['app']),
    inputTokens: whole(row['inputTokens']) ?? whole(usage['inputTokens']),
    outputTokens: whole(row['outputTokens']) ?? whole(usage['outputTokens']),
    cost: amount(row['cost']),
    quality: text(row['quality']) ?? 'unknown',
  };
}

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function whole(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function amount(value: unknown): string | null {
  return typeof value === 'string' && decimal.test(value) ? value : null;
}
