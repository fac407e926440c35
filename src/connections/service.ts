import type { Accounts } from '../accounts/service.ts';
import type { ManifestWrite, OptionalManifestWrite } from '../accounts/model.ts';
import type { Clock } from '../clock.ts';
import { parsePolicy, seal, type Pepper, type Policy } from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import { isUniqueViolation } from '../database/violations.ts';
import { insertCreation } from '../database/idempotency.ts';
import { KeyPassError } from '../errors.ts';
import type { Keys } from '../keys/service.ts';
import { tellApp, termsOf, type ConnectionEvents } from '../webhooks/events.ts';
import type { GrantInput, NewConnectionInput, PolicyEditInput, TokenWrap } from './model.ts';
import { acceptPolicy, refuseMisfit, type SealedPolicy } from './policies.ts';
import * as store from './store.ts';

export const connectionChannel = 'keypass_connections';

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  accounts: Accounts;
  keys: Keys;
}

interface Owner {
  readonly userId: string;
  readonly app: { readonly id: string } | null;
  readonly origin: string | null;
}

/** What owners approve, change and revoke. */
export class Connections {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A token of the owner's own for a tool or a site: made whole by the client, which alone knows the token. */
  async createPersonal(
    userId: string,
    input: NewConnectionInput &
      Omit<TokenWrap, 'generation'> & { kind: 'personal' | 'site'; tokenVault: Uint8Array } & ManifestWrite,
    idempotencyKey: string | null,
  ): Promise<void> {
    const { database, clock } = this.#parts;
    const origin = input.kind === 'site' ? input.policy.origin : null;
    const policy = await acceptPolicy(input.policy, { kind: input.kind, app: null, origin }, 1, clock.now());
    const repeatable = { caller: `connection of ${userId}`, key: idempotencyKey, body: [input.id, input.policy] };
    await database.begin(async (tx) => {
      await insertCreation(tx, repeatable, input.id, clock.now());
      await this.insertPending(tx, { userId, app: null, origin }, input, policy);
      await this.activate(tx, input.id, { ...input, generation: 1 }, input.tokenVault);
      await this.#parts.accounts.writeManifest(tx, userId, input);
    });
  }

  /** A connection without a token, as part of the caller's transaction; its grants must fit the policy and the vault. */
  async insertPending(
    tx: Tx,
    owner: Owner,
    input: NewConnectionInput,
    { policy, bytes, hash }: SealedPolicy,
  ): Promise<void> {
    await this.#checkGrants(tx, owner.userId, policy, input.grants);
    const row = {
      id: input.id,
      userId: owner.userId,
      appId: owner.app?.id ?? null,
      kind: policy.kind,
      origin: owner.origin,
    };
    const state = { status: 'pending' as const, createdAt: this.#parts.clock.now() };
    await insertConnection(tx, { ...row, ...state, policy: bytes, policyHash: hash, ckVault: input.ckVault });
    await store.insertGrants(tx, grantRows(input.id, policy, input.grants));
  }

  /** Gives a pending connection its token; the outer seal under the pepper is laid around the wrap here. */
  async activate(tx: Tx, connection: string, token: TokenWrap, tokenVault: Uint8Array | null): Promise<void> {
    const { pepper } = this.#parts;
    const epoch = pepper.current;
    const fields = { connection, generation: token.generation, epoch };
    const ckToken = await seal('ck-token-outer', await pepper.key(epoch, 'connection'), fields, token.ckToken);
    if (!(await updateToken(tx, connection, { ...token, ckToken, epoch, tokenVault }))) throw connectionNotFound();
  }

  /** A new policy with its grants, by compare-and-set on the revision. */
  async edit(userId: string, id: string, input: PolicyEditInput & ManifestWrite): Promise<void> {
    await this.#parts.database.begin((tx) => this.editWithin(tx, userId, id, input));
    await this.announce(id);
  }

  /** The same as part of the caller's transaction: the Link window's update mode. */
  async editWithin(tx: Tx, userId: string, id: string, input: PolicyEditInput & ManifestWrite): Promise<void> {
    const row = await store.findConnectionForUpdate(tx, id);
    if (row === undefined || row.userId !== userId || row.status === 'pending') throw connectionNotFound();
    if (row.status === 'revoked')
      throw new KeyPassError('connection_revoked', 'The connection is revoked. Approve a new one.');
    const { period, clientUserIdHash } = parsePolicy(row.policy);
    const fixed = { kind: row.kind, app: row.appId, origin: row.origin, period, clientUserIdHash };
    if (Number(row.revision) !== input.baseRevision) throw connectionChanged();
    const accepted = await acceptPolicy(input.policy, fixed, input.baseRevision + 1, this.#parts.clock.now());
    await this.#checkGrants(tx, userId, accepted.policy, input.grants);
    if (!(await store.updatePolicy(tx, id, input.baseRevision, accepted))) throw connectionChanged();
    await store.deleteGrants(tx, id);
    await store.insertGrants(tx, grantRows(id, accepted.policy, input.grants));
    const capCents = row.capCents === null ? null : Number(row.capCents);
    await this.#tell(tx, id, 'connection.updated', termsOf(accepted.policy, capCents));
    await this.#parts.accounts.writeManifest(tx, userId, input);
  }

  async setPaused(userId: string, id: string, isPaused: boolean): Promise<void> {
    await this.#parts.database.begin(async (tx) => {
      const { status } = await this.#ownForUpdate(tx, userId, id);
      if (!(await store.updatePaused(tx, id, isPaused))) throw connectionNotFound();
      if (isPaused === (status === 'paused')) return;
      await this.#tell(tx, id, isPaused ? 'connection.paused' : 'connection.resumed', {});
    });
    await this.announce(id);
  }

