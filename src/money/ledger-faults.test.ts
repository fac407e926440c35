import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
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

  /** Time passes for those who say that they live: the database's clock can't be moved, so what they said is moved back. */
  const silent = (seconds: number) =>
    scene.database.sql`update instances set heartbeat_at = heartbeat_at - make_interval(secs => ${seconds})`;

  /** A hold of an instance that was alive when it took it. */
  async function orphan(grantee: Permission) {
    const dead = scene.newLedger();
    const stop = await dead.start();
    const running = await dead.hold(scene.request(grantee, 5n * cent));
    await stop();
    return { dead, running };
  }

  describe('an instance that dies', () => {
    test('its calls are charged at their holds, once, by whoever comes first', async () => {
      const grantee = await scene.permission();
      await orphan(grantee);
      await silent(29);
      await scene.ledger.resolveOrphans();
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 5n * cent });
      await silent(2);
      await Promise.all(
        [scene.newLedger(), scene.newLedger(), scene.ledger].map((instance) => instance.resolveOrphans()),
      );
      expect(await scene.receipts(grantee)).toEqual([
        { cost: 5n * cent, flags: ['instance_lost'], quality: 'unknown' },
      ]);
      expect(await scene.state(grantee)).toEqual({ spent: 5n * cent, held: 0n });
    });

    test('and the server that finds them a month later starts', async () => {
      const grantee = await scene.permission({ period: 'total' });
      const before = scene.time;
      await scene.newLedger().hold(scene.request(grantee, 5n * cent));
      scene.time = new Date(before.getTime() + 25 * 24 * 3_600_000);
      await scene.newLedger({ isAlone: true }).resolveOrphans();
      scene.time = before;
      expect(await scene.state(grantee)).toEqual({ spent: 5n * cent, held: 0n });
    });

    test('a late settlement takes the place of that charge, once', async () => {
      const grantee = await scene.permission();
      const { dead, running } = await orphan(grantee);
      await silent(31);
      await scene.ledger.resolveOrphans();
      await dead.settle(running, settlement);
      await dead.settle(running, { ...settlement, cost: 4n * cent });
      expect(await scene.receipts(grantee)).toEqual([{ cost: cent, flags: [], quality: 'measured' }]);
      expect(await scene.state(grantee)).toEqual({ spent: cent, held: 0n });
    });

    test('a late release of a call that never left gives the charge back', async () => {
      const grantee = await scene.permission();
      const { dead, running } = await orphan(grantee);
      await silent(31);
      await scene.ledger.resolveOrphans();
      await dead.release(running);
      expect(await scene.receipts(grantee)).toEqual([{ cost: 0n, flags: ['not_dispatched'], quality: 'measured' }]);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 0n });
    });

    test('the calls of one that lives are left alone, however long they run', async () => {
      const grantee = await scene.permission();
      const alive = scene.newLedger();
      await (
        await alive.start()
      )();
      await alive.hold(scene.request(grantee, cent));
      await silent(3_600);
      const stop = await alive.start();
      await scene.ledger.resolveOrphans();
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: cent });
      await stop();
    });
  });

  describe('a database that is away', () => {
    test('a settlement is written when it is back, and the hold stays until then', async () => {
      const grantee = await scene.permission();
      let isAway = false;
      const shaky = scene.newLedger({ database: scene.unreliable(() => isAway, false), onFault: () => undefined });
      const stop = await shaky.start();
      const running = await shaky.hold(scene.request(grantee, 5n * cent));
      isAway = true;
      await shaky.settle(running, settlement);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 5n * cent });
      isAway = false;
      await stop();
      expect(await scene.state(grantee)).toEqual({ spent: cent, held: 0n });
    });

    test('a hold whose answer was lost is given back: its call was never dispatched', async () => {
      const grantee = await scene.permission();
      await scene.hold(grantee, 0n);
      let isAway = false;
      const shaky = scene.newLedger({ database: scene.unreliable(() => isAway, true), onFault: () => undefined });
      const stop = await shaky.start();
      isAway = true;
      expect(await shaky.hold(scene.request(grantee, 5n * cent)).catch((error: unknown) => error)).toBeInstanceOf(
        Error,
      );
      expect((await scene.state(grantee)).held).toBe(5n * cent);
      isAway = false;
      await stop();
      expect((await scene.state(grantee)).held).toBe(0n);
    });
  });
});
