import type { Accounts } from '../accounts/service.ts';
import type { Apps } from '../apps/service.ts';
import type { Clock } from '../clock.ts';
import type { Access } from '../connections/access.ts';
import { acceptPolicy } from '../connections/policies.ts';
import type { Connections } from '../connections/service.ts';
import { createToken, lookupOf, seal, sha256, toBase64Url, usualScopes, utf8, type Pepper } from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import { isUniqueViolation } from '../database/violations.ts';
import { insertCreation } from '../database/idempotency.ts';
import { KeyPassError } from '../errors.ts';
import type { AppIdentity } from '../http/auth.ts';
import type { Catalogue } from '../providers/index.ts';
import { exchangePublicToken, publicTokenMs, replyMs } from './exchange.ts';
import type { ApprovalInput, NewLinkSessionInput, UpdateInput } from './model.ts';
import * as store from './store.ts';

const linkTokenMs = 30 * 60 * 1000;
const keepMs = 7 * 24 * 3600 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  origin: string;
  providers: Catalogue;
  accounts: Accounts;
  apps: Apps;
  connections: Connections;
  access: Access;
}

/** KeyPass Link: an app asks, a person approves or denies, the app gets an access token. */
export class Link {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A request of an app, to be shown to one person. With an access token: to change the connection that it has. */
  async createSession(app: AppIdentity, input: NewLinkSessionInput, idempotencyKey: string | null) {
    const { database, clock, origin, providers } = this.#parts;
    refuseUnknownProviders(providers, input.requestedProviders);
    refuseUnregistered(app, input);
    const updateOf = input.accessToken === undefined ? null : await this.#connectionOf(app, input.accessToken);
    const linkToken = createToken('link');
    const now = clock.now();
    const row = {
      id: crypto.randomUUID(),
      appId: app.id,
      lookup: await lookupOf('link', linkToken),
      requestedProviders: [...input.requestedProviders],
      requestedScopes: input.requestedScopes?.toSorted() ?? null,
      budgetSuggestionCents: input.budgetSuggestionCents ?? null,
      models: input.models === undefined ? null : [...input.models],
      clientUserIdHash: input.clientUserId === undefined ? null : await sha256(utf8(input.clientUserId)),
      origin: input.origin ?? null,
      redirectUri: input.redirectUri ?? null,
      updateOf,
      createdAt: now,
      expiresAt: new Date(now.getTime() + linkTokenMs),
    };
    await database.begin(async (tx) => {
      await insertCreation(tx, { caller: `link of ${app.id}`, key: idempotencyKey, body: input }, row.id, now);
      await store.insertLinkSession(tx, row);
    });
    return { linkToken, linkUrl: `${origin}/link#token=${linkToken}`, expiresAt: row.expiresAt };
  }

  /** What the consent window shows; to other pages only how far the session is. */
  async describe(linkToken: string, isOwnPage: boolean) {
    const session = await this.#session(linkToken);
    const shown = { status: this.#statusOf(session), expiresAt: session.expiresAt };
    if (!isOwnPage) return shown;
    const { id, name, allowedOrigins } = await this.#parts.apps.get(session.appId);
    const budgetSuggestionCents = session.budgetSuggestionCents === null ? null : Number(session.budgetSuggestionCents);
    const clientUserIdHash = session.clientUserIdHash === null ? null : toBase64Url(session.clientUserIdHash);
    const requestedScopes = session.requestedScopes ?? (session.updateOf === null ? [...usualScopes] : []);
    const asked = { requestedScopes, budgetSuggestionCents, clientUserIdHash };
    return { ...shown, session: { ...session, ...asked, app: { id, name, allowedOrigins } } };
  }

  /** The person's approval of a new connection, sealed by their client. */
  async approve(userId: string, input: ApprovalInput): Promise<void> {
    const { pepper, clock, accounts, connections } = this.#parts;
    await this.#decide(input.linkToken, async (tx, session) => {
      if (session.updateOf !== null) throw updateOnly();
      const app = await this.#parts.apps.get(session.appId, tx);
      refuseUnprovenOrigin(app, session, input.origin);
      const fixed = { kind: 'app' as const, app: app.id, origin: input.origin };
      const accepted = await acceptPolicy(input.policy, fixed, 1, clock.now());
      refuseUnrequested(
        session,
        accepted.policy.providers.map(({ id }) => id),
      );
      refuseOtherUserHash(session, accepted.policy.clientUserIdHash);
      await connections.insertPending(
        tx,
        { userId, app, origin: input.origin },
        { ...input, id: input.connectionId },
        accepted,
      );
      const epoch = pepper.current;
      const fields = { connection: input.connectionId, linkSession: session.id, epoch };
      const ckPublic = await seal('ck-public-outer', await pepper.key(epoch, 'connection'), fields, input.ckPublic);
      await updateApproved(tx, { ...input, ckPublic, epoch, id: session.id, approvedAt: clock.now() });
      await accounts.writeManifest(tx, userId, input);
    });
  }

  /** The person's approval of a change; the app keeps its token. */
  async update(userId: string, input: UpdateInput): Promise<void> {
    await this.#decide(input.linkToken, async (tx, session) => {
      if (session.updateOf === null || session.updateOf !== input.connectionId) throw updateOnly();
      if ((await this.#parts.connections.ownerOf(tx, input.connectionId)) !== userId) {
        throw new KeyPassError(
          'wrong_account',
          'This connection belongs to another account. Log in with the one that approved it.',
        );
      }
      await this.#parts.connections.editWithin(tx, userId, input.connectionId, input);
      await store.updateFinished(tx, session.id, input.connectionId, this.#parts.clock.now());
    });
    await this.#parts.connections.announce(input.connectionId);
  }

  async deny(linkToken: string): Promise<void> {
    const session = await this.#session(linkToken);
    this.#refuseClosed(session);
    if (!(await store.updateDenied(this.#parts.database.sql, session.id))) throw closed(session.status);
  }

  async exchange(app: AppIdentity, publicToken: string, clientUserId?: string) {
    const exchanged = await exchangePublicToken(this.#parts, app, publicToken, clientUserId);
    return { ...exchanged, policy: await this.#parts.connections.policyOf(exchanged.connectionId) };
  }

  async sweep(): Promise<void> {
    const { database, clock } = this.#parts;
    const before = (ms: number) => new Date(clock.now().getTime() - ms);
    await store.shredExpired(database.sql, before(replyMs), before(publicTokenMs));
    await store.deleteOldLinkSessions(database.sql, before(keepMs));
  }

  async #decide(linkToken: string, work: (tx: Tx, session: store.LinkSessionRow) => Promise<void>): Promise<void> {
    const lookup = await linkLookup(linkToken);
    await this.#parts.database.begin(async (tx) => {
      const session = await store.findLinkSessionForUpdate(tx, lookup);
      if (session === undefined) throw linkTokenInvalid();
      this.#refuseClosed(session);
      await work(tx, session);
    });
  }

  async #session(linkToken: string): Promise<store.LinkSessionRow> {
    const session = await store.findLinkSession(this.#parts.database.sql, await linkLookup(linkToken));
    if (session === undefined) throw linkTokenInvalid();
    return session;
  }

  #statusOf(session: store.LinkSessionRow): string {
    const deadline =
      session.approvedAt === null ? session.expiresAt.getTime() : session.approvedAt.getTime() + publicTokenMs;
    const canExpire = session.status === 'pending' || session.status === 'approved';
    return canExpire && this.#parts.clock.now().getTime() >= deadline ? 'expired' : session.status;
  }

  #refuseClosed(session: store.LinkSessionRow): void {
    const status = this.#statusOf(session);
    if (status === 'expired')
      throw new KeyPassError('link_token_expired', 'This request has expired. Start again from the app.');
    if (status !== 'pending') throw closed(status);
  }

  async #connectionOf(app: AppIdentity, accessToken: string): Promise<string> {
    const connection = await this.#parts.access.identify(accessToken);
    if (connection.appId === app.id) return connection.id;
    throw new KeyPassError('access_token_invalid', 'This access token is not one of this app.', {
      param: 'accessToken',
    });
  }
}

