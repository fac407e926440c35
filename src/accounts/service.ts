import { createToken, lookupOf, type Pepper } from '../crypto/index.ts';
import type { Database, Sql, Tx } from '../database/connect.ts';
import { isUniqueViolation } from '../database/violations.ts';
import { KeyPassError } from '../errors.ts';
import type { SessionIdentity } from '../http/auth.ts';
import type { Clock } from '../clock.ts';
import type { ManifestWrite, OptionalManifestWrite, RegistrationInput, TransportName } from './model.ts';
import * as store from './store.ts';
import * as wraps from './wraps.ts';

const sessionMs = 7 * 24 * 3600 * 1000;
const invitationMs = 7 * 24 * 3600 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  registration: 'open' | 'invite' | 'closed';
}

/** People, their sessions and the wraps of their vault key. The server never sees a password or a vault key. */
export class Accounts {
  readonly #database: Database;
  readonly #pepper: Pepper;
  readonly #clock: Clock;
  readonly #registration: Parts['registration'];
  /** The part of accounts with kdfId 2, up to the next tenth: where there is one, an unknown e-mail can look like it. */
  #secondKdfShare = 0;

  constructor(parts: Parts) {
    this.#database = parts.database;
    this.#pepper = parts.pepper;
    this.#clock = parts.clock;
    this.#registration = parts.registration;
  }

