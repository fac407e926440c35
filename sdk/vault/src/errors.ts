/**
 * What the client can report. A `code` is the server's (docs/errors.md) or one of this file's; a message never holds a
 * password, a key, a token or anything else that the caller passed in.
 */

interface Facts {
  /** HTTP status; absent when no answer came or the client itself refused. */
  status?: number | undefined;
  requestId?: string | undefined;
  param?: string | undefined;
  /** Whole seconds. */
  retryAfter?: number | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
}

/** Every failure of this package is one of these. */
export class VaultError extends Error {
  override name = 'VaultError';
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, facts: Facts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.param = facts.param;
    this.retryAfter = facts.retryAfter;
    this.details = facts.details;
  }
}

/** E-mail and password do not belong together; the server says no more than that. */
export class WrongPasswordError extends VaultError {
  override name = 'WrongPasswordError';
}

/** The password was right; the second factor is missing or wrong. */
export class TotpRequiredError extends VaultError {
  override name = 'TotpRequiredError';
}

/** The recovery code is not of this account, was used already, or has a typo. */
export class RecoveryFailedError extends VaultError {
  override name = 'RecoveryFailedError';
}

/** The operation needs the vault key: call `unlock(password)` first. */
export class VaultLockedError extends VaultError {
  override name = 'VaultLockedError';

  constructor() {
    super('vault_locked', 'The vault is locked. Unlock it with the password and repeat.');
  }
}

/** What does not match: the kinds of things that a vault holds. */
export type TamperedPart = 'account' | 'manifest' | 'key' | 'connection' | 'link';

/** The server's answer contradicts what the owner sealed: something was changed, exchanged, dropped or put back. */
export class VaultTamperedError extends VaultError {
  override name = 'VaultTamperedError';
  readonly part: TamperedPart;
  /** Ids of the keys or connections at fault; empty for the account and the manifest. */
  readonly ids: readonly string[];

  constructor(part: TamperedPart, message: string, ids: readonly string[] = [], cause?: unknown) {
    super('vault_tampered', message, { cause });
    this.part = part;
    this.ids = ids;
  }
}

/** What was given as a key is something that a vault should not hold. */
export class KeyRefusedError extends VaultError {
  override name = 'KeyRefusedError';
  readonly reason: KeyRefusal;

  constructor(reason: KeyRefusal, message: string) {
    super('key_refused', message, { param: 'secret' });
    this.reason = reason;
  }
}

export type KeyRefusal = 'empty' | 'malformed' | 'admin_key' | 'oauth_token' | 'keypass_token';

/**
 * The server sends this provider's calls elsewhere than this client was built to expect. Show `origin` to the owner; if
 * they agree, repeat with it.
 */
export class OriginDiffersError extends VaultError {
  override name = 'OriginDiffersError';
  readonly provider: string;
  /** Where the server would send the key. */
  readonly origin: string;
  /** What this client knows; null for a provider that only this server has. */
  readonly expected: string | null;

  constructor(provider: string, origin: string, expected: string | null) {
    super('origin_differs', `The server sends calls of ${provider} to ${origin}: confirm this origin first.`);
    this.provider = provider;
    this.origin = origin;
    this.expected = expected;
  }
}
