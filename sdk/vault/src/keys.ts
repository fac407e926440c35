import { newUuid } from '../../../src/crypto/index.ts';
import type { KeyVerdict } from '../../../src/providers/verdict.ts';
import { text } from './answer.ts';
import { normaliseSecret } from './detect.ts';
import { VaultError, VaultTamperedError } from './errors.ts';
import { openConnection, sealGrant } from './grants.ts';
import { fetchConnections, loadConnection } from './connection-rows.ts';
import { askDirectly, canAskDirectly } from './key-checks.ts';
import { keyOf, type KeyItem, type KeyRow, loadKeys, openItem, type ProviderRefusal, sealKey } from './key-rows.ts';
import type { Keyring } from './keyring.ts';
import { withKey, withoutKeys } from './manifest.ts';
import { listProviders, type Provider, providerFor } from './providers.ts';

const attempts = 4;

/** A provider key as the owner sees it in a list. */
export interface Key {
  id: string;
  provider: string;
  /** Where the key is sent, as sealed into it. */
  origin: string;
  version: number;
  /** Whether it is preselected for its provider. */
  isDefault: boolean;
  label: string;
  /** The last four characters, or '' for a short key. */
  hint: string;
  connectionCount: number;
  /** RFC 3339, UTC. */
  createdAt: string;
  lastUsedAt: string | null;
  /** As long as the provider refuses it. */
  refusal: ProviderRefusal | null;
}

/**
 * Who asks a provider about a key. `browser`: this client itself, so that nobody else sees the key; only where
 * `Provider.asksDirectly`. `server`: KeyPass, which sees the key for this one call. Ask its owner first.
 */
export type CheckedBy = 'browser' | 'server';

/** What is stored for a provider that takes no key: a grant is sealed to a key, and this one is never sent. */
const noKey = 'no-key';

export interface NewKey {
  provider: string;
  /** Left out only where the provider takes none (`Provider.needsKey`). */
  secret?: string;
  label?: string;
  headers?: Readonly<Record<string, string>>;
  isDefault?: boolean;
  /** Where calls with this key must go: what the owner was shown. Without it, wherever the server sends them. */
  origin?: string;
}

