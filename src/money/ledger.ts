import type { Clock } from '../clock.ts';
import type { Policy } from '../crypto/index.ts';
import { longestStatementMs, type Database } from '../database/connect.ts';
import { isLockTimeout } from '../database/failures.ts';
import { retrying } from '../database/retrying.ts';
import { picoFromCents, type Pico } from './amount.ts';
import { Batches } from './batches.ts';
import { Bookings } from './bookings.ts';
import type { CostLine } from './cost.ts';
import { insertBudgets, insertHolds, type HoldOutcome, type HoldRow } from './hold-store.ts';
import { isLost, lost, released, settled } from './receipts.ts';
import { expired, fitsByItself, isExpired, refusal, unavailable } from './refusals.ts';
import { listLostCharges, replaceLostCharge, settleHolds, type HoldEnd } from './settle-store.ts';
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

/** A hold's statement can begin when that of the ends before it on its connection has taken all of its time. */
const longestOnItsWayMs = 2 * longestStatementMs;
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
  readonly #onLate = (): void => this.#parts.database.renewSerial();
  readonly #holds = new Batches<HoldRow, HoldOutcome>((rows) => this.#takeHolds(rows), this.#onLate);
  readonly #ends = new Bookings({
    write: (ends) => this.#endHolds(ends),
    onLate: this.#onLate,
    onFault: (event, error) => this.#parts.onFault(event, error),
  });
  /** When this instance was first and last heard of, in one go. */
  #heard: { readonly since: number; readonly last: number } | undefined;

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
    // Made again under its id, its first hold must be given back before, or the return would take the second.
    if (this.#ends.has(row.callId)) throw unavailable();
    for (;;) {
      let outcome: HoldOutcome;
      try {
        outcome = await this.#holds.add(row);
      } catch (error) {
        // The statement may be carried out although its answer was lost, and nobody would know of the hold.
        this.#ends.keep(released(row.callId), performance.now() + longestOnItsWayMs);
        throw error;
      }
      if (outcome.granted !== null) return { callId: row.callId, amount: outcome.granted };
      // What is refused only because of another in its batch, or because its window was new, is decided again.
      if (!fitsByItself(outcome, row)) throw refusal(outcome, request, this.#parts.clock.now());
    }
  }

  /**
   * Books the call once; resolves when that has been tried, and never fails. A database that is away for a moment is asked
   * again; the hold stays until it is booked. If other instances took this one for dead and charged the hold, what it cost
   * takes the place of that.
   */
  settle(hold: Hold, settlement: Settlement): Promise<void> {
    return this.#ends.add(settled(hold, settlement));
  }

  /** Returns the hold of a call that never left, also where other instances have charged it meanwhile. */
  release(hold: Hold): Promise<void> {
    void this.#ends.add(released(hold.callId));
    return this.#ends.booked();
  }

  /** Resolves when what has ended on this instance until now is booked, so that whoever then reads sees it. */
  booked(): Promise<void> {
    return this.#ends.booked();
  }

  /** Spent, held and the reset of each connection's current window, in the order asked for. */
  async states(connections: readonly { connectionId: string; period: Policy['period'] }[]) {
    const now = this.#parts.clock.now();
    const windows = connections.map(({ connectionId, period }) => ({ connectionId, ...windowAt(period, now) }));
    await this.booked();
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
        this.#parts.onFault('heartbeat_failed', error);
      });
    }, heartbeatMs);
    return async () => {
      clearInterval(timer);
      await this.#ends.bookRest();
      await store.deleteInstance(this.#parts.database.sql, this.instanceId);
    };
  }

  /** Books the calls of instances that died at the amount held, flagged `unknown`: the provider may have charged them. */
  async resolveOrphans(): Promise<number> {
    const { database, clock, isAlone } = this.#parts;
    const silence = isAlone ? 0 : silenceMs / 1000;
    const orphans = await store.listOrphanedHolds(database.sql, this.instanceId, silence);
    const now = clock.now();
    for (const orphan of orphans) void this.#ends.add(lost(orphan, now));
    await this.#ends.booked();
    await store.deleteDeadInstances(database.sql, this.instanceId, silence);
    return orphans.length;
  }

  #rowOf(request: HoldRequest): HoldRow {
    const now = this.#parts.clock.now();
    const { connectionId, policy, seal } = request.grantee;
    if (isExpired(policy, now)) throw expired();
    const { rpm, tpm, parallel } = policy.limits;
    return {
      callId: request.callId,
      connectionId,
      seal,
      keySeal: request.keySeal,
      windowStart: windowAt(policy.period, now).start,
      budget: picoFromCents(policy.budgetCents),
      amount: request.amount,
      minimum: request.minimum,
      rpm,
      tpm,
      parallel,
      // A call that may take more than a minute's tokens takes all of them.
      tokens: tpm === null ? 0 : Math.min(request.tokens, tpm),
      instanceId: this.instanceId,
      provider: request.provider,
      model: request.model,
      endpoint: request.endpoint,
      keyId: request.keyId,
      createdAt: now,
    };
  }

  async #takeHolds(rows: readonly HoldRow[]): Promise<HoldOutcome[]> {
    const { serial: sql } = this.#parts.database;
    const outcomes = await retrying(() => insertHolds(sql, rows)).catch((error: unknown) => {
      if (!isLockTimeout(error)) throw error;
      return this.#takeUnlocked(rows);
    });
    const early = rows.filter((_row, index) => isEarly(outcomes[index]));
    if (early.length > 0) await retrying(() => insertBudgets(sql, early));
    return outcomes;
  }

  /** Somebody has kept a connection locked for too long: its calls are refused, and those of the others go on. */
  async #takeUnlocked(rows: readonly HoldRow[]): Promise<HoldOutcome[]> {
    const outcomes = await insertHolds(this.#parts.database.serial, rows, { skipsLocked: true });
    return outcomes.map((outcome) =>
      outcome.granted === null && outcome.status === null ? { ...outcome, status: 'locked' } : outcome,
    );
  }

  /** Tells of each whether it is known how it ended: by this, or by what takes the place of a charge for it. */
  async #endHolds(ends: readonly HoldEnd[]): Promise<boolean[]> {
    const { serial: sql } = this.#parts.database;
    const missing = await retrying(() => settleHolds(sql, ends));
    const charged = missing.size === 0 ? missing : await listLostCharges(sql, [...missing]);
    for (const end of ends) if (charged.has(end.callId) && !isLost(end)) await replaceLostCharge(sql, end);
    return ends.map(({ callId }) => !missing.has(callId) || charged.has(callId));
  }

  async #beat(): Promise<void> {
    await store.upsertInstance(this.#parts.database.sql, this.instanceId);
    const now = performance.now();
    const isUnbroken = this.#heard !== undefined && now - this.#heard.last < silenceMs;
    this.#heard = { since: isUnbroken ? (this.#heard?.since ?? now) : now, last: now };
    await this.#ends.bookRest();
    // Whoever was away with the database can't tell who else is gone: the others may just not have spoken again.
    if (this.#parts.isAlone || now - this.#heard.since >= silenceMs) await this.resolveOrphans();
  }
}

/** Refused only because what it is counted in has no row yet. */
function isEarly(outcome: HoldOutcome | undefined): boolean {
  return outcome?.granted === null && outcome.isSame && !outcome.hasRows;
}