async function linkLookup(linkToken: string): Promise<Uint8Array> {
  return lookupOf('link', linkToken).catch(() => Promise.reject(linkTokenInvalid()));
}

async function updateApproved(tx: Tx, approval: Parameters<typeof store.updateApproved>[1]): Promise<void> {
  try {
    await store.updateApproved(tx, approval);
  } catch (error) {
    if (!isUniqueViolation(error, 'link_sessions_public_lookup_key')) throw error;
    throw new KeyPassError('id_taken', 'This public token is taken. Make a new one.', { param: 'publicLookup' });
  }
}

function refuseUnknownProviders(providers: Catalogue, requested: readonly string[]): void {
  if (requested.every((id) => providers.has(id))) return;
  const message = 'KeyPass does not know one of these providers. GET /v1/providers lists those it knows.';
  throw new KeyPassError('provider_unknown', message, { param: 'requestedProviders' });
}

function refuseUnregistered(app: AppIdentity, input: NewLinkSessionInput): void {
  if (input.origin !== undefined && !app.allowedOrigins.includes(input.origin)) {
    throw new KeyPassError('origin_not_allowed', "This origin is not one of the app's allowedOrigins.", {
      param: 'origin',
    });
  }
  if (input.redirectUri !== undefined && !app.redirectUris.includes(input.redirectUri)) {
    throw new KeyPassError('origin_not_allowed', "This redirectUri is not one of the app's, to the letter.", {
      param: 'redirectUri',
    });
  }
}

/** The origin is what the browser proved to the Link window; without a window (a command line, a test) there is none. */
function refuseUnprovenOrigin(app: AppIdentity, session: store.LinkSessionRow, origin: string | null): void {
  if (origin === null) return;
  const isRegistered = app.allowedOrigins.includes(origin) && (session.origin === null || session.origin === origin);
  if (!isRegistered)
    throw new KeyPassError('origin_unverified', 'The page that asks is not one that this app registered.', {
      param: 'origin',
    });
}

function refuseUnrequested(session: store.LinkSessionRow, providers: readonly string[]): void {
  if (providers.every((id) => session.requestedProviders.includes(id))) return;
  throw new KeyPassError('policy_invalid', 'The policy has a provider that the app did not ask for.', {
    param: 'policy.providers',
  });
}

function refuseOtherUserHash(session: store.LinkSessionRow, hash: string | null): void {
  const wanted = session.clientUserIdHash === null ? null : toBase64Url(session.clientUserIdHash);
  if (hash === null || hash === wanted) return;
  throw new KeyPassError('policy_invalid', 'The policy names another user of the app.', {
    param: 'policy.clientUserIdHash',
  });
}

function closed(status: string): KeyPassError {
  return new KeyPassError('link_session_closed', `This request was already ${status}. Start again from the app.`);
}

function updateOnly(): KeyPassError {
  return new KeyPassError(
    'link_session_closed',
    'This request is for another kind of approval than the one that was sent.',
  );
}

function linkTokenInvalid(): KeyPassError {
  return new KeyPassError('link_token_invalid', 'This link token is unknown. Start again from the app.');
}
