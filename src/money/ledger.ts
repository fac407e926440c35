import type { Clock } from '../clock.ts';
import type { Policy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { retrying } from '../database/retrying.ts';
import { picoFromCents, type Pico } from './amount.ts';
import { Batches } from './batches.ts';
import type { CostLine } from './cost.ts';
import { insertBudgets, insertHolds, type HoldOutcome, type HoldRow } from './hold-store.ts';
import { lost, released, settled } from './receipts.ts';
import { expired, fitsByItself, isExpired, refusal } from './refusals.ts';
import { replaceLostCharge, settleHolds, type HoldEnd } from './settle-store.ts';
import type { PriceSource } from './prices.ts';
import * as store from './store.ts';
import type { Usage } from './usage.ts';
import { windowAt } from './window.ts';

/** The state of a connection that a call was checked against; a hold is granted only while it is still so. */
export interface Permission {
  readonly connectionId: string;
  readonly policy: Policy;
  /** A digest of all that the connection was opened from (`connectionSeal`). */
  readonly seal: string;
}

export interface HoldRequest {
  readonly callId: string;
  readonly grantee: Permission;
  readonly provider: string;
  readonly model: string | null;
  /** Method and path template, such as `POST /v1/chat/completions`. */
  readonly endpoint: string;
  readonly keyId: string;
  /** A digest of what the key was opened from before (`keySeal`); null where it is opened after the hold. */
  readonly keySeal: string | null;
  /** An upper bound of what the call can cost. */
  readonly amount: Pico;
  /** Where all of the amount does not fit: the least that is of use. What is left of the budget is granted then. */
  readonly minimum: Pico;
  /** An upper bound of the tokens that it can take, for connections with a limit of those. */
  readonly tokens: number;
}

/** Budget that is set aside for one running call. */
export interface Hold {
  readonly callId: string;
  /** From the minimum asked for to the amount. */
  readonly amount: Pico;
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

interface Parts {
  database: Database;
  clock: Clock;
  /** No other instance can be alive on this database: whatever others hold is lost. */
  isAlone: boolean;
  onFault: (event: string, error: unknown) => void;
}

/** A call has ended for its app: until it is booked, its hold stands for it. */
const gatherEndsMs = 10;
const heartbeatMs = 5_000;
const silenceMs = 30_000;

/**
 * The ledger of holds. At every instant and on any number of instances no hold is granted that would make
 * spent + held exceed the budget in force, per connection and window. Holds share statements, and so do their ends:
 * what arrives while one is on its way goes into the next.
 */
export class Ledger {
  readonly instanceId = crypto.randomUUID();
  readonly #parts: Parts;
  readonly #holds = new Batches<HoldRow, HoldOutcome>((rows) => this.#takeHolds(rows));
  readonly #ends = new Batches<HoldEnd, boolean>((ends) => this.#endHolds(ends), gatherEndsMs);
  /** By call: what is still to be written. A call has one end, so one entry. */
  readonly #unbooked = new Map<string, () => Promise<void>>();
  /** Since when this instance has been heard of without a pause; undefined while it is not. */
  #heardSince: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Sets the amount aside, durably before it returns; or what is left of the budget, from the minimum on. Throws
   * `budget_exceeded` (spent), `budget_held` (held by running calls), `rate_limited`, `connection_paused`,
   * `connection_revoked`, `connection_expired`, or `connection_changed`, after which opening the connection anew can
   * succeed.
   */
  async hold(request: HoldRequest): Promise<Hold> {
    const row = this.#rowOf(request);
    for (;;) {
      const outcome = await this.#holds.add(row).catch((error: unknown) => {
        // The statement may have been committed before the connection was lost, and nobody would know of the hold.
        this.#unbooked.set(row.callId, () => this.#end(released(row.callId)));
        throw error;
      });
      if (outcome.granted !== null) return { callId: row.callId, amount: outcome.granted };
      // What is refused only because of another in its batch, or because its window was new, is decided again.
      if (!fitsByItself(outcome, row)) throw refusal(outcome, request, this.#parts.clock.now());
    }
  }

  /**
   * Books the call once. A database that is away for a moment is asked again; the hold stays until it is booked. If other
   * instances took this one for dead and charged the hold, what it cost takes the place of that.
   */
  settle(hold: Hold, settlement: Settlement): Promise<void> {
    return this.#persistently('settle_failed', settled(hold, settlement));
  }

  /** Returns the hold of a call that never left, also where other instances have charged it meanwhile. */
  release(hold: Hold): Promise<void> {
    return this.#persistently('release_failed', released(hold.callId));
  }

  /** Spent, held and the reset of each connection's current window, in the order asked for. */
  async states(connections: readonly { connectionId: string; period: Policy['period'] }[]) {
    const now = this.#parts.clock.now();
    const windows = connections.map(({ connectionId, period }) => ({ connectionId, ...windowAt(period, now) }));
    const rows = await store.listBudgets(this.#parts.database.sql, windows);
    const byId = new Map(rows.map((row) => [row.connectionId, row]));
    return windows.map(({ connectionId, resetsAt }) => {
      const row = byId.get(connectionId);
      return { spent: row?.spent ?? 0n, held: row?.held ?? 0n, resetsAt };
    });
  }

  /** Says that this instance lives, now and every few seconds; stopping says that it has left. */
  async start(): Promise<() => Promise<void>> {
    await this.#beat();
    const timer = setInterval(() => {
      this.#beat().catch((error: unknown) => {
        this.#heardSince = undefined;
        this.#parts.onFault('heartbeat_failed', error);
      });
    }, heartbeatMs);
    return async () => {
      clearInterval(timer);
      await this.#bookRest();
      await store.deleteInstance(this.#parts.database.sql, this.instanceId);
    };
  }

  /** Books the calls of instances that died at the amount held, flagged `unknown`: the provider may have charged them. */
  async resolveOrphans(): Promise<number> {
    const { database, clock, isAlone } = this.#parts;
    const silence = isAlone ? 0 : silenceMs / 1000;
    const orphans = await store.listOrphanedHolds(database.sql, this.instanceId, silence);
    const now = clock.now();
    await Promise.all(orphans.map((orphan) => this.#ends.add(lost(orphan, now))));
    await store.deleteDeadInstances(database.sql, this.instanceId, silence);
    return orphans.length;
  }

  #rowOf({ grantee, tokens, ...call }: HoldRequest): HoldRow {
    const now = this.#parts.clock.now();
    const { connectionId, policy, seal } = grantee;
    if (isExpired(policy, now)) throw expired();
    const { tpm } = policy.limits;
    return {
      ...call,
      ...policy.limits,
      connectionId,
      seal,
      windowStart: windowAt(policy.period, now).start,
      budget: picoFromCents(policy.budgetCents),
      // A call that may take more than a minute's tokens takes all of them.
      tokens: tpm === null ? 0 : Math.min(tokens, tpm),
      instanceId: this.instanceId,
      createdAt: now,
    };
  }

  async #takeHolds(rows: readonly HoldRow[]): Promise<HoldOutcome[]> {
    const { sql } = this.#parts.database;
    const outcomes = await retrying(() => insertHolds(sql, rows));
    const early = rows.filter((_row, index) => outcomes[index]?.isSame === true && !outcomes[index].hasRows);
    if (early.length > 0) await retrying(() => insertBudgets(sql, early));
    return outcomes;
  }

  async #endHolds(ends: readonly HoldEnd[]): Promise<boolean[]> {
    const booked = await retrying(() => settleHolds(this.#parts.database.sql, ends));
    return ends.map(({ callId }) => booked.has(callId));
  }

  async #end(end: HoldEnd): Promise<void> {
    const isBooked = await this.#ends.add(end);
    if (!isBooked) await replaceLostCharge(this.#parts.database.sql, end);
  }

  async #beat(): Promise<void> {
    await store.upsertInstance(this.#parts.database.sql, this.instanceId);
    this.#heardSince ??= performance.now();
    await this.#bookRest();
    // Whoever was away with the database can't tell who else is gone: the others may just not have spoken again.
    const canJudge = this.#parts.isAlone || performance.now() - this.#heardSince >= silenceMs;
    if (canJudge) await this.resolveOrphans();
  }

  /** What could not be written when it was due: one to see whether the database is back, then the others together. */
  async #bookRest(): Promise<void> {
    const [first, ...rest] = [...this.#unbooked];
    if (first === undefined) return;
    const book = async ([callId, work]: typeof first) => {
      await work();
      this.#unbooked.delete(callId);
    };
    try {
      await book(first);
      await Promise.all(rest.map(book));
    } catch (error) {
      this.#parts.onFault('booking_failed', error);
    }
  }

  /** Writes now, or with the next heartbeat that finds the database: until then the hold stays. */
  async #persistently(event: string, end: HoldEnd): Promise<void> {
    try {
      await this.#end(end);
    } catch (error) {
      this.#parts.onFault(event, error);
      this.#unbooked.set(end.callId, () => this.#end(end));
    }
  }
}
