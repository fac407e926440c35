import type { Clock } from '../clock.ts';
import { zero } from '../crypto/index.ts';
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
  /** Gives the item's plaintext, which it does not keep. */
  readonly open: () => Promise<Uint8Array>;
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

/** Opened connections by digests of their tokens: the latest used of them, each for a few minutes of idleness. */
export class OpenedConnections {
  readonly #clock: Clock;
  /** Least lately used first. */
  readonly #byDigest = new Map<string, { opened: Opened; usedAt: number }>();
  readonly #digests = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(digest: string): Opened | undefined {
    const found = this.#byDigest.get(digest);
    if (found === undefined) return undefined;
    this.#byDigest.delete(digest);
    this.#byDigest.set(digest, { opened: found.opened, usedAt: this.#clock.now().getTime() });
    return found.opened;
  }

  add(digest: string, opened: Opened): void {
    this.forget(opened.grantee.connectionId);
    this.#byDigest.set(digest, { opened, usedAt: this.#clock.now().getTime() });
    this.#digests.set(opened.grantee.connectionId, digest);
    const [oldest] = this.#byDigest;
    if (this.#byDigest.size > mostConnections && oldest !== undefined) {
      this.forget(oldest[1].opened.grantee.connectionId);
    }
  }

  /** Lets go of what has been idle. */
  sweep(): void {
    const deadline = this.#clock.now().getTime() - idleMs;
    for (const { opened, usedAt } of this.#byDigest.values()) {
      // In the order of their use: what follows was used later.
      if (usedAt > deadline) return;
      this.forget(opened.grantee.connectionId);
    }
  }

  forget(connectionId: string): void {
    const digest = this.#digests.get(connectionId);
    if (digest === undefined) return;
    this.#digests.delete(connectionId);
    this.#byDigest.delete(digest);
  }
}

/**
 * What is asked for while it is being opened is opened once for all who ask: each gets a copy of its own to zero, and
 * the bytes between them are zeroed as soon as the last has one. A crowd costs one decryption.
 */
export function shared(open: () => Promise<Uint8Array>): () => Promise<Uint8Array> {
  let opening: Promise<Uint8Array> | undefined;
  let waiting = 0;
  return async () => {
    opening ??= open();
    waiting += 1;
    try {
      const bytes = await opening;
      const own = new Uint8Array(bytes);
      if (waiting === 1) zero(bytes);
      return own;
    } finally {
      waiting -= 1;
      if (waiting === 0) opening = undefined;
    }
  };
}
