import type { Clock } from '../clock.ts';
import type { Database } from '../database/connect.ts';
import { keyNotFound } from './service.ts';
import * as store from './store.ts';

/** A version of a key, as a call was made with it. */
interface UsedKey {
  readonly keyId: string;
  readonly keyVersion: number;
}

interface RefusedKey extends UsedKey {
  /** The provider's. */
  readonly status: number;
  readonly verdict: 'rejected' | 'restricted';
}

type Verdict = RefusedKey['verdict'] | 'works';

/** How long what was noted of a key is taken to be known. */
const knownMs = 60_000;

const mostKeys = 50_000;

/**
 * Whether providers take the keys of the vault, as calls show it. The database is asked once a minute for a key, not for
 * each call, and is written to only where something changes. A refusal that was seen here ends with the next success
 * here; one that another instance saw, with a success within a minute. A key that may do some things and not others goes
 * from one to the other at most once a minute.
 */
export class KeyHealth {
  readonly #database: Database;
  readonly #clock: Clock;
  /** By id, the latest noted last. */
  readonly #known = new Map<string, { keyVersion: number; verdict: Verdict; at: number }>();

  constructor({ database, clock }: { database: Database; clock: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  async refused({ keyId, keyVersion, status, verdict }: RefusedKey): Promise<void> {
    if (!this.#isNews({ keyId, keyVersion }, verdict)) return;
    const at = this.#clock.now();
    await store.updateKeyRefused(this.#database.sql, { keyId, keyVersion }, { at, status, verdict });
  }

  /** Nothing to wait for where nothing is to be noted, which is so for nearly every call. */
  taken(key: UsedKey): Promise<void> | undefined {
    return this.#isNews(key, 'works') ? store.updateKeyTaken(this.#database.sql, key) : undefined;
  }

  /** Its owner knows that the key is good: the mark goes, and the next refusal counts anew. Throws `key_not_found`. */
  async seenTo(userId: string, provider: string, keyId: string): Promise<void> {
    if (!(await store.updateKeySeenTo(this.#database.sql, userId, provider, keyId))) throw keyNotFound();
    this.#known.delete(keyId);
  }

  /** Whether a key's state has to be looked at, which from here on is known. */
  #isNews({ keyId, keyVersion }: UsedKey, verdict: Verdict): boolean {
    const at = this.#clock.now().getTime();
    const last = this.#known.get(keyId);
    const known = last?.keyVersion === keyVersion && at - last.at < knownMs ? last.verdict : undefined;
    // A key that dies, or is taken again, is told at once; what else is told of a dead one changes nothing.
    const isUrgent = verdict === 'rejected' || (verdict === 'works' && known === 'rejected');
    if (known !== undefined && (known === verdict || !isUrgent)) return false;
    this.#known.delete(keyId);
    this.#known.set(keyId, { keyVersion, verdict, at });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKeys && oldest !== undefined) this.#known.delete(oldest);
    return true;
  }
}
