import type { ManifestWrite, OptionalManifestWrite } from '../accounts/model.ts';
import type { Accounts } from '../accounts/service.ts';
import type { Apps } from '../apps/service.ts';
import type { Clock } from '../clock.ts';
import { open, seal, type Pepper } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import type { KeyReplacementInput } from '../keys/model.ts';
import type { Keys } from '../keys/service.ts';
import type { Connections } from './service.ts';
import * as store from './store.ts';

/** An approval that nobody exchanges is of no use to anybody after this. */
const pendingMs = 15 * 60 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  accounts: Accounts;
  apps: Apps;
  keys: Keys;
  connections: Connections;
}

/** What reaches connections from elsewhere: a replaced key, a removed app, a rotated pepper, the time. */
export class ConnectionUpkeep {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
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
    for (const id of ids) await this.#parts.connections.announce(id);
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
      await store.updateGrantsRevision(
        tx,
        users.map(({ id }) => id),
      );
      await this.#parts.accounts.writeManifest(tx, userId, input);
    });
    for (const id of input.drop) await this.#parts.connections.announce(id);
    return { version };
  }

  /** Removes a key, or all of a provider where none is named, and ends the calls that run with it. */
  async removeKey(
    userId: string,
    key: { provider: string; id: string | null },
    manifest?: OptionalManifestWrite,
  ): Promise<void> {
    const ids = await this.#parts.keys.remove(userId, key.provider, key.id, manifest);
    for (const id of ids) await this.#parts.connections.announce(id);
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
