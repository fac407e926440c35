import { expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { openLedgerScene } from '../../test/harness/ledger.ts';

eachDatabase((_kind, open) => {
  test('two grants have another seal than one whose provider is named like both', async () => {
    const scene = await openLedgerScene(open);
    const { sql } = scene.database;
    const { connectionId } = await scene.permission();
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    for (const id of [first, second]) {
      await sql`
        insert into provider_keys (id, user_id, provider, origin, version, is_default, item, dek_vault, created_at)
        values (${id}, ${scene.userId}, 'openai', 'https://api.openai.com', 1, false, 'item', 'wrap', now())`;
    }
    await sql`
      insert into grants (connection_id, provider, key_id, version, sealed_dek)
      values (${connectionId}, 'anthropic', ${first}, 1, '\\xaa'), (${connectionId}, 'openai', ${second}, 1, '\\xbb')`;
    const seal = await scene.sealOf(connectionId);
    await sql`delete from grants where provider = 'anthropic'`;
    await sql`update grants set provider = ${`anthropic.${first}.1.aa.openai`}`;
    expect(await scene.sealOf(connectionId)).not.toBe(seal);
  });
});
