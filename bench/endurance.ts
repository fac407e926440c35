import postgres from 'postgres';
import { atRate, exhaust, type Latency } from './load.ts';
import { usageOf } from './machine.ts';
import { start, type Subject } from './subjects.ts';
import type { Upstream } from './upstream.ts';

const connections = 64;
const steps = 10;

/** Resident megabytes before the calls and after each tenth of them. */
export async function soak(subject: Subject, upstream: Upstream, calls: number): Promise<number[]> {
  const running = await start(subject, upstream);
  try {
    const resident = () => usageOf(running.pid ?? 0).residentBytes / 1e6;
    const seen = [resident()];
    for (let step = 1; step <= steps; step += 1) {
      await exhaust(subject.chat, connections, Math.ceil(calls / steps));
      seen.push(resident());
      console.log(`${subject.name}: ${Math.round((calls * step) / steps)} calls, ${Math.round(resident())} MB`);
    }
    return seen;
  } finally {
    await running.stop();
  }
}

/** Latency at a rate with few receipts in the table, and with so many. */
export async function withReceipts(
  subject: Subject,
  upstream: Upstream,
  database: string,
  count: number,
  load: { rate: number; seconds: number; rounds: number },
): Promise<{ few: Latency[]; many: Latency[]; tableBytes: number }> {
  const running = await start(subject, upstream);
  const sql = postgres(database, { max: 1, onnotice: () => {} });
  try {
    await exhaust(subject.chat, connections, 20_000);
    const measure = async (): Promise<Latency[]> => {
      const seen: Latency[] = [];
      while (seen.length < load.rounds) seen.push(await atRate(subject.chat, load.rate, load.seconds));
      return seen;
    };
    const few = await measure();
    await addReceipts(sql, count);
    const [size] = await sql<{ bytes: string }[]>`select pg_total_relation_size('receipts') as bytes`;
    return { few, many: await measure(), tableBytes: Number(size?.bytes ?? 0) };
  } finally {
    await sql.end();
    await running.stop();
  }
}

/** Copies of a real receipt, one a second into the past, spread over all connections that there are. */
async function addReceipts(sql: postgres.Sql, count: number): Promise<void> {
  const portion = 500_000;
  await sql`set synchronous_commit = off`;
  for (let from = 0; from < count; from += portion) {
    await sql`
      insert into receipts (call_id, connection_id, window_start, provider, model, served_model, service_tier, endpoint,
        key_id, status, quality, flags, usage, lines, price, cost, started_at, ttfb_ms, duration_ms)
      select gen_random_uuid(), ids[1 + n % cardinality(ids)], window_start, provider, model, served_model, service_tier,
        endpoint, key_id, status, quality, flags, usage, lines, price, cost, started_at - n * interval '1 second',
        ttfb_ms, duration_ms
      from (select * from receipts limit 1) as one, (select array_agg(id) as ids from connections) as all_connections,
        generate_series(${from}::bigint, ${Math.min(count, from + portion) - 1}::bigint) as n`;
    console.log(`${Math.min(count, from + portion)} receipts`);
  }
  await sql`vacuum analyze receipts`;
  await sql`checkpoint`;
}
