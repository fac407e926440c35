import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { hasPostgres, createPostgresDatabase } from '../../test/harness/postgres.ts';
import { eachDatabase, openEmptyDatabase } from '../../test/harness/databases.ts';
import { connectPostgres, type Database } from './connect.ts';
import { migrations } from './migration-files.ts';
import { migrate, type Migration } from './migrations.ts';

const first: Migration = { name: '0001_first.sql', sql: 'create table a (id int); insert into a values (1);' };
const second: Migration = { name: '0002_second.sql', sql: "insert into a values (2); insert into a values ('3');" };
const third: Migration = { name: '0003_third.sql', sql: 'create index a_id on a (id);' };

eachDatabase((kind) => {
  let database: Database;

  beforeEach(async () => {
    database = await openEmptyDatabase(kind);
  });
  afterEach(() => database.close());

  test('migrations are applied once each, in order', async () => {
    await migrate(database, [first, second]);
    await migrate(database, [first, second, third]);
    await migrate(database, [first, second, third]);
    expect(await applied(database)).toEqual([first.name, second.name, third.name]);
    expect(await database.sql`select id from a order by id`).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  test('a migration that fails leaves nothing behind, and those before it stay', async () => {
    const failing = { name: '0002_failing.sql', sql: 'insert into a values (2); insert into nowhere values (1);' };
    expect(await message(migrate(database, [first, failing]))).toContain('nowhere');
    expect(await applied(database)).toEqual([first.name]);
    expect(await database.sql`select id from a`).toMatchObject([{ id: 1 }]);
  });

  test('an applied migration that was edited is refused by name', async () => {
    await migrate(database, [first, second]);
    const edited = { ...first, sql: `${first.sql} ` };
    const refusal = await message(migrate(database, [edited, second, third]));
    expect(refusal).toContain('0001_first.sql was changed');
    expect(await applied(database)).toEqual([first.name, second.name]);
  });

  test('a database with a gap is refused by name', async () => {
    await migrate(database, [first, second, third]);
    await database.sql`delete from migrations where name = ${second.name}`;
    expect(await message(migrate(database, [first, second, third]))).toContain('lacks migration 0002_second.sql');
  });

  test('a database newer than the program is refused by name', async () => {
    await migrate(database, [first, second]);
    const refusal = await message(migrate(database, [first]));
    expect(refusal).toContain('newer than this program');
    expect(refusal).toContain('0002_second.sql');
  });

  test("the project's own migrations apply", async () => {
    await migrate(database, migrations);
    expect(await applied(database)).toEqual(migrations.map(({ name }) => name));
  });
});

test('files that are not numbered from 0001 without a hole are refused before anything runs', async () => {
  const database = await openEmptyDatabase('embedded');
  expect(await message(migrate(database, [first, third]))).toContain('0003_third.sql is out of order');
  expect(await message(migrate(database, [second]))).toContain('0002_second.sql is out of order');
  await database.close();
});

describe.skipIf(!hasPostgres)('two instances', () => {
  test('that start at once on one database both end with every migration applied once', async () => {
    const { url, drop } = await createPostgresDatabase();
    const instances = Array.from({ length: 4 }, () => connectPostgres(url));
    const slow = { ...second, sql: `select pg_sleep(0.1); ${second.sql}` };
    await Promise.all(instances.map((instance) => migrate(instance, [first, slow, third])));
    const [instance] = instances;
    if (instance === undefined) throw new Error('no instance');
    expect(await instance.sql`select id from a order by id`).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(await applied(instance)).toEqual([first.name, second.name, third.name]);
    await Promise.all(instances.map((each) => each.close()));
    await drop();
  });
});

async function applied(database: Database): Promise<string[]> {
  const rows = await database.sql<{ name: string }[]>`select name from migrations order by applied_at, name`;
  return rows.map(({ name }) => name);
}

async function message(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'it did not fail',
    (error: unknown) => (error instanceof Error ? error.message : 'not an Error'),
  );
}
