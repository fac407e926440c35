import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { policyFor } from '../../test/harness/people.ts';
import { encodePolicy, policyHash, randomBytes, type Policy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import { Ledger, type HoldRequest, type Permission, type Settlement } from './ledger.ts';

const cent = 10_000_000_000n;

const settlement: Settlement = {
  status: 200,
  usage: null,
  cost: cent,
  lines: [],
  quality: 'measured',
  flags: [],
  ttfbMs: 1,
  durationMs: 2,
};

/** The code of a refusal, or what came instead. */
const codeOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'granted',
    (error: unknown) => (error instanceof KeyPassError ? error.code : error),
  );

eachDatabase((_kind, open) => {
  let database: Database;
  let time: Date;
  const [userId, keyId] = [crypto.randomUUID(), crypto.randomUUID()];
  const faults: unknown[] = [];
  const clock = { now: () => time };
  const later = (milliseconds: number) => {
    time = new Date(time.getTime() + milliseconds);
  };
  const newLedger = () => new Ledger({ database, clock, onFault: (_event, error) => faults.push(error) });
  let ledger: Ledger;

  beforeAll(async () => {
    database = await open();
    time = new Date('2026-11-30T12:00:00Z');
    ledger = newLedger();
    const [bytes, salt] = [randomBytes(32), randomBytes(16)];
    const { sql } = database;
    await sql`insert into pepper_epochs (epoch, check_value, created_at) values (1, ${bytes}, ${time})`;
    await sql`
      insert into users (id, email, kdf_id, salt, epoch, verifier_password, uvk_password, recovery_id,
        verifier_recovery, uvk_recovery, created_at)
      values (${userId}, 'ada@example.com', 1, ${salt}, 1, ${bytes}, ${bytes}, ${userId}, ${bytes}, ${bytes}, ${time})`;
  });

  afterAll(() => {
    expect(faults).toEqual([]);
  });

  /** An active connection, as a call is checked against it. */
  async function permission(changes: Partial<Policy> = {}): Promise<Permission> {
    const connectionId = crypto.randomUUID();
    const policy = policyFor(keyId, changes);
    const bytes = encodePolicy(policy);
    const hash = await policyHash(bytes);
    await database.sql`
      insert into connections (id, user_id, kind, status, revision, generation, policy, policy_hash, created_at)
      values (${connectionId}, ${userId}, 'personal', 'active', 1, 1, ${bytes}, ${hash}, ${time})`;
    return { connectionId, policy, policyHash: hash, revision: 1, generation: 1 };
  }

  const setStatus = ({ connectionId }: Permission, status: string) =>
    database.sql`update connections set status = ${status} where id = ${connectionId}`;
  const setCap = ({ connectionId }: Permission, cents: number | null) =>
    database.sql`update connections set cap_cents = ${cents} where id = ${connectionId}`;

  function request(grantee: Permission, amount: bigint): HoldRequest {
    const call = { provider: 'openai', model: 'gpt-4o-mini', endpoint: 'POST /v1/chat/completions', keyId };
    return { callId: crypto.randomUUID(), grantee, amount, ...call };
  }

  const hold = (grantee: Permission, amount: bigint) => ledger.hold(request(grantee, amount));

  async function state({ connectionId, policy }: Permission) {
    const [current] = await ledger.states([{ connectionId, period: policy.period }]);
    return { spent: current?.spent, held: current?.held };
  }

  async function receipts({ connectionId }: Permission) {
    const rows = await database.sql<{ cost: bigint; flags: string[]; quality: string }[]>`
      select cost, flags, quality from receipts where connection_id = ${connectionId}`;
    return [...rows];
  }

  /** A hold of an instance that was alive when it took it. */
  async function orphan(grantee: Permission) {
    const dead = newLedger();
    const stop = await dead.start();
    const running = await dead.hold(request(grantee, 5n * cent));
    await stop();
    return { dead, running };
  }

  /** The same database, whose answers are lost while `isAway` says so; the statements themselves are carried out or not. */
  function unreliable(isAway: () => boolean, isCarriedOut: boolean): Database {
    const sql = new Proxy(database.sql, {
      apply(target, self, args) {
        if (!isAway()) return Reflect.apply(target, self, args);
        const lost = async () => {
          if (isCarriedOut) await Reflect.apply(target, self, args);
          throw new Error('the connection is lost');
        };
        return lost();
      },
    });
    return { ...database, sql };
  }

  describe('hold', () => {
    test('200 at once on one budget: as many as fit, and never above it', async () => {
      const grantee = await permission({ budgetCents: 100 });
      const attempts = Array.from({ length: 200 }, () => codeOf(hold(grantee, 3n * cent)));
      const glimpses = Array.from({ length: 50 }, () => state(grantee));
      const outcomes = await Promise.all(attempts);
      for (const { held = 0n } of await Promise.all(glimpses)) expect(held).toBeLessThanOrEqual(100n * cent);
      expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(33);
      expect(outcomes.filter((outcome) => outcome === 'budget_held')).toHaveLength(167);
      expect(await state(grantee)).toEqual({ spent: 0n, held: 99n * cent });
    });

    test('two instances draw on one budget', async () => {
      const grantee = await permission({ budgetCents: 10 });
      const other = newLedger();
      const attempts = Array.from({ length: 40 }, (_, index) =>
        codeOf((index % 2 === 0 ? ledger : other).hold(request(grantee, cent))),
      );
      expect((await Promise.all(attempts)).filter((outcome) => outcome === 'granted')).toHaveLength(10);
    });

    test('what is held by running calls is told from what is spent', async () => {
      const grantee = await permission({ budgetCents: 10 });
      const running = await hold(grantee, 8n * cent);
      const held = await hold(grantee, 3n * cent).catch((error: unknown) => error);
      expect(held).toMatchObject({ code: 'budget_held', retryAfter: 1 });
      await ledger.settle(running, { ...settlement, cost: 8n * cent });
      const spent = await hold(grantee, 3n * cent).catch((error: unknown) => error);
      expect(spent).toMatchObject({
        code: 'budget_exceeded',
        details: { budgetCents: 10, spent: '0.08', held: '0', needed: '0.03', resetsAt: '2026-12-01T00:00:00.000Z' },
      });
      expect(await ledger.available(grantee)).toBe(2n * cent);
    });

    test('a call that costs nothing passes when the budget is used up', async () => {
      const grantee = await permission({ budgetCents: 1 });
      await ledger.settle(await hold(grantee, cent), settlement);
      expect(await codeOf(hold(grantee, 1n))).toBe('budget_exceeded');
      expect(await codeOf(hold(grantee, 0n))).toBe('granted');
      expect(await codeOf(hold(await permission({ budgetCents: 0 }), 0n))).toBe('granted');
    });

    test('the lower of policy and cap decides, whichever it is', async () => {
      const grantee = await permission({ budgetCents: 10 });
      await setCap(grantee, 4);
      expect(await codeOf(hold(grantee, 5n * cent))).toBe('budget_exceeded');
      expect(await ledger.available(grantee)).toBe(4n * cent);
      await setCap(grantee, 1000);
      expect(await codeOf(hold(grantee, 11n * cent))).toBe('budget_exceeded');
      await setCap(grantee, null);
      expect(await codeOf(hold(grantee, 10n * cent))).toBe('granted');
    });

    test('a budget lowered below what is held stops new holds only', async () => {
      const grantee = await permission({ budgetCents: 10 });
      const running = await hold(grantee, 8n * cent);
      await setCap(grantee, 2);
      expect(await codeOf(hold(grantee, cent))).toBe('budget_held');
      expect(await ledger.available(grantee)).toBe(0n);
      await ledger.settle(running, { ...settlement, cost: 7n * cent });
      expect(await state(grantee)).toEqual({ spent: 7n * cent, held: 0n });
    });

    test('one call id is held once', async () => {
      const grantee = await permission({ budgetCents: 10 });
      const twice = request(grantee, cent);
      await ledger.hold(twice);
      expect(await ledger.hold(twice).catch((error: unknown) => error)).toBeInstanceOf(Error);
      expect(await state(grantee)).toEqual({ spent: 0n, held: cent });
    });
  });

  describe('between the check of a call and its hold', () => {
    test('paused, changed, revoked and expired are told apart, and nothing is held', async () => {
      const paused = await permission();
      await setStatus(paused, 'paused');
      expect(await codeOf(hold(paused, cent))).toBe('connection_paused');
      await setStatus(paused, 'active');
      expect(await codeOf(hold(paused, cent))).toBe('granted');

      const changed = await permission();
      await database.sql`update connections set revision = 2 where id = ${changed.connectionId}`;
      expect(await codeOf(hold(changed, cent))).toBe('connection_changed');
      expect(await codeOf(hold({ ...changed, revision: 2 }, cent))).toBe('granted');

      const revoked = await permission();
      await setStatus(revoked, 'revoked');
      expect(await codeOf(hold(revoked, cent))).toBe('connection_revoked');

      const expiring = await permission({ expiresAt: '2099-01-01T00:00:00Z' });
      time = new Date('2099-01-01T00:00:00Z');
      expect(await codeOf(hold(expiring, cent))).toBe('connection_expired');
      time = new Date('2026-11-30T12:00:00Z');
      for (const grantee of [revoked, expiring]) {
        expect(await state(grantee)).toEqual({ spent: 0n, held: 0n });
      }
    });

    test('another generation or policy than the one in force', async () => {
      const grantee = await permission();
      expect(await codeOf(hold({ ...grantee, generation: 2 }, cent))).toBe('connection_changed');
      expect(await codeOf(hold({ ...grantee, policyHash: randomBytes(32) }, cent))).toBe('connection_changed');
      expect(await codeOf(hold({ ...grantee, connectionId: crypto.randomUUID() }, cent))).toBe('connection_revoked');
    });
  });

  describe('settle', () => {
    test('books once, with what is measured, and returns the rest', async () => {
      const grantee = await permission();
      const running = await hold(grantee, 5n * cent);
      await Promise.all([
        ledger.settle(running, settlement),
        ledger.settle(running, { ...settlement, cost: 2n * cent }),
      ]);
      const [receipt, ...more] = await receipts(grantee);
      expect(more).toEqual([]);
      expect(await state(grantee)).toEqual({ spent: receipt?.cost ?? -1n, held: 0n });
    });

    test('a cost above the hold is booked in full and flagged', async () => {
      const grantee = await permission({ budgetCents: 5 });
      await ledger.settle(await hold(grantee, cent), { ...settlement, cost: 7n * cent, flags: ['late_usage'] });
      expect(await receipts(grantee)).toEqual([
        { cost: 7n * cent, flags: ['late_usage', 'overrun'], quality: 'measured' },
      ]);
      expect(await state(grantee)).toEqual({ spent: 7n * cent, held: 0n });
      expect(await codeOf(hold(grantee, 1n))).toBe('budget_exceeded');
    });

    test('release gives everything back, once, and leaves no receipt', async () => {
      const grantee = await permission();
      const other = await hold(grantee, cent);
      const running = await hold(grantee, 5n * cent);
      await ledger.release(running);
      await ledger.release(running);
      await ledger.settle(running, settlement);
      expect(await state(grantee)).toEqual({ spent: 0n, held: other.amount });
      expect(await receipts(grantee)).toEqual([]);
    });

    test('a hold settles in its own month; the next month starts anew', async () => {
      const grantee = await permission({ budgetCents: 10 });
      const whole = await permission({ budgetCents: 10, period: 'total' });
      const [running, lasting] = [await hold(grantee, 10n * cent), await hold(whole, 10n * cent)];
      time = new Date('2026-12-01T00:00:00Z');
      expect(await codeOf(hold(grantee, 10n * cent))).toBe('granted');
      expect(await codeOf(hold(whole, cent))).toBe('budget_held');
      await ledger.settle(running, { ...settlement, cost: 10n * cent });
      await ledger.settle(lasting, { ...settlement, cost: 10n * cent });
      expect(await state(grantee)).toEqual({ spent: 0n, held: 10n * cent });
      expect(await codeOf(hold(whole, cent))).toBe('budget_exceeded');
      time = new Date('2026-11-30T12:00:00Z');
      expect(await state(grantee)).toEqual({ spent: 10n * cent, held: 0n });
    });

    test('calls of a revoked connection are booked all the same', async () => {
      const grantee = await permission();
      const running = await hold(grantee, cent);
      await setStatus(grantee, 'revoked');
      await ledger.settle(running, settlement);
      expect(await receipts(grantee)).toHaveLength(1);
    });
  });

  describe('an instance that dies', () => {
    test('its calls are charged at their holds, once, by whoever comes first', async () => {
      const grantee = await permission();
      await orphan(grantee);
      later(29_000);
      await ledger.resolveOrphans();
      expect(await state(grantee)).toEqual({ spent: 0n, held: 5n * cent });
      later(2_000);
      await Promise.all([newLedger(), newLedger(), ledger].map((instance) => instance.resolveOrphans()));
      expect(await receipts(grantee)).toEqual([{ cost: 5n * cent, flags: ['instance_lost'], quality: 'unknown' }]);
      expect(await state(grantee)).toEqual({ spent: 5n * cent, held: 0n });
    });

    test('a late settlement takes the place of that charge, once', async () => {
      const grantee = await permission();
      const { dead, running } = await orphan(grantee);
      later(31_000);
      await ledger.resolveOrphans();
      await dead.settle(running, settlement);
      await dead.settle(running, { ...settlement, cost: 4n * cent });
      expect(await receipts(grantee)).toEqual([{ cost: cent, flags: [], quality: 'measured' }]);
      expect(await state(grantee)).toEqual({ spent: cent, held: 0n });
    });

    test('a late release of a call that never left gives the charge back', async () => {
      const grantee = await permission();
      const { dead, running } = await orphan(grantee);
      later(31_000);
      await ledger.resolveOrphans();
      await dead.release(running);
      expect(await receipts(grantee)).toEqual([{ cost: 0n, flags: ['not_dispatched'], quality: 'measured' }]);
      expect(await state(grantee)).toEqual({ spent: 0n, held: 0n });
    });

    test('the calls of one that lives are left alone, however long they run', async () => {
      const grantee = await permission();
      const alive = newLedger();
      await (
        await alive.start()
      )();
      await alive.hold(request(grantee, cent));
      later(3_600_000);
      const stop = await alive.start();
      await ledger.resolveOrphans();
      expect(await state(grantee)).toEqual({ spent: 0n, held: cent });
      await stop();
    });
  });

  describe('a database that is away', () => {
    test('a settlement is written when it is back, and the hold stays until then', async () => {
      const grantee = await permission();
      let isAway = false;
      const shaky = new Ledger({ database: unreliable(() => isAway, false), clock, onFault: () => undefined });
      const stop = await shaky.start();
      const running = await shaky.hold(request(grantee, 5n * cent));
      isAway = true;
      await shaky.settle(running, settlement);
      expect(await state(grantee)).toEqual({ spent: 0n, held: 5n * cent });
      isAway = false;
      await stop();
      expect(await state(grantee)).toEqual({ spent: cent, held: 0n });
    });

    test('a hold whose answer was lost is given back: its call was never dispatched', async () => {
      const grantee = await permission();
      await hold(grantee, 0n);
      let isAway = false;
      const shaky = new Ledger({ database: unreliable(() => isAway, true), clock, onFault: () => undefined });
      const stop = await shaky.start();
      isAway = true;
      expect(await shaky.hold(request(grantee, 5n * cent)).catch((error: unknown) => error)).toBeInstanceOf(Error);
      expect((await state(grantee)).held).toBe(5n * cent);
      isAway = false;
      await stop();
      expect((await state(grantee)).held).toBe(0n);
    });
  });
});
