import { beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene, type LedgerScene } from '../../test/harness/ledger.ts';
import type { HoldRequest, Permission } from './ledger.ts';
import { keySeal } from './seal-store.ts';

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
    await scene.database.sql`
      insert into provider_keys (id, user_id, provider, origin, version, is_default, item, dek_vault, created_at)
      values (${scene.keyId}, ${scene.userId}, 'openai', 'https://api.openai.com', 1, true, ${Buffer.from('item')},
        ${Buffer.from('dek')}, now())`;
  });

  /** Makes calls that are decided by one statement: they arrive while another is on its way. */
  async function atOnce(grantee: Permission, calls: readonly Partial<HoldRequest>[]): Promise<unknown[]> {
    await scene.hold(grantee, 0n);
    const first = scene.hold(grantee, 0n);
    const rest = calls.map((changes) => codeOf(scene.ledger.hold(scene.request(grantee, cent, changes))));
    await first;
    return await Promise.all(rest);
  }

  test('a call that was checked against what no longer is gets nothing, whoever shares its statement', async () => {
    const grantee = await scene.permission();
    const stale = { grantee: { ...grantee, seal: '00' } };
    const outcomes = await atOnce(grantee, [stale, {}, stale]);
    expect(outcomes).toEqual(['connection_changed', 'granted', 'connection_changed']);
    expect((await scene.state(grantee)).held).toBe(cent);
  });

  test('nor does one whose key was changed, beside others of the same connection', async () => {
    const grantee = await scene.permission();
    const { sql } = scene.database;
    const [key] = await sql<{ seal: string }[]>`
      select ${keySeal(sql)} as seal from provider_keys where id = ${scene.keyId}`;
    const fresh = { keySeal: key?.seal ?? '' };
    const stale = { keySeal: '00' };
    const gone = { keyId: crypto.randomUUID(), ...fresh };
    const outcomes = await atOnce(grantee, [fresh, stale, gone, {}]);
    expect(outcomes).toEqual(['granted', 'connection_changed', 'connection_changed', 'granted']);
    expect((await scene.state(grantee)).held).toBe(2n * cent);
  });
});
