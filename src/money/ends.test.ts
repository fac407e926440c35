import { beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';
import type { Database } from '../database/connect.ts';
import { costOf } from './cost.ts';
import { PriceBook } from './price-book.ts';
import { noTokens, soundUsage } from './usage.ts';

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
  });

  /** The same database, whose answers are lost while `isAway` says so; the statements themselves are carried out or not. */
  function unreliable(isAway: () => boolean, isCarriedOut: boolean): Database {
    const lost = async (query: PromiseLike<unknown>) => {
      if (isCarriedOut) await query;
      throw new Error('the connection is lost');
    };
    const sql = new Proxy(scene.database.sql, {
      apply(target, self, args) {
        const query: PromiseLike<unknown> = Reflect.apply(target, self, args);
        if (!isAway()) return query;
        // A fragment of a statement is never awaited.
        return new Proxy(query, {
          get: (awaited, name) => {
            if (name !== 'then') return Reflect.get(awaited, name, awaited);
            return (...callbacks: Parameters<Promise<unknown>['then']>) => lost(awaited).then(...callbacks);
          },
        });
      },
    });
    return { ...scene.database, sql };
  }

  /** `Proxy.callAs` makes a call again under its id, after it has released the first hold of that id. */
  test('a release whose answer was lost does not end a second hold of the same call', async () => {
    const grantee = await scene.permission();
    await scene.hold(grantee, 0n);
    let isAway = false;
    const shaky = scene.newLedger({ database: unreliable(() => isAway, true), onFault: () => undefined });
    const stop = await shaky.start();
    const request = scene.request(grantee, 5n * cent);
    const first = await shaky.hold(request);
    isAway = true;
    await shaky.release(first);
    isAway = false;
    // Refused or granted: but what is granted has to be booked.
    const second = await shaky.hold(request).catch(() => undefined);
    await stop();
    if (second === undefined) return;
    expect((await scene.state(grantee)).held).toBe(5n * cent);
    await shaky.settle(second, settlement);
    expect(await scene.receipts(grantee)).toEqual([{ cost: cent, flags: [], quality: 'measured' }]);
  });

  describe('an end that the database refuses for its values', () => {
    test('what a provider may state is never more than a receipt can keep', async () => {
      const price = new PriceBook().find('anthropic', 'claude-sonnet-4-5', scene.time);
      const usage = soundUsage({ ...noTokens, fees: { webSearch: 1_000_000_000 }, raw: {} });
      if (price === undefined || usage === undefined) return;
      const grantee = await scene.permission();
      const { cost, lines } = costOf(usage, price);
      const faults: unknown[] = [];
      const ledger = scene.newLedger({ onFault: () => faults.push('fault') });
      const held = await ledger.hold(scene.request(grantee, cent));
      await ledger.settle(held, { ...settlement, usage, cost, lines });
      expect((await scene.state(grantee)).held).toBe(0n);
      expect(await scene.receipts(grantee)).toHaveLength(1);
    });

    test('it keeps no other from being booked when the database is back', async () => {
      const [refused, sound] = [await scene.permission(), await scene.permission()];
      let isAway = false;
      const shaky = scene.newLedger({ database: unreliable(() => isAway, false), onFault: () => undefined });
      const stop = await shaky.start();
      const [first, second] = [
        await shaky.hold(scene.request(refused, cent)),
        await shaky.hold(scene.request(sound, cent)),
      ];
      await shaky.settle(first, { ...settlement, cost: 2n ** 63n });
      isAway = true;
      await shaky.settle(second, settlement);
      isAway = false;
      await stop();
      expect(await scene.state(sound)).toEqual({ spent: cent, held: 0n });
    });
  });
});
