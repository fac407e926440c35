import { beforeAll, describe, expect, spyOn, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';
import { noTokens, soundUsage } from './usage.ts';

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
  });

  /** `Proxy.callAs` makes a call again under its id, after it has released the first hold of that id. */
  test('a release whose answer was lost does not end a second hold of the same call', async () => {
    const grantee = await scene.permission();
    await scene.hold(grantee, 0n);
    let isAway = false;
    const shaky = scene.newLedger({ database: scene.unreliable(() => isAway, true), onFault: () => undefined });
    const stop = await shaky.start();
    const request = scene.request(grantee, 5n * cent);
    const first = await shaky.hold(request);
    isAway = true;
    await shaky.release(first);
    isAway = false;
    // What the first one has left behind is given back before.
    expect(await codeOf(shaky.hold(request))).toBe('database_unavailable');
    await stop();
    expect((await scene.state(grantee)).held).toBe(0n);
    const second = await shaky.hold(request);
    await shaky.settle(second, settlement);
    expect(await scene.receipts(grantee)).toEqual([{ cost: cent, flags: [], quality: 'measured' }]);
  });

  test('a hold that comes about half a minute after its answer was lost is given back', async () => {
    const grantee = await scene.permission();
    await scene.hold(grantee, 0n);
    let isAway = true;
    const shaky = scene.newLedger({ database: scene.unreliable(() => isAway, false), onFault: () => undefined });
    const request = scene.request(grantee, cent);
    expect(await codeOf(shaky.hold(request))).toBeInstanceOf(Error);
    isAway = false;
    const later = performance.now() + 30_000;
    const clock = spyOn(performance, 'now').mockImplementation(() => later);
    const stop = await shaky.start();
    // Its statement waited behind another, and is carried out now.
    await scene.ledger.hold(request);
    await stop();
    clock.mockRestore();
    expect((await scene.state(grantee)).held).toBe(0n);
  });

  test('a call that ends twice in one batch is booked once', async () => {
    const grantee = await scene.permission();
    const hold = await scene.hold(grantee, 2n * cent);
    await Promise.all([scene.ledger.settle(hold, settlement), scene.ledger.settle(hold, settlement)]);
    await Promise.all([scene.ledger.settle(hold, settlement), scene.ledger.release(hold)]);
    expect(await scene.state(grantee)).toEqual({ spent: cent, held: 0n });
    expect(await scene.receipts(grantee)).toHaveLength(1);
  });

  describe('an end that the database refuses for its values', () => {
    test('more searches than there can be are not believed', () => {
      expect(soundUsage({ ...noTokens, fees: { webSearch: 1_000_000 }, raw: {} })).toBeDefined();
      expect(soundUsage({ ...noTokens, fees: { webSearch: 1_000_001 }, raw: {} })).toBeUndefined();
    });

    test('a cost beyond every budget is booked as the largest budget', async () => {
      const grantee = await scene.permission();
      await scene.ledger.settle(await scene.hold(grantee, cent), { ...settlement, cost: 2n ** 63n });
      expect(await scene.state(grantee)).toEqual({ spent: 100_000_000n * cent, held: 0n });
    });

    test('it keeps no other from being booked when the database is back', async () => {
      const [refused, sound] = [await scene.permission(), await scene.permission()];
      let isAway = false;
      const shaky = scene.newLedger({ database: scene.unreliable(() => isAway, false), onFault: () => undefined });
      const stop = await shaky.start();
      const [first, second] = [
        await shaky.hold(scene.request(refused, cent)),
        await shaky.hold(scene.request(sound, cent)),
      ];
      await shaky.settle(first, { ...settlement, servedModel: 'a\u0000b' });
      isAway = true;
      await shaky.settle(second, settlement);
      isAway = false;
      await stop();
      expect(await scene.state(sound)).toEqual({ spent: cent, held: 0n });
      expect(await scene.receipts(refused)).toEqual([{ cost: cent, flags: ['details_lost'], quality: 'measured' }]);
    });
  });
});
