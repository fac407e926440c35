import { Elysia } from 'elysia';
import type { Auth } from '../http/auth.ts';
import { success } from '../http/envelope.ts';
import { decodeBlobs, encodeBlobs, Failure, object, success as Success } from '../http/schema.ts';
import type { Limits } from './limits.ts';
import * as model from './model.ts';
import type { Passwords } from './passwords.ts';

/** `/v1/auth/password` and `/v1/auth/recover`: a new password, by the old one or by the recovery code. */
export function passwordRoutes(passwords: Passwords, { auth, limits }: { auth: Auth; limits: Limits }) {
  return new Elysia({ prefix: '/v1/auth', normalize: false, tags: ['Accounts'] })
    .use(auth)
    .post(
      '/password',
      async ({ session, body, request }) => {
        limits.account(request, session.userId);
        return success(
          await passwords.change(session, decodeBlobs(body, ['authKey', 'salt', 'newAuthKey', 'uvkPassword'])),
        );
      },
      {
        session: true,
        body: model.PasswordChange,
        response: {
          200: Success(object({ passwordRevision: model.PasswordChange.properties.passwordRevision })),
          400: Failure,
          401: Failure,
          409: Failure,
          429: Failure,
        },
        detail: { summary: 'Change the password; other sessions end' },
      },
    )
    .post(
      '/recover',
      async ({ body, request }) => {
        limits.account(request, body.email);
        const { recoveryAuth } = decodeBlobs(body, ['recoveryAuth']);
        return success(encodeBlobs(await passwords.recover(body.email, recoveryAuth), ['uvkRecovery', 'ticket']));
      },
      {
        body: model.Recovery,
        response: { 200: Success(model.RecoveryAnswer), 400: Failure, 401: Failure, 429: Failure },
        detail: { summary: 'Prove the recovery code; answers what the code opens' },
      },
    )
    .post(
      '/recover/complete',
      async ({ body, request }) => {
        limits.address(request);
        const names = ['ticket', 'salt', 'authKey', 'uvkPassword', 'recoveryAuth', 'uvkRecovery'] as const;
        await passwords.completeRecovery(decodeBlobs(body, names));
        return success({});
      },
      {
        body: model.RecoveryCompletion,
        response: { 200: Success(object({})), 400: Failure, 401: Failure, 409: Failure, 429: Failure },
        detail: { summary: 'Set a new password and recovery code; ends every session' },
      },
    );
}
