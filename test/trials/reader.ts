import postgres from 'postgres';
import type { Fault } from './faults.ts';

/** Runs one statement somewhere and gives its rows, every column as text. */
export type Query = (statement: string) => Promise<readonly Record<string, unknown>[]>;

/** One budget as it stood, in pico-dollars, and what the rows behind it add up to. */
interface Standing {
  readonly connectionId: string;
  readonly spent: bigint;
  readonly held: bigint;
  readonly holds: bigint;
  readonly receipts: bigint;
}

/** One row of the ledger: a receipt, or a hold that is still there. */
export interface Row {
  readonly kind: 'receipt' | 'hold';
  readonly callId: string;
  readonly model: string;
  readonly cost: bigint;
  readonly status: number | null;
  readonly quality: string;
  readonly flags: readonly string[];
}

/** One statement, so one snapshot. */
const standings = `
  select connection_id::text as id, spent::text, held::text, coalesce(holds, 0)::text as holds,
    coalesce(receipts, 0)::text as receipts
  from budgets
  left join (select connection_id, window_start, sum(amount) as holds from holds group by 1, 2) as holding
    using (connection_id, window_start)
  left join (select connection_id, window_start, sum(cost) as receipts from receipts group by 1, 2) as booked
    using (connection_id, window_start)`;

const rows = `
  select 'receipt' as kind, call_id::text as id, model, cost::text, status::text, quality,
    array_to_string(flags, ' ') as flags from receipts
  union all
  select 'hold', call_id::text, model, amount::text, null, '', '' from holds`;

export async function readStandings(query: Query): Promise<Standing[]> {
  const found = await query(standings);
  return found.map((row) => ({
    connectionId: String(row['id']),
    spent: BigInt(String(row['spent'])),
    held: BigInt(String(row['held'])),
    holds: BigInt(String(row['holds'])),
    receipts: BigInt(String(row['receipts'])),
  }));
}

export async function readRows(query: Query): Promise<Row[]> {
  const found = await query(rows);
  return found.map((row) => ({
    kind: row['kind'] === 'hold' ? 'hold' : 'receipt',
    callId: String(row['id']),
    model: String(row['model']),
    cost: BigInt(String(row['cost'])),
    status: row['status'] === null ? null : Number(row['status']),
    quality: String(row['quality']),
    flags: String(row['flags']).split(' ').filter(Boolean),
  }));
}

/** What contradicts the promise, of one moment. `caps`: pico-dollars by connection. */
export function faultsOf(states: readonly Standing[], caps: ReadonlyMap<string, bigint>): Fault[] {
  return states.flatMap(({ connectionId, spent, held, holds, receipts }) => {
    const cap = caps.get(connectionId);
    const detail = `${connectionId}: cap ${cap}, spent ${spent}, held ${held}, holds ${holds}, receipts ${receipts}`;
    const rules: string[] = [];
    if (cap === undefined || spent + held > cap) rules.push('spent + held above the cap');
    if (held !== holds) rules.push('held is not the sum of the holds');
    if (spent !== receipts) rules.push('spent is not the sum of the receipts');
    return rules.map((rule) => ({ rule, detail }));
  });
}

/** A connection of the trial's own to PostgreSQL, which goes on after the server was away. */
export function openReader(url: string): { query: Query; close: () => Promise<void> } {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {}, backoff: () => 0.1, connect_timeout: 5 });
  return { query: (statement) => sql.unsafe(statement), close: () => sql.end({ timeout: 1 }) };
}

/** Looks at the budgets over and over until it is stopped; half of the time, so that a server is not kept busy by it alone. */
export class Observer {
  readonly faults: Fault[] = [];
  observations = 0;
  /** Looks that found no server. */
  misses = 0;
  #isStopping = false;
  readonly #done: Promise<void>;

  constructor(look: () => Promise<readonly Fault[]>) {
    this.#done = this.#observe(look);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }

  async #observe(look: () => Promise<readonly Fault[]>): Promise<void> {
    while (!this.#isStopping) {
      const startedAt = performance.now();
      try {
        this.faults.push(...(await look()));
        this.observations += 1;
      } catch {
        this.misses += 1;
      }
      await Bun.sleep(Math.max(1, performance.now() - startedAt));
    }
  }
}
