import { beforeAll, beforeEach, expect, test } from 'bun:test';
import { eachDatabase } from '../../../test/harness/databases.ts';
import type { Database } from '../../database/connect.ts';
import { KeyPassError } from '../../errors.ts';
import { NumberedCalls } from './calls.ts';

const connectionId = crypto.randomUUID();
const start = new Date('2026-11-01T12:00:00Z');
const body = { provider: 'openai', model: 'm', messages: [] };

eachDatabase((_, open) => {
  let database: Database;
  let now: Date;
  let numbered: NumberedCalls;
  /** What the ledger still has to write. */
  let book: () => Promise<void>;

  beforeAll(async () => {
    database = await open();
    await insertConnection(database);
  });

  beforeEach(() => {
    now = start;
    book = async () => {};
    numbered = new NumberedCalls({ database, clock: { now: () => now }, ledger: { booked: () => book() } });
  });

  /** One request under a key of its own, made as often as wanted. */
  function request(key: string = crypto.randomUUID()) {
    return async (make: (callId: string) => Promise<unknown>, sent: unknown = body) => {
      const callId = crypto.randomUUID();
      return numbered.once({ connectionId, key, body: sent, callId }, () => make(callId));
    };
  }

  const hold = async (callId: string) => {
    await database.sql`
      insert into holds (call_id, connection_id, window_start, amount, instance_id, provider, endpoint, key_id, created_at)
      values (${callId}, ${connectionId}, '2026-11-01', 5, ${crypto.randomUUID()}, 'openai', 'POST /', ${connectionId}, ${start})`;
  };

  const settle = async (callId: string, cost: bigint, status: number | null) => {
    await database.sql`delete from holds where call_id = ${callId}`;
    await database.sql`
      insert into receipts (call_id, connection_id, window_start, provider, endpoint, key_id, status, quality, flags,
        lines, cost, started_at, duration_ms)
      values (${callId}, ${connectionId}, '2026-11-01', 'openai', 'POST /', ${connectionId}, ${status}, 'measured', '{}',
        '[]', ${cost}, ${start}, 1)`;
  };

  test('a call that was made is not made again: its id and cost are told', async () => {
    const call = request();
    const made = await call(async (callId) => {
      await hold(callId);
      await settle(callId, 1_250_000n, 200);
      return callId;
    });
    const again: unknown = await call(async () => 'again').catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'call_already_made', details: { callId: made, cost: '0.00000125' } });
  });

  test('a call that runs is not made beside itself', async () => {
    const call = request();
    await call(async (callId) => {
      // Before its cost is held, and after.
      expect(await codeOf(call(async () => 'beside'))).toBe('call_in_progress');
      await hold(callId);
      expect(await codeOf(call(async () => 'beside'))).toBe('call_in_progress');
    });
    now = new Date(start.getTime() + 3_600_000);
    expect(await codeOf(call(async () => 'an hour later'))).toBe('call_in_progress');
  });

  test('a call that has ended is not called running because its end is yet to be booked', async () => {
    const call = request();
    await call(async (callId) => {
      await hold(callId);
      book = () => settle(callId, 5n, 200);
    });
    expect(await codeOf(call(async () => 'again'))).toBe('call_already_made');
  });

  test('of many at once one is made', async () => {
    const call = request();
    let made = 0;
    const make = async (callId: string) => {
      made += 1;
      await hold(callId);
    };
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => codeOf(call(make))));
    expect(made).toBe(1);
    expect(outcomes.filter((code) => code === 'call_in_progress')).toHaveLength(9);
  });

  test('a call that failed before its dispatch may be made', async () => {
    const call = request();
    const refused = call(async () => {
      throw new KeyPassError('budget_exceeded', 'Spent.');
    });
    expect(await codeOf(refused)).toBe('budget_exceeded');
    expect(await call(async () => 'made')).toBe('made');
  });

  test('a call that failed after its dispatch may not, whatever it threw', async () => {
    const call = request();
    const broken = call(async (callId) => {
      await hold(callId);
      await settle(callId, 5n, null);
      throw new KeyPassError('provider_unreachable', 'Broken.');
    });
    expect(await codeOf(broken)).toBe('provider_unreachable');
    expect(await codeOf(call(async () => 'again'))).toBe('call_already_made');
  });

  test('a call that the provider refused and did not bill may be made again, once', async () => {
    const call = request();
    await call(async (callId) => settle(callId, 0n, 429));
    await call(async (callId) => settle(callId, 7n, 200));
    expect(await codeOf(call(async () => 'again'))).toBe('call_already_made');
  });

  test('a free success was made', async () => {
    const call = request();
    await call(async (callId) => settle(callId, 0n, 200));
    expect(await codeOf(call(async () => 'again'))).toBe('call_already_made');
  });

  test('the number of an instance that died before it held anything is free after a minute', async () => {
    const call = request();
    expect(await call(async () => 'died here')).toBe('died here');
    now = new Date(start.getTime() + 59_000);
    expect(await codeOf(call(async () => 'too early'))).toBe('call_in_progress');
    now = new Date(start.getTime() + 61_000);
    expect(await call(async () => 'made')).toBe('made');
    expect(await codeOf(call(async () => 'again'))).toBe('call_in_progress');
  });

  test('another body under the same key is a mistake', async () => {
    const call = request();
    await call(async (callId) => settle(callId, 7n, 200));
    expect(await codeOf(call(async () => 'other', { ...body, model: 'n' }))).toBe('idempotency_mismatch');
  });

  test("a key is its connection's own", async () => {
    await request('shared')(async (callId) => settle(callId, 7n, 200));
    const other = { connectionId: crypto.randomUUID(), key: 'shared', body, callId: crypto.randomUUID() };
    expect(await numbered.once(other, async () => 'made')).toBe('made');
  });
});

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'made';
  } catch (error) {
    if (error instanceof KeyPassError) return error.code;
    throw error;
  }
}

async function insertConnection({ sql }: Database): Promise<void> {
  const bytes = new Uint8Array(32);
  await sql`insert into pepper_epochs (epoch, check_value, created_at) values (1, ${bytes}, ${start})`;
  await sql`
    insert into users (id, email, kdf_id, salt, epoch, verifier_password, uvk_password, recovery_id, verifier_recovery,
      uvk_recovery, created_at)
    values (${connectionId}, 'ann@example.com', 1, ${bytes.slice(16)}, 1, ${bytes}, ${bytes}, ${connectionId}, ${bytes},
      ${bytes}, ${start})`;
  await sql`
    insert into connections (id, user_id, kind, status, revision, generation, policy, policy_hash, created_at)
    values (${connectionId}, ${connectionId}, 'personal', 'active', 1, 1, ${bytes}, ${bytes}, ${start})`;
  await sql`insert into budgets (connection_id, window_start) values (${connectionId}, '2026-11-01')`;
}
