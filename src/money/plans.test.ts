import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { openTestDatabase } from '../../test/harness/databases.ts';
import { cent, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';
import { hasPostgres } from '../../test/harness/postgres.ts';
import { shredConnection } from '../connections/store.ts';
import { connectPostgres, type Database } from '../database/connect.ts';
import { deleteOldCreations } from '../database/idempotency.ts';
import { keySeal } from './seal-store.ts';

describe.skipIf(!hasPostgres)('postgres, with many rows', () => {
  let scene: LedgerScene;
  let lone: Database;

  beforeAll(async () => {
    scene = await openLedgerScene(() => openTestDatabase('postgres'));
    const { sql } = scene.database;
    const [place] = await sql<{ name: string; port: number }[]>`
      select current_database() as name, inet_server_port() as port`;
    lone = connectPostgres(`postgres://postgres@127.0.0.1:${place?.port}/${place?.name}`, { max: 1 });
    await sql`
      insert into provider_keys (id, user_id, provider, origin, version, is_default, item, dek_vault, created_at)
      select case when i = 1 then ${scene.keyId}::uuid else gen_random_uuid() end, ${scene.userId}, 'openai',
        'https://api.openai.com', 1, false, decode(repeat(md5(i::text), 8), 'hex'), 'wrap', now()
      from generate_series(1, 3000) i`;
    await sql`
      insert into connections (id, user_id, kind, status, revision, generation, policy, policy_hash, created_at)
      select gen_random_uuid(), ${scene.userId}, 'personal', 'active', 1, 1, 'policy', decode(repeat('00', 32), 'hex'),
        now()
      from generate_series(1, 2000)`;
    const appId = crypto.randomUUID();
    await sql`
      insert into apps (id, user_id, name, client_id, allowed_origins, redirect_uris, created_at)
      values (${appId}, ${scene.userId}, 'app', 'app', '{}', '{}', now())`;
    await sql`
      insert into link_sessions (id, app_id, lookup, status, requested_providers, created_at, expires_at)
      select gen_random_uuid(), ${appId}, decode(md5(i::text), 'hex'), 'exchanged', '{openai}', now(), now()
      from generate_series(1, 20000) i`;
    await sql`
      insert into idempotency_keys (caller, key_hash, body_hash, state, created_at)
      select decode(md5(i::text), 'hex'), 'key', 'body', 'done', now() from generate_series(1, 20000) i`;
    await sql`analyze`;
  });

  afterAll(async () => {
    await lone.close();
    await scene.database.close();
  });

  /** Rows of a table that were read one after the other while `work` ran. */
  async function readThrough(table: string, work: () => Promise<unknown>): Promise<number> {
    const count = async () => {
      await lone.sql`select pg_stat_force_next_flush()`;
      const [row] = await lone.sql<{ rows: number }[]>`
        select seq_tup_read::integer as rows from pg_stat_user_tables where relname = ${table}`;
      return row?.rows ?? Number.NaN;
    };
    const before = await count();
    await work();
    return (await count()) - before;
  }

  test('a hold reads its own key, not those of all users', async () => {
    const grantee = await scene.permission();
    await scene.hold(grantee, 0n);
    const [key] = await lone.sql<{ seal: string }[]>`
      select ${keySeal(lone.sql)} as seal from provider_keys where id = ${scene.keyId}`;
    const ledger = scene.newLedger({ database: { ...lone, serial: lone.sql } });
    const request = scene.request(grantee, cent, { keySeal: key?.seal ?? '' });
    expect(await readThrough('provider_keys', () => ledger.hold(request))).toBe(0);
  });

  test('ends find their holds among many, though there were few when the statement was planned', async () => {
    const { sql, serial } = scene.database;
    const grantee = await scene.permission();
    const ledger = scene.newLedger({ database: scene.database });
    const first = await Promise.all([1, 2].map(() => ledger.hold(scene.request(grantee, 1n))));
    await sql`vacuum analyze holds`;
    for (const hold of first) await ledger.release(hold);
    await sql`
      insert into holds (call_id, connection_id, window_start, amount, instance_id, provider, model, endpoint, key_id,
        created_at)
      select gen_random_uuid(), ${grantee.connectionId}, '2026-11-01', 0, ${ledger.instanceId}, 'openai', 'gpt-4o-mini',
        'POST /v1/chat/completions', ${scene.keyId}, now()
      from generate_series(1, 5000)`;
    const holds = await Promise.all(Array.from({ length: 100 }, () => ledger.hold(scene.request(grantee, 1n))));
    const entriesRead = async () => {
      await serial`select pg_stat_force_next_flush()`;
      const [row] = await serial<{ entries: number }[]>`
        select idx_tup_read::integer as entries from pg_stat_user_indexes where indexrelname = 'holds_pkey'`;
      return row?.entries ?? Number.NaN;
    };
    const before = await entriesRead();
    for (const hold of holds) void ledger.settle(hold, { ...settlement, cost: 1n });
    await ledger.booked();
    expect(await scene.state(grantee)).toEqual({ spent: 100n, held: 0n });
    // Each is looked up once for its budget, and once to be removed.
    expect((await entriesRead()) - before).toBeLessThanOrEqual(200);
    const [prepared] = await serial<{ name: string }[]>`
      select name from pg_prepared_statements where statement like '%delete from holds%' and statement not like '%prepared%'`;
    const nothing = Array.from({ length: 14 }, () => `'{}'`).join();
    const plan = await serial.unsafe(`explain execute "${prepared?.name}"(${nothing})`);
    const lines = plan.map((row) => String(Object.values(row)[0]));
    // In nested loops, each end would be compared with the hold of every other.
    expect(lines[lines.findIndex((line) => line.includes('CTE outcome')) + 1]).toMatch(/(Hash|Merge) Full Join/);
  });

  test('a revocation, which holds a lock, reads no link session but its own', async () => {
    const { connectionId } = await scene.permission();
    const revoke = () => lone.begin((tx) => shredConnection(tx, connectionId, scene.time));
    expect(await readThrough('link_sessions', revoke)).toBe(0);
  });

  test('twice a minute, old numbers of calls are found without reading the others', async () => {
    expect(await readThrough('idempotency_keys', () => deleteOldCreations(lone.sql, new Date(0)))).toBe(0);
  });
});
