import type { KeyPassError } from '../errors.ts';
import type { RunningCall } from '../connections/cuts.ts';
import type { Grantee, PlainKey } from '../connections/opened.ts';
import type { Hold, HoldRequest, Settlement } from '../money/ledger.ts';

export type { Grantee, PlainKey } from '../connections/opened.ts';
export type { Hold, HoldRequest, Settlement } from '../money/ledger.ts';

/** Who may call, and with which key. */
export interface Access {
  /**
   * Throws `access_token_invalid`, `connection_paused` … What was opened before may be given again, unless asked `anew`:
   * a hold says `connection_changed` or `connection_revoked` where it is no longer so.
   */
  authenticate(accessToken: string, options?: { anew: boolean }): Promise<Grantee>;
  /** What the provider's key was opened from before, for the hold to ask whether it is still so; else null. */
  keySeal(grantee: Grantee, provider: string): string | null;
  /**
   * Opens the provider's key for as long as `work` runs, and gives what that returns; the bytes are zeroed after it. Throws
   * `provider_not_connected`, `key_missing`, what `work` throws.
   */
  useKey<T>(grantee: Grantee, provider: string, work: (key: PlainKey) => T): Promise<T>;
  /** Calls `cut` once when the call may not go on (revoked, paused, expired, its key gone); returns how to stop listening. */
  onCut(call: RunningCall, cut: (reason: KeyPassError) => void): () => void;
}

/** The ledger of holds: the statement behind `hold` is the authority over every call. */
export interface Ledger {
  /**
   * Durable when it resolves. Checks status, expiry, limits and all that the connection and its key were opened from in
   * the same statement. Throws `budget_exceeded`, `budget_held`, `rate_limited`, `connection_revoked` …, and then holds
   * nothing; `connection_changed` where the grantee was read before the connection's last edit.
   */
  hold(request: HoldRequest): Promise<Hold>;
  /** Books a call that was dispatched, once. Nobody has to wait for it, and it does not fail. */
  settle(hold: Hold, settlement: Settlement): Promise<void>;
  /** Gives back the hold of a call that was not dispatched. */
  release(hold: Hold): Promise<void>;
  /** Resolves when what was to be booked until now has been tried. */
  booked(): Promise<void>;
}

/** `fetch` as a runtime provides it: one that must not cut an idle stream by a time limit of its own. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** Limits in milliseconds and bytes, all from the configuration. */
export interface Limits {
  /** A request's JSON body. */
  readonly maxJsonBytes: number;
  /** All forms with files that are held at one time. */
  readonly maxUploadBytes: number;
  /** One file that is passed on as it comes. */
  readonly maxFileBytes: number;
  /** The copy of an answer, or of one event, that is kept to read its usage. */
  readonly maxCopyBytes: number;
  /** Until the provider's headers arrive; connecting is part of it, which `fetch` can't tell apart. */
  readonly firstByteMs: number;
  /** Without a byte of an answer that has begun. */
  readonly silenceMs: number;
  /** One call as a whole. */
  readonly totalMs: number;
  /** How long an answer whose stop reason was seen is read on for its usage when the client has left. */
  readonly drainMs: number;
}
