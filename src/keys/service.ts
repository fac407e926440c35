import { manifestConflict, type Accounts } from '../accounts/service.ts';
import type { OptionalManifestWrite } from '../accounts/model.ts';
import type { Clock } from '../clock.ts';
import { toBase64Url } from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import { isUniqueViolation } from '../database/violations.ts';
import { insertCreation } from '../database/idempotency.ts';
import { KeyPassError } from '../errors.ts';
import { pageOf, type PageRequest } from '../http/pages.ts';
import type { Catalogue } from '../providers/index.ts';
import type { KeyReplacementInput, NewKeyInput } from './model.ts';
import * as store from './store.ts';

interface Parts {
  database: Database;
  accounts: Accounts;
  clock: Clock;
  providers: Catalogue;
}

/** The vault's items: ciphertext and metadata, which the server keeps and cannot read. */
export class Keys {
  readonly #database: Database;
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #providers: Catalogue;

  constructor(parts: Parts) {
    this.#database = parts.database;
    this.#accounts = parts.accounts;
    this.#clock = parts.clock;
    this.#providers = parts.providers;
  }

  async list(userId: string, page: PageRequest) {
    const rows = await store.listKeys(this.#database.sql, userId, page);
    return pageOf(
      rows,
      page.limit,
      (row) => ({ at: row.createdAt, id: row.id }),
      (row) => row,
    );
  }

  async add(userId: string, input: NewKeyInput, idempotencyKey: string | null): Promise<void> {
    if (!this.#providers.has(input.provider)) throw providerUnknown();
    refuseMalformedOrigin(input.origin);
    await this.#database.begin(async (tx) => {
      const repeatable = { caller: `key of ${userId}`, key: idempotencyKey, body: describe(input) };
      await insertCreation(tx, repeatable, input.id, this.#clock.now());
      const hadDefault = await store.updateDefaultKey(tx, userId, input.provider, input.isDefault === true);
      const isDefault = input.isDefault === true || !hadDefault;
      const { id, provider, origin, item, dekVault } = input;
      await insertKey(tx, { id, userId, provider, origin, isDefault, item, dekVault, createdAt: this.#clock.now() });
      await this.#accounts.writeManifest(tx, userId, input);
    });
  }

  /** The next version of a key, as a part of one transaction with its re-sealed grants. */
  async replace(tx: Tx, userId: string, provider: string, id: string, input: KeyReplacementInput): Promise<void> {
    if (!(await store.hasKey(tx, userId, provider, id))) throw keyNotFound();
    const { origin, item, dekVault } = input;
    refuseMalformedOrigin(origin);
    if (!(await store.updateKeyVersion(tx, { id, userId, provider, origin, item, dekVault }, input.baseVersion))) {
      throw new KeyPassError('key_changed', 'The key was replaced by another client. Read it again.', {
        param: 'baseVersion',
      });
    }
  }

  /**
   * Removes one key, or all of the provider. Connections that used one answer `key_missing` until another is chosen: these
   * are answered.
   */
  async remove(
    userId: string,
    provider: string,
    id: string | null,
    manifest?: OptionalManifestWrite,
  ): Promise<readonly string[]> {
    return this.#database.begin(async (tx) => {
      const { count, connectionIds } = await store.deleteKeys(tx, userId, provider, id);
      if (count === 0) throw keyNotFound();
      await store.updateMissingDefault(tx, userId, provider);
      await this.#accounts.writeOptionalManifest(tx, userId, manifest);
      return connectionIds;
    });
  }

  /** Provider and version of the user's keys of these ids; they stay as they are until the transaction ends. */
  async lock(
    tx: Tx,
    userId: string,
    ids: readonly string[],
  ): Promise<Map<string, { provider: string; version: number }>> {
    const rows = await store.listKeysForShare(tx, userId, ids);
    return new Map(rows.map((row) => [row.id, { provider: row.provider, version: Number(row.version) }]));
  }
}

async function insertKey(tx: Tx, key: Parameters<typeof store.insertKey>[1]): Promise<void> {
  try {
    await store.insertKey(tx, key);
  } catch (error) {
    if (isUniqueViolation(error, 'provider_keys_pkey'))
      throw new KeyPassError('id_taken', 'This id is taken. Make a new one.', { param: 'id' });
    // Two first keys of a provider at once: the other one has become the default.
    if (isUniqueViolation(error, 'provider_keys_default')) throw manifestConflict();
    throw error;
  }
}

function providerUnknown(): KeyPassError {
  const message = 'KeyPass does not know this provider. GET /v1/providers lists those it knows.';
  return new KeyPassError('provider_unknown', message, { param: 'provider' });
}

function refuseMalformedOrigin(origin: string): void {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return;
  const message =
    'Expected the origin that the key is sealed for, such as https://api.openai.com, with nothing after it.';
  throw new KeyPassError('invalid_request', message, { param: 'origin' });
}

export function keyNotFound(): KeyPassError {
  return new KeyPassError('key_not_found', 'There is no such key in this vault.');
}

/** The body of a creation without its manifest, which a client that repeats itself seals anew. */
function describe({ id, provider, origin, item }: NewKeyInput) {
  return { id, provider, origin, item: toBase64Url(item) };
}
