import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { KeyPassError } from '../errors.ts';
import { connectPostgres, type Database } from './connect.ts';
import { asDatabaseError } from './failures.ts';

eachDatabase((kind, open) => {
  let database: Database;
  let sql: Database['sql'];

  beforeAll(async () => {
    database = await open();
    sql = database.sql;
    await sql`create table notes (id int primary key, body_text text)`;
  });

  test('column names are camelCase, keys inside JSON stay as they are', async () => {
    const [row] = await sql`select 1 as some_number, ${sql.json({ some_key: 1 })}::jsonb as some_json`;
    expect(row).toEqual({ someNumber: 1, someJson: { some_key: 1 } });
  });

  test('the serial connection plans once and by the indexes, and takes its statements in turn', async () => {
    const { serial } = database;
    const [plans] = await serial`select current_setting('enable_seqscan') as value`;
    expect(plans?.['value']).toBe('off');
    const [first, second] = await Promise.all([
      serial`select pg_backend_pid() as pid, clock_timestamp()::text as at from pg_sleep(0.05)`,
      serial`select pg_backend_pid() as pid, statement_timestamp()::text as at`,
    ]);
    expect(second[0]?.['pid']).toBe(first[0]?.['pid']);
    expect(second[0]?.['at'] >= first[0]?.['at']).toBe(true);
  });

  test('values go in and come out as the types they are', async () => {
    const bytes = new Uint8Array([0, 1, 92, 255]);
    const [row] = await sql`
      select ${2n ** 62n}::bigint as big, ${bytes}::bytea as bytes, ${'a"b\\'}::text as text, ${null}::text as nothing,
             ${new Date(0)}::timestamptz as moment, ${true}::boolean as flag`;
    expect(row?.['big']).toBe(2n ** 62n);
    expect(new Uint8Array(row?.['bytes'])).toEqual(bytes);
    expect(row).toMatchObject({ text: 'a"b\\', nothing: null, moment: new Date(0), flag: true });
  });

  test('unnest takes arrays of every type in use', async () => {
    const ids = ['7b0ab4a4-5f41-4b3b-8b3c-1f1b5a3b6d11', '7b0ab4a4-5f41-4b3b-8b3c-1f1b5a3b6d12'] as const;
    const rows = await sql<{ id: string; amount: bigint; bytes: Uint8Array; text: string }[]>`
      select id, amount, bytes, text
      from unnest(${ids}::uuid[], ${sql.array([1n, -(2n ** 62n)])}::bigint[],
        ${sql.array([new Uint8Array([1]), new Uint8Array([255, 0])])}::bytea[], ${['{"', '\\,']}::text[])
        as given (id, amount, bytes, text)`;
    expect(rows.map(({ bytes, ...row }) => ({ ...row, bytes: [...bytes] }))).toEqual([
      { id: ids[0], amount: 1n, bytes: [1], text: '{"' },
      { id: ids[1], amount: -(2n ** 62n), bytes: [255, 0], text: '\\,' },
    ]);
  });

  test('empty arrays are arrays', async () => {
    const [row] = await sql`
      select cardinality(${sql.array<bigint[]>([])}::bigint[]) as numbers, cardinality(${[]}::uuid[]) as ids`;
    expect(row).toEqual({ numbers: 0, ids: 0 });
  });

  test('a megabyte of bytes, and a result of ten', async () => {
    const bytes = new Uint8Array(1024 * 1024).map((_, index) => index % 251);
    const [row] = await sql`select ${bytes}::bytea as bytes`;
    expect(Bun.SHA256.hash(row?.['bytes'], 'hex')).toBe(Bun.SHA256.hash(bytes, 'hex'));
    const rows = await sql`select number, repeat('x', 1000) as text from generate_series(1, 10000) as s (number)`;
    expect(rows.length).toBe(10_000);
    expect(rows.at(-1)).toEqual({ number: 10_000, text: 'x'.repeat(1000) });
  });

  test('200 statements at once each get their own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        if (index % 10 === 0) return await sql`select ${index}::int / 0`.catch(() => [{ number: index }]);
        return await sql`select ${index}::int as number`;
      }),
    );
    expect(answers.map(([row]) => row?.['number'])).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  test('an error leaves the connection in order', async () => {
    expect((await failure(sql`select nothing_of_that_name`)).message).toContain('nothing_of_that_name');
    expect((await failure(sql`select ${'x'}::int`)).message).toContain('integer');
    await sql.unsafe('select 1; select 1/0; select 2').catch(() => {});
    expect(await one(sql`select 3 as value`)).toBe(3);
  });

  test('begin commits what work returns and rolls back what it throws', async () => {
    expect(await database.begin(async (tx) => one(tx`insert into notes values (1, 'a') returning id as value`))).toBe(
      1,
    );
    const thrown = database.begin(async (tx) => {
      await tx`insert into notes values (2, 'b')`;
      throw new Error('on purpose');
    });
    expect((await failure(thrown)).message).toBe('on purpose');
    expect(await one(sql`select count(*) as value from notes`)).toBe(1n);
  });

  test('begin runs work again after a serialization failure or deadlock, and not for ever', async () => {
    for (const state of ['40001', '40P01']) {
      let attempts = 0;
      const result = await database.begin(async (tx) => {
        attempts++;
        if (attempts < 3) await tx.unsafe(`do $$ begin raise exception using errcode = '${state}'; end $$`);
        return attempts;
      });
      expect(result).toBe(3);
    }
    let attempts = 0;
    const hopeless = database.begin(async (tx) => {
      attempts++;
      await tx`do $$ begin raise exception using errcode = '40001'; end $$`;
    });
    expect(await failure(hopeless)).toMatchObject({ code: '40001' });
    expect(attempts).toBe(5);
  });

  test('begin does not repeat other failures', async () => {
    let attempts = 0;
    const failing = database.begin(async (tx) => {
      attempts++;
      await tx`insert into notes values (1, 'again')`;
    });
    expect(await failure(failing)).toMatchObject({ code: '23505' });
    expect(attempts).toBe(1);
  });

  test('a notice reaches every listener until it stops listening', async () => {
    const heard: string[] = [];
    const both = Promise.withResolvers<void>();
    const stopFirst = await database.listen('paused', (payload) => heard.push(`first ${payload}`));
    const stopSecond = await database.listen('paused', (payload) => {
      heard.push(`second ${payload}`);
      both.resolve();
    });
    await database.notify('elsewhere', '0');
    await database.notify('paused', '1');
    await both.promise;
    expect(heard).toEqual(['first 1', 'second 1']);
    await stopFirst();
    const again = Promise.withResolvers<void>();
    const stopThird = await database.listen('paused', () => again.resolve());
    await database.notify('paused', '2');
    await again.promise;
    expect(heard).toEqual(['first 1', 'second 1', 'second 2']);
    await Promise.all([stopSecond(), stopThird()]);
  });

  test('times are in UTC', async () => {
    expect(await one(sql`select current_setting('TimeZone') as value`)).toBe('UTC');
  });

  test('a closed database says that it is unavailable', async () => {
    const closed = await open();
    await closed.close();
    expect(asDatabaseError(await failure(closed.sql`select 1`))?.code).toBe('database_unavailable');
  });

  if (kind === 'postgres') {
    test('deadlocked transactions both succeed', async () => {
      await sql`create table accounts (id int primary key, amount int)`;
      await sql`insert into accounts values (1, 0), (2, 0)`;
      const bothHold = Promise.withResolvers<void>();
      let holding = 0;
      const cross = (first: number, second: number): Promise<void> =>
        database.begin(async (tx) => {
          await tx`update accounts set amount = amount + 1 where id = ${first}`;
          if (++holding === 2) bothHold.resolve();
          await bothHold.promise;
          await tx`update accounts set amount = amount + 1 where id = ${second}`;
        });
      await Promise.all([cross(1, 2), cross(2, 1)]);
      expect(await one(sql`select sum(amount) as value from accounts`)).toBe(4n);
    });

    test('the pool recovers when its connections are cut again and again under load', async () => {
      await sql`create table counters (id int primary key, value int not null)`;
      await sql`insert into counters select id, 0 from generate_series(1, 20) as s (id)`;
      const cutting = new AbortController();
      const unexpected: unknown[] = [];
      const worker = async (id: number): Promise<void> => {
        while (!cutting.signal.aborted) {
          const work = database.begin(async (tx) => {
            await tx`update counters set value = value + 1 where id = ${id}`;
            await new Promise((resolve) => setTimeout(resolve, 1));
            await tx`select ${id}::int`;
          });
          await work.catch((error: unknown) => asDatabaseError(error) ?? unexpected.push(error));
        }
      };
      const workers = Array.from({ length: 20 }, (_, index) => worker(index + 1));
      const cutter = await open();
      const [current] = await sql<{ name: string }[]>`select current_database() as name`;
      for (let round = 0; round < 20; round++) {
        await cutter.sql`
          select pg_terminate_backend(pid) from pg_stat_activity where datname = ${current?.name ?? ''}`;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      cutting.abort();
      await Promise.all(workers);
      expect(unexpected).toEqual([]);
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => one(sql`select ${n}::int as value`)),
      );
      expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => n));
    });

    test('a serial connection that does not answer is given up for another', async () => {
      const [place] = await sql<{ name: string; port: number }[]>`
        select current_database() as name, inet_server_port() as port`;
      const other = connectPostgres(`postgres://postgres@127.0.0.1:${place?.port}/${place?.name}`);
      const before = await one(other.serial`select pg_backend_pid() as value`);
      const waiting = ['select pg_sleep(60)', 'select 1'].map((text) => failure(other.serial.unsafe(text)));
      other.renewSerial();
      expect(await one(other.serial`select pg_backend_pid() as value`)).not.toBe(before);
      const codes = (await Promise.all(waiting)).map((error) => asDatabaseError(error)?.code);
      expect(codes).toEqual(['database_unavailable', 'database_unavailable']);
      await other.close();
      await sql`select pg_terminate_backend(${Number(before)}::integer)`;
    });

    test('a connection that the server ends is a database that is unavailable, and the next statement works', async () => {
      const ended = database.begin(async (tx) => tx`select pg_terminate_backend(pg_backend_pid())`);
      expect(asDatabaseError(await failure(ended))?.code).toBe('database_unavailable');
      expect(await one(sql`select 1 as value`)).toBe(1);
    });
  }
});

test('a server that does not answer is a database that is unavailable', async () => {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } });
  const { port } = probe;
  probe.stop(true);
  const nowhere = connectPostgres(`postgres://keypass@127.0.0.1:${port}/keypass`);
  afterAll(() => nowhere.close());
  const error = asDatabaseError(await failure(nowhere.sql`select 1`));
  expect(error).toBeInstanceOf(KeyPassError);
  expect(error?.code).toBe('database_unavailable');
  expect(error?.message).not.toContain(String(port));
});

test('failures of other things are not the database being away', () => {
  const provider = Object.assign(new Error('socket'), { code: 'ECONNREFUSED' });
  expect(asDatabaseError(provider)).toBeNull();
  expect(asDatabaseError(new Error('plain'))).toBeNull();
  expect(asDatabaseError('text')).toBeNull();
});

async function failure(promise: PromiseLike<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not fail.');
}

async function one(rows: PromiseLike<readonly Record<string, unknown>[]>): Promise<unknown> {
  return (await rows)[0]?.['value'];
}
