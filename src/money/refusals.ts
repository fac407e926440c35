import type { Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { formatUsd, picoFromCents, type Pico } from './amount.ts';
import type { Permission } from './ledger.ts';
import type { HoldOutcome } from './store.ts';

/** Whether the owner's approval has run out. */
export function isExpired(policy: Policy, now: Date): boolean {
  return policy.expiresAt !== null && now >= new Date(policy.expiresAt);
}

export function expired(): KeyPassError {
  const message = 'The owner approved this connection until a date that has passed. Ask for a new approval.';
  return new KeyPassError('connection_expired', message);
}

export function paused(): KeyPassError {
  return new KeyPassError('connection_paused', 'The owner has paused this connection.');
}

export function revoked(): KeyPassError {
  return new KeyPassError('connection_revoked', 'The owner has revoked this connection.');
}

/** Why no hold was granted. */
export function refusal(
  outcome: HoldOutcome | undefined,
  permission: Permission,
  amount: Pico,
  resetsAt: Date | null,
): KeyPassError {
  if (outcome === undefined || outcome.status === 'revoked') return revoked();
  if (outcome.status === 'paused') return paused();
  if (outcome.status !== 'active' || !outcome.isSame) {
    return new KeyPassError('connection_changed', 'The connection was changed in this moment. Send the request again.');
  }
  return overBudget(outcome, permission, amount, resetsAt);
}

function overBudget(outcome: HoldOutcome, permission: Permission, amount: Pico, resetsAt: Date | null): KeyPassError {
  const policyBudget = picoFromCents(permission.policy.budgetCents);
  const cap = outcome.capCents === null ? policyBudget : picoFromCents(Number(outcome.capCents));
  const budget = cap < policyBudget ? cap : policyBudget;
  const [spent, held] = [outcome.spent ?? 0n, outcome.held ?? 0n];
  const details = {
    connectionId: permission.connectionId,
    budgetCents: Number(budget / picoFromCents(1)),
    spent: formatUsd(spent),
    held: formatUsd(held),
    needed: formatUsd(amount),
    resetsAt: resetsAt?.toISOString() ?? null,
  };
  if (spent + amount <= budget) {
    const message = 'Running calls hold the rest of the budget. Send the request again when they have ended.';
    return new KeyPassError('budget_held', message, { retryAfter: 1, details });
  }
  const message =
    'The budget that the owner approved does not cover this call. Ask for a larger one, or make the call smaller.';
  return new KeyPassError('budget_exceeded', message, { details });
}
