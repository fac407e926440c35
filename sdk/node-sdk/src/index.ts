/** The server side of KeyPass for apps: link sessions, exchange, and AI calls with an access token. */
export { CallPromise, StreamPromise, type WithResponse } from './call-promise.ts';
export { ChatStream } from './chat-stream.ts';
export { KeyPassClient, type KeyPassClientOptions, type PassthroughRequest, type TokenHolder } from './client.ts';
export type { ClientOptionsByProvider } from './client-options.ts';
export {
  ApiError,
  AuthenticationError,
  BudgetExceededError,
  BudgetHeldError,
  ConflictError,
  ConnectionError,
  type ErrorFacts,
  InvalidRequestError,
  KeyPassError,
  NotFoundError,
  PermissionError,
  ProviderError,
  RateLimitError,
  TimeoutError,
  WebhookError,
  type WebhookErrorCode,
} from './errors.ts';
export type { CallOptions, Fetch, RequestBody } from './transport.ts';
export type * from './types.ts';
export type { WebhookEvent } from './webhook-events.ts';
export { type TestHeaderOptions, type VerifyWebhookOptions, webhooks } from './webhooks.ts';
