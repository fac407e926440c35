import { Elysia } from 'elysia';
import { KeyPassError } from '../errors.ts';
import { credentialOf, type CookieRules } from './credentials.ts';

/** How each kind of caller is recognised; each throws a domain error when it is not. */
export interface Authenticators<Session, App> {
  session(token: string, transport: 'bearer' | 'cookie'): Promise<Session>;
  app(clientId: string, clientSecret: string): Promise<App>;
}

/**
 * Macros for routes: `{ session: true }` wants a person's session, `{ app: true }` an app's id and secret (Basic,
 * RFC 7617), `{ linkToken: true }` and `{ accessToken: true }` a bearer token (RFC 6750) that the service then checks.
 */
export function createAuth<Session, App>(authenticators: Authenticators<Session, App>, cookie: CookieRules) {
  return new Elysia({ name: 'auth' }).macro({
    session: {
      detail: { security: [{ session: [] }, { cookie: [] }] },
      async resolve({ request }) {
        const credential = credentialOf(request, cookie);
        if (credential.kind === 'basic') throw wrongCredential('a session token');
        refuseForeignToken(credential.token);
        /** Throws when the session has ended meanwhile: for an answer that takes its time. */
        const confirmSession = () => authenticators.session(credential.token, credential.kind);
        return { session: await confirmSession(), confirmSession };
      },
    },
    app: {
      detail: { security: [{ app: [] }] },
      async resolve({ request }) {
        const credential = credentialOf(request, cookie);
        if (credential.kind !== 'basic')
          throw wrongCredential("the app's client id and secret by Basic authentication");
        return { app: await authenticators.app(credential.user, credential.password) };
      },
    },
    linkToken: {
      detail: { security: [{ linkToken: [] }] },
      resolve({ request }) {
        return { linkToken: bearerOf(request, cookie, 'a link token') };
      },
    },
    accessToken: {
      detail: { security: [{ accessToken: [] }] },
      resolve({ request }) {
        return { accessToken: bearerOf(request, cookie, 'an access token') };
      },
    },
  });
}

export type Auth = ReturnType<typeof createAuth<SessionIdentity, AppIdentity>>;

/** A person who is logged in. */
export interface SessionIdentity {
  readonly id: string;
  readonly userId: string;
  readonly expiresAt: Date;
}

/** An app that has shown its secret. */
export interface AppIdentity {
  readonly id: string;
  readonly name: string;
  readonly allowedOrigins: readonly string[];
  readonly redirectUris: readonly string[];
}

function bearerOf(request: Request, cookie: CookieRules, wanted: string): string {
  const credential = credentialOf(request, cookie);
  if (credential.kind !== 'bearer') throw wrongCredential(wanted);
  refuseForeignToken(credential.token);
  return credential.token;
}

/** Somebody's real key, most likely: it goes no further, not even into a comparison. */
function refuseForeignToken(token: string): void {
  if (token.startsWith('kp_')) return;
  throw new KeyPassError(
    'not_a_keypass_token',
    "This is not one of KeyPass's tokens. If it is a provider's key, replace it there.",
  );
}

function wrongCredential(wanted: string): KeyPassError {
  return new KeyPassError('credentials_missing', `This endpoint takes ${wanted}.`);
}
