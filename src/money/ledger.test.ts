import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
  });

  afterAll(() => {
    expect(scene.faults).toEqual([]);
  });

  describe('hold', () => {
    test('200 at once on one budget: as many as fit, and never above it', async () => {
      const grantee = await scene.permission({ budgetCents: 100 });
      const attempts = Array.from({ length: 200 }, () => codeOf(scene.hold(grantee, 3n * cent)));
      const glimpses = Array.from({ length: 50 }, () => scene.state(grantee));
      const outcomes = await Promise.all(attempts);
      for (const { held = 0n } of await Promise.all(glimpses)) expect(held).toBeLessThanOrEqual(100n * cent);
      expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(33);
      expect(outcomes.filter((outcome) => outcome === 'budget_held')).toHaveLength(167);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 99n * cent });
    });

    test('two instances draw on one budget', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      const other = scene.newLedger();
      const attempts = Array.from({ length: 40 }, (_, index) =>
        codeOf((index % 2 === 0 ? scene.ledger : other).hold(scene.request(grantee, cent))),
      );
      expect((await Promise.all(attempts)).filter((outcome) => outcome === 'granted')).toHaveLength(10);
    });

    test('what is held by running calls is told from what is spent', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      const running = await scene.hold(grantee, 8n * cent);
      const held = await scene.hold(grantee, 3n * cent).catch((error: unknown) => error);
      expect(held).toMatchObject({ code: 'budget_held', retryAfter: 1 });
      await scene.ledger.settle(running, { ...settlement, cost: 8n * cent });
      const spent = await scene.hold(grantee, 3n * cent).catch((error: unknown) => error);
      expect(spent).toMatchObject({
        code: 'budget_exceeded',
        details: { budgetCents: 10, spent: '0.08', held: '0', needed: '0.03', resetsAt: '2026-12-01T00:00:00.000Z' },
      });
    });

    test('a call that costs nothing passes when the budget is used up', async () => {
      const grantee = await scene.permission({ budgetCents: 1 });
      await scene.ledger.settle(await scene.hold(grantee, cent), settlement);
      expect(await codeOf(scene.hold(grantee, 1n))).toBe('budget_exceeded');
      expect(await codeOf(scene.hold(grantee, 0n))).toBe('granted');
      expect(await codeOf(scene.hold(await scene.permission({ budgetCents: 0 }), 0n))).toBe('granted');
    });

    test('the lower of policy and cap decides, whichever it is', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      await scene.setCap(grantee, 4);
      expect(await codeOf(scene.hold(grantee, 5n * cent))).toBe('budget_exceeded');
      await scene.setCap(grantee, 1000);
      expect(await codeOf(scene.hold(grantee, 11n * cent))).toBe('budget_exceeded');
      await scene.setCap(grantee, null);
      expect(await codeOf(scene.hold(grantee, 10n * cent))).toBe('granted');
    });

    test('a budget lowered below what is held stops new holds only', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      const running = await scene.hold(grantee, 8n * cent);
      await scene.setCap(grantee, 2);
      expect(await codeOf(scene.hold(grantee, cent))).toBe('budget_held');
      await scene.ledger.settle(running, { ...settlement, cost: 7n * cent });
      expect(await scene.state(grantee)).toEqual({ spent: 7n * cent, held: 0n });
    });

    test('where all does not fit, what is left is granted, from the minimum on', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      await scene.hold(grantee, 4n * cent);
      expect(await codeOf(scene.hold(grantee, 8n * cent))).toBe('budget_held');
      expect(await codeOf(scene.hold(grantee, 8n * cent, { minimum: 7n * cent }))).toBe('budget_held');
      expect((await scene.hold(grantee, 8n * cent, { minimum: 5n * cent })).amount).toBe(6n * cent);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 10n * cent });
    });

    test('a crowd of which the first is too large: whoever fits by itself is granted', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      // What arrives while one is on its way is decided together.
      const first = scene.hold(grantee, 0n);
      const amounts = [11n, 4n, 20n, 3n, 4n, 3n];
      const outcomes = await Promise.all(amounts.map((amount) => codeOf(scene.hold(grantee, amount * cent))));
      await first;
      expect(outcomes).toEqual(['budget_exceeded', 'granted', 'budget_exceeded', 'granted', 'budget_held', 'granted']);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 10n * cent });
    });

    test('an overdrawn budget grants nothing but what is free', async () => {
      const grantee = await scene.permission({ budgetCents: 5 });
      await scene.ledger.settle(await scene.hold(grantee, cent), { ...settlement, cost: 9n * cent });
      expect((await scene.hold(grantee, 0n)).amount).toBe(0n);
      expect(await codeOf(scene.hold(grantee, cent, { minimum: 1n }))).toBe('budget_exceeded');
      expect(await scene.state(grantee)).toEqual({ spent: 9n * cent, held: 0n });
    });

    test('one call id is held once', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      const twice = scene.request(grantee, cent);
      await scene.ledger.hold(twice);
      expect(await scene.ledger.hold(twice).catch((error: unknown) => error)).toBeInstanceOf(Error);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: cent });
    });
  });

  describe('between the check of a call and its hold', () => {
    test('paused, changed, revoked and expired are told apart, and nothing is held', async () => {
      const paused = await scene.permission();
      await scene.setStatus(paused, 'paused');
      expect(await codeOf(scene.hold(paused, cent))).toBe('connection_paused');
      await scene.setStatus(paused, 'active');
      expect(await codeOf(scene.hold(paused, cent))).toBe('granted');

      const changed = await scene.permission();
      await scene.database.sql`update connections set revision = 2 where id = ${changed.connectionId}`;
      expect(await codeOf(scene.hold(changed, cent))).toBe('connection_changed');
      expect(await codeOf(scene.hold({ ...changed, seal: await scene.sealOf(changed.connectionId) }, cent))).toBe(
        'granted',
      );

      const revoked = await scene.permission();
      await scene.setStatus(revoked, 'revoked');
      expect(await codeOf(scene.hold(revoked, cent))).toBe('connection_revoked');

      const expiring = await scene.permission({ expiresAt: '2099-01-01T00:00:00Z' });
      scene.time = new Date('2099-01-01T00:00:00Z');
      expect(await codeOf(scene.hold(expiring, cent))).toBe('connection_expired');
      scene.time = new Date('2026-11-30T12:00:00Z');
      for (const grantee of [revoked, expiring]) {
        expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 0n });
      }
    });

    test('another generation or policy than the one in force', async () => {
      const grantee = await scene.permission();
      expect(await codeOf(scene.hold({ ...grantee, seal: 'another' }, cent))).toBe('connection_changed');
      expect(await codeOf(scene.hold({ ...grantee, connectionId: crypto.randomUUID() }, cent))).toBe(
        'connection_revoked',
      );
    });
  });

  describe('settle', () => {
    test('books once, with what is measured, and returns the rest', async () => {
      const grantee = await scene.permission();
      const running = await scene.hold(grantee, 5n * cent);
      await Promise.all([
        scene.ledger.settle(running, settlement),
        scene.ledger.settle(running, { ...settlement, cost: 2n * cent }),
      ]);
      const [receipt, ...more] = await scene.receipts(grantee);
      expect(more).toEqual([]);
      expect(await scene.state(grantee)).toEqual({ spent: receipt?.cost ?? -1n, held: 0n });
    });

    test('a cost above the hold is booked in full and flagged', async () => {
      const grantee = await scene.permission({ budgetCents: 5 });
      await scene.ledger.settle(await scene.hold(grantee, cent), {
        ...settlement,
        cost: 7n * cent,
        flags: ['late_usage'],
      });
      expect(await scene.receipts(grantee)).toEqual([
        { cost: 7n * cent, flags: ['late_usage', 'overrun'], quality: 'measured' },
      ]);
      expect(await scene.state(grantee)).toEqual({ spent: 7n * cent, held: 0n });
      expect(await codeOf(scene.hold(grantee, 1n))).toBe('budget_exceeded');
    });

    test('release gives everything back, once, and leaves no receipt', async () => {
      const grantee = await scene.permission();
      const other = await scene.hold(grantee, cent);
      const running = await scene.hold(grantee, 5n * cent);
      await scene.ledger.release(running);
      await scene.ledger.release(running);
      await scene.ledger.settle(running, settlement);
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: other.amount });
      expect(await scene.receipts(grantee)).toEqual([]);
    });

    test('a hold settles in its own month; the next month starts anew', async () => {
      const grantee = await scene.permission({ budgetCents: 10 });
      const whole = await scene.permission({ budgetCents: 10, period: 'total' });
      const [running, lasting] = [await scene.hold(grantee, 10n * cent), await scene.hold(whole, 10n * cent)];
      scene.time = new Date('2026-12-01T00:00:00Z');
      expect(await codeOf(scene.hold(grantee, 10n * cent))).toBe('granted');
      expect(await codeOf(scene.hold(whole, cent))).toBe('budget_held');
      await scene.ledger.settle(running, { ...settlement, cost: 10n * cent });
      await scene.ledger.settle(lasting, { ...settlement, cost: 10n * cent });
      expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 10n * cent });
      expect(await codeOf(scene.hold(whole, cent))).toBe('budget_exceeded');
      scene.time = new Date('2026-11-30T12:00:00Z');
      expect(await scene.state(grantee)).toEqual({ spent: 10n * cent, held: 0n });
    });

    test('calls of a revoked connection are booked all the same', async () => {
      const grantee = await scene.permission();
      const running = await scene.hold(grantee, cent);
      await scene.setStatus(grantee, 'revoked');
      await scene.ledger.settle(running, settlement);
      expect(await scene.receipts(grantee)).toHaveLength(1);
    });
  });
});
