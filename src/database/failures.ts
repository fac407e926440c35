import postgres from 'postgres';
import { KeyPassError } from '../errors.ts';

/**
 * SQLSTATE of a serialization failure and of a deadlock: the transaction was rolled back whole and may run again
 * (https://www.postgresql.org/docs/15/mvcc-serialization-failure-handling.html).
 */
const retryableStates = new Set(['40001', '40P01']);

/**
 * SQLSTATEs of a server that can't serve just now: connection exceptions (08), insufficient resources (53), shut down
 * or still starting (57P01–57P03), system errors (58), and statements or locks that took too long (57014, 55P03), from https://www.postgresql.org/docs/15/errcodes-appendix.html.
 */
const unavailableStates = /^(?:08|53|58)[0-9A-Z]{3}$|^57P0[123]$|^57014$|^55P03$/;

/** How postgres.js itself names a connection that was lost, or never came about. */
const connectionCodes = new Set(['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT']);

/** A socket's error, `ECONNREFUSED` and the like. */
const socketCode = /^E[A-Z]+(?:_[A-Z]+)?$/;

/** Whether the transaction that failed so may simply be run again. */
export function isRetryable(error: unknown): boolean {
  return error instanceof postgres.PostgresError && retryableStates.has(error.code);
}

/** Whether a statement gave up waiting for somebody's lock. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === '55P03';
}

/** Whether a statement failed for a value in it (SQLSTATE classes 22, 23 and 54), so that others of its kind may succeed. */
export function isOfItsValues(error: unknown): boolean {
  return error instanceof postgres.PostgresError && /^(?:22|23|54)/.test(error.code);
}

/**
 * The failure as callers may see it when it means that the database is away, else null. The original is its `cause`:
 * log no more of that one than its `code`, since messages and details of PostgreSQL quote values.
 */
export function asDatabaseError(error: unknown): KeyPassError | null {
  if (!isUnavailability(error)) return null;
  return new KeyPassError('database_unavailable', 'The database cannot be reached just now. Try again in a moment.', {
    retryAfter: 1,
    cause: error,
  });
}

function isUnavailability(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  if (error instanceof postgres.PostgresError) return unavailableStates.test(error.code);
  // A provider's socket fails with the same codes. postgres.js marks the errors that hit a statement with it.
  return connectionCodes.has(error.code) || ('query' in error && socketCode.test(error.code));
}
