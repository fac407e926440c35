/** What a failure says of itself beyond its message. `status` is absent when no answer came. */
export interface ErrorFacts {
  code: string;
  type?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  /** The member, header or parameter at fault, by name. */
  param?: string | undefined;
  docUrl?: string | undefined;
  /** Seconds after which a repeat can succeed. */
  retryAfter?: number | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Every failure of this SDK. `code` is stable and documented at `docUrl`; switch on it or on the subclass. No member
 * holds a secret, so an error can be logged as it is.
 */
export class KeyPassError extends Error {
  override readonly name: string = 'KeyPassError';
  readonly code: string;
  readonly type: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly param: string | undefined;
  readonly docUrl: string | undefined;
  readonly retryAfter: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, facts: ErrorFacts) {
    super(message);
    this.code = facts.code;
    this.type = facts.type;
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.param = facts.param;
    this.docUrl = facts.docUrl;
    this.retryAfter = facts.retryAfter;
    this.details = facts.details;
  }

  toJSON(): Record<string, unknown> {
    return {
      name: this.name,
      code: this.code,
      type: this.type,
      status: this.status,
      message: this.message,
      param: this.param,
      docUrl: this.docUrl,
      requestId: this.requestId,
      retryAfter: this.retryAfter,
      details: this.details,
    };
  }
}

/** A token, client secret or link token is missing, wrong, expired or used up. */
export class AuthenticationError extends KeyPassError {
  override readonly name = 'AuthenticationError';
}

/** The owner's policy does not allow this: provider, model, endpoint, scope, a paused or revoked connection. */
export class PermissionError extends KeyPassError {
  override readonly name = 'PermissionError';
}

/** The request is wrong, here or at the server; `param` names what to correct. */
export class InvalidRequestError extends KeyPassError {
  override readonly name = 'InvalidRequestError';
}

export class NotFoundError extends KeyPassError {
  override readonly name = 'NotFoundError';
}

/** Something else changed first, or this call was already made. */
export class ConflictError extends KeyPassError {
  override readonly name = 'ConflictError';
}

/** Too many requests; `retryAfter` says when to come back. */
export class RateLimitError extends KeyPassError {
  override readonly name = 'RateLimitError';
}

/**
 * The budget is spent. To ask for more, make a link session with this connection's `accessToken` (update mode) and a
 * higher `budgetSuggestionCents`. Amounts are decimal strings in USD; a member is undefined when the server left it out.
 */
export class BudgetExceededError extends KeyPassError {
  override readonly name = 'BudgetExceededError';
  readonly connectionId: string | undefined;
  readonly budgetCents: number | undefined;
  readonly spent: string | undefined;
  /** Reserved by calls that are still running. */
  readonly held: string | undefined;
  /** RFC 3339; when the next window begins. */
  readonly resetsAt: string | undefined;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts);
    this.connectionId = textOrUndefined(facts.details?.['connectionId']);
    const cents = facts.details?.['budgetCents'];
    this.budgetCents = typeof cents === 'number' ? cents : undefined;
    this.spent = textOrUndefined(facts.details?.['spent']);
    this.held = textOrUndefined(facts.details?.['held']);
    this.resetsAt = textOrUndefined(facts.details?.['resetsAt']);
  }
}

/** The rest of the budget is held by calls that are running; `retryAfter` says when to try again. */
export class BudgetHeldError extends KeyPassError {
  override readonly name = 'BudgetHeldError';
}

/** The provider failed, refused the owner's key or could not be reached from KeyPass. */
export class ProviderError extends KeyPassError {
  override readonly name = 'ProviderError';
}

/** KeyPass could not be reached, or the connection broke before the answer was complete. */
export class ConnectionError extends KeyPassError {
  override readonly name = 'ConnectionError';
}

/** `timeout` has passed. */
export class TimeoutError extends KeyPassError {
  override readonly name = 'TimeoutError';
}

export type WebhookErrorCode =
  | 'secret_missing'
  | 'signature_malformed'
  | 'signature_wrong'
  | 'timestamp_outside'
  | 'payload_malformed';

/** A webhook request that is not to be believed, or not to be understood. */
export class WebhookError extends KeyPassError {
  override readonly name = 'WebhookError';
  declare readonly code: WebhookErrorCode;

  constructor(code: WebhookErrorCode, message: string) {
    super(message, { code });
  }
}

/** KeyPass failed, or what answered is not KeyPass. */
export class ApiError extends KeyPassError {
  override readonly name = 'ApiError';
}

type ErrorClass = new (message: string, facts: ErrorFacts) => KeyPassError;

const classByType: Readonly<Record<string, ErrorClass>> = {
  authentication_error: AuthenticationError,
  permission_error: PermissionError,
  invalid_request_error: InvalidRequestError,
  not_found_error: NotFoundError,
  conflict_error: ConflictError,
  rate_limit_error: RateLimitError,
  provider_error: ProviderError,
  api_error: ApiError,
};

const classByCode: Readonly<Record<string, ErrorClass>> = {
  budget_exceeded: BudgetExceededError,
  budget_held: BudgetHeldError,
};

/** For answers that are not KeyPass's own: a load balancer, a wrong address. */
const classByStatus: Readonly<Record<number, ErrorClass>> = {
  400: InvalidRequestError,
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  409: ConflictError,
  422: InvalidRequestError,
  429: RateLimitError,
};

/** The error of a wire object `{type, code, message, param?, docUrl, requestId, details?}`; anything else gets a plain text. */
export function errorFromWire(wire: unknown, status?: number, headers?: Headers): KeyPassError {
  const fields = isRecord(wire) ? wire : {};
  const code = textOrUndefined(fields['code']) ?? headers?.get('x-keypass-error') ?? 'unexpected_answer';
  const type = textOrUndefined(fields['type']);
  const Class =
    own(classByCode, code) ?? own(classByType, type ?? '') ?? own(classByStatus, String(status ?? '')) ?? ApiError;
  const fallback = status === undefined ? 'KeyPass reported a failure' : `The answer has status ${status}`;
  return new Class(textOrUndefined(fields['message']) ?? fallback, {
    code,
    type,
    status,
    requestId: textOrUndefined(fields['requestId']) ?? headers?.get('x-request-id') ?? undefined,
    param: textOrUndefined(fields['param']),
    docUrl: textOrUndefined(fields['docUrl']),
    retryAfter: retryAfterSeconds(headers),
    details: isRecord(fields['details']) ? fields['details'] : undefined,
  });
}

/** `retry-after` in its two forms, seconds or an HTTP date (RFC 9110 §10.2.3). */
function retryAfterSeconds(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

function own(classes: Readonly<Record<string, ErrorClass>>, name: string): ErrorClass | undefined {
  return Object.hasOwn(classes, name) ? classes[name] : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