/** The provider keys of a vault. */
export class Keys {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** The providers of this server, with what their keys look like. */
  providers(): Promise<Provider[]> {
    return listProviders(this.#keyring.transport);
  }

  /** All keys. Throws VaultTamperedError if the server's rows are not those that the owner sealed. */
  async list(): Promise<Key[]> {
    const rows = await loadKeys(this.#keyring);
    return Promise.all(rows.map(async (row) => shown(row, await openItem(this.#keyring, row))));
  }

  /** Seals a key and stores it. Throws KeyRefusedError, OriginDiffersError. */
  async add(key: NewKey): Promise<{ id: string; provider: string }> {
    const { provider } = key;
    const given = key.secret === undefined ? undefined : normaliseSecret(key.secret);
    const { origin, needsKey } = await providerFor(this.#keyring.transport, provider, key.origin);
    const secret = given ?? (needsKey ? normaliseSecret('') : noKey);
    const row = { id: newUuid(), provider, origin, version: 1 };
    const item = { secret, label: key.label ?? '', headers: key.headers ?? {} };
    await sealKey(this.#keyring, row, item, ({ hash, ...sealed }) =>
      this.#keyring.write(
        (manifest) => withKey(manifest, { id: row.id, provider, version: 1, hash }),
        (write) => {
          const isDefault = key.isDefault === undefined ? {} : { isDefault: key.isDefault };
          return this.#keyring.transport.request('POST', '/v1/keys', {
            body: { ...row, ...sealed, ...isDefault, ...write },
          });
        },
      ),
    );
    return { id: row.id, provider };
  }

  /**
   * Whether a provider takes a key, stored or not: one cheap call that bills nothing. Throws KeyRefusedError,
   * OriginDiffersError, `too_many_attempts`.
   */
  async check(key: Omit<NewKey, 'label' | 'isDefault'>, by: CheckedBy): Promise<KeyVerdict> {
    const { transport } = this.#keyring;
    const { provider, headers } = key;
    const secret = normaliseSecret(key.secret ?? '');
    const { origin } = await providerFor(transport, provider, key.origin);
    if (by === 'server') {
      const body = { provider, secret, ...(headers === undefined ? {} : { headers }) };
      return verdictIn(text(await transport.fields('POST', '/v1/keys/check', { body }), 'verdict'));
    }
    if (!canAskDirectly(provider, origin)) {
      throw new VaultError('invalid_request', 'This provider does not let browsers ask.', { param: 'by' });
    }
    return askDirectly(transport, provider, secret);
  }

  /** The same for a stored key. Where it works, the mark of a refusal is taken away. Throws `key_not_found`. */
  async checkStored(id: string, by: CheckedBy): Promise<KeyVerdict> {
    const row = keyOf(await loadKeys(this.#keyring), id);
    const { secret, headers } = await openItem(this.#keyring, row);
    const { provider, origin } = row;
    const verdict = await this.check({ provider, secret, headers, origin }, by);
    if (verdict === 'works' && row.refusal !== null) {
      const path = `/v1/keys/${encodeURIComponent(provider)}/${encodeURIComponent(id)}/refusal`;
      await this.#keyring.transport.request('DELETE', path);
    }
    return verdict;
  }

  /** The key itself. Throws `key_not_found`. */
  async reveal(id: string): Promise<string> {
    const row = keyOf(await loadKeys(this.#keyring), id);
    return (await openItem(this.#keyring, row)).secret;
  }

  /**
   * A new secret under the same id: every connection that uses the key goes on with it, without its app. A connection
   * whose rows were tampered with gets nothing: VaultTamperedError names it; repeat with its id in `drop` to replace the
   * key for all others and take it from that one.
   */
  async replace(
    id: string,
    secret: string,
    options: { drop?: readonly string[]; label?: string; origin?: string } = {},
  ): Promise<{ version: number }> {
    const normal = normaliseSecret(secret);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#replaceOnce(id, normal, options);
      } catch (error) {
        if (attempt === attempts || !isStale(error)) throw error;
      }
    }
  }

  /** Removes one key, or all keys of a provider. Connections that used it wait until the owner chooses another. */
  async remove(provider: string, id?: string): Promise<void> {
    const path = `/v1/keys/${encodeURIComponent(provider)}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;
    await this.#keyring.write(
      (manifest) => withoutKeys(manifest, provider, id),
      (write) => this.#keyring.transport.request('DELETE', path, { body: write }),
    );
  }

  async #replaceOnce(
    id: string,
    secret: string,
    { drop = [], label, origin: expected }: { drop?: readonly string[]; label?: string; origin?: string },
  ): Promise<{ version: number }> {
    const { transport } = this.#keyring;
    const row = keyOf(await loadKeys(this.#keyring), id);
    const old = await openItem(this.#keyring, row);
    // The origin that the owner once agreed to needs no second question while the server still uses it.
    const { origin } = await providerFor(transport, row.provider, expected ?? row.origin);
    const next = { id, provider: row.provider, origin, version: row.version + 1 };
    const item = { ...old, secret, label: label ?? old.label };
    return sealKey(this.#keyring, next, item, async ({ hash, ...sealed }, dek) => {
      const grants = await this.#regrant(next, dek, drop);
      const body = { baseVersion: row.version, origin, ...sealed, grants, drop };
      const path = `/v1/keys/${encodeURIComponent(row.provider)}/${encodeURIComponent(id)}`;
      await this.#keyring.write(
        (manifest) => withKey(manifest, { id, provider: row.provider, version: next.version, hash }),
        (write) => transport.request('PUT', path, { body: { ...body, ...write } }),
      );
      return { version: next.version };
    });
  }

  /**
   * The new data key for every connection that has the old one, each under the policy that its current grant proves. All
   * that fail are named in one VaultTamperedError.
   */
  async #regrant(key: Pick<KeyRow, 'id' | 'version'>, dek: Uint8Array, drop: readonly string[]) {
    const tampered: string[] = [];
    const grants: { connectionId: string; revision: number; grant: string }[] = [];
    for (const { id, status } of await fetchConnections(this.#keyring.transport)) {
      if (status === 'revoked' || drop.includes(id)) continue;
      try {
        const row = await loadConnection(this.#keyring, id);
        if (!row.grants.some(({ keyId }) => keyId === key.id)) continue;
        const connection = await openConnection(this.#keyring, row);
        const { grant } = await sealGrant(this.#keyring, connection, connection.policyHash, key, dek);
        grants.push({ connectionId: id, revision: connection.policy.revision, grant });
      } catch (error) {
        if (!(error instanceof VaultTamperedError) || error.part !== 'connection') throw error;
        tampered.push(id);
      }
    }
    if (tampered.length === 0) return grants;
    const message = 'Connections are not as their owner approved them: their key was not given the new secret.';
    throw new VaultTamperedError('connection', message, tampered);
  }
}

function verdictIn(verdict: string): KeyVerdict {
  return verdict === 'works' || verdict === 'rejected' || verdict === 'restricted' ? verdict : 'unknown';
}

function isStale(error: unknown): boolean {
  return (
    error instanceof VaultError &&
    ['key_changed', 'connections_changed', 'connection_not_found', 'connection_revoked'].includes(error.code)
  );
}

function shown(row: KeyRow, { label, secret }: KeyItem): Key {
  const { id, provider, origin, version, isDefault, connectionCount, createdAt, lastUsedAt, refusal } = row;
  const hint = secret.length < 20 ? '' : secret.slice(-4);
  return { id, provider, origin, version, isDefault, label, hint, connectionCount, createdAt, lastUsedAt, refusal };
}
