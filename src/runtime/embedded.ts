import { PGlite } from '@electric-sql/pglite';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDataDirectory, loadEngineFiles } from './engine-files.ts';
import { serveEngine, type Engine } from './engine.ts';
import { exists, makeFolder, syncFolder, writeSecretFile } from './files.ts';
import { lockFolder } from './folder-lock.ts';

export interface EmbeddedOptions {
  /** Told once when the engine has given up, which only a new process can mend. */
  onFailure?: (error: Error) => void;
}

/** How a new cluster is made. Small WAL segments make the packed data directory small, and first starts fast. */
export const initdbArguments: readonly string[] = ['--wal-segsize=1'];

/**
 * Opens the embedded database in `<folder>/database`, made on first use. The folder is locked for this process until
 * `close`; another process is refused with the folder's name and the pid.
 */
export async function openEmbedded(folder: string, { onFailure }: EmbeddedOptions = {}): Promise<Engine> {
  await makeFolder(folder);
  const lock = lockFolder(folder);
  try {
    const engine = serveEngine(await openFolder(folder), onFailure);
    return {
      connect: () => engine.connect(),
      close: async () => {
        await engine.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openFolder(folder: string): Promise<PGlite> {
  const database = join(folder, 'database');
  const unfinished = join(folder, 'database.unfinished');
  // A start that was cut short left files of which nobody knows which are whole. Nothing was ever written to them.
  if (await exists(unfinished)) await rm(database, { recursive: true, force: true });
  if (await exists(database)) {
    await rm(unfinished, { force: true });
    return await PGlite.create(database, await loadEngineFiles());
  }
  await writeSecretFile(unfinished, 'The database folder beside this file is being made.\n', { replace: true });
  await makeFolder(database);
  const pglite = await createCluster(database);
  await rm(unfinished);
  await syncFolder(folder);
  return pglite;
}

/** Opens a new database in memory, from a packed data directory where one is given. */
export async function openInMemory(dataDirectory: Blob | null = null): Promise<PGlite> {
  return await createCluster('memory://', dataDirectory);
}

async function createCluster(place: string, given: Blob | null = null): Promise<PGlite> {
  const [files, dataDirectory] = await Promise.all([loadEngineFiles(), given ?? loadDataDirectory()]);
  return await PGlite.create(place, {
    ...files,
    ...(dataDirectory === null ? { initDbStartParams: [...initdbArguments] } : { loadDataDir: dataDirectory }),
  });
}
