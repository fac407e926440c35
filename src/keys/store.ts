import type { Sql, Tx } from '../database/connect.ts';
import type { PageRequest } from '../http/pages.ts';

export interface KeyRow {
  id: string;
  userId: string;
  provider: string;
  origin: string;
  version: bigint;
  isDefault: boolean;
  item: Uint8Array<ArrayBuffer>;
  dekVault: Uint8Array<ArrayBuffer>;
  createdAt: Date;
  lastUsedAt: Date | null;
  /** All three or none. */
  refusedAt: Date | null;
  refusedStatus: number | null;
  refusedVerdict: 'rejected' | 'restricted' | null;
}

export async function listKeys(sql: Sql | Tx, userId: string, { limit, after }: PageRequest) {
  return sql<(KeyRow & { connectionCount: bigint })[]>`
    select id, user_id, provider, origin, version, is_default, item, dek_vault, created_at, last_used_at,
      refused_at, refused_status, refused_verdict,
      (select count(*) from grants where key_id = provider_keys.id) as connection_count
    from provider_keys
    where user_id = ${userId}
      and (${after === null} or (created_at, id) > (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by created_at, id limit ${limit + 1}`;
}

/** The user's keys of these ids, locked against replacement until the transaction ends. */
export async function listKeysForShare(tx: Tx, userId: string, ids: readonly string[]) {
  return tx<Pick<KeyRow, 'id' | 'provider' | 'version'>[]>`
    select id, provider, version from provider_keys
    where user_id = ${userId} and id = any(${[...ids]}::uuid[]) order by id for share`;
}

/** A key as a client sealed it. */
type SealedKey = Pick<KeyRow, 'id' | 'userId' | 'provider' | 'origin'> & { item: Uint8Array; dekVault: Uint8Array };

export async function insertKey(tx: Tx, key: SealedKey & Pick<KeyRow, 'isDefault' | 'createdAt'>): Promise<void> {
  await tx`
    insert into provider_keys (id, user_id, provider, origin, version, is_default, item, dek_vault, created_at)
    values (${key.id}, ${key.userId}, ${key.provider}, ${key.origin}, 1, ${key.isDefault}, ${key.item}, ${key.dekVault},
      ${key.createdAt})`;
}

/** Takes the default away from the provider's other keys; answers whether there was one. */
export async function updateDefaultKey(tx: Tx, userId: string, provider: string, isWanted: boolean): Promise<boolean> {
  const rows = isWanted
    ? await tx`update provider_keys set is_default = false
        where user_id = ${userId} and provider = ${provider} and is_default returning id`
    : await tx`select id from provider_keys where user_id = ${userId} and provider = ${provider} and is_default`;
  return rows.length > 0;
}

export async function updateKeyVersion(tx: Tx, key: SealedKey, baseVersion: number): Promise<boolean> {
  const rows = await tx`
    update provider_keys set version = version + 1, origin = ${key.origin}, item = ${key.item}, dek_vault = ${key.dekVault},
      refused_at = null, refused_status = null, refused_verdict = null
    where id = ${key.id} and user_id = ${key.userId} and provider = ${key.provider} and version = ${baseVersion}
    returning id`;
  return rows.length === 1;
}

export async function hasKey(tx: Tx, userId: string, provider: string, id: string): Promise<boolean> {
  const rows = await tx`
    select id from provider_keys where id = ${id} and user_id = ${userId} and provider = ${provider}`;
  return rows.length === 1;
}

/**
 * Deletes one key, or all of a provider; answers which connections used one. Their grants go with them, and their connections' own rows
 * say so: a hold that waited for that sees it.
 */
export async function deleteKeys(tx: Tx, userId: string, provider: string, id: string | null) {
  const users = await tx<{ id: string }[]>`
    update connections set grants_revision = grants_revision + 1
    where id in (select connection_id from grants join provider_keys on provider_keys.id = key_id
      where user_id = ${userId} and provider_keys.provider = ${provider}
        and (${id}::uuid is null or provider_keys.id = ${id}::uuid))
    returning id`;
  const rows = await tx`
    delete from provider_keys
    where user_id = ${userId} and provider = ${provider} and (${id}::uuid is null or id = ${id}::uuid) returning id`;
  return { count: rows.length, connectionIds: users.map((user) => user.id) };
}

/** The oldest key of a provider becomes its default when none is. */
export async function updateMissingDefault(tx: Tx, userId: string, provider: string): Promise<void> {
  await tx`
    update provider_keys set is_default = true
    where id = (select id from provider_keys where user_id = ${userId} and provider = ${provider}
        order by created_at, id limit 1)
      and not exists (select from provider_keys where user_id = ${userId} and provider = ${provider} and is_default)`;
}

/** A version of a key, as a call was made with it. */
type KeyVersion = Readonly<{ keyId: string; keyVersion: number }>;

/** Since when the provider refuses a key: the first time counts, until it is taken again or turns out to be dead. */
export async function updateKeyRefused(
  sql: Sql | Tx,
  { keyId, keyVersion }: KeyVersion,
  refusal: { at: Date; status: number; verdict: 'rejected' | 'restricted' },
): Promise<void> {
  await sql`
    update provider_keys
    set refused_at = ${refusal.at}, refused_status = ${refusal.status}, refused_verdict = ${refusal.verdict}
    where id = ${keyId} and version = ${keyVersion}
      and (refused_at is null or (refused_verdict = 'restricted' and ${refusal.verdict}::text = 'rejected'))`;
}

export async function updateKeyTaken(sql: Sql | Tx, { keyId, keyVersion }: KeyVersion): Promise<void> {
  await sql`
    update provider_keys set refused_at = null, refused_status = null, refused_verdict = null
    where id = ${keyId} and version = ${keyVersion} and refused_at is not null`;
}

/** The owner has seen that the key is good; answers whether there is such a key. */
export async function updateKeySeenTo(sql: Sql | Tx, userId: string, provider: string, id: string): Promise<boolean> {
  const rows = await sql`
    update provider_keys set refused_at = null, refused_status = null, refused_verdict = null
    where id = ${id} and user_id = ${userId} and provider = ${provider} returning id`;
  return rows.length === 1;
}
