import {
  createToken,
  fromUtf8,
  lookupOf,
  open,
  type Policy,
  seal,
  toBase64Url,
  tokenKey,
  utf8,
} from '../../../src/crypto/index.ts';
import { given } from './answer.ts';
import {
  type ConnectionRow,
  fetchConnection,
  fetchConnections,
  loadConnection,
  loadConnections,
} from './connection-rows.ts';
import { VaultError, VaultTamperedError } from './errors.ts';
import { openConnection, sealConnection, sealPolicy } from './grants.ts';
import { loadKeys } from './key-rows.ts';
import type { Keyring } from './keyring.ts';
import { withConnection, withoutConnections, withPolicy } from './manifest.ts';
import { type Allowance, newPolicy, nextPolicy } from './policies.ts';

const attempts = 4;
const firstGeneration = 1;

/** A connection as its owner sees it. */
export interface Connection {
  id: string;
  kind: Policy['kind'];
  /** What the owner called it, or the app's name as it was approved; not `verified`: what the server says, or null. */
  name: string | null;
  app: { id: string; name: string } | null;
  /** The web origin that was proved when the owner approved; null for none. */
  origin: string | null;
  status: string;
  generation: number;
  policy: Policy;
  /** A lower limit than the policy's, in US cents; null for none. */
  capCents: number | null;
  /** US dollars in the current period, decimal: settled, and set aside for running calls. */
  spent: string;
  held: string;
  /** RFC 3339, UTC; null if the budget is for the connection's whole life. */
  resetsAt: string | null;
  /** Providers whose key was removed: their calls wait until the owner chooses another. */
  missingKeys: string[];
  createdAt: string;
  /** Whether this is what the owner sealed; false while the vault is locked and for what was revoked long ago. */
  verified: boolean;
}

export interface NewConnection extends Allowance {
  name: string;
  /** `site`: a token for the pages of one web origin. Default `personal`. */
  kind?: 'personal' | 'site';
  /** Required for a site. */
  origin?: string | null;
}

/** `paused` and `capCents` need no unlocked vault, so that an emergency is easy; the rest is sealed anew. */
export interface ConnectionChanges extends Partial<Allowance> {
  name?: string;
  paused?: boolean;
  capCents?: number | null;
}

