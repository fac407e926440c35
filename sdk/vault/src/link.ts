import {
  createToken,
  lookupOf,
  type PolicyScope,
  requestableScopes,
  seal,
  toBase64Url,
  tokenKey,
  usualScopes,
} from '../../../src/crypto/index.ts';
import { fieldsOf, integerOrNull, text, texts, textOrNull, textsOrNull, type Fields } from './answer.ts';
import { loadConnection } from './connection-rows.ts';
import { VaultError, VaultTamperedError } from './errors.ts';
import { openConnection, sealConnection, sealPolicy } from './grants.ts';
import { loadKeys } from './key-rows.ts';
import type { Keyring } from './keyring.ts';
import { withConnection, withPolicy } from './manifest.ts';
import { type Allowance, newPolicy, nextPolicy } from './policies.ts';

/** What an app asks for: what a consent window shows. */
export interface LinkRequest {
  sessionId: string;
  status: string;
  /** RFC 3339, UTC. */
  expiresAt: string;
  /** `update` changes a connection that exists; its token stays. */
  mode: 'connect' | 'update';
  app: { id: string; name: string; allowedOrigins: string[] };
  origin: string | null;
  redirectUri: string | null;
  requestedProviders: string[];
  /** Sorted. In update mode beside what the connection has, so it may be empty. */
  requestedScopes: PolicyScope[];
  models: string[] | null;
  budgetSuggestionCents: number | null;
  /** The connection that `update` changes. */
  connectionId: string | null;
  clientUserIdHash: string | null;
}

/** What the person approved, as it was shown to them. */
export interface Approval extends Allowance {
  /** The web origin that the Link window proved; null (default) for a client without a window. */
  origin?: string | null;
}

export interface Approved {
  /** For the app, once; null in update mode, where its token stays. */
  publicToken: string | null;
  connectionId: string;
}

/** Consent: what apps ask of this owner. */
export class Link {
  readonly #keyring: Keyring;
  readonly #shown = new Map<string, LinkRequest>();

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** What the app of a link token asks for. Throws `link_token_invalid`, `link_token_expired`. */
  async describe(linkToken: string): Promise<LinkRequest> {
    const answer = await this.#keyring.transport.fields('GET', '/v1/link/session', { bearer: linkToken });
    const request = requestOf(answer);
    this.#shown.set(linkToken, request);
    return request;
  }

  /**
   * Approves: makes a connection, or changes the one that the app asked about. What is sealed is for the app and session
   * that `describe` last told of, so they can't be exchanged between showing and approving. An approval without `scopes`
   * gives a new connection what the app asks for of chat and embeddings, and leaves an existing one's as they are: more
   * takes the owner's word. Throws `policy_invalid` where the app asks for neither and none are named.
   */
  async approve(linkToken: string, approval: Approval): Promise<Approved> {
    const request = this.#shown.get(linkToken) ?? (await this.describe(linkToken));
    const approved = await (request.mode === 'update'
      ? this.#extend(linkToken, request, approval)
      : this.#connect(linkToken, request, approval));
    this.#shown.delete(linkToken);
    return approved;
  }

  async deny(linkToken: string): Promise<void> {
    await this.#keyring.transport.request('POST', '/v1/link/deny', { body: { linkToken } });
    this.#shown.delete(linkToken);
  }

  async #connect(linkToken: string, request: LinkRequest, approval: Approval) {
    const { app, sessionId, clientUserIdHash } = request;
    const { transport, user } = this.#keyring;
    const allowance = { ...approval, scopes: approval.scopes ?? usualOf(request) };
    const keys = await loadKeys(this.#keyring);
    const origin = approval.origin ?? null;
    const policy = newPolicy({ kind: 'app', app: app.id, origin, clientUserIdHash }, allowance, keys);
    const publicToken = createToken('public');
    const publicKey = await tokenKey('public', publicToken, 'public/wrap');
    const publicLookup = toBase64Url(await lookupOf('public', publicToken));
    return sealConnection(this.#keyring, policy, keys, async ({ id, ckVault, grants, entry }, secret) => {
      const fields = { user, connection: id, app: app.id, linkSession: sessionId };
      const ckPublic = toBase64Url(await seal('ck-public', publicKey, fields, secret));
      const body = { linkToken, connectionId: id, origin, policy, ckVault, ckPublic, publicLookup, grants };
      await this.#keyring.write(
        // The name that was shown: lists repeat it even if the app is renamed.
        (manifest) => withConnection(manifest, { ...entry, name: app.name }),
        (write) => transport.request('POST', '/v1/link/authorize', { body: { ...body, ...write } }),
      );
      return { publicToken, connectionId: id };
    });
  }

  /** Update mode: the connection's own policy, proved, with what the person changed; its origin stays. */
  async #extend(linkToken: string, { connectionId, app }: LinkRequest, approval: Approval): Promise<Approved> {
    if (connectionId === null) throw new VaultError('invalid_answer', 'The server names no connection to change.');
    const { transport } = this.#keyring;
    const row = await loadConnection(this.#keyring, connectionId);
    if (row.policy.app !== app.id) {
      throw new VaultTamperedError('link', 'The app that asks is not the one of this connection.', [connectionId]);
    }
    const keys = await loadKeys(this.#keyring);
    const connection = await openConnection(this.#keyring, row);
    const policy = nextPolicy(connection.policy, approval, keys);
    const { grants, entry } = await sealPolicy(this.#keyring, connection, policy, keys);
    const body = { linkToken, connectionId, baseRevision: row.policy.revision, policy, grants };
    await this.#keyring.write(
      (manifest) => withPolicy(manifest, connectionId, entry),
      (write) => transport.request('POST', '/v1/link/authorize', { body: { ...body, ...write } }),
    );
    return { publicToken: null, connectionId };
  }
}

/** What may be given without the owner's word on it. */
function usualOf({ requestedScopes }: LinkRequest): PolicyScope[] {
  const scopes = usualScopes.filter((scope) => requestedScopes.includes(scope));
  if (scopes.length > 0) return scopes;
  const message = 'The app asks for neither chat nor embeddings: name the scopes that it gets.';
  throw new VaultError('policy_invalid', message, { param: 'scopes' });
}

/** A kind of call that this client has no name for could not be shown, so it can't be asked for. */
function scopesOf(answer: Fields): PolicyScope[] {
  return texts(answer, 'requestedScopes').map((name) => {
    const scope = requestableScopes.find((known) => known === name);
    if (scope !== undefined) return scope;
    throw new VaultError('invalid_answer', 'The app asks for a kind of call that this client does not know.');
  });
}

function requestOf(answer: Fields): LinkRequest {
  const app = fieldsOf(answer['app'], 'app');
  return {
    sessionId: text(answer, 'sessionId'),
    status: text(answer, 'status'),
    expiresAt: text(answer, 'expiresAt'),
    mode: text(answer, 'mode') === 'update' ? 'update' : 'connect',
    app: { id: text(app, 'id'), name: text(app, 'name'), allowedOrigins: texts(app, 'allowedOrigins') },
    origin: textOrNull(answer, 'origin'),
    redirectUri: textOrNull(answer, 'redirectUri'),
    requestedProviders: texts(answer, 'requestedProviders'),
    requestedScopes: scopesOf(answer),
    models: textsOrNull(answer, 'models'),
    budgetSuggestionCents: integerOrNull(answer, 'budgetSuggestionCents'),
    connectionId: textOrNull(answer, 'connectionId'),
    clientUserIdHash: textOrNull(answer, 'clientUserIdHash'),
  };
}
