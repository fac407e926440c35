import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from './folder-lock.ts';

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keypass-lock-'));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Another process that takes the lock, says so, and keeps it until it is killed or this one has ended. */
async function startHolder(folder: string) {
  const program = `
    import { lockFolder } from ${JSON.stringify(join(import.meta.dir, 'folder-lock.ts'))};
    try { lockFolder(${JSON.stringify(folder)}); console.log('held'); Bun.gc(true); await Bun.stdin.text(); }
    catch (error) { console.log(error.message); }`;
  const child = Bun.spawn([process.execPath, '-e', program], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' });
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

test('a second process is refused with the folder and the pid that has it', async () => {
  const folder = newFolder();
  const { child, said } = await startHolder(folder);
  expect(said).toBe('held');
  expect(() => lockFolder(folder)).toThrow(`The data folder ${folder} is in use by process ${child.pid}.`);
  const third = await startHolder(folder);
  expect(third.said).toContain(`in use by process ${child.pid}`);
  child.kill('SIGKILL');
  await child.exited;
});

test('the lock of a process that was killed is free, whatever it left behind', async () => {
  const folder = newFolder();
  const { child } = await startHolder(folder);
  child.kill('SIGKILL');
  await child.exited;
  // As after a restart, when the old number belongs to somebody who lives.
  writeFileSync(join(folder, 'keypass.pid'), `${process.pid}\n`);
  const lock = lockFolder(folder);
  const { said } = await startHolder(folder);
  expect(said).toContain(`in use by process ${process.pid}`);
  lock.release();
});

test('of many that come at once over a dead one, one gets it', async () => {
  const folder = newFolder();
  const { child } = await startHolder(folder);
  child.kill('SIGKILL');
  await child.exited;
  const holders = await Promise.all(Array.from({ length: 4 }, () => startHolder(folder)));
  expect(holders.filter(({ said }) => said === 'held')).toHaveLength(1);
  for (const holder of holders) holder.child.kill('SIGKILL');
});

test('others can neither read nor lock', () => {
  const folder = newFolder();
  const lock = lockFolder(folder);
  for (const name of ['keypass.lock', 'keypass.pid']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  lock.release();
});

test('twice in one process is refused, and release frees it', () => {
  const folder = newFolder();
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`process ${process.pid}`);
  lock.release();
  lockFolder(folder).release();
});
