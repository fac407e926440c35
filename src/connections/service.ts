import type { Accounts } from '../accounts/service.ts';
import type { ManifestWrite, OptionalManifestWrite } from '../accounts/model.ts';
import type { Apps } from '../apps/service.ts';
import type { Clock } from '../clock.ts';
import { open, parsePolicy, seal, type Pepper } from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import { isUniqueViolation } from '../database/violations.ts';
import { KeyPassError } from '../errors.ts';
import { pageOf, type PageRequest } from '../http/pages.ts';
import type { Keys } from '../keys/service.ts';
import type { KeyReplacementInput } from '../keys/model.ts';
import type { Ledger } from '../money/ledger.ts';
import type { GrantInput, NewConnectionInput, PolicyEditInput, TokenWrap } from './model.ts';
import { acceptPolicy, refuseMisfit, type SealedPolicy } from './policies.ts';
import * as store from './store.ts';

export const connectionChannel = 'keypass_connections';

/** An approval that nobody exchanges is of no use to anybody after this. */
const pendingMs = 15 * 60 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  accounts: Accounts;
  apps: Apps;
  keys: Keys;
  ledger: Ledger;
}

interface Owner {
  readonly userId: string;
  readonly app: { readonly id: string } | null;
  readonly origin: string | null;
}

/** What owners approve, see, change and revoke. */
export class Connections {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(userId: string, page: PageRequest) {
    const { database, ledger } = this.#parts;
    const rows = await store.listConnections(database.sql, userId, page);
    const { items, nextCursor } = pageOf(
      rows,
      page.limit,
      (row) => ({ at: row.createdAt, id: row.id }),
      (row) => row,
    );
    const policies = items.map((row) => parsePolicy(row.policy));
    const states = await ledger.states(
      items.map(({ id }, index) => ({ connectionId: id, period: policies[index]?.period ?? 'month' })),
    );
    const grants = await store.listGrants(
      database.sql,
      items.map(({ id }) => id),
    );
    const summaries = items.map((row, index) => summaryOf(row, states[index], grants));
    return { items: summaries, nextCursor };
  }

  async get(userId: string, id: string) {
    const { database, ledger } = this.#parts;
    const row = await store.findConnection(database.sql, id);
    if (row === undefined || row.userId !== userId) throw connectionNotFound();
    const grants = await store.listGrants(database.sql, [id]);
    const [state] = await ledger.states([{ connectionId: id, period: parsePolicy(row.policy).period }]);
    return { ...summaryOf(row, state, grants), ckVault: row.ckVault, tokenVault: row.tokenVault, grants };
  }

