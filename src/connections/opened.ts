import type { Clock } from '../clock.ts';
import type { Permission } from '../money/ledger.ts';

/** A connection as its access token proved it: what the owner allowed, and the state in which that was read. */
export interface Grantee extends Permission {
  readonly userId: string;
  readonly appId: string | null;
  readonly revision: number;
  readonly generation: number;
}

/** A provider key that was opened through a connection: what opens its item again, never what is in it. */
export interface OpenedKey {
  readonly keyId: string;
  readonly version: number;
  readonly origin: string;
  /** Not extractable. */
  readonly dataKey: CryptoKey;
  readonly item: Uint8Array;
  /** `keySeal` of the row that this was opened from. */
  readonly seal: string;
  lastUsedAt: number;
}

/** A connection that was opened, as long as nothing that it was opened from has changed: every hold asks for that. */
export interface Opened {
  readonly grantee: Grantee;
  /** Not extractable. */
  readonly connectionKey: CryptoKey;
  /** By provider. */
  readonly keys: Map<string, OpenedKey>;
}

const mostConnections = 10_000;
const idleMs = 10 * 60_000;

/** Opened connections by the lookups of their tokens: the latest used of them, each for a few minutes of idleness. */
export class OpenedConnections {
  readonly #clock: Clock;
  /** Least lately used first. */
  readonly #byLookup = new Map<string, { opened: Opened; usedAt: number }>();
  readonly #lookups = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(lookup: string): Opened | undefined {
    const found = this.#byLookup.get(lookup);
    if (found === undefined) return undefined;
    this.#byLookup.delete(lookup);
    const now = this.#clock.now().getTime();
    if (now - found.usedAt > idleMs) return undefined;
    this.#byLookup.set(lookup, { opened: found.opened, usedAt: now });
    return found.opened;
  }

  add(lookup: string, opened: Opened): void {
    this.forget(opened.grantee.connectionId);
    this.#byLookup.set(lookup, { opened, usedAt: this.#clock.now().getTime() });
    this.#lookups.set(opened.grantee.connectionId, lookup);
    const [oldest] = this.#byLookup;
    if (this.#byLookup.size > mostConnections && oldest !== undefined) {
      this.forget(oldest[1].opened.grantee.connectionId);
    }
  }

  forget(connectionId: string): void {
    const lookup = this.#lookups.get(connectionId);
    if (lookup === undefined) return;
    this.#lookups.delete(connectionId);
    this.#byLookup.delete(lookup);
  }
}
