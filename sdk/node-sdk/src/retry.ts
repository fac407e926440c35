import { ConnectionError, type KeyPassError } from './errors.ts';

/**
 * Whether a call may be sent again after a failure.
 * `keyed`: the server recognises the Idempotency-Key, so a repeat never spends twice.
 * `refused`: nothing recognises it (a provider's own API), so only when KeyPass says that it forwarded nothing.
 */
export type Replay = 'keyed' | 'refused';

const firstDelay = 500;
const longestDelay = 8_000;
const longestRetryAfter = 60;
const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Statuses of KeyPass's own refusals that come before anything is forwarded. */
const refusedStatus = new Set([429, 503]);

/**
 * Milliseconds to wait before the next attempt, or undefined if the failure is final. `attempt` counts from 0. A
 * `retryAfter` above one minute is final too: the app should decide, not sleep.
 */
export function retryDelay(error: KeyPassError, headers: Headers | undefined, attempt: number, replay: Replay) {
  if (!isTransient(error, headers?.get('x-should-retry'), replay)) return undefined;
  if (error.retryAfter !== undefined) {
    return error.retryAfter <= longestRetryAfter ? error.retryAfter * 1000 : undefined;
  }
  const delay = Math.min(firstDelay * 2 ** attempt, longestDelay);
  return delay * (0.75 + Math.random() / 4);
}

function isTransient(error: KeyPassError, advice: string | null | undefined, replay: Replay): boolean {
  if (advice === 'false') return false;
  if (replay === 'refused') return refusedStatus.has(error.status ?? 0);
  if (advice === 'true' || error instanceof ConnectionError) return true;
  return transientStatus.has(error.status ?? 0) || error.code === 'call_in_progress';
}
