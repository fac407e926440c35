import type { Fields } from './answer.ts';
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

/** Totals as the server adds them up (docs: `GET /v1/usage`): the group, `calls`, `cost` in US dollars. */
export async function usage(transport: Transport, { from, to, by }: UsageQuery): Promise<Fields[]> {
  return (await transport.page('/v1/usage', { from: timeOf(from), to: timeOf(to), by })).items;
}

/** A page of receipts, newest first; `nextCursor` is null on the last. */
export async function calls(transport: Transport, { connectionId, cursor, limit }: CallsQuery) {
  return transport.page('/v1/usage/calls', { connectionId, cursor, limit });
}

function timeOf(time: string | Date | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}
