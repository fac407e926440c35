/**
 * Every failure that KeyPass itself can report. The codes are part of the public contract: they are documented in
 * docs/errors.md and never change their meaning. HTTP knows nothing here; `http/status.ts` maps each code to a status.
 */
export const errorCodes = {
  // The request itself
  invalid_request: 'invalid_request_error',
  invalid_json: 'invalid_request_error',
  duplicate_member: 'invalid_request_error',
  unknown_member: 'invalid_request_error',
  password_not_accepted: 'invalid_request_error',
  body_too_large: 'invalid_request_error',
  body_timeout: 'invalid_request_error',
  unsupported_media_type: 'invalid_request_error',
  unsupported_encoding: 'invalid_request_error',
  unsupported_parameter: 'invalid_request_error',
  websocket_unsupported: 'invalid_request_error',
  invalid_path: 'invalid_request_error',
  not_found: 'not_found_error',
  misdirected_host: 'invalid_request_error',
  origin_not_allowed: 'permission_error',
  // Who asks
  credentials_missing: 'authentication_error',
  ambiguous_credentials: 'authentication_error',
  not_a_keypass_token: 'authentication_error',
  token_malformed: 'authentication_error',
  token_in_url: 'authentication_error',
  session_invalid: 'authentication_error',
  login_failed: 'authentication_error',
  client_invalid: 'authentication_error',
  link_token_invalid: 'authentication_error',
  link_token_expired: 'authentication_error',
  access_token_invalid: 'authentication_error',
  too_many_attempts: 'rate_limit_error',
  // Accounts
  registration_closed: 'permission_error',
  invitation_invalid: 'permission_error',
  email_taken: 'conflict_error',
  id_taken: 'conflict_error',
  account_changed: 'conflict_error',
  recovery_failed: 'authentication_error',
  ticket_invalid: 'authentication_error',
  manifest_conflict: 'conflict_error',
  // Keys, apps, connections
  provider_unknown: 'invalid_request_error',
  key_not_found: 'not_found_error',
  key_changed: 'conflict_error',
  connections_changed: 'conflict_error',
  app_not_found: 'not_found_error',
  webhook_missing: 'conflict_error',
  event_not_found: 'not_found_error',
  connection_not_found: 'not_found_error',
  connection_changed: 'conflict_error',
  policy_invalid: 'invalid_request_error',
  idempotency_mismatch: 'conflict_error',
  already_created: 'conflict_error',
  // Link
  link_session_closed: 'conflict_error',
  wrong_account: 'permission_error',
  origin_unverified: 'permission_error',
  public_token_invalid: 'authentication_error',
  public_token_expired: 'authentication_error',
  public_token_used: 'authentication_error',
  client_user_mismatch: 'permission_error',
  // Calls
  provider_not_connected: 'permission_error',
  endpoint_not_allowed: 'permission_error',
  scope_not_granted: 'permission_error',
  model_not_allowed: 'permission_error',
  key_missing: 'permission_error',
  key_origin_changed: 'permission_error',
  price_unknown: 'permission_error',
  unbounded_cost: 'permission_error',
  connection_paused: 'permission_error',
  connection_expired: 'permission_error',
  connection_revoked: 'permission_error',
  connection_tampered: 'permission_error',
  budget_exceeded: 'budget_error',
  budget_held: 'budget_error',
  rate_limited: 'rate_limit_error',
  call_in_progress: 'conflict_error',
  call_already_made: 'conflict_error',
  // The provider's side
  provider_unreachable: 'provider_error',
  provider_timeout: 'provider_error',
  provider_redirected: 'provider_error',
  provider_key_rejected: 'provider_error',
  provider_rate_limited: 'provider_error',
  provider_error: 'provider_error',
  // Ours
  database_unavailable: 'api_error',
  shutting_down: 'api_error',
  server_busy: 'api_error',
  internal_error: 'api_error',
} as const;

/** A stable, documented reason. */
export type ErrorCode = keyof typeof errorCodes;

/** The family of a reason, for clients that switch coarsely. */
export type ErrorType = (typeof errorCodes)[ErrorCode];

interface ErrorDetails {
  /** The member, header or parameter that is at fault, by name: never its value. */
  param?: string;
  /** Whole seconds after which a repeat can succeed. */
  retryAfter?: number;
  /** Facts that an app can act on; sent as they are, so never a secret. */
  details?: Record<string, string | number | boolean | null>;
  /** A repeat by itself would do harm, such as being billed again; else the code tells whether it can help. */
  isFinal?: boolean;
  cause?: unknown;
}

/**
 * A failure with a stable code and a message that says what to do. The message and details are sent to the caller:
 * neither may hold a secret, a value that the caller sent, or anything of how the failure came about inside.
 */
export class KeyPassError extends Error {
  override readonly name = 'KeyPassError';
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly details: Record<string, string | number | boolean | null> | undefined;
  readonly isFinal: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.param = details.param;
    this.retryAfter = details.retryAfter;
    this.details = details.details;
    this.isFinal = details.isFinal ?? false;
  }

  get type(): ErrorType {
    return errorCodes[this.code];
  }
}
