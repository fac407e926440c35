import { randomUUID } from 'node:crypto';
import { access, chmod, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const ownerOnly = 0o600;
const ownerOnlyFolder = 0o700;
const groupAndWorld = 0o077;

export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Makes the folder, and those above it, for the owner alone. One that is there already keeps its mode. */
export async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: ownerOnlyFolder });
  if (made !== undefined) await chmod(path, ownerOnlyFolder);
}

export async function readTextFile(path: string): Promise<string> {
  return await readFile(path, 'utf8');
}

/** The text of a file that only its owner can read; a file that others can read is refused, for it is no secret. */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { mode } = await file.stat();
    if ((mode & groupAndWorld) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(3, '0');
      throw new Error(`${path} holds a secret but has mode ${octal}: others could read it. Run: chmod 600 ${path}`);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Writes a file that only its owner can read, whole or not at all, also across a crash. A file that is there already is
 * kept, and an Error thrown, unless `replace` says otherwise.
 */
export async function writeSecretFile(path: string, text: string, { replace = false } = {}): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx', ownerOnly);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // Of rename and link, only link refuses to overwrite, and both are atomic.
    if (replace) await rename(temporary, path);
    else await link(temporary, path);
  } catch (error) {
    if (isCode(error, 'EEXIST')) throw new Error(`${path} exists already and is kept as it is.`, { cause: error });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(folder);
}

/** Makes names that were written into the folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
