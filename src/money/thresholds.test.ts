import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';
import type { Permission } from './ledger.ts';

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
  });

  afterAll(() => {
    expect(scene.faults).toEqual([]);
  });

  const told = async ({ connectionId }: Permission) =>
    scene.database.sql`
        select type, data from events where connection_id = ${connectionId} order by (data ->> 'threshold')::integer`;

  async function spend(grantee: Permission, cents: bigint): Promise<void> {
    await scene.ledger.settle(await scene.hold(grantee, cents * cent), { ...settlement, cost: cents * cent });
  }

  async function app(webhookUrl: string | null): Promise<string> {
    const id = crypto.randomUUID();
    await scene.database.sql`
        insert into apps (id, user_id, name, client_id, allowed_origins, redirect_uris, webhook_url, created_at)
        values (${id}, ${scene.userId}, 'Notes', ${id}, '{}', '{}', ${webhookUrl}, ${scene.time})`;
    return id;
  }

  test('an app with a webhook is told once each, and again after the budget was raised', async () => {
    const grantee = await scene.permission({ budgetCents: 100 }, await app('https://app.example/hook'));
    const told50 = { threshold: 50, spent: '0.5', budgetCents: 100, resetsAt: '2026-12-01T00:00:00.000Z' };
    await spend(grantee, 49n);
    expect(await told(grantee)).toHaveLength(0);
    await spend(grantee, 1n);
    await spend(grantee, 1n);
    expect([...(await told(grantee))]).toEqual([{ type: 'budget.threshold', data: told50 }]);
    await Promise.all([spend(grantee, 24n), spend(grantee, 24n)]);
    await spend(grantee, 1n);
    expect((await told(grantee)).map(({ data }) => data.threshold)).toEqual([50, 80, 100]);
    await spend({ ...grantee, policy: { ...grantee.policy, budgetCents: 400 } }, 1n);
    await spend({ ...grantee, policy: { ...grantee.policy, budgetCents: 400 } }, 100n);
    expect((await told(grantee)).map(({ data }) => data.threshold)).toEqual([50, 50, 80, 100]);
  });

  test('nobody is told who has no webhook, and none of a budget of nothing', async () => {
    const silent = await scene.permission({ budgetCents: 10 }, await app(null));
    const personal = await scene.permission({ budgetCents: 10 });
    const empty = await scene.permission({ budgetCents: 0 }, await app('https://app.example/hook'));
    for (const grantee of [silent, personal]) await spend(grantee, 10n);
    await scene.ledger.settle(await scene.hold(empty, 0n), { ...settlement, cost: 0n });
    for (const grantee of [silent, personal, empty]) expect(await told(grantee)).toHaveLength(0);
  });
});