  async setCap(userId: string, id: string, capCents: number | null): Promise<void> {
    await this.#parts.database.begin(async (tx) => {
      const { policy } = await this.#ownForUpdate(tx, userId, id);
      if (!(await store.updateCap(tx, id, capCents))) throw connectionNotFound();
      await this.#tell(tx, id, 'connection.updated', termsOf(parsePolicy(policy), capCents));
    });
  }

  /** Crypto-shreds the connection; from the next statement on no instance dispatches for it, and running streams are cut. */
  async revoke(userId: string, id: string, manifest?: OptionalManifestWrite): Promise<void> {
    await this.#parts.database.begin(async (tx) => {
      await this.#ownForUpdate(tx, userId, id);
      if (!(await store.shredConnection(tx, id, this.#parts.clock.now()))) throw connectionNotFound();
      await this.#tell(tx, id, 'connection.revoked', { by: 'owner' });
      await this.#parts.accounts.writeOptionalManifest(tx, userId, manifest);
    });
    await this.announce(id);
  }

  /** Revocation without its owner: the app lets go, or a token was used in a way that only a thief would. */
  async revokeAny(id: string, by: 'app' | 'keypass'): Promise<void> {
    await this.#parts.database.begin(async (tx) => {
      if (!(await store.shredConnection(tx, id, this.#parts.clock.now()))) return;
      await this.#tell(tx, id, 'connection.revoked', { by });
    });
    await this.announce(id);
  }

  /** Whose connection this is; throws `connection_not_found`. */
  async ownerOf(tx: Tx, id: string): Promise<string> {
    const row = await store.findConnection(tx, id);
    if (row === undefined) throw connectionNotFound();
    return row.userId;
  }

  /** The policy as it is stored, for an app to read; each call proves it anew. */
  async policyOf(id: string): Promise<Policy> {
    const row = await store.findConnection(this.#parts.database.sql, id);
    if (row === undefined) throw connectionNotFound();
    return parsePolicy(row.policy);
  }

  /** Tells every instance that a connection changed, so that running streams are looked at again. */
  announce(id: string): Promise<void> {
    return this.#parts.database.notify(connectionChannel, id);
  }

  async #checkGrants(
    tx: Tx,
    userId: string,
    policy: SealedPolicy['policy'],
    grants: readonly GrantInput[],
  ): Promise<void> {
    const keys = await this.#parts.keys.lock(
      tx,
      userId,
      policy.providers.map((provider) => provider.keyId),
    );
    refuseMisfit(policy, grants, keys);
  }

  #tell<T extends keyof ConnectionEvents>(tx: Tx, id: string, type: T, data: ConnectionEvents[T]): Promise<void> {
    return tellApp(tx, id, type, data, this.#parts.clock.now());
  }

  /** The owner's connection, as it stays until the transaction ends. */
  async #ownForUpdate(tx: Tx, userId: string, id: string): Promise<store.ConnectionRow> {
    const row = await store.findConnectionForUpdate(tx, id);
    if (row === undefined || row.userId !== userId || row.status === 'revoked') throw connectionNotFound();
    return row;
  }
}

function grantRows(connectionId: string, policy: SealedPolicy['policy'], grants: readonly GrantInput[]) {
  return grants.map(({ keyId, version, grant }) => {
    const provider = policy.providers.find((candidate) => candidate.keyId === keyId)?.id ?? '';
    return { connectionId, provider, keyId, version, sealedDek: grant };
  });
}

async function insertConnection(tx: Tx, row: store.NewConnectionRow): Promise<void> {
  try {
    await store.insertConnection(tx, row);
  } catch (error) {
    if (isUniqueViolation(error, 'connections_pkey'))
      throw new KeyPassError('id_taken', 'This id is taken. Make a new one.', { param: 'id' });
    throw error;
  }
}

async function updateToken(tx: Tx, id: string, token: Parameters<typeof store.updateToken>[2]): Promise<boolean> {
  try {
    return await store.updateToken(tx, id, token);
  } catch (error) {
    if (!isUniqueViolation(error, 'connections_token_lookup_key')) throw error;
    throw new KeyPassError('id_taken', 'This access token is taken. Make a new one.', { param: 'tokenLookup' });
  }
}

export function connectionNotFound(): KeyPassError {
  return new KeyPassError('connection_not_found', 'There is no such connection.');
}

function connectionChanged(): KeyPassError {
  return new KeyPassError('connection_changed', 'The connection was changed by another client. Read it again.', {
    param: 'baseRevision',
  });
}