  /** A token of the owner's own for a tool or a site: made whole by the client, which alone knows the token. */
  async createPersonal(
    userId: string,
    input: NewConnectionInput &
      Omit<TokenWrap, 'generation'> & { kind: 'personal' | 'site'; tokenVault: Uint8Array } & ManifestWrite,
  ): Promise<void> {
    const { database, clock } = this.#parts;
    const origin = input.kind === 'site' ? input.policy.origin : null;
    const policy = await acceptPolicy(input.policy, { kind: input.kind, app: null, origin }, 1, clock.now());
    await database.begin(async (tx) => {
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
    const fixed = { kind: row.kind, app: row.appId, origin: row.origin };
    if (Number(row.revision) !== input.baseRevision) throw connectionChanged();
    const accepted = await acceptPolicy(input.policy, fixed, input.baseRevision + 1, this.#parts.clock.now());
    await this.#checkGrants(tx, userId, accepted.policy, input.grants);
    if (!(await store.updatePolicy(tx, id, input.baseRevision, accepted))) throw connectionChanged();
    await store.deleteGrants(tx, id);
    await store.insertGrants(tx, grantRows(id, accepted.policy, input.grants));
    await this.#parts.accounts.writeManifest(tx, userId, input);
  }

  async setPaused(userId: string, id: string, isPaused: boolean): Promise<void> {
    await this.#own(userId, id);
    if (!(await store.updatePaused(this.#parts.database.sql, id, isPaused))) throw connectionNotFound();
    await this.announce(id);
  }

  async setCap(userId: string, id: string, capCents: number | null): Promise<void> {
    await this.#own(userId, id);
    if (!(await store.updateCap(this.#parts.database.sql, id, capCents))) throw connectionNotFound();
  }

  /** Crypto-shreds the connection; from the next statement on no instance dispatches for it, and running streams are cut. */
  async revoke(userId: string, id: string, manifest?: OptionalManifestWrite): Promise<void> {
    await this.#own(userId, id);
    await this.#parts.database.begin(async (tx) => {
      if (!(await store.shredConnection(tx, id, this.#parts.clock.now()))) throw connectionNotFound();
      await this.#parts.accounts.writeOptionalManifest(tx, userId, manifest);
    });
    await this.announce(id);
  }

  /** Revocation without its owner: the app lets go, or a token was used in a way that only a thief would. */
  async revokeAny(id: string): Promise<void> {
    await this.#parts.database.begin((tx) => store.shredConnection(tx, id, this.#parts.clock.now()));
    await this.announce(id);
  }

  /** Removes a developer's app and revokes every connection to it. */
  async removeApp(userId: string, appId: string): Promise<void> {
    const { database, apps, clock } = this.#parts;
    const ids = await database.begin(async (tx) => {
      await apps.remove(tx, userId, appId);
      const rows = await store.listLiveConnectionsOfApp(tx, appId);
      for (const { id } of rows) await store.shredConnection(tx, id, clock.now());
      return rows.map(({ id }) => id);
    });
    for (const id of ids) await this.announce(id);
  }

  /** A key's next version together with the grants that follow it; the connections must be those that use the key now. */
  async replaceKey(
    userId: string,
    key: { provider: string; id: string },
    input: KeyReplacementInput & {
      grants: readonly { connectionId: string; revision: number; grant: Uint8Array }[];
      drop: readonly string[];
    } & ManifestWrite,
  ): Promise<{ version: number }> {
    const version = input.baseVersion + 1;
    await this.#parts.database.begin(async (tx) => {
      await this.#parts.keys.replace(tx, userId, key.provider, key.id, input);
      // Only once the key is ours: an approval that held it until now has left a grant.
      const users = await store.listConnectionsOfKeyForUpdate(tx, key.id);
      refuseOtherConnections(users, input.grants, input.drop);
      for (const { connectionId, grant } of input.grants)
        await store.updateGrant(tx, connectionId, key.id, version, grant);
      await store.deleteGrantsOfKey(tx, input.drop, key.id);
      await this.#parts.accounts.writeManifest(tx, userId, input);
    });
    return { version };
  }

  /** Whose connection this is; throws `connection_not_found`. */
  async ownerOf(tx: Tx, id: string): Promise<string> {
    const row = await store.findConnection(tx, id);
    if (row === undefined) throw connectionNotFound();
    return row.userId;
  }

  /** Tells every instance that a connection changed, so that running streams are looked at again. */
  announce(id: string): Promise<void> {
    return this.#parts.database.notify(connectionChannel, id);
  }

  /** Moves a batch of tokens to the current epoch of the pepper; answers how many it found. */
  async reseal(limit: number): Promise<number> {
    const { database, pepper } = this.#parts;
    const epoch = pepper.current;
    const rows = await store.listTokensOfOtherEpochs(database.sql, epoch, limit);
    for (const { id: connection, generation: count, epoch: old, ckToken: oldCkToken } of rows) {
      const generation = Number(count);
      const oldKey = await pepper.key(old, 'connection');
      const inner = await open('ck-token-outer', oldKey, { connection, generation, epoch: old }, oldCkToken);
      const key = await pepper.key(epoch, 'connection');
      const ckToken = await seal('ck-token-outer', key, { connection, generation, epoch }, inner);
      await store.updateTokenSeal(database.sql, { id: connection, epoch, ckToken, oldCkToken });
    }
    return rows.length;
  }

  sweep(): Promise<void> {
    return store.deletePendingConnections(
      this.#parts.database.sql,
      new Date(this.#parts.clock.now().getTime() - pendingMs),
    );
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

  async #own(userId: string, id: string): Promise<void> {
    const row = await store.findConnection(this.#parts.database.sql, id);
    if (row === undefined || row.userId !== userId || row.status === 'revoked') throw connectionNotFound();
  }
}

type State = Awaited<ReturnType<Ledger['states']>>[number];

function summaryOf(row: store.ConnectionRow, state: State | undefined, grants: readonly store.GrantRow[]) {
  const policy = parsePolicy(row.policy);
  const granted = new Set(grants.filter((grant) => grant.connectionId === row.id).map((grant) => grant.provider));
  const missingKeys =
    row.status === 'revoked' ? [] : policy.providers.map(({ id }) => id).filter((id) => !granted.has(id));
  return {
    row,
    policy,
    missingKeys,
    spent: state?.spent ?? 0n,
    held: state?.held ?? 0n,
    resetsAt: state?.resetsAt ?? null,
  };
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

function refuseOtherConnections(
  users: readonly { id: string; revision: bigint }[],
  grants: readonly { connectionId: string; revision: number }[],
  drop: readonly string[],
): void {
  const named = new Map<string, number | null>([
    ...drop.map((id) => [id, null] as const),
    ...grants.map(({ connectionId, revision }) => [connectionId, revision] as const),
  ]);
  const isSame =
    named.size === users.length &&
    grants.length + drop.length === users.length &&
    users.every(({ id, revision }) => named.has(id) && [null, Number(revision)].includes(named.get(id) ?? null));
  if (!isSame)
    throw new KeyPassError('connections_changed', 'The connections that use this key have changed. Read them again.');
}

function connectionNotFound(): KeyPassError {
  return new KeyPassError('connection_not_found', 'There is no such connection.');
}

function connectionChanged(): KeyPassError {
  return new KeyPassError('connection_changed', 'The connection was changed by another client. Read it again.', {
    param: 'baseRevision',
  });
}
