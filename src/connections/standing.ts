import { CryptoError, type Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

/** Whether the owner's approval has run out. */
export function isExpired(policy: Policy, now: Date): boolean {
  return policy.expiresAt !== null && now >= new Date(policy.expiresAt);
}

/** Whether a failure means that a blob does not open under what its row says. */
export function isUnopened(error: unknown): boolean {
  return error instanceof CryptoError;
}

/** The end of an attempt to open what is stored: what does not open was not sealed so by the owner. */
export function tamperedWhereUnopened(error: unknown): never {
  if (!isUnopened(error)) throw error;
  const message = 'What is stored of this connection is not what its owner sealed. The owner must approve a new one.';
  throw new KeyPassError('connection_tampered', message);
}

export function paused(): KeyPassError {
  return new KeyPassError('connection_paused', 'The owner has paused this connection.');
}

export function revoked(): KeyPassError {
  return new KeyPassError('connection_revoked', 'The owner has revoked this connection.');
}

export function expired(): KeyPassError {
  const message = 'The owner approved this connection until a date that has passed. Ask for a new approval.';
  return new KeyPassError('connection_expired', message);
}
