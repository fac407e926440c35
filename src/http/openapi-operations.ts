import type { ErrorCode } from '../errors.ts';

/** What a schema does not say of an operation. */
export interface OperationNotes {
  readonly description?: string;
  /** Its own refusals; those of its body and its credential are added by kind (openapi-document.ts). */
  readonly errors: readonly ErrorCode[];
  /** It can answer a file as well, as CSV or NDJSON: an example of the first. */
  readonly csv?: string;
}

const totalsCsv = 'key,split,name,calls,cost,estimated\r\ngpt-4o,,,128,0.0001375,0\r\n';
const callsCsv = `\
id,startedAt,connectionId,appId,appName,provider,model,servedModel,serviceTier,endpoint,status,quality,flags,cost,\
ttfbMs,durationMs,uncachedInput,cacheRead,cacheWrite5m,cacheWrite1h,audioInput,output,audioOutput,reasoning,\
audioCacheRead,imageInput,imageCacheRead,imageOutput,videoInput,videoOutput,seconds,characters,images,imageSize,\
imageQuality,webSearch,fileSearch,otherTools\r
7d9f4c1e-3b52-4f0a-9c5d-2a8e61b04f37,2026-11-23T09:30:00.000Z,1b6e0c9a-58d4-4a77-8f3e-c4d2905e6b18,,,openai,gpt-4o,\
gpt-4o-2024-08-06,default,POST /v1/chat/completions,200,measured,,0.0001375,410,1840,55,0,0,0,0,0,0,0${','.repeat(14)}\r
`;
const sealed = 'The blobs are sealed by the client: use @keypass/vault.';