  /** What a client needs to derive its login key; an unknown e-mail gets an answer like a real one. */
  async prelogin(email: string) {
    const unknown = await this.#pepper.unknownSalt(wraps.normalEmail(email), this.#secondKdfShare);
    const user = await store.findUserByEmail(this.#database.sql, wraps.normalEmail(email));
    return { kdfId: user?.kdfId ?? unknown.kdfId, salt: user?.salt ?? unknown.salt16 };
  }

  async register(input: RegistrationInput) {
    if (this.#registration === 'closed')
      throw new KeyPassError('registration_closed', 'This server takes no new accounts.');
    wraps.checkKdf(input.kdfId);
    checkFirstRevision(input);
    const user = await this.#newUser(input);
    return this.#database.begin(async (tx) => {
      if (this.#registration === 'invite') await this.#useInvitation(tx, input.invite);
      await insertUser(tx, user);
      await store.insertVault(tx, user.id, input.manifest);
      return { userId: user.id, session: await this.#startSession(tx, user, input.transport, input.device) };
    });
  }

  async login(email: string, authKey: Uint8Array<ArrayBuffer>, transport?: TransportName, device?: string) {
    const user = await store.findUserByEmail(this.#database.sql, wraps.normalEmail(email));
    if (!(await wraps.isPasswordRight(this.#pepper, user, authKey)) || user === undefined) throw wraps.loginFailed();
    const session = await this.#startSession(this.#database.sql, user, transport, device);
    return {
      userId: user.id,
      session,
      passwordRevision: Number(user.passwordRevision),
      ...(await this.#openVault(user)),
    };
  }

  /** The wrapped vault key again, inside a session; asks the login key again. */
  async unlock(session: SessionIdentity, authKey: Uint8Array<ArrayBuffer>) {
    const user = await this.#user(session.userId);
    if (!(await wraps.isPasswordRight(this.#pepper, user, authKey))) throw wraps.loginFailed();
    return this.#openVault(user);
  }

  async me(session: SessionIdentity) {
    const user = await this.#user(session.userId);
    const { revision, manifest } = await this.#vault(user.id);
    const { email, kdfId, salt, passwordRevision, createdAt } = user;
    const numbers = { passwordRevision: Number(passwordRevision), manifestRevision: Number(revision) };
    return { userId: user.id, email, kdfId, salt, createdAt, manifest, ...numbers };
  }

  logout(session: SessionIdentity): Promise<void> {
    return store.deleteSession(this.#database.sql, session.id);
  }

  sessions(session: SessionIdentity): Promise<store.SessionRow[]> {
    return store.listSessions(this.#database.sql, session.userId, this.#clock.now());
  }

  async endSession(session: SessionIdentity, id: string): Promise<void> {
    if (await store.deleteSessionOf(this.#database.sql, session.userId, id)) return;
    throw new KeyPassError('not_found', 'There is no such session.');
  }

  /** Who a session token belongs to; throws `session_invalid`. */
  async authenticate(token: string, transport: TransportName): Promise<SessionIdentity> {
    const invalid = new KeyPassError('session_invalid', 'The session is unknown or has ended. Log in again.');
    const lookup = await lookupOf('session', token).catch(() => Promise.reject(invalid));
    const row = await store.findSession(this.#database.sql, lookup);
    if (row === undefined || row.transport !== transport || row.expiresAt <= this.#clock.now()) throw invalid;
    return { id: row.id, userId: row.userId, expiresAt: row.expiresAt };
  }

  /** Writes the vault's next manifest as part of a change; throws `manifest_conflict` when another came in between. */
  async writeManifest(tx: Tx, userId: string, write: ManifestWrite): Promise<void> {
    if (!(await store.updateVault(tx, userId, write.manifest, write.manifestRevision ?? null)))
      throw manifestConflict();
  }

  /** The same for a deletion, whose client may leave the manifest to its next write. */
  async writeOptionalManifest(tx: Tx, userId: string, write: OptionalManifestWrite = {}): Promise<void> {
    const { manifest, manifestRevision } = write;
    if (manifest !== undefined) await this.writeManifest(tx, userId, { manifest, manifestRevision });
  }

  /** A one-time invitation; null when the server is not in invite mode or already has an account. */
  async firstInvitation(): Promise<string | null> {
    if (this.#registration !== 'invite' || (await store.countUsers(this.#database.sql)) > 0n) return null;
    const token = createToken('invitation');
    const now = this.#clock.now();
    const expiresAt = new Date(now.getTime() + invitationMs);
    await store.insertInvitation(this.#database.sql, await lookupOf('invitation', token), now, expiresAt);
    return token;
  }

  /** Moves a batch of accounts to the current epoch of the pepper; answers how many it found. */
  async reseal(limit: number): Promise<number> {
    const rows = await store.listUsersOfOtherEpochs(this.#database.sql, this.#pepper.current, limit);
    for (const row of rows)
      await store.updateUserSeals(this.#database.sql, await wraps.resealUser(this.#pepper, row), row);
    return rows.length;
  }

  async sweep(): Promise<void> {
    await store.deleteExpiredAccess(this.#database.sql, this.#clock.now());
    this.#secondKdfShare = Math.ceil((await store.findSecondKdfShare(this.#database.sql)) * 10) / 10;
  }

  async #newUser(input: RegistrationInput): Promise<store.UserRow> {
    return {
      id: input.userId,
      email: wraps.normalEmail(input.email),
      passwordRevision: 1n,
      createdAt: this.#clock.now(),
      ...(await wraps.sealSecrets(this.#pepper, input.userId, input, input)),
    };
  }

  async #useInvitation(tx: Tx, token: string | undefined): Promise<void> {
    const invalid = new KeyPassError(
      'invitation_invalid',
      'This server takes accounts by invitation. The invitation is missing, used or expired.',
      {
        param: 'invite',
      },
    );
    const lookup = await lookupOf('invitation', token ?? '').catch(() => Promise.reject(invalid));
    const invitation = await store.deleteInvitation(tx, lookup);
    if (invitation === undefined || invitation.expiresAt <= this.#clock.now()) throw invalid;
  }

  async #startSession(sql: Sql, user: store.UserRow, transport: TransportName = 'bearer', device?: string) {
    const token = createToken('session');
    const now = this.#clock.now();
    const session = {
      id: crypto.randomUUID(),
      userId: user.id,
      lookup: await lookupOf('session', token),
      transport,
      device: device ?? null,
      createdAt: now,
      expiresAt: new Date(now.getTime() + sessionMs),
    };
    if (!(await store.insertSession(sql, session, user.passwordRevision))) throw wraps.loginFailed();
    return { id: session.id, token, expiresAt: session.expiresAt };
  }

  async #openVault(user: store.UserRow) {
    const uvkPassword = await wraps.openPasswordWrap(this.#pepper, user);
    const { revision, manifest } = await this.#vault(user.id);
    return { kdfId: user.kdfId, salt: user.salt, uvkPassword, manifest, manifestRevision: Number(revision) };
  }

  async #user(id: string): Promise<store.UserRow> {
    const user = await store.findUser(this.#database.sql, id);
    if (user === undefined) throw new KeyPassError('session_invalid', 'The account of this session is gone.');
    return user;
  }

  async #vault(userId: string) {
    const vault = await store.findVault(this.#database.sql, userId);
    if (vault === undefined) throw new Error('an account without a vault');
    return vault;
  }
}

/** Another client changed the vault in between. */
export function manifestConflict(): KeyPassError {
  return new KeyPassError(
    'manifest_conflict',
    'The vault was changed by another client. Read it again and repeat the change.',
  );
}

function checkFirstRevision(write: ManifestWrite): void {
  if ((write.manifestRevision ?? 1) === 1) return;
  throw new KeyPassError('invalid_request', 'The first manifest has revision 1.', { param: 'manifestRevision' });
}

async function insertUser(tx: Tx, user: store.UserRow): Promise<void> {
  try {
    await store.insertUser(tx, user);
  } catch (error) {
    if (isUniqueViolation(error, 'users_email_key')) {
      throw new KeyPassError('email_taken', 'There is an account with this e-mail address. Log in instead.', {
        param: 'email',
      });
    }
    if (isUniqueViolation(error, 'users_pkey'))
      throw new KeyPassError('id_taken', 'This id is taken. Make a new one.', { param: 'userId' });
    throw error;
  }
}
