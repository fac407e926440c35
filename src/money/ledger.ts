import type { Clock } from '../clock.ts';
import type { Policy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { picoFromCents, type Pico } from './amount.ts';
import type { Match } from './catalogue.ts';
import type { CostLine } from './cost.ts';
import { neverLeft, receiptOf } from './receipts.ts';
import { expired, isExpired, refusal } from './refusals.ts';
import * as store from './store.ts';
import type { Usage } from './usage.ts';
import { windowAt } from './window.ts';

/** The state of a connection that a call was checked against; a hold is granted only while it is still so. */
export interface Permission {
  readonly connectionId: string;
  readonly policy: Policy;
  readonly policyHash: Uint8Array;
  readonly revision: number;
  readonly generation: number;
}

export interface HoldRequest {
  readonly callId: string;
  readonly grantee: Permission;
  readonly provider: string;
  readonly model: string | null;
  /** Method and path template, such as `POST /v1/chat/completions`. */
  readonly endpoint: string;
  readonly keyId: string;
  /** An upper bound of what the call can cost. */
  readonly amount: Pico;
}

/** Budget that is set aside for one running call. */
export interface Hold {
  readonly callId: string;
  readonly amount: Pico;
}

/** Where a receipt's prices come from. */
export interface PriceSource {
  /** The catalogue's own name of the entry, and whether the model's name is in it or fits its pattern. */
  readonly entry: string;
  readonly match: Match;
  /** The catalogue with its version, which dates its prices. */
  readonly catalogue: string;
}

/** How a call ended: what a receipt keeps of it. */
export interface Settlement {
  readonly status: number | null;
  readonly usage: Usage | null;
  readonly cost: Pico;
  readonly lines: readonly CostLine[];
  /** Absent where nothing was priced. */
  readonly price?: PriceSource | undefined;
  readonly quality: 'measured' | 'estimated' | 'unknown';
  readonly flags: readonly string[];
  readonly servedModel?: string | undefined;
  readonly serviceTier?: string | undefined;
  /** Milliseconds until the answer's headers; null if none came. */
  readonly ttfbMs: number | null;
  readonly durationMs: number;
}

const heartbeatMs = 5_000;
const silenceMs = 30_000;

interface Parts {
  database: Database;
  clock: Clock;
  onFault: (event: string, error: unknown) => void;
}

/**
 * The ledger of holds. At every instant and on any number of instances no hold is granted that would make
 * spent + held exceed the budget in force, per connection and window.
 */
export class Ledger {
  readonly instanceId = crypto.randomUUID();
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #onFault: Parts['onFault'];
  /** By call: what is still to be written. A call has one end, so one entry. */
  readonly #unbooked = new Map<string, () => Promise<unknown>>();

  constructor(parts: Parts) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#onFault = parts.onFault;
  }

  /**
   * Sets the amount aside, durably before it returns. Throws `budget_exceeded` (spent), `budget_held` (held by running
   * calls), `connection_paused`, `connection_revoked`, `connection_expired`, or `connection_changed`, after which
   * reading the connection again can succeed.
   */
  async hold(request: HoldRequest): Promise<Hold> {
    const now = this.#clock.now();
    const { connectionId, revision, generation, policyHash, policy } = request.grantee;
    if (isExpired(policy, now)) throw expired();
    const window = windowAt(policy.period, now);
    const budget = picoFromCents(policy.budgetCents);
    const checked = { connectionId, revision, generation, policyHash };
    const hold = {
      ...request,
      ...checked,
      budget,
      windowStart: window.start,
      instanceId: this.instanceId,
      createdAt: now,
    };
    const outcome = await this.#insertHold(hold);
    if (outcome?.granted === true) return { callId: request.callId, amount: request.amount };
    throw refusal(outcome, request.grantee, request.amount, window.resetsAt);
  }

  /** What a hold could take at this moment, at most. */
  async available({ connectionId, policy }: Permission): Promise<Pico> {
    const { start } = windowAt(policy.period, this.#clock.now());
    const state = await store.findAvailable(this.#database.sql, connectionId, start, picoFromCents(policy.budgetCents));
    return state !== undefined && state > 0n ? state : 0n;
  }

  /**
   * Books the call once. A database that is away for a moment is asked again; the hold stays until it is booked. If other
   * instances took this one for dead and charged the hold, what it cost takes the place of that.
   */
  async settle(hold: Hold, settlement: Settlement): Promise<void> {
    const receipt = receiptOf(hold, settlement);
    await this.#persistently('settle_failed', hold.callId, async () => {
      const isBooked = await store.settleHold(this.#database.sql, receipt);
      if (!isBooked) await store.replaceLostCharge(this.#database.sql, receipt);
    });
  }

  /** Returns the hold of a call that never left, also where other instances have charged it meanwhile. */
  async release(hold: Hold): Promise<void> {
    await this.#persistently('release_failed', hold.callId, async () => {
      const isReleased = await store.deleteHold(this.#database.sql, hold.callId);
      if (!isReleased) await store.replaceLostCharge(this.#database.sql, receiptOf(hold, neverLeft));
    });
  }

  /** Spent, held and the reset of each connection's current window, in the order asked for. */
  async states(connections: readonly { connectionId: string; period: Policy['period'] }[]) {
    const now = this.#clock.now();
    const windows = connections.map(({ connectionId, period }) => ({ connectionId, ...windowAt(period, now) }));
    const rows = await store.listBudgets(this.#database.sql, windows);
    const byId = new Map(rows.map((row) => [row.connectionId, row]));
    return windows.map(({ connectionId, resetsAt }) => {
      const row = byId.get(connectionId);
      return { spent: row?.spent ?? 0n, held: row?.held ?? 0n, resetsAt };
    });
  }

  /** Says that this instance lives, now and every few seconds; stopping says that it has left. */
  async start(): Promise<() => Promise<void>> {
    await store.upsertInstance(this.#database.sql, this.instanceId, this.#clock.now());
    const timer = setInterval(() => {
      this.#beat().catch((error: unknown) => this.#onFault('heartbeat_failed', error));
    }, heartbeatMs);
    return async () => {
      clearInterval(timer);
      await this.#bookRest();
      await store.deleteInstance(this.#database.sql, this.instanceId);
    };
  }

  /** Books the calls of instances that died at the amount held, flagged `unknown`: the provider may have charged them. */
  async resolveOrphans(): Promise<number> {
    const now = this.#clock.now();
    const deadline = new Date(now.getTime() - silenceMs);
    const orphans = await store.listOrphanedHolds(this.#database.sql, deadline);
    for (const { callId, amount, createdAt } of orphans) {
      const settlement = {
        status: null,
        usage: null,
        cost: amount,
        lines: [],
        quality: 'unknown' as const,
        flags: ['instance_lost'],
      };
      const durationMs = now.getTime() - createdAt.getTime();
      await store.settleHold(
        this.#database.sql,
        receiptOf({ callId, amount }, { ...settlement, ttfbMs: null, durationMs }),
      );
    }
    await store.deleteDeadInstances(this.#database.sql, deadline);
    return orphans.length;
  }

  async #insertHold(hold: store.HoldRow): Promise<store.HoldOutcome | undefined> {
    const { sql } = this.#database;
    try {
      const outcome = await store.insertHold(sql, hold);
      if (outcome?.spent !== null) return outcome;
      await store.insertBudget(sql, hold.connectionId, hold.windowStart);
      return await store.insertHold(sql, hold);
    } catch (error) {
      // The statement may have been committed before the connection was lost, and nobody would know of the hold.
      this.#unbooked.set(hold.callId, () => store.deleteHold(sql, hold.callId));
      throw error;
    }
  }

  async #beat(): Promise<void> {
    await store.upsertInstance(this.#database.sql, this.instanceId, this.#clock.now());
    await this.#bookRest();
    await this.resolveOrphans();
  }

  /** What could not be written when it was due. */
  async #bookRest(): Promise<void> {
    for (const [callId, work] of this.#unbooked) {
      try {
        await work();
        this.#unbooked.delete(callId);
      } catch (error) {
        this.#onFault('booking_failed', error);
      }
    }
  }

  /** Writes now, or with the next heartbeat that finds the database: until then the hold stays. */
  async #persistently(event: string, callId: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onFault(event, error);
      this.#unbooked.set(callId, work);
    }
  }
}
