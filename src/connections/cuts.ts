import type { Clock } from '../clock.ts';
import { parsePolicy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import { connectionChannel } from './service.ts';
import { expired, isExpired, paused, revoked } from '../money/refusals.ts';
import * as store from './store.ts';

type Cut = (reason: KeyPassError) => void;

/** A call that runs, as far as its owner can end it. */
export interface RunningCall {
  readonly connectionId: string;
  /** The provider key that it was sent with. */
  readonly keyId: string;
  /** As the policy has it: until when the owner allowed it. */
  readonly expiresAt: string | null;
}

/** The calls of one connection that run on this instance. */
interface Running {
  /** By the key that each was sent with. */
  readonly cuts: Map<Cut, string>;
  /** Looks again when the owner's approval runs out, if that is soon. */
  timer?: ReturnType<typeof setTimeout> | undefined;
}

const recheckMs = 5_000;

interface Parts {
  database: Database;
  clock: Clock;
  onFault: (event: string, error: unknown) => void;
}

/** The calls that run on this instance, by connection, and how to end them when their owner says so. */
export class Cuts {
  readonly #parts: Parts;
  readonly #running = new Map<string, Running>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Calls `cut` once when the call may not go on; returns how to stop listening. */
  onCut({ connectionId, keyId, expiresAt }: RunningCall, cut: Cut): () => void {
    const running = this.#running.get(connectionId) ?? { cuts: new Map<Cut, string>() };
    this.#running.set(connectionId, running);
    running.cuts.set(cut, keyId);
    this.#lookAtEnd(connectionId, expiresAt);
    return () => this.#remove(connectionId, running, cut);
  }

  /** Listens for what owners change; a re-check every few seconds covers a lost notice. */
  async start(): Promise<() => Promise<void>> {
    const stop = await this.#parts.database.listen(connectionChannel, (id) => this.#recheck([id]));
    const timer = setInterval(() => this.#recheck([...this.#running.keys()]), recheckMs);
    return async () => {
      clearInterval(timer);
      for (const running of this.#running.values()) clearTimeout(running.timer);
      await stop();
    };
  }

  #recheck(ids: readonly string[]): void {
    this.#cutWhatMayNotGoOn(ids).catch((error: unknown) => this.#parts.onFault('recheck_failed', error));
  }

  async #cutWhatMayNotGoOn(ids: readonly string[]): Promise<void> {
    const asked = ids.filter((id) => this.#running.has(id));
    if (asked.length === 0) return;
    const rows = await store.listStandings(this.#parts.database.sql, asked);
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const id of asked) {
      const row = byId.get(id);
      const reason = this.#reasonToCut(row);
      if (reason !== undefined) this.#cut(id, reason, () => true);
      else this.#cut(id, keyGone(), (keyId) => row?.keyIds.includes(keyId) !== true);
    }
  }

  #reasonToCut(row: store.StandingRow | undefined): KeyPassError | undefined {
    if (row === undefined || row.status === 'revoked') return revoked();
    if (row.status === 'paused') return paused();
    try {
      const policy = parsePolicy(row.policy);
      if (isExpired(policy, this.#parts.clock.now())) return expired();
      this.#lookAtEnd(row.id, policy.expiresAt);
      return undefined;
    } catch {
      // Not the bytes that the owner sealed: nothing goes on under them.
      return revoked();
    }
  }

  /** Looks again at the very end of an approval. One that ends later than the next re-check is left to that. */
  #lookAtEnd(id: string, expiresAt: string | null): void {
    const running = this.#running.get(id);
    if (running === undefined || expiresAt === null) return;
    const left = new Date(expiresAt).getTime() - this.#parts.clock.now().getTime();
    if (left > 2 * recheckMs) return;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => this.#recheck([id]), Math.max(0, left));
  }

  #cut(id: string, reason: KeyPassError, isMeant: (keyId: string) => boolean): void {
    const running = this.#running.get(id);
    for (const [cut, keyId] of running?.cuts ?? []) {
      if (running === undefined || !isMeant(keyId)) continue;
      this.#remove(id, running, cut);
      cut(reason);
    }
  }

  #remove(id: string, running: Running, cut: Cut): void {
    running.cuts.delete(cut);
    if (running.cuts.size > 0 || this.#running.get(id) !== running) return;
    clearTimeout(running.timer);
    this.#running.delete(id);
  }
}

function keyGone(): KeyPassError {
  return new KeyPassError('key_missing', 'The owner has taken the key of this call out of the connection.');
}
