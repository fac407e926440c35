import type { Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { formatUsd, picoFromCents } from './amount.ts';
import type { HoldRow, Refused } from './hold-store.ts';
import type { HoldRequest } from './ledger.ts';
import { windowAt } from './window.ts';

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

/** Nothing can be decided in this moment, so nothing is forwarded. */
export function unavailable(): KeyPassError {
  const message = 'The database cannot be reached just now. Try again in a moment.';
  return new KeyPassError('database_unavailable', message, { retryAfter: 1 });
}

/** Whether the call would be granted if it were decided alone, after what its batch has granted to others. */
export function fitsByItself(outcome: Refused, { amount, minimum }: HoldRow): boolean {
  if (!outcome.isSame) return false;
  if (!outcome.hasRows) return true;
  const fits = amount === 0n || outcome.spent + outcome.held + minimum <= outcome.budget;
  return fits && longestWait(outcome).seconds <= 0;
}

/** Why no hold was granted. */
export function refusal(outcome: Refused, request: HoldRequest, now: Date): KeyPassError {
  if (outcome.status === 'locked') return unavailable();
  if (outcome.status === null || outcome.status === 'revoked') return revoked();
  if (outcome.status === 'paused') return paused();
  if (!outcome.isSame) {
    return new KeyPassError('connection_changed', 'The connection was changed in this moment. Send the request again.');
  }
  const isOverBudget = request.amount > 0n && outcome.spent + outcome.held + request.minimum > outcome.budget;
  return isOverBudget ? overBudget(outcome, request, now) : overLimit(outcome, request);
}

function overBudget(outcome: Refused, request: HoldRequest, now: Date): KeyPassError {
  const { budget, spent, held } = outcome;
  const { connectionId, policy } = request.grantee;
  const details = {
    connectionId,
    budgetCents: Number(budget / picoFromCents(1)),
    spent: formatUsd(spent),
    held: formatUsd(held),
    needed: formatUsd(request.minimum),
    resetsAt: windowAt(policy.period, now).resetsAt?.toISOString() ?? null,
  };
  if (spent + request.minimum <= budget) {
    const message = 'Running calls hold the rest of the budget. Send the request again when they have ended.';
    return new KeyPassError('budget_held', message, { retryAfter: 1, details });
  }
  const message =
    'The budget that the owner approved does not cover this call. Ask for a larger one, or make the call smaller.';
  return new KeyPassError('budget_exceeded', message, { details });
}

const limitNames = {
  rpm: 'requests a minute',
  tpm: 'tokens a minute',
  parallel: 'calls at one time',
} as const;

function overLimit(outcome: Refused, { grantee }: HoldRequest): KeyPassError {
  const { limit, seconds } = longestWait(outcome);
  const allowed = grantee.policy.limits[limit];
  const message = `The owner allowed this connection ${allowed} ${limitNames[limit]}. Send the request again a little later.`;
  const retryAfter = Math.max(1, Math.ceil(seconds));
  return new KeyPassError('rate_limited', message, { retryAfter, details: { limit, allowed } });
}

function longestWait({ requestsWait, tokensWait, parallelWait }: Refused) {
  const waits = [
    { limit: 'rpm', seconds: requestsWait },
    { limit: 'tpm', seconds: tokensWait },
    { limit: 'parallel', seconds: parallelWait },
  ] as const;
  return waits.reduce((longest, wait) => (wait.seconds > longest.seconds ? wait : longest));
}
