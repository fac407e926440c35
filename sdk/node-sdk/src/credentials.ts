import { AuthenticationError, InvalidRequestError } from './errors.ts';

/** What a header can carry. Checked here because runtimes quote the value when they refuse a header. */
const visibleAscii = /^[\x21-\x7e]+$/;

export function bearer(accessToken: string): string {
  if (typeof accessToken === 'string' && visibleAscii.test(accessToken)) return `Bearer ${accessToken}`;
  throw new AuthenticationError('accessToken must be the token that exchangePublicToken gave', {
    code: 'token_malformed',
    type: 'authentication_error',
    param: 'accessToken',
  });
}

/** HTTP Basic (RFC 7617) from the app's id and secret. */
export function basic(clientId: string | undefined, clientSecret: string | undefined): string {
  const credentials = `${clientId ?? ''}:${clientSecret ?? ''}`;
  if (clientId && clientSecret && visibleAscii.test(credentials)) return `Basic ${btoa(credentials)}`;
  throw new AuthenticationError('Link sessions and exchange need the clientId and clientSecret of an app', {
    code: 'credentials_missing',
    type: 'authentication_error',
  });
}

/** Everybody can read what a page holds. */
export function refuseSecretInPage(): void {
  if (!('window' in globalThis && 'document' in globalThis)) return;
  throw new InvalidRequestError('A clientSecret must stay on your server: in a page, everybody can read it', {
    code: 'secret_in_page',
    type: 'invalid_request_error',
    param: 'clientSecret',
  });
}
