import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDataDirectory } from '../../scripts/data-directory.ts';
import { connectEmbedded, type Database } from '../database/connect.ts';
import { asDatabaseError } from '../database/failures.ts';
import { openEmbedded } from './embedded.ts';

const root = mkdtempSync(join(tmpdir(), 'keypass-embedded-'));
beforeAll(() => buildDataDirectory());
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(root, 'test-')), 'data');
});

async function open(onFailure: (error: Error) => void = () => {}): Promise<Database> {
  return connectEmbedded(await openEmbedded(folder, { onFailure }));
}

test('the folder is for its owner alone, and what was written is there the next time', async () => {
  const database = await open();
  await database.sql`create table notes as select 'kept' as text`;
  await database.close();
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'database')).mode & 0o777).toBe(0o700);
  const again = await open();
  expect(await again.sql`select text from notes`).toMatchObject([{ text: 'kept' }]);
  await again.close();
});

test('a folder in use is refused, and free again after close', async () => {
  const database = await open();
  const refusal = await openEmbedded(folder).catch((error: unknown) => error);
  expect(String(refusal)).toContain(`The data folder ${folder} is in use by process ${process.pid}.`);
  await database.close();
  await (await open()).close();
});

test('a start that was cut short is begun again', async () => {
  mkdirSync(join(folder, 'database'), { recursive: true });
  writeFileSync(join(folder, 'database', 'PG_VERSION'), '18\n');
  writeFileSync(join(folder, 'database.unfinished'), '');
  const database = await open();
  expect(await database.sql`select 1 as value`).toMatchObject([{ value: 1 }]);
  await database.close();
});

test('a database that cannot be opened is an error, is left as it is, and does not keep the lock', async () => {
  mkdirSync(join(folder, 'database'), { recursive: true });
  writeFileSync(join(folder, 'database', 'PG_VERSION'), '18\n');
  for (const _ of [1, 2]) {
    const refusal = await openEmbedded(folder).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Error);
    expect(String(refusal)).not.toContain('in use');
  }
  expect(statSync(join(folder, 'database', 'PG_VERSION')).size).toBe(3);
});

test('what was acknowledged survives kill -9', async () => {
  const program = `
    import { connectEmbedded } from ${JSON.stringify(join(import.meta.dir, '../database/connect.ts'))};
    import { openEmbedded } from ${JSON.stringify(join(import.meta.dir, 'embedded.ts'))};
    const { sql } = connectEmbedded(await openEmbedded(${JSON.stringify(folder)}));
    await sql\`create table notes (id int)\`;
    for (let id = 1; ; id++) { await sql\`insert into notes values (\${id})\`; console.log(id); }`;
  const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' });
  let printed = '';
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    if (printed.length > 2000) child.kill('SIGKILL');
  }
  await child.exited;
  const acknowledged = Math.max(...printed.split('\n').slice(0, -1).map(Number));
  const database = await open();
  const [row] = await database.sql<{ count: bigint }[]>`select count(*) from notes where id <= ${acknowledged}`;
  expect(row?.count).toBe(BigInt(acknowledged));
  await database.close();
});

test('an engine that gives up fails every statement, and says so once', async () => {
  const failures: Error[] = [];
  const database = await open((error) => failures.push(error));
  await database.sql`create table notes (text text)`;
  rmSync(join(folder, 'database', 'pg_wal'), { recursive: true });
  const fill = database.sql`insert into notes select repeat('x', 1000) from generate_series(1, 10000)`;
  expect(asDatabaseError(await fill.catch((error: unknown) => error))?.code).toBe('database_unavailable');
  const next = await database.sql`select 1`.catch((error: unknown) => error);
  expect(asDatabaseError(next)?.code).toBe('database_unavailable');
  expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('stopped')]);
  await database.close();
});
