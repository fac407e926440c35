import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { fine, Outbox } from '../../test/harness/outbox.ts';
import * as store from './store.ts';

eachDatabase((_kind, open) => {
  let outbox: Outbox;

  beforeAll(async () => {
    outbox = await Outbox.start(await open());
  });

  afterAll(() => outbox.stop());

  describe('several instances', () => {
    test('deliver each event once between them', async () => {
      const app = await outbox.hookedApp();
      const ids = [];
      for (let index = 0; index < 20; index++) ids.push(await outbox.addEvent(app));
      outbox.answer = () => new Promise((resolve) => setTimeout(resolve, 1, 200));
      await Promise.all([outbox.courier().deliver(), outbox.courier().deliver(), outbox.courier().deliver()]);
      expect(outbox.idsSent().toSorted()).toEqual(ids.toSorted());
    });

    test('leave an event alone that another is delivering, and take it over once that has died', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      const arrived = Promise.withResolvers<void>();
      outbox.answer = () => {
        arrived.resolve();
        return new Promise(() => {});
      };
      // Its process is killed with the request under way: nothing of it is heard again.
      void outbox.courier(1e9).deliver();
      await arrived.promise;
      outbox.answer = () => 200;
      outbox.clock.advance(29_000);
      await outbox.courier().deliver();
      expect(outbox.idsSent()).toEqual([id]);
      outbox.clock.advance(2000);
      await outbox.courier().deliver();
      expect(outbox.idsSent()).toEqual([id, id]);
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'delivered', attempts: 2 });
    });

    test('a late failure of the first does not undo what the second did; a late success counts', async () => {
      const app = await outbox.hookedApp();
      for (const [late, state] of [
        [500, 'delivered'],
        [200, 'delivered'],
      ] as const) {
        const id = await outbox.addEvent(app);
        const held = Promise.withResolvers<number>();
        const arrived = Promise.withResolvers<void>();
        outbox.answer = () => {
          arrived.resolve();
          return held.promise;
        };
        const first = outbox.courier(1e9).deliver();
        await arrived.promise;
        outbox.clock.advance(31_000);
        outbox.answer = () => (late === 500 ? 200 : 500);
        await outbox.courier().deliver();
        held.resolve(late);
        await first;
        expect(await outbox.stateOf(id)).toMatchObject({ state, attempts: 2 });
      }
    });

    test('a late failure of the first does not free what the second is delivering', async () => {
      const id = await outbox.addEvent(await outbox.hookedApp());
      const setOut = async () => {
        const held = Promise.withResolvers<number>();
        const arrived = Promise.withResolvers<void>();
        outbox.answer = () => {
          arrived.resolve();
          return held.promise;
        };
        const done = outbox.courier(1e9).deliver();
        await arrived.promise;
        return (status: number) => {
          held.resolve(status);
          return done;
        };
      };
      const first = await setOut();
      outbox.clock.advance(31_000);
      const second = await setOut();
      await first(500);
      outbox.clock.advance(20_000);
      outbox.answer = fine;
      await outbox.courier().deliver();
      expect(outbox.idsSent()).toEqual([id, id]);
      await second(200);
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'delivered', attempts: 2 });
    });

    test('one that stops lets go of what it had: the next takes it at once', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      const arrived = Promise.withResolvers<void>();
      outbox.answer = ({ signal }) =>
        new Promise((_resolve, reject) => {
          arrived.resolve();
          signal.addEventListener('abort', () => reject(new Error('cut')));
        });
      const stop = outbox.courier().start();
      await arrived.promise;
      await stop();
      expect(await store.listAttempts(outbox.database.sql, [id])).toEqual([]);
      outbox.answer = () => 200;
      await outbox.courier().deliver();
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'delivered', attempts: 2 });
    });
  });

  test('a hook that is slow holds up itself alone, four at a time', async () => {
    const slow = await outbox.hookedApp();
    for (let index = 0; index < 6; index++) await outbox.addEvent(slow);
    const held = Promise.withResolvers<number>();
    const full = Promise.withResolvers<void>();
    outbox.answer = () => {
      if (outbox.sent.length === 4) full.resolve();
      return held.promise;
    };
    const mine = outbox.courier(1e9);
    const first = mine.deliver();
    await full.promise;
    const quick = await outbox.hookedApp();
    const id = await outbox.addEvent(quick);
    const second = mine.deliver();
    while ((await outbox.stateOf(id))?.state !== 'delivered') await Bun.sleep(1);
    expect(outbox.idsSent()).toEqual([id]);
    held.resolve(200);
    await Promise.all([first, second]);
    expect(outbox.sent).toHaveLength(3);
  });
});
