import type { Clock } from '../clock.ts';
import type { Pepper } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import type { SessionIdentity } from '../http/auth.ts';
import type { PasswordChangeInput, RecoveryCompletionInput } from './model.ts';
import * as store from './store.ts';
import * as wraps from './wraps.ts';

const ticketMs = 5 * 60 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
}

/** New passwords: by the old one, or by the recovery code. The vault key stays; only its wraps are made anew. */
export class Passwords {
  readonly #database: Database;
  readonly #pepper: Pepper;
  readonly #clock: Clock;

  constructor(parts: Parts) {
    this.#database = parts.database;
    this.#pepper = parts.pepper;
    this.#clock = parts.clock;
  }

  /** Replaces the password's wraps by compare-and-set on its revision; every other session ends. */
  async change(session: SessionIdentity, input: PasswordChangeInput): Promise<{ passwordRevision: number }> {
    wraps.checkKdf(input.kdfId);
    await this.#database.begin(async (tx) => {
      const user = await store.findUser(tx, session.userId);
      if (user === undefined || !(await wraps.isPasswordRight(this.#pepper, user, input.authKey)))
        throw wraps.loginFailed();
      const { kdfId, salt, uvkPassword } = input;
      const sealed = await wraps.sealPasswordWrap(this.#pepper, user.id, user.epoch, {
        kdfId,
        salt,
        authKey: input.newAuthKey,
        uvkPassword,
      });
      const next = { ...user, kdfId, salt, ...sealed };
      if (!(await store.updateUserSecrets(tx, next, BigInt(input.passwordRevision)))) throw accountChanged();
      await store.deleteOtherSessions(tx, user.id, session.id);
    });
    return { passwordRevision: input.passwordRevision + 1 };
  }

  /** First half of recovery: the code's proof for the wrap that the code opens, and a ticket for the second half. */
  async recover(email: string, recoveryAuth: Uint8Array<ArrayBuffer>) {
    const user = await store.findUserByEmail(this.#database.sql, wraps.normalEmail(email));
    if (!(await wraps.isRecoveryRight(this.#pepper, user, recoveryAuth)) || user === undefined) {
      throw new KeyPassError('recovery_failed', 'The e-mail address or the recovery code is wrong.');
    }
    const { ticket, lookup } = await wraps.createTicket();
    const expiresAt = new Date(this.#clock.now().getTime() + ticketMs);
    const { id: userId, passwordRevision, recoveryId, uvkRecovery } = user;
    await store.insertTicket(this.#database.sql, { lookup, userId, passwordRevision, expiresAt });
    return { userId, recoveryId, uvkRecovery, ticket };
  }

  /** Second half: a new password and a new code; every session ends. */
  async completeRecovery(input: RecoveryCompletionInput): Promise<void> {
    wraps.checkKdf(input.kdfId);
    const lookup = await wraps.ticketLookup(input.ticket);
    await this.#database.begin(async (tx) => {
      const ticket = await store.deleteTicket(tx, lookup);
      if (ticket === undefined || ticket.expiresAt <= this.#clock.now()) throw ticketInvalid();
      const user = await store.findUser(tx, ticket.userId);
      if (user === undefined) throw ticketInvalid();
      const { newRecoveryId: recoveryId, recoveryAuth, uvkRecovery } = input;
      const secrets = await wraps.sealSecrets(this.#pepper, user.id, input, { recoveryId, recoveryAuth, uvkRecovery });
      if (!(await store.updateUserSecrets(tx, { ...user, ...secrets }, ticket.passwordRevision)))
        throw accountChanged();
      await store.deleteOtherSessions(tx, user.id, null);
    });
  }
}

function accountChanged(): KeyPassError {
  return new KeyPassError(
    'account_changed',
    'The password was changed by another client in the meantime. Start again.',
  );
}

function ticketInvalid(): KeyPassError {
  return new KeyPassError('ticket_invalid', 'The recovery took too long or was used. Start it again.', {
    param: 'ticket',
  });
}
