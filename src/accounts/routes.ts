import { Elysia } from 'elysia';
import { serializeCookie } from 'oslo/cookie';
import { KeyPassError } from '../errors.ts';
import type { Auth } from '../http/auth.ts';
import type { CookieRules } from '../http/credentials.ts';
import { success } from '../http/envelope.ts';
import { decodeBlobs, encodeBlobs, Failure, object, page, success as Success, Uuid } from '../http/schema.ts';
import type { Limits } from './limits.ts';
import * as model from './model.ts';
import type { Accounts } from './service.ts';

interface Options {
  auth: Auth;
  cookie: CookieRules;
  limits: Limits;
}

interface StartedSession {
  id: string;
  token: string;
  expiresAt: Date;
}

/** `/v1/auth/*`: accounts, sessions and unlocking. */
export function accountRoutes(accounts: Accounts, { auth, cookie, limits }: Options) {
  return new Elysia({ prefix: '/v1/auth', normalize: false, tags: ['Accounts'] })
    .use(auth)
    .post(
      '/prelogin',
      async ({ body, request }) => {
        limits.address(request);
        return success(encodeBlobs(await accounts.prelogin(body.email), ['salt']));
      },
      {
        body: model.Prelogin,
        response: { 200: Success(model.PreloginAnswer), 400: Failure, 429: Failure },
        detail: { summary: 'What a client needs to derive its login key' },
      },
    )
    .post(
      '/register',
      async ({ body, request, set }) => {
        limits.address(request);
        refuseForeignCookie(request, body.transport, cookie);
        const input = decodeBlobs(body, ['salt', 'authKey', 'uvkPassword', 'recoveryAuth', 'uvkRecovery', 'manifest']);
        const answer = await accounts.register(input);
        return success({ ...answer, session: handOver(answer.session, body.transport, cookie, set.headers) });
      },
      {
        transform: ({ body }) => refusePassword(body),
        body: model.Registration,
        response: { 200: Success(model.RegistrationAnswer), 400: Failure, 403: Failure, 409: Failure, 429: Failure },
        detail: { summary: 'Create an account; the password never leaves the client' },
      },
    )
    .post(
      '/login',
      async ({ body, request, set }) => {
        limits.account(request, body.email);
        refuseForeignCookie(request, body.transport, cookie);
        const { authKey } = decodeBlobs(body, ['authKey']);
        const answer = await accounts.login(body.email, authKey, body.transport, body.device);
        limits.knows(request, body.email);
        const session = handOver(answer.session, body.transport, cookie, set.headers);
        return success({ ...encodeBlobs(answer, ['salt', 'uvkPassword', 'manifest']), session });
      },
      {
        transform: ({ body }) => refusePassword(body),
        body: model.Login,
        response: { 200: Success(model.LoginAnswer), 400: Failure, 401: Failure, 429: Failure },
        detail: { summary: 'Log in with the login key; answers the wrapped vault key' },
      },
    )
    .post(
      '/unlock',
      async ({ body, session, request }) => {
        limits.account(request, session.userId);
        const { authKey } = decodeBlobs(body, ['authKey']);
        return success(encodeBlobs(await accounts.unlock(session, authKey), ['salt', 'uvkPassword', 'manifest']));
      },
      {
        session: true,
        body: model.Unlock,
        response: { 200: Success(model.UnlockAnswer), 400: Failure, 401: Failure, 429: Failure },
        detail: { summary: 'The wrapped vault key again, inside a session' },
      },
    )
    .get(
      '/me',
      async ({ session }) => {
        const me = await accounts.me(session);
        return success({ ...encodeBlobs(me, ['salt', 'manifest']), createdAt: me.createdAt.toISOString() });
      },
      {
        session: true,
        response: { 200: Success(model.Me), 401: Failure },
        detail: { summary: 'Who is logged in' },
      },
    )
    .get(
      '/sessions',
      async ({ session }) => {
        const items = (await accounts.sessions(session)).map((row) => shownSession(row, session.id));
        return success({ items, nextCursor: null });
      },
      {
        session: true,
        response: { 200: Success(page(model.SessionAnswer)), 401: Failure },
        detail: { summary: 'Where the account is logged in' },
      },
    )
    .delete(
      '/sessions/:id',
      async ({ session, params }) => {
        await accounts.endSession(session, params.id);
        return success({});
      },
      {
        session: true,
        params: object({ id: Uuid }),
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 404: Failure },
        detail: { summary: 'End a session' },
      },
    )
    .post(
      '/logout',
      async ({ session, set }) => {
        await accounts.logout(session);
        set.headers['set-cookie'] = sessionCookie('', 0, cookie);
        return success({});
      },
      {
        session: true,
        response: { 200: Success(object({})), 401: Failure },
        detail: { summary: 'End this session' },
      },
    );
}

/** A client that sends a password has misunderstood the promise: it is told before anything else is looked at. */
function refusePassword(body: unknown): void {
  if (typeof body === 'object' && body !== null && 'password' in body) {
    throw new KeyPassError(
      'password_not_accepted',
      'Never send a password: derive authKey from it on the client (see @keypass/vault). KeyPass cannot read a vault because it never has the password.',
      { param: 'password' },
    );
  }
}

/** A cookie session is started by KeyPass's own pages only, or another site could log a browser in as itself. */
function refuseForeignCookie(request: Request, transport: model.TransportName | undefined, cookie: CookieRules): void {
  if (transport === 'cookie' && request.headers.get('origin') !== cookie.origin) {
    throw new KeyPassError(
      'origin_not_allowed',
      'A cookie session is for the pages of KeyPass alone. Use transport "bearer".',
    );
  }
}

function handOver(
  session: StartedSession,
  transport: model.TransportName | undefined,
  cookie: CookieRules,
  headers: Record<string, string | number | string[] | undefined>,
) {
  const shown = { id: session.id, expiresAt: session.expiresAt.toISOString() };
  if (transport !== 'cookie') return { ...shown, token: session.token };
  headers['set-cookie'] = sessionCookie(
    session.token,
    Math.floor((session.expiresAt.getTime() - Date.now()) / 1000),
    cookie,
  );
  return shown;
}

function sessionCookie(token: string, maxAge: number, cookie: CookieRules): string {
  const secure = cookie.origin.startsWith('https:');
  return serializeCookie(cookie.name, token, { httpOnly: true, sameSite: 'strict', path: '/', secure, maxAge });
}

function shownSession(
  { id, device, createdAt, expiresAt }: Awaited<ReturnType<Accounts['sessions']>>[number],
  current: string,
) {
  return {
    id,
    device,
    current: id === current,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
