import type { Clock } from '../clock.ts';
import { parsePolicy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import type { KeyPassError } from '../errors.ts';
import { connectionChannel } from './service.ts';
import { expired, isExpired, paused, revoked } from '../money/refusals.ts';
import * as store from './store.ts';

type Cut = (reason: KeyPassError) => void;

const recheckMs = 5_000;

interface Parts {
  database: Database;
  clock: Clock;
  onFault: (event: string, error: unknown) => void;
}

/** The calls that run on this instance, by connection, and how to end them when their owner says so. */
export class Cuts {
  readonly #parts: Parts;
  readonly #running = new Map<string, Set<Cut>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Calls `cut` once when the connection may not go on; returns how to stop listening. */
  onCut(connectionId: string, cut: Cut): () => void {
    const cuts = this.#running.get(connectionId) ?? new Set();
    this.#running.set(connectionId, cuts.add(cut));
    return () => {
      cuts.delete(cut);
      if (cuts.size === 0 && this.#running.get(connectionId) === cuts) this.#running.delete(connectionId);
    };
  }

  /** Listens for revocations and pauses; a re-check every few seconds covers a lost notice and an expiry. */
  async start(): Promise<() => Promise<void>> {
    const onFault = (error: unknown) => this.#parts.onFault('recheck_failed', error);
    const stop = await this.#parts.database.listen(connectionChannel, (id) => {
      this.#recheck([id]).catch(onFault);
    });
    const timer = setInterval(() => {
      this.#recheck([...this.#running.keys()]).catch(onFault);
    }, recheckMs);
    return async () => {
      clearInterval(timer);
      await stop();
    };
  }

  async #recheck(ids: readonly string[]): Promise<void> {
    const running = ids.filter((id) => this.#running.has(id));
    if (running.length === 0) return;
    const rows = await store.listStandings(this.#parts.database.sql, running);
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const id of running) {
      const reason = this.#reasonToCut(byId.get(id));
      if (reason !== undefined) this.#cut(id, reason);
    }
  }

  #reasonToCut(row: store.StandingRow | undefined): KeyPassError | undefined {
    if (row === undefined || row.status === 'revoked') return revoked();
    if (row.status === 'paused') return paused();
    try {
      return isExpired(parsePolicy(row.policy), this.#parts.clock.now()) ? expired() : undefined;
    } catch {
      // Not the bytes that the owner sealed: nothing goes on under them.
      return revoked();
    }
  }

  #cut(id: string, reason: KeyPassError): void {
    const cuts = this.#running.get(id) ?? [];
    this.#running.delete(id);
    for (const cut of cuts) cut(reason);
  }
}
