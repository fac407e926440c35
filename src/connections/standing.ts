import type { Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

/** Whether the owner's approval has run out. */
export function isExpired(policy: Policy, now: Date): boolean {
  return policy.expiresAt !== null && now >= new Date(policy.expiresAt);
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
