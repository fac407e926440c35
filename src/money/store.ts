import type { Sql, Tx } from '../database/connect.ts';
import type { Pico } from './amount.ts';

/** A call that wants to be dispatched, and the state of its connection that it was checked against. */
export interface HoldRow {
  callId: string;
  connectionId: string;
  revision: number;
  generation: number;
  policyHash: Uint8Array;
  windowStart: string;
  /** The budget of the policy; the connection's own cap can lower it. */
  budget: Pico;
  amount: Pico;
  instanceId: string;
  provider: string;
  model: string | null;
  endpoint: string;
  keyId: string;
  createdAt: Date;
}

export interface HoldOutcome {
  granted: boolean;
  status: string;
  isSame: boolean;
  capCents: bigint | null;
  /** Null where the window has no row yet. */
  spent: Pico | null;
  held: Pico | null;
}

/**
 * Takes a hold if the connection is as it was checked and the budget covers it, in one statement: this is the authority
 * on both. The lock on the connection makes a revocation wait for it, or it for the revocation.
 */
export async function insertHold(sql: Sql | Tx, hold: HoldRow): Promise<HoldOutcome | undefined> {
  const [row] = await sql<HoldOutcome[]>`
    with permitted as (
      select id, least(${hold.budget}::bigint, cap_cents * 10000000000) as budget from connections
      where id = ${hold.connectionId} and status = 'active' and revision = ${hold.revision}
        and generation = ${hold.generation} and policy_hash = ${hold.policyHash}
      for share
    ), reserved as (
      update budgets set held = held + ${hold.amount}::bigint from permitted
      where connection_id = permitted.id and window_start = ${hold.windowStart}::date
        and (${hold.amount}::bigint = 0 or spent + held + ${hold.amount}::bigint <= permitted.budget)
      returning connection_id, window_start
    ), inserted as (
      insert into holds (call_id, connection_id, window_start, amount, instance_id, provider, model, endpoint, key_id,
        created_at)
      select ${hold.callId}::uuid, connection_id, window_start, ${hold.amount}::bigint, ${hold.instanceId}::uuid,
        ${hold.provider}, ${hold.model}, ${hold.endpoint}, ${hold.keyId}::uuid, ${hold.createdAt}::timestamptz
      from reserved returning call_id
    )
    select exists (select from inserted) as granted, status,
      (revision = ${hold.revision} and generation = ${hold.generation} and policy_hash = ${hold.policyHash}) as is_same,
      cap_cents, spent, held
    from connections
    left join budgets on connection_id = connections.id and window_start = ${hold.windowStart}::date
    where connections.id = ${hold.connectionId}`;
  return row;
}

/** A row made in a statement can't be updated in it again, so a window's row is made by a statement of its own. */
export async function insertBudget(sql: Sql | Tx, connectionId: string, windowStart: string): Promise<void> {
  await sql`
    insert into budgets (connection_id, window_start)
    select id, ${windowStart}::date from connections where id = ${connectionId} and status = 'active'
    on conflict do nothing`;
}

export interface ReceiptRow {
  callId: string;
  status: number | null;
  servedModel: string | null;
  serviceTier: string | null;
  quality: 'measured' | 'estimated' | 'unknown';
  flags: readonly string[];
  usage: string | null;
  lines: string;
  price: string | null;
  cost: Pico;
  ttfbMs: number | null;
  durationMs: number;
}