/** By method and path. A test holds it against the routes, both ways. */
export const operationNotes: Readonly<Record<string, OperationNotes>> = {
  'GET /healthz': { errors: [] },
  'GET /readyz': { errors: ['database_unavailable'] },

  'POST /v1/auth/prelogin': {
    description: 'The answer for an address without an account looks like any other.',
    errors: ['too_many_attempts'],
  },
  'POST /v1/auth/register': {
    description: `${sealed} A body with a \`password\` is refused: whoever has it could read the vault.`,
    errors: [
      'password_not_accepted',
      'registration_closed',
      'invitation_invalid',
      'origin_not_allowed',
      'email_taken',
      'id_taken',
      'too_many_attempts',
    ],
  },
  'POST /v1/auth/login': {
    description:
      'With `transport: "bearer"` (the default) the session token is in the answer; with `"cookie"`, for pages of KeyPass alone, it is not.',
    errors: ['password_not_accepted', 'login_failed', 'origin_not_allowed', 'too_many_attempts'],
  },
  'POST /v1/auth/unlock': { errors: ['login_failed', 'too_many_attempts'] },
  'GET /v1/auth/me': { errors: [] },
  'GET /v1/auth/sessions': { errors: [] },
  'DELETE /v1/auth/sessions/{id}': { errors: ['not_found'] },
  'POST /v1/auth/logout': { errors: [] },
  'POST /v1/auth/password': {
    description: `${sealed} \`passwordRevision\` is the one that was read: of two clients that change at once, one is refused.`,
    errors: ['login_failed', 'account_changed', 'too_many_attempts'],
  },
  'POST /v1/auth/recover': {
    description: 'The first of two steps; the ticket is good for five minutes.',
    errors: ['recovery_failed', 'too_many_attempts'],
  },
  'POST /v1/auth/recover/complete': {
    description: `${sealed} The code is used up, and all sessions end.`,
    errors: ['ticket_invalid', 'account_changed', 'too_many_attempts'],
  },

  'GET /v1/providers': { description: 'Any page may read it.', errors: [] },
  'GET /v1/keys': {
    description:
      '`refusal` is there as long as the provider refuses the key: since when, and by which status. It ends with the first call that is billed again, with another key in its place, or when its owner has seen to it.',
    errors: [],
  },
  'POST /v1/keys': { description: sealed, errors: ['provider_unknown', 'id_taken', 'manifest_conflict'] },
  'POST /v1/keys/check': {
    description:
      'The one request in which a key goes to KeyPass in the clear: for providers that no browser may ask, after its owner agreed. The server asks the provider once and keeps nothing.',
    errors: ['provider_unknown', 'too_many_attempts'],
  },
  'DELETE /v1/keys/{provider}/{keyId}/refusal': {
    description: 'For an owner who has seen that the key is good. The next refused call marks it again.',
    errors: ['key_not_found'],
  },
  'PUT /v1/keys/{provider}/{keyId}': {
    description: `${sealed} \`grants\` has one for each connection that uses the key, except those in \`drop\`; all of it happens or none.`,
    errors: ['key_not_found', 'key_changed', 'connections_changed', 'manifest_conflict'],
  },
  'DELETE /v1/keys/{provider}/{keyId}': {
    description: 'Connections that use the key answer `key_missing` until their owner chooses another.',
    errors: ['key_not_found', 'manifest_conflict'],
  },
  'DELETE /v1/keys/{provider}': { errors: ['key_not_found', 'manifest_conflict'] },

  'POST /v1/apps': {
    description:
      'Takes an `Idempotency-Key`. The secrets cannot be shown again; `webhookSecret` is there if `webhookUrl` was given.',
    errors: ['idempotency_mismatch', 'already_created'],
  },
  'GET /v1/apps': { errors: [] },
  'PATCH /v1/apps/{id}': {
    description: 'Where it sets a first `webhookUrl`, the answer has its `webhookSecret`, this once.',
    errors: ['app_not_found'],
  },
  'DELETE /v1/apps/{id}': { errors: ['app_not_found'] },
  'POST /v1/apps/{id}/secret': { errors: ['app_not_found'] },
  'POST /v1/apps/{id}/webhook/secret': {
    description: 'For a day deliveries carry a signature under each of the two.',
    errors: ['app_not_found', 'webhook_missing'],
  },
  'POST /v1/apps/{id}/webhook/test': {
    description: 'A `ping`, delivered within seconds like any other event; the log says how it went.',
    errors: ['app_not_found', 'webhook_missing', 'too_many_attempts'],
  },
  'GET /v1/apps/{id}/deliveries': {
    description: 'The newest events first, for 30 days. Answers of the hook are not kept, only their status.',
    errors: ['app_not_found'],
  },
  'POST /v1/apps/{id}/deliveries/{eventId}/redeliver': {
    description: 'At once, and with all retries once more, whatever became of it before. The event id stays.',
    errors: ['app_not_found', 'webhook_missing', 'event_not_found', 'too_many_attempts'],
  },

  'POST /v1/link/sessions': {
    description:
      'The link token goes to the page and is good for 30 minutes. With `accessToken` (update mode) the person changes that connection and its token stays. Takes an `Idempotency-Key`.',
    errors: [
      'provider_unknown',
      'access_token_invalid',
      'origin_not_allowed',
      'idempotency_mismatch',
      'already_created',
    ],
  },
  'GET /v1/link/session': {
    description: 'Any page may ask for `status` and `expiresAt`; the rest is for the consent window.',
    errors: ['link_token_invalid', 'app_not_found'],
  },
  'POST /v1/link/authorize': {
    description: `${sealed} With \`baseRevision\` it changes a connection (update mode), else it makes one.`,
    errors: [
      'policy_invalid',
      'link_token_invalid',
      'link_token_expired',
      'link_session_closed',
      'wrong_account',
      'origin_unverified',
      'app_not_found',
      'key_not_found',
      'key_changed',
      'connection_not_found',
      'connection_changed',
      'id_taken',
      'manifest_conflict',
    ],
  },
  'POST /v1/link/deny': { errors: ['link_token_invalid', 'link_token_expired', 'link_session_closed'] },
  'POST /v1/link/exchange': {
    description:
      'Within ten minutes of the approval. The same app gets the same answer for another minute, in case it was lost; later, the connection is revoked.',
    errors: ['public_token_invalid', 'public_token_expired', 'public_token_used', 'client_user_mismatch'],
  },

  'GET /v1/connections': { errors: [] },
  'POST /v1/connections': {
    description: `${sealed} It makes the token, too: the server never sees it here.`,
    errors: ['policy_invalid', 'key_not_found', 'key_changed', 'id_taken', 'manifest_conflict'],
  },
  'GET /v1/connections/{id}': { errors: ['connection_not_found'] },
  'PATCH /v1/connections/{id}': {
    description:
      'One of three: a new policy with its grants; `paused`; or `capCents`, which lowers the budget. The last two need no unlocked vault.',
    errors: [
      'policy_invalid',
      'connection_not_found',
      'key_not_found',
      'key_changed',
      'connection_changed',
      'connection_revoked',
      'manifest_conflict',
    ],
  },
  'DELETE /v1/connections/{id}': {
    description:
      'The grants and the wraps of its key are destroyed, the token is refused at once, running streams are cut.',
    errors: ['connection_not_found', 'manifest_conflict'],
  },
  'GET /v1/connection': { errors: ['key_missing'] },
  'DELETE /v1/connection': { errors: [] },
  'POST /v1/connection/rotate': {
    description: 'The old token ends with the answer. If the answer is lost, the person has to connect again.',
    errors: [],
  },

  'GET /v1/usage': {
    description:
      'Without `from` and `to`: this calendar month (UTC), up to now. Without `by`: by day. Spans without a call are left out. At most 10,000 rows. With `format` it is a file: [Usage](/docs/usage).',
    errors: [],
    csv: totalsCsv,
  },
  'GET /v1/usage/calls': {
    description:
      'The newest first. With `format` it is a file of all that match, sent as a stream: [Usage](/docs/usage).',
    errors: [],
    csv: callsCsv,
  },
};
