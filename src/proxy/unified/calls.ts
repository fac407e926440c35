import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/connect.ts';
import { digests, idempotencyMismatch } from '../../database/idempotency.ts';
import { KeyPassError } from '../../errors.ts';
import { formatUsd } from '../../money/amount.ts';
import type { Ledger } from '../../money/ledger.ts';
import * as store from '../store.ts';

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  /** The ledger that the calls are held in. */
  readonly ledger: Pick<Ledger, 'booked'>;
}

/** A call that must not be made twice. */
export interface Numbered {
  readonly connectionId: string;
  /** The `Idempotency-Key`. */
  readonly key: string;
  readonly body: unknown;
  readonly callId: string;
}

/**
 * A number is taken a moment before its call's cost is held. One that has neither hold nor receipt after this long
 * belongs to an instance that died in that moment: nothing was dispatched.
 */
const abandonedMs = 60_000;

/**
 * Unified calls under an `Idempotency-Key`. The ledger itself says what became of an earlier call: held means running,
 * a receipt means made, neither means that it was never dispatched. So a crash leaves nothing to repair: the sweeper
 * turns the hold of a lost instance into a receipt.
 */
export class NumberedCalls {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ledger: Pick<Ledger, 'booked'>;

  constructor({ database, clock, ledger }: Parts) {
    this.#database = database;
    this.#clock = clock;
    this.#ledger = ledger;
  }

  /**
   * Makes the call if its number is free, or was used by one that came to nothing. Throws `idempotency_mismatch` for
   * another body, `call_in_progress`, and `call_already_made` with the call's id and cost.
   */
  async once<T>(numbered: Numbered, make: () => Promise<T>): Promise<T> {
    const { callId } = numbered;
    const call = await hashed(numbered);
    await this.#take(call, callId);
    try {
      return await make();
    } catch (error) {
      // Where the number can't be freed it frees itself: nothing was dispatched under it, and a minute goes by.
      await store.deleteCall(this.#database.sql, call, callId).catch(() => {});
      throw error;
    }
  }

  async #take(call: store.NumberedCall, callId: string): Promise<void> {
    const { sql } = this.#database;
    const now = this.#clock.now();
    if (await store.insertCall(sql, call, callId, now)) return;
    const earlier = await this.#earlier(call);
    if (earlier === undefined) throw inProgress();
    if (!earlier.isSame) throw idempotencyMismatch();
    const isAbandoned = now.getTime() - earlier.createdAt.getTime() > abandonedMs;
    if (earlier.isHeld || (earlier.cost === null && !isAbandoned)) throw inProgress();
    if (wasMade(earlier)) throw alreadyMade(earlier);
    if (!(await store.updateCall(sql, call, earlier, callId, now))) throw inProgress();
  }

  async #earlier(call: store.NumberedCall): Promise<store.EarlierCall | undefined> {
    const { sql } = this.#database;
    const found = await store.findCall(sql, call);
    if (found?.isHeld !== true) return found;
    // It may have ended a moment ago: the ledger gathers ends for a few milliseconds before it books them.
    await this.#ledger.booked();
    return store.findCall(sql, call);
  }
}

async function hashed({ connectionId, key, body }: Numbered): Promise<store.NumberedCall> {
  return digests({ caller: `calls of ${connectionId}`, key, body }, key);
}

/** A call that the provider refused and did not bill has given the app nothing: it may be made again. */
function wasMade({ cost, status }: store.EarlierCall): boolean {
  if (cost === null) return false;
  return cost > 0n || (status !== null && status >= 200 && status < 300);
}

function inProgress(): KeyPassError {
  const message = 'The call with this Idempotency-Key is running. Send the request again when it has ended.';
  return new KeyPassError('call_in_progress', message, { retryAfter: 1 });
}

function alreadyMade({ callId, cost }: store.EarlierCall): KeyPassError {
  const message =
    'The call with this Idempotency-Key was made, and its answer is not kept. Make a new key to make another call.';
  return new KeyPassError('call_already_made', message, { details: { callId, cost: formatUsd(cost ?? 0n) } });
}
