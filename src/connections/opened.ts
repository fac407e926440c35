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

/** A provider key in the clear. */
export interface PlainKey {
  readonly keyId: string;
  readonly version: number;
  /** UTF-8. */
  readonly secret: Uint8Array;
  /** What the owner keeps with the key. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Hands a key in the clear to `work`, which must be done with it when it returns: the bytes are zeroed after that. */
export type UseKey = <T>(work: (key: PlainKey) => T) => Promise<T>;

/** A provider key that was opened through a connection: what opens its item again, never what is in it. */
export interface OpenedKey {
  readonly keyId: string;
  readonly use: UseKey;
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
 * A key that is asked for while it is being opened is opened once for all who ask, and zeroed as soon as the last has used
 * it: a crowd costs one decryption and leaves one copy.
 */
export function shared(open: () => Promise<PlainKey>): UseKey {
  let opening: Promise<PlainKey> | undefined;
  let waiting = 0;
  return async (work) => {
    opening ??= open();
    waiting += 1;
    let key: PlainKey | undefined;
    try {
      key = await opening;
      return work(key);
    } finally {
      waiting -= 1;
      if (waiting === 0) {
        opening = undefined;
        if (key !== undefined) zero(key.secret);
      }
    }
  };
}
