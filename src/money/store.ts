import type { Sql, Tx } from '../database/connect.ts';
import type { Pico } from './amount.ts';

export interface BudgetState {
  connectionId: string;
  spent: Pico;
  held: Pico;
}

/** What is spent and held in the named window of each connection; those without a row are left out. */
export async function listBudgets(sql: Sql | Tx, windows: readonly { connectionId: string; start: string }[]) {
  const ids = windows.map((window) => window.connectionId);
  const starts = windows.map((window) => window.start);
  return sql<BudgetState[]>`
    select connection_id, spent, held from budgets
    join unnest(${ids}::uuid[], ${starts}::text[]) as wanted (id, start)
      on connection_id = wanted.id and window_start = wanted.start::date`;
}

/** An instance lives while it says so, by the database's own clock: those of the instances may differ. */
export async function upsertInstance(sql: Sql | Tx, id: string): Promise<void> {
  await sql`
    insert into instances (id, started_at, heartbeat_at) values (${id}, now(), now())
    on conflict (id) do update set heartbeat_at = excluded.heartbeat_at`;
}

export async function deleteInstance(sql: Sql | Tx, id: string): Promise<void> {
  await sql`delete from instances where id = ${id} and not exists (select from holds where instance_id = ${id})`;
}

/** Calls of other instances that have not been heard of for so many seconds: nobody will settle them. */
export async function listOrphanedHolds(sql: Sql | Tx, ownId: string, silenceSeconds: number) {
  return sql<{ callId: string; amount: Pico; createdAt: Date }[]>`
    select call_id, amount, created_at from holds
    where instance_id <> ${ownId} and not exists (select from instances
      where id = instance_id and heartbeat_at > now() - make_interval(secs => ${silenceSeconds}))
    order by call_id limit 1000`;
}

export async function deleteDeadInstances(sql: Sql | Tx, ownId: string, silenceSeconds: number): Promise<void> {
  await sql`
    delete from instances
    where id <> ${ownId} and heartbeat_at <= now() - make_interval(secs => ${silenceSeconds})
      and not exists (select from holds where instance_id = instances.id)`;
}
