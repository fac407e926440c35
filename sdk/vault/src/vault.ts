import { changePassword, login, type Login, recover, register, type Registration, unlock } from './account.ts';
import { flag, text, textOrNull } from './answer.ts';
import { Apps } from './apps.ts';
import { Connections } from './connections.ts';
import { Keyring } from './keyring.ts';
import { Keys } from './keys.ts';
import { Link } from './link.ts';
import { Transport, type TransportOptions } from './transport.ts';
import {
  calls,
  type CallsQuery,
  exportFile,
  type ExportQuery,
  exportUrl,
  type Receipt,
  type Total,
  usage,
  type UsageFile,
  type UsageQuery,
} from './usage.ts';

/** A device that is logged in. */
export interface Session {
  id: string;
  device: string | null;
  /** Whether it is this one. */
  current: boolean;
  /** RFC 3339, UTC. */
  createdAt: string;
  expiresAt: string;
}

export interface Resume extends TransportOptions {
  /** The token of a session, for clients that keep it themselves; pages have it in a cookie. */
  sessionToken?: string;
  /** The newest manifest revision that the caller remembers: an older one is refused. */
  seenRevision?: number;
}

/**
 * The owner's client: everything is sealed and opened here, and every answer of the server is checked against what the
 * owner sealed before. The password and the vault key never leave it.
 */
export class Vault {
  readonly keys: Keys;
  readonly apps: Apps;
  readonly link: Link;
  readonly connections: Connections;
  readonly email: string;
  readonly #keyring: Keyring;
  readonly #transport: Transport;

  private constructor(keyring: Keyring, email: string) {
    this.email = email;
    this.#keyring = keyring;
    this.#transport = keyring.transport;
    this.keys = new Keys(keyring);
    this.apps = new Apps(keyring.transport);
    this.link = new Link(keyring);
    this.connections = new Connections(keyring);
  }

  /**
   * Makes an account. The recovery code is shown this once: it is the only way back to the keys when the password is
   * lost. Throws `email_taken`, `registration_closed`, `invitation_invalid`.
   */
  static async register(options: TransportOptions & Registration): Promise<{ vault: Vault; recoveryCode: string }> {
    const { opened, recoveryCode } = await register(new Transport(options), options);
    return { vault: new Vault(opened.keyring, opened.email), recoveryCode };
  }

  /** Logs in and unlocks. Throws WrongPasswordError, TotpRequiredError, VaultTamperedError. */
  static async unlock(options: TransportOptions & Login): Promise<Vault> {
    const { keyring, email } = await login(new Transport(options), options);
    return new Vault(keyring, email);
  }

  /** The vault of a session that exists, locked. Throws `session_invalid` or `credentials_missing` if there is none. */
  static async resume(options: Resume): Promise<Vault> {
    const transport = new Transport(options);
    transport.useSession(options.sessionToken ?? null);
    const me = await transport.fields('GET', '/v1/auth/me');
    return new Vault(new Keyring(transport, text(me, 'userId'), options.seenRevision ?? 1), text(me, 'email'));
  }

  /**
   * A new password by the recovery code. The code is used up and a new one is returned, to be shown once; all sessions
   * end and the second factor is removed. Throws RecoveryFailedError.
   */
  static async recover(
    options: TransportOptions & { email: string; recoveryCode: string; newPassword: string },
  ): Promise<{ vault: Vault; recoveryCode: string }> {
    const { opened, recoveryCode } = await recover(new Transport(options), options);
    return { vault: new Vault(opened.keyring, opened.email), recoveryCode };
  }

  get userId(): string {
    return this.#keyring.user;
  }

  get unlocked(): boolean {
    return this.#keyring.unlocked;
  }

  /** The newest manifest revision seen. A client that stores it notices, next time, that a server went back behind it. */
  get revision(): number {
    return this.#keyring.revision;
  }

  /** The session's token, for a caller that keeps it (see `resume`); null with cookies. */
  get sessionToken(): string | null {
    return this.#transport.sessionToken;
  }

  /** Unlocks this session's vault again. Throws WrongPasswordError, VaultTamperedError. */
  async unlock(password: string): Promise<void> {
    await unlock(this.#keyring, password);
  }

  /** Forgets the vault key; the session stays. */
  lock(): void {
    this.#keyring.lock();
  }

  /** Forgets the vault key and ends the session, here at once and on the server. */
  async logout(): Promise<void> {
    this.lock();
    await this.#transport.request('POST', '/v1/auth/logout');
    this.#transport.useSession(null);
  }

  /** Changes the password; the other sessions end. Throws WrongPasswordError. */
  async changePassword(current: string, next: string): Promise<void> {
    await changePassword(this.#keyring, current, next);
  }

  async sessions(): Promise<Session[]> {
    const answer = await this.#transport.all('/v1/auth/sessions');
    return answer.map((session) => ({
      id: text(session, 'id'),
      device: textOrNull(session, 'device'),
      current: flag(session, 'current'),
      createdAt: text(session, 'createdAt'),
      expiresAt: text(session, 'expiresAt'),
    }));
  }

  async endSession(id: string): Promise<void> {
    await this.#transport.request('DELETE', `/v1/auth/sessions/${encodeURIComponent(id)}`);
  }

  /** Totals by time, app, provider or model. */
  usage(query: UsageQuery = {}): Promise<Total[]> {
    return usage(this.#transport, query);
  }

  /** A page of receipts: what each call cost and why. */
  calls(query: CallsQuery = {}): Promise<{ items: Receipt[]; nextCursor: string | null }> {
    return calls(this.#transport, query);
  }

  /** Totals or receipts as a file, CSV or NDJSON, as it comes. */
  export(query: ExportQuery): Promise<UsageFile> {
    return exportFile(this.#transport, query);
  }

  /** Where that file is. Only a page of the server itself, with its cookie, can fetch it by this address alone. */
  exportUrl(query: ExportQuery): string {
    return exportUrl(this.#transport, query);
  }

  /** Nothing of a vault belongs into JSON or a log. */
  toJSON(): { userId: string; unlocked: boolean } {
    return { userId: this.userId, unlocked: this.unlocked };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Vault { ${this.unlocked ? 'unlocked' : 'locked'} }`;
  }
}
