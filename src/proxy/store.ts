import type { Sql, Tx } from '../database/connect.ts';
import type { Pico } from '../money/amount.ts';

/** A call that its app numbered: who made it, under which `Idempotency-Key`, with which body. Hashes alone are kept. */
export interface NumberedCall {
  readonly caller: Uint8Array;
  readonly keyHash: Uint8Array;
  readonly bodyHash: Uint8Array;
}

/** What is known of an earlier call of the same number. */
export interface EarlierCall {
  isSame: boolean;
  callId: string;
  createdAt: Date;
  /** Its cost is held: it is running, or its end has not been booked yet. */
  isHeld: boolean;
  /** Null until its end is booked. */
  cost: Pico | null;
  /** The provider's status; null too where it did not answer. */
  status: number | null;
}

/** Takes the number for a call; false if an earlier one has it. */
export async function insertCall(sql: Sql | Tx, call: NumberedCall, callId: string, now: Date): Promise<boolean> {
  const rows = await sql`
    insert into idempotency_keys (caller, key_hash, body_hash, state, result_id, created_at)
    values (${call.caller}, ${call.keyHash}, ${call.bodyHash}, 'running', ${callId}, ${now})
    on conflict (caller, key_hash) do nothing returning key_hash`;
  return rows.length === 1;
}

/** One statement sees either the hold of a call or its receipt, since settling swaps them in one. */
export async function findCall(sql: Sql | Tx, call: NumberedCall): Promise<EarlierCall | undefined> {
  const [row] = await sql<EarlierCall[]>`
    select body_hash = ${call.bodyHash} as is_same, result_id as call_id, idempotency_keys.created_at,
      exists (select from holds where holds.call_id = result_id) as is_held, cost, status
    from idempotency_keys
    left join receipts on receipts.call_id = result_id
    where caller = ${call.caller} and key_hash = ${call.keyHash}`;
  return row;
}

/** Hands the number of a call that came to nothing on to another; false if something has happened in between. */
export async function updateCall(
  sql: Sql | Tx,
  call: NumberedCall,
  from: EarlierCall,
  callId: string,
  now: Date,
): Promise<boolean> {
  const rows = await sql`
    update idempotency_keys set result_id = ${callId}, created_at = ${now}
    where caller = ${call.caller} and key_hash = ${call.keyHash} and result_id = ${from.callId}
      and not exists (select from holds where holds.call_id = ${from.callId})
      and not exists (select from receipts where receipts.call_id = ${from.callId} and cost > 0)
    returning key_hash`;
  return rows.length === 1;
}

/** Frees the number of a call that was not dispatched: it has neither a hold nor a receipt. */
export async function deleteCall(sql: Sql | Tx, call: NumberedCall, callId: string): Promise<void> {
  await sql`
    delete from idempotency_keys
    where caller = ${call.caller} and key_hash = ${call.keyHash} and result_id = ${callId}
      and not exists (select from holds where holds.call_id = ${callId})
      and not exists (select from receipts where receipts.call_id = ${callId})`;
}
