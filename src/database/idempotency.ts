import { sha256, utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import type { Sql, Tx } from './connect.ts';

/** A POST that must not happen twice: who sent it, under which `Idempotency-Key`, with which body. */
export interface Repeatable {
  readonly caller: string;
  readonly key: string | null;
  readonly body: unknown;
}

/**
 * Notes that a creation that shows a secret has happened, in its own transaction. A repeat cannot show the secret
 * again, so it is told the id: 409 `already_created`; with another body 409 `idempotency_mismatch`.
 */
export async function insertCreation(tx: Tx, request: Repeatable, resultId: string, now: Date): Promise<void> {
  if (request.key === null) return;
  const { caller, keyHash, bodyHash } = await digests(request, request.key);
  const inserted = await tx`
    insert into idempotency_keys (caller, key_hash, body_hash, state, result_id, created_at)
    values (${caller}, ${keyHash}, ${bodyHash}, 'done', ${resultId}, ${now})
    on conflict (caller, key_hash) do nothing returning key_hash`;
  if (inserted.length === 1) return;
  const [earlier] = await tx<{ isSame: boolean; resultId: string }[]>`
    select body_hash = ${bodyHash} as is_same, result_id from idempotency_keys
    where caller = ${caller} and key_hash = ${keyHash}`;
  if (earlier?.isSame !== true) throw idempotencyMismatch();
  throw new KeyPassError(
    'already_created',
    'This was created by an earlier request with the same Idempotency-Key; its secret was shown then.',
    {
      details: { id: earlier.resultId },
    },
  );
}

export async function deleteOldCreations(sql: Sql | Tx, before: Date): Promise<void> {
  await sql`delete from idempotency_keys where created_at < ${before}`;
}

/** Only hashes are kept: a key or a body can hold anything. */
export async function digests(request: Repeatable, key: string) {
  return {
    caller: await sha256(utf8(request.caller)),
    keyHash: await sha256(utf8(key)),
    bodyHash: await sha256(utf8(JSON.stringify(request.body))),
  };
}

export function idempotencyMismatch(): KeyPassError {
  return new KeyPassError(
    'idempotency_mismatch',
    'This Idempotency-Key was used with another body. Make a new key for a new request.',
    {
      param: 'idempotency-key',
    },
  );
}