/** Books a call at its cost and returns the rest of its hold; the hold's deletion makes it happen once. */
export async function settleHold(sql: Sql | Tx, receipt: ReceiptRow): Promise<boolean> {
  const rows = await sql`
    with settled as (
      delete from holds where call_id = ${receipt.callId}
      returning connection_id, window_start, amount, provider, model, endpoint, key_id, created_at
    ), booked as (
      update budgets set held = held - settled.amount, spent = spent + ${receipt.cost}::bigint from settled
      where budgets.connection_id = settled.connection_id and budgets.window_start = settled.window_start
    )
    insert into receipts (call_id, connection_id, window_start, provider, model, served_model, service_tier, endpoint,
      key_id, status, quality, flags, usage, lines, price, cost, started_at, ttfb_ms, duration_ms)
    select ${receipt.callId}::uuid, connection_id, window_start, provider, model, ${receipt.servedModel},
      ${receipt.serviceTier}, endpoint, key_id, ${receipt.status}, ${receipt.quality}, ${[...receipt.flags]}::text[],
      ${receipt.usage}::text::jsonb, ${receipt.lines}::text::jsonb, ${receipt.price}::text::jsonb, ${receipt.cost}::bigint, created_at,
      ${receipt.ttfbMs}, ${receipt.durationMs}
    from settled returning call_id`;
  return rows.length === 1;
}

/** Puts what a call really cost in the place of what was charged when its instance seemed lost; once, by the flag. */
export async function replaceLostCharge(sql: Sql | Tx, receipt: ReceiptRow): Promise<void> {
  await sql`
    with lost as (
      select call_id, connection_id, window_start, cost from receipts
      where call_id = ${receipt.callId} and 'instance_lost' = any(flags) for update
    ), replaced as (
      update receipts set served_model = ${receipt.servedModel}, service_tier = ${receipt.serviceTier},
        status = ${receipt.status}, quality = ${receipt.quality}, flags = ${[...receipt.flags]}::text[],
        usage = ${receipt.usage}::text::jsonb, lines = ${receipt.lines}::text::jsonb, price = ${receipt.price}::text::jsonb, cost = ${receipt.cost}::bigint,
        ttfb_ms = ${receipt.ttfbMs}, duration_ms = ${receipt.durationMs}
      from lost where receipts.call_id = lost.call_id
    )
    update budgets set spent = spent - lost.cost + ${receipt.cost}::bigint from lost
    where budgets.connection_id = lost.connection_id and budgets.window_start = lost.window_start`;
}

/** Gives a hold back whose call never left; there is nothing to book. */
export async function deleteHold(sql: Sql | Tx, callId: string): Promise<boolean> {
  const rows = await sql`
    with released as (
      delete from holds where call_id = ${callId} returning connection_id, window_start, amount
    )
    update budgets set held = held - released.amount from released
    where budgets.connection_id = released.connection_id and budgets.window_start = released.window_start
    returning budgets.connection_id`;
  return rows.length === 1;
}

/** What the budget in force has left: the policy's, or the connection's own cap where that is lower. */
export async function findAvailable(sql: Sql | Tx, connectionId: string, windowStart: string, budget: Pico) {
  const [row] = await sql<{ available: Pico }[]>`
    select least(${budget}::bigint, cap_cents * 10000000000) - coalesce(spent + held, 0) as available from connections
    left join budgets on connection_id = connections.id and window_start = ${windowStart}::date
    where connections.id = ${connectionId}`;
  return row?.available;
}

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

export async function upsertInstance(sql: Sql | Tx, id: string, now: Date): Promise<void> {
  await sql`
    insert into instances (id, started_at, heartbeat_at) values (${id}, ${now}, ${now})
    on conflict (id) do update set heartbeat_at = excluded.heartbeat_at`;
}

export async function deleteInstance(sql: Sql | Tx, id: string): Promise<void> {
  await sql`delete from instances where id = ${id} and not exists (select from holds where instance_id = ${id})`;
}

/** Calls whose instance has not been heard of since `deadline`: nobody will settle them. */
export async function listOrphanedHolds(sql: Sql | Tx, deadline: Date) {
  return sql<{ callId: string; amount: Pico; createdAt: Date }[]>`
    select call_id, amount, created_at from holds
    where not exists (select from instances where id = holds.instance_id and heartbeat_at > ${deadline})
    order by call_id limit 1000`;
}

export async function deleteDeadInstances(sql: Sql | Tx, deadline: Date): Promise<void> {
  await sql`
    delete from instances where heartbeat_at <= ${deadline}
      and not exists (select from holds where instance_id = instances.id)`;
}