/** The connections of a vault: whom its owner lets use which keys, for how much. */
export class Connections {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** All connections. Throws VaultTamperedError for one that the owner did not approve so; unverified while locked. */
  async list(): Promise<Connection[]> {
    const { transport, unlocked } = this.#keyring;
    const rows = await (unlocked ? loadConnections(this.#keyring) : fetchConnections(transport));
    return rows.map((row) => this.#shown(row));
  }

  /** One connection. Throws `connection_not_found`, VaultTamperedError. */
  async get(id: string): Promise<Connection> {
    const { transport, unlocked } = this.#keyring;
    return this.#shown(await (unlocked ? loadConnection(this.#keyring, id) : fetchConnection(transport, id)));
  }

  /** A token of the owner's own, for a tool or a site. The server never sees it here. */
  async create(connection: NewConnection): Promise<{ id: string; accessToken: string }> {
    const { name, kind = 'personal', origin = null, ...allowance } = connection;
    const { transport, user, key: vaultKey } = this.#keyring;
    const keys = await loadKeys(this.#keyring);
    const policy = newPolicy({ kind, app: null, origin, clientUserIdHash: null }, allowance, keys);
    const accessToken = createToken('access');
    const accessKey = await tokenKey('access', accessToken, 'access/wrap');
    const tokenLookup = toBase64Url(await lookupOf('access', accessToken));
    return sealConnection(this.#keyring, policy, keys, async ({ id, ckVault, grants, entry }, secret) => {
      const issue = { user, connection: id, generation: firstGeneration };
      const ckToken = toBase64Url(await seal('ck-token', accessKey, { ...issue, app: null }, secret));
      const tokenVault = toBase64Url(await seal('token-vault', vaultKey, issue, utf8(accessToken)));
      const body = { id, kind, policy, ckVault, ckToken, tokenLookup, tokenVault, grants };
      await this.#keyring.write(
        (manifest) => withConnection(manifest, { ...entry, name }),
        (write) => transport.request('POST', '/v1/connections', { body: { ...body, ...write } }),
      );
      return { id, accessToken };
    });
  }

  /** The access token of a personal or site connection, again. */
  async accessToken(id: string): Promise<string> {
    const { tokenVault, generation } = await loadConnection(this.#keyring, id);
    if (tokenVault === null) throw new VaultError('token_not_kept', 'This connection has no token in the vault.');
    const fields = { user: this.#keyring.user, connection: id, generation };
    const token = await open('token-vault', this.#keyring.key, fields, tokenVault).catch((cause: unknown) => {
      throw new VaultTamperedError('connection', "A connection's token does not open.", [id], cause);
    });
    return fromUtf8(token);
  }

  /** Changes what is named. If another client was faster, the change is made to what it left. */
  async update(id: string, changes: ConnectionChanges): Promise<void> {
    const { paused, capCents, ...edit } = changes;
    const { transport } = this.#keyring;
    if (paused !== undefined) await transport.request('PATCH', pathOf(id), { body: { paused } });
    if (capCents !== undefined) await transport.request('PATCH', pathOf(id), { body: { capCents } });
    if (Object.keys(given({ ...edit })).length === 0) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#edit(id, edit);
      } catch (error) {
        const stale = error instanceof VaultError && ['connection_changed', 'key_changed'].includes(error.code);
        if (!stale || attempt === attempts) throw error;
      }
    }
  }

  /**
   * Revokes at once and for ever. Works on a locked vault, and on one whose rows were tampered with: the manifest then
   * follows with the next write.
   */
  async revoke(id: string): Promise<void> {
    const { transport, unlocked } = this.#keyring;
    const bare = async () => {
      await transport.request('DELETE', pathOf(id));
      this.#keyring.forget([id]);
    };
    if (!unlocked) return bare();
    try {
      await this.#keyring.write(
        (manifest) => withoutConnections(manifest, new Set([id])),
        (write) => transport.request('DELETE', pathOf(id), { body: write }),
      );
    } catch (error) {
      const manifestFails = error instanceof VaultTamperedError || isConflict(error);
      if (!manifestFails) throw error;
      await bare();
    }
  }

  async #edit(id: string, { name, ...changes }: Omit<ConnectionChanges, 'paused' | 'capCents'>): Promise<void> {
    const { transport } = this.#keyring;
    const row = await loadConnection(this.#keyring, id);
    const keys = await loadKeys(this.#keyring);
    const connection = await openConnection(this.#keyring, row);
    const policy = nextPolicy(connection.policy, changes, keys);
    const { grants, entry } = await sealPolicy(this.#keyring, connection, policy, keys);
    const body = { baseRevision: row.policy.revision, policy, grants };
    await this.#keyring.write(
      (manifest) => withPolicy(manifest, id, name === undefined ? entry : { ...entry, name }),
      (write) => transport.request('PATCH', pathOf(id), { body: { ...body, ...write } }),
    );
  }

  #shown(row: ConnectionRow): Connection {
    const { id, app, status, generation, policy, capCents, spent, held, resetsAt, missingKeys, createdAt } = row;
    const entries = this.#keyring.unlocked ? this.#keyring.manifest.connections : [];
    const entry = entries.find((candidate) => candidate.id === id);
    return {
      id,
      kind: policy.kind,
      name: entry?.name ?? app?.name ?? null,
      app,
      origin: policy.origin,
      status,
      generation,
      policy,
      capCents,
      spent,
      held,
      resetsAt,
      missingKeys,
      createdAt,
      verified: entry !== undefined,
    };
  }
}

function pathOf(id: string): string {
  return `/v1/connections/${encodeURIComponent(id)}`;
}

function isConflict(error: unknown): boolean {
  return error instanceof VaultError && error.code === 'manifest_conflict';
}
