import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';
import { KeyPassError } from '../errors.ts';
import { noTokens } from './usage.ts';
import type { Permission } from './ledger.ts';

const none = { rpm: null, tpm: null, parallel: null };

const many = (count: number, call: () => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, () => codeOf(call())));

const granted = (outcomes: unknown[]) => outcomes.filter((outcome) => outcome === 'granted').length;

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
  });

  afterAll(() => {
    expect(scene.faults).toEqual([]);
  });

  const limitedTo = (limits: Partial<typeof none | Record<keyof typeof none, number>>) =>
    scene.permission({ limits: { ...none, ...limits } });

  /** The database's clock can't be moved, so what the limits remember is moved back. */
  const pass = ({ connectionId }: Permission, seconds: number) =>
    scene.database.sql`
      update rates set requests_full_at = requests_full_at - make_interval(secs => ${seconds}),
        tokens_full_at = tokens_full_at - make_interval(secs => ${seconds})
      where connection_id = ${connectionId}`;

  describe('requests a minute', () => {
    test('as many at once, then one whenever its time has come', async () => {
      const grantee = await limitedTo({ rpm: 6 });
      const outcomes = await many(20, () => scene.hold(grantee, cent));
      expect(granted(outcomes)).toBe(6);
      const refused = await scene.hold(grantee, cent).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'rate_limited', details: { limit: 'rpm', allowed: 6 } });
      expect(refused instanceof KeyPassError && refused.retryAfter).toBeWithin(1, 11);
      await pass(grantee, 20);
      expect(granted(await many(20, () => scene.hold(grantee, cent)))).toBe(2);
      await pass(grantee, 3_600);
      expect(granted(await many(20, () => scene.hold(grantee, cent)))).toBe(6);
    });

    test('calls that cost nothing count, and refused ones do not', async () => {
      const grantee = await limitedTo({ rpm: 2 });
      expect(await codeOf(scene.hold(grantee, 1_000_000n * cent))).toBe('budget_exceeded');
      expect(await many(3, () => scene.hold(grantee, 0n))).toEqual(['granted', 'granted', 'rate_limited']);
    });

    test('instances count together', async () => {
      const grantee = await limitedTo({ rpm: 10 });
      const others = [scene.newLedger(), scene.newLedger()];
      let turn = 0;
      const outcomes = await many(40, () => {
        const ledger = others[turn++ % 2] ?? scene.ledger;
        return ledger.hold(scene.request(grantee, cent));
      });
      expect(granted(outcomes)).toBe(10);
    });
  });

  describe('tokens a minute', () => {
    test('count as soon as they are held, and what was not used comes back', async () => {
      const grantee = await limitedTo({ tpm: 1_000 });
      const first = await scene.hold(grantee, cent, { tokens: 800 });
      const refused = await scene.hold(grantee, cent, { tokens: 300 }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'rate_limited', details: { limit: 'tpm', allowed: 1_000 } });
      await scene.ledger.settle(first, {
        ...settlement,
        usage: { ...noTokens, uncachedInput: 60, output: 40, raw: null },
      });
      expect(await many(2, () => scene.hold(grantee, cent, { tokens: 400 }))).toEqual(['granted', 'granted']);
      expect(await codeOf(scene.hold(grantee, cent, { tokens: 200 }))).toBe('rate_limited');
    });

    test('a call that may take more than a minute allows takes the whole minute', async () => {
      const grantee = await limitedTo({ tpm: 1_000 });
      const whole = await scene.hold(grantee, cent, { tokens: 50_000 });
      expect(await codeOf(scene.hold(grantee, cent, { tokens: 100 }))).toBe('rate_limited');
      // It used three minutes' worth: nothing passes until those are over.
      await scene.ledger.settle(whole, { ...settlement, usage: { ...noTokens, output: 3_000, raw: null } });
      await pass(grantee, 110);
      expect(await codeOf(scene.hold(grantee, cent, { tokens: 100 }))).toBe('rate_limited');
      await pass(grantee, 20);
      expect(await codeOf(scene.hold(grantee, cent, { tokens: 100 }))).toBe('granted');
    });

    test('a call that never left has used none', async () => {
      const grantee = await limitedTo({ tpm: 1_000 });
      await scene.ledger.release(await scene.hold(grantee, cent, { tokens: 1_000 }));
      expect(await codeOf(scene.hold(grantee, cent, { tokens: 1_000 }))).toBe('granted');
    });
  });

  describe('calls at one time', () => {
    test('end with their settlement, their release, or the death of their instance', async () => {
      const grantee = await limitedTo({ parallel: 3 });
      const [settles, releases] = [await scene.hold(grantee, cent), await scene.hold(grantee, cent)];
      await scene.newLedger().hold(scene.request(grantee, cent));
      const refused = await scene.hold(grantee, cent).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'rate_limited',
        retryAfter: 1,
        details: { limit: 'parallel', allowed: 3 },
      });
      await scene.ledger.settle(settles, settlement);
      await scene.ledger.release(releases);
      expect(granted(await many(5, () => scene.hold(grantee, cent)))).toBe(2);
      await scene.ledger.resolveOrphans();
      expect(granted(await many(5, () => scene.hold(grantee, cent)))).toBe(1);
    });
  });

  test('a limit that the owner lifts lets calls pass, and those that ran under it still end', async () => {
    const limited = await limitedTo({ parallel: 1 });
    const running = await scene.hold(limited, cent);
    const free = { ...limited, policy: { ...limited.policy, limits: none } };
    expect(granted(await many(3, () => scene.hold(free, cent)))).toBe(3);
    await scene.ledger.settle(running, settlement);
    expect(granted(await many(3, () => scene.hold(limited, cent)))).toBe(1);
  });
});
