import type { Sql, Tx } from '../database/connect.ts';

/**
 * A digest, in hex, of every stored byte that opening a connection rests on. Whoever has opened it once may go on with
 * what was opened for as long as this stays the same: any edit of these rows, by whomever, shows. Hex and decimal texts
 * joined by dots, so that no bytes can move from one member to the next.
 */
export function connectionSeal(sql: Sql | Tx) {
  return sql`encode(sha256(convert_to(concat_ws('.', connections.id, connections.user_id,
    coalesce(connections.app_id::text, '-'), connections.generation, connections.revision,
    connections.grants_revision, coalesce(connections.epoch, 0), coalesce(encode(connections.token_lookup, 'hex'), '-'),
    coalesce(encode(connections.ck_token, 'hex'), '-'), encode(connections.policy, 'hex'),
    encode(connections.policy_hash, 'hex'),
    (select string_agg(concat_ws('.', encode(convert_to(grants.provider, 'UTF8'), 'hex'), grants.key_id, grants.version,
      encode(grants.sealed_dek, 'hex')), '.' order by grants.provider)
    from grants where grants.connection_id = connections.id)), 'UTF8')), 'hex')`;
}

/** The same for a provider key. */
export function keySeal(sql: Sql | Tx) {
  return sql`encode(sha256(convert_to(concat_ws('.', provider_keys.id, provider_keys.user_id,
    encode(convert_to(provider_keys.provider, 'UTF8'), 'hex'),
    encode(convert_to(provider_keys.origin, 'UTF8'), 'hex'), provider_keys.version, encode(provider_keys.item, 'hex')),
    'UTF8')), 'hex')`;
}
