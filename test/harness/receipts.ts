import type { Database } from '../../src/database/connect.ts';
import { newConnection, outcome, type Account } from './people.ts';

/** A connection of this person that nobody calls through: for receipts that a test writes itself. */
export async function connect(who: Account): Promise<string> {
  const body = newConnection(await who.addKey());
  const answer = await who.call('POST', '/v1/connections', body);
  if (answer.status !== 200) throw new Error(`connection: ${outcome(answer)}`);
  return body.id;
}

interface ReceiptFacts {
  callId?: string;
  cost?: bigint;
  provider?: string;
  model?: string | null;
  quality?: string;
  flags?: string[];
  usage?: string | null;
  lines?: string;
  endpoint?: string;
  status?: number | null;
}

/** Books a call that never was. `startedAt` may have microseconds. */
export async function insertReceipt(
  { sql }: Database,
  connectionId: string,
  startedAt: string,
  facts: ReceiptFacts = {},
): Promise<string> {
  const { callId = crypto.randomUUID(), cost = 1n, provider = 'openai', model = 'gpt-4o-mini' } = facts;
  const { quality = 'measured', flags = [], usage = null, lines = '[]', endpoint = 'POST /x', status = 200 } = facts;
  await sql`
    insert into receipts (call_id, connection_id, window_start, provider, model, endpoint, key_id, status, quality,
      flags, usage, lines, cost, started_at, ttfb_ms, duration_ms)
    values (${callId}, ${connectionId}, ${startedAt.slice(0, 10)}, ${provider}, ${model}, ${endpoint},
      ${crypto.randomUUID()}, ${status}, ${quality}, ${flags}::text[], ${usage}::text::jsonb, ${lines}::text::jsonb,
      ${cost}, ${startedAt}::text::timestamptz, 1, 2)`;
  return callId;
}

/** Many at once, `seconds` apart, the first at `startedAt`. */
export async function insertReceipts(
  { sql }: Database,
  connectionId: string,
  startedAt: string,
  { count, seconds }: { count: number; seconds: number },
): Promise<void> {
  await sql`
    insert into receipts (call_id, connection_id, window_start, provider, model, endpoint, key_id, quality, flags, lines,
      cost, started_at, duration_ms)
    select gen_random_uuid(), ${connectionId}, '2026-01-01', 'openai', 'gpt-4o-mini', 'POST /x', gen_random_uuid(),
      'measured', '{}', '[]', 1, ${startedAt}::text::timestamptz + (i * ${seconds}::int) * interval '1 second', 2
    from generate_series(0, ${count - 1}::int) i`;
}
