import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';

/** The exclusive hold of one process on a folder. */
export interface FolderLock {
  release(): void;
}

/** Keeps the open files from the garbage collector, which would let go of a lock that nobody released. */
const held = new Set<DatabaseSync>();

/**
 * Takes the folder for this process, or throws with the folder and the process that has it. The database engine doesn't
 * notice a second process on its files, and the two would diverge in silence.
 *
 * The lock is the operating system's own on an open file, which neither runtime offers but SQLite takes (an exclusive
 * transaction that is never ended; fcntl, https://www.sqlite.org/lockingv3.html). It ends with its process, however that
 * ends, and holds between containers that share the folder: a lock file with a process id in it does neither.
 */
export function lockFolder(folder: string): FolderLock {
  const pidFile = join(folder, 'keypass.pid');
  const lockFile = join(folder, 'keypass.lock');
  const file = new DatabaseSync(lockFile);
  try {
    // Others who could read it could lock it too. Not by opening it: closing any descriptor of it would end the lock.
    chmodSync(lockFile, 0o600);
    file.exec('pragma busy_timeout = 0; begin exclusive');
  } catch (error) {
    file.close();
    if (!(error instanceof Error) || !/locked|busy/.test(error.message)) throw error;
    throw new Error(
      `The data folder ${folder} is in use by ${describeHolder(pidFile)}. ` +
        'Stop it first, or set KEYPASS_DATA to another folder. Several instances need a PostgreSQL (DATABASE_URL).',
      { cause: error },
    );
  }
  held.add(file);
  // For people and messages only: the lock is what counts.
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    release: () => {
      rmSync(pidFile, { force: true });
      file.close();
      held.delete(file);
    },
  };
}

function describeHolder(pidFile: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    if (Number.isSafeInteger(pid)) return `process ${pid}`;
  } catch {
    // It has only just taken the folder, or is letting go of it.
  }
  return 'another process';
}
