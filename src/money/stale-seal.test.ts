import { expect, test, describe } from 'bun:test';
import { openTestDatabase } from '../../test/harness/databases.ts';
import { updateGrantsRevision } from '../connections/store.ts';
import { cent, codeOf, openLedgerScene } from '../../test/harness/ledger.ts';
import { hasPostgres } from '../../test/harness/postgres.ts';

describe.skipIf(!hasPostgres)('postgres', () => {
  /** `replaceKey` locks the connections of a key and changes or drops their grants: their own rows stay as they are. */
  test('a hold that waited for a grant to be dropped is not given', async () => {
    const scene = await openLedgerScene(() => openTestDatabase('postgres'));
    const { sql } = scene.database;
    const grantee = await scene.permission();
    const { connectionId } = grantee;
    await sql`
      insert into provider_keys (id, user_id, provider, origin, version, is_default, item, dek_vault, created_at)
      values (${scene.keyId}, ${scene.userId}, 'openai', 'https://api.openai.com', 1, true, ${Buffer.from('item')},
        ${Buffer.from('dek')}, now())`;
    await sql`insert into grants values (${connectionId}, 'openai', ${scene.keyId}, 1, ${Buffer.from('dek')})`;
    const current = { ...grantee, seal: await scene.sealOf(connectionId) };
    await scene.hold(current, 0n);
    const isWaiting = async () => {
      const [row] = await sql<{ waiting: number }[]>`
        select count(*)::integer as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return (row?.waiting ?? 0) > 0;
    };
    const { asked } = await scene.database.begin(async (tx) => {
      await tx`select id from connections where id = ${connectionId} for update`;
      await tx`delete from grants where connection_id = ${connectionId}`;
      await updateGrantsRevision(tx, [connectionId]);
      const waiting = codeOf(scene.hold(current, cent));
      while (!(await isWaiting())) await new Promise((resolve) => setTimeout(resolve, 5));
      return { asked: { waiting } };
    });
    expect(await asked.waiting).toBe('connection_changed');
    await scene.database.close();
  });
});
