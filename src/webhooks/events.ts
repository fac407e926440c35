import type { Policy } from '../crypto/index.ts';
import type { Sql, Tx } from '../database/connect.ts';
import * as store from './store.ts';

/** What becomes of a connection, with what its app is told besides the connection's id. */
export interface ConnectionEvents {
  'connection.paused': Record<string, never>;
  'connection.resumed': Record<string, never>;
  'connection.updated': ReturnType<typeof termsOf>;
  'connection.revoked': { by: 'owner' | 'app' | 'keypass' };
}

/**
 * Tells the app of a connection, as part of the transaction that changes it: both happen or neither does. Nothing is
 * written where there is no app, no webhook, or nothing that the app has had in hand.
 */
export async function tellApp<T extends keyof ConnectionEvents>(
  tx: Tx,
  connectionId: string,
  type: T,
  data: ConnectionEvents[T],
  now: Date,
): Promise<void> {
  const event = { id: crypto.randomUUID(), type, data: JSON.stringify(data), createdAt: now };
  await store.insertConnectionEvent(tx, connectionId, event);
}

/** A version of a key, and what the provider does not do with it. */
interface RefusedKey {
  readonly connectionId: string;
  readonly keyId: string;
  readonly keyVersion: number;
  readonly provider: string;
  readonly status: number;
  readonly verdict: 'rejected' | 'restricted';
}

/**
 * Tells the app of a connection that the provider refuses the owner's key, by the status of its answer: once for each
 * version of a key and verdict, however many calls fail of it.
 */
export async function tellKeyInvalid(sql: Sql | Tx, call: RefusedKey, now: Date): Promise<void> {
  const { provider, status, verdict } = call;
  const data = JSON.stringify({ provider, status, verdict });
  await store.insertKeyEvent(sql, call, { type: 'key.invalid', data, createdAt: now });
}

/** What an app may do by now, in the words of `GET /v1/connection`. */
export function termsOf(policy: Policy, capCents: number | null) {
  return {
    providers: policy.providers.map(({ id, models }) => ({ id, models })),
    scopes: policy.scopes,
    budgetCents: Math.min(policy.budgetCents, capCents ?? policy.budgetCents),
    period: policy.period,
    expiresAt: policy.expiresAt,
  };
}
