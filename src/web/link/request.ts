/** The messages of a link token before anybody has signed in. */
import { type LinkRequest, requestableScopes, VaultError } from '../vault.ts';

/**
 * What the app asks for. What is approved later is what the open vault reads once more: `sameRequest` makes sure that
 * both are one. Throws `link_token_invalid`, `link_token_expired`.
 */
export async function readRequest(linkToken: string): Promise<LinkRequest> {
  const data = await send('/v1/link/session', { headers: { authorization: `Bearer ${linkToken}` } });
  if (!isRequest(data)) throw new VaultError('invalid_answer', 'The server did not answer as a KeyPass server does.');
  const { clientUserIdHash = null, connectionId = null, origin = null, redirectUri = null, models = null } = data;
  const budgetSuggestionCents = data.budgetSuggestionCents ?? null;
  const mode = data.mode === 'update' ? 'update' : 'connect';
  return { ...data, mode, clientUserIdHash, connectionId, origin, redirectUri, models, budgetSuggestionCents };
}

/** Closes the request, so that its token is worth nothing. */
export async function denyRequest(linkToken: string): Promise<void> {
  await send('/v1/link/deny', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ linkToken }),
  });
}

export function sameRequest(shown: LinkRequest, read: LinkRequest): boolean {
  return factsOf(shown) === factsOf(read);
}

function factsOf({ sessionId, mode, app, origin, redirectUri, connectionId, ...asked }: LinkRequest): string {
  const { requestedProviders, requestedScopes, models, budgetSuggestionCents } = asked;
  const who = [sessionId, mode, app.id, app.name, origin, redirectUri, connectionId];
  return JSON.stringify([who, requestedProviders, requestedScopes, models, budgetSuggestionCents]);
}

async function send(path: string, init: RequestInit): Promise<unknown> {
  let answer: unknown;
  try {
    const response = await fetch(path, { ...init, cache: 'no-store', redirect: 'error' });
    answer = await response.json();
  } catch (cause) {
    throw new VaultError('unreachable', 'The server cannot be reached.', { cause });
  }
  if (isObject(answer) && answer['success'] === true) return answer['data'];
  const error = isObject(answer) && isObject(answer['error']) ? answer['error'] : {};
  const code = typeof error['code'] === 'string' ? error['code'] : 'unknown';
  throw new VaultError(code, typeof error['message'] === 'string' ? error['message'] : '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Answer = Omit<LinkRequest, Optional> & Partial<Pick<LinkRequest, Optional>>;
type Optional = 'origin' | 'redirectUri' | 'models' | 'budgetSuggestionCents' | 'connectionId' | 'clientUserIdHash';

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isMaybeText(value: unknown): boolean {
  return value === undefined || value === null || isText(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

/** What has no name here could not be shown. */
function isScopes(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => requestableScopes.some((scope) => scope === name));
}

function isRequest(data: unknown): data is Answer {
  if (!isObject(data) || !isObject(data['app'])) return false;
  const { app } = data;
  return (
    [data['sessionId'], data['status'], data['expiresAt'], data['mode'], app['id'], app['name']].every(isText) &&
    [data['origin'], data['redirectUri'], data['connectionId'], data['clientUserIdHash']].every(isMaybeText) &&
    [app['allowedOrigins'], data['requestedProviders']].every(isTexts) &&
    isScopes(data['requestedScopes']) &&
    (data['models'] === undefined || data['models'] === null || isTexts(data['models'])) &&
    ['undefined', 'number', 'object'].includes(typeof data['budgetSuggestionCents'])
  );
}
