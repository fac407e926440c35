import { encodePolicy, policyHash, randomBytes, type Policy } from '../../src/crypto/index.ts';
import type { Database } from '../../src/database/connect.ts';
import { KeyPassError } from '../../src/errors.ts';
import { Ledger, type Hold, type HoldRequest, type Permission, type Settlement } from '../../src/money/ledger.ts';
import { connectionSeal } from '../../src/money/seal-store.ts';
import type { OpenDatabase } from './databases.ts';
import { policyFor } from './people.ts';

export const cent = 10_000_000_000n;

export const settlement: Settlement = {
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
export const codeOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'granted',
    (error: unknown) => (error instanceof KeyPassError ? error.code : error),
  );

/** A database with one owner, whose connections draw on a ledger; the clock stands still until it is moved. */
export class LedgerScene {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly faults: unknown[] = [];
  readonly userId = crypto.randomUUID();
  readonly keyId = crypto.randomUUID();
  time = new Date('2026-11-30T12:00:00Z');

  constructor(database: Database) {
    this.database = database;
    this.ledger = this.newLedger({ database });
  }

  /** Another instance on the same database, which takes no turns with the first; or on what is given in its place. */
  newLedger(changes: { database?: Database; isAlone?: boolean; onFault?: () => void } = {}): Ledger {
    return new Ledger({
      database: { ...this.database, serial: this.database.sql },
      clock: { now: () => this.time },
      isAlone: false,
      onFault: (_event, error) => this.faults.push(error),
      ...changes,
    });
  }

  /** An active connection, as a call is checked against it. */
  async permission(changes: Partial<Policy> = {}, appId: string | null = null): Promise<Permission> {
    const connectionId = crypto.randomUUID();
    const policy = policyFor(this.keyId, changes);
    const bytes = encodePolicy(policy);
    await this.database.sql`
      insert into connections (id, user_id, app_id, kind, status, revision, generation, policy, policy_hash, created_at)
      values (${connectionId}, ${this.userId}, ${appId}, 'personal', 'active', 1, 1, ${bytes},
        ${await policyHash(bytes)}, ${this.time})`;
    return { connectionId, policy, seal: await this.sealOf(connectionId) };
  }

  async sealOf(connectionId: string): Promise<string> {
    const { sql } = this.database;
    const [row] = await sql<{ seal: string }[]>`
      select ${connectionSeal(sql)} as seal from connections where id = ${connectionId}`;
    return row?.seal ?? '';
  }

  async setStatus({ connectionId }: Permission, status: string): Promise<void> {
    await this.database.sql`update connections set status = ${status} where id = ${connectionId}`;
  }

  async setCap({ connectionId }: Permission, cents: number | null): Promise<void> {
    await this.database.sql`update connections set cap_cents = ${cents} where id = ${connectionId}`;
  }

  request(grantee: Permission, amount: bigint, changes: Partial<HoldRequest> = {}): HoldRequest {
    const call = { provider: 'openai', model: 'gpt-4o-mini', endpoint: 'POST /v1/chat/completions' };
    const bound = { amount, minimum: amount, tokens: 0, keyId: this.keyId, keySeal: null };
    return { callId: crypto.randomUUID(), grantee, ...bound, ...call, ...changes };
  }

  hold(grantee: Permission, amount: bigint, changes: Partial<HoldRequest> = {}): Promise<Hold> {
    return this.ledger.hold(this.request(grantee, amount, changes));
  }

  /** The same database, whose answers are lost while `isAway` says so; the statements themselves are carried out or not. */
  unreliable(isAway: () => boolean, isCarriedOut: boolean): Database {
    const lost = async (query: PromiseLike<unknown>) => {
      if (isCarriedOut) await query;
      throw new Error('the connection is lost');
    };
    const sql = new Proxy(this.database.sql, {
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
    return { ...this.database, sql, serial: sql };
  }

  async state({ connectionId, policy }: Permission) {
    const [current] = await this.ledger.states([{ connectionId, period: policy.period }]);
    return { spent: current?.spent, held: current?.held };
  }

  async receipts({ connectionId }: Permission) {
    const rows = await this.database.sql<{ cost: bigint; flags: string[]; quality: string }[]>`
      select cost, flags, quality from receipts where connection_id = ${connectionId}`;
    return [...rows];
  }
}

export async function openLedgerScene(open: OpenDatabase): Promise<LedgerScene> {
  const scene = new LedgerScene(await open());
  const [bytes, salt] = [randomBytes(32), randomBytes(16)];
  const { userId, time } = scene;
  const { sql } = scene.database;
  await sql`insert into pepper_epochs (epoch, check_value, created_at) values (1, ${bytes}, ${time})`;
  await sql`
    insert into users (id, email, kdf_id, salt, epoch, verifier_password, uvk_password, recovery_id,
      verifier_recovery, uvk_recovery, created_at)
    values (${userId}, 'ada@example.com', 1, ${salt}, 1, ${bytes}, ${bytes}, ${userId}, ${bytes}, ${bytes}, ${time})`;
  return scene;
}
