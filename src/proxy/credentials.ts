import { KeyPassError } from '../errors.ts';
import { tokenKind } from '../crypto/tokens.ts';
import { guessKey } from '../providers/index.ts';

/**
 * The access token of a call, from the header in which the client's own SDK sends its key. Cookies never open the
 * proxy. Whether the token is known is for the access service to say; what it is not is said here, by kind only.
 */
export function accessTokenOf(headers: Headers): string {
  let token: string | undefined;
  for (const given of [
    bearerOf(headers.get('authorization')),
    headers.get('x-api-key'),
    headers.get('x-goog-api-key'),
  ]) {
    if (given === null || given === '') continue;
    if ((token ?? given) !== given || /[\s,]/.test(given)) {
      throw new KeyPassError('ambiguous_credentials', 'Send exactly one credential: the access token.');
    }
    token = given;
  }
  if (token === undefined) {
    throw new KeyPassError(
      'credentials_missing',
      "Send the connection's access token as a bearer token, in x-api-key or in x-goog-api-key.",
    );
  }
  if (tokenKind(token) !== 'access') throw notAnAccessToken(token);
  return token;
}

function bearerOf(authorization: string | null): string | null {
  if (authorization === null) return null;
  const text = authorization.trim();
  // Another scheme is no token of ours, and silence about it would hide the mistake.
  return /^bearer\s/i.test(text) ? text.slice('bearer '.length).trimStart() : authorization;
}

/** Names the kind of what was sent, never the value: a real key in here must not reach a log or an answer. */
function notAnAccessToken(token: string): KeyPassError {
  const guess = guessKey(token);
  if (guess?.kind === 'keypass-token') {
    return new KeyPassError(
      'access_token_invalid',
      'This is another kind of KeyPass token. Send the access token (kp_at_…).',
    );
  }
  const isKey = guess?.kind === 'key' || guess?.kind === 'admin-key';
  const what = isKey ? `looks like a key of ${guess.provider.name}` : 'is not a KeyPass token';
  return new KeyPassError(
    'not_a_keypass_token',
    `What was sent ${what}. Send the connection's access token (kp_at_…) instead; a provider's key is never sent to KeyPass's proxy.`,
  );
}
