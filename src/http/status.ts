import { errorCodes, type ErrorCode, type ErrorType } from '../errors.ts';

const statusOfType: Record<ErrorType, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  rate_limit_error: 429,
  budget_error: 402,
  provider_error: 502,
  api_error: 500,
};

/** Codes whose HTTP status is not that of their type. */
const exceptions: Partial<Record<ErrorCode, number>> = {
  body_too_large: 413,
  body_timeout: 408,
  unsupported_media_type: 415,
  unsupported_encoding: 415,
  misdirected_host: 421,
  websocket_unsupported: 501,
  token_in_url: 400,
  ambiguous_credentials: 400,
  budget_held: 429,
  provider_timeout: 504,
  provider_rate_limited: 429,
  database_unavailable: 503,
  shutting_down: 503,
  server_busy: 503,
};

export function statusOf(code: ErrorCode): number {
  return exceptions[code] ?? statusOfType[errorCodes[code]];
}

/** Refusals of this moment only. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'budget_held',
  'body_timeout',
  'rate_limited',
  'too_many_attempts',
  'provider_rate_limited',
  'call_in_progress',
  'connection_changed',
]);

/** Failures on the way that are there the next time, too. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_redirected',
  'provider_key_rejected',
  'websocket_unsupported',
]);

/** Refusals that the same request cannot outlive: the official clients honour `x-should-retry: false`. */
export function isFinal(code: ErrorCode): boolean {
  return lasting.has(code) || (statusOf(code) < 500 && !passing.has(code));
}
