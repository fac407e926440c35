import { readFile } from 'node:fs/promises';
import { isCompiled } from './runtime.ts';

/** What PGlite loads, where it can't find it by itself. */
export interface EngineFiles {
  pgliteWasmModule?: WebAssembly.Module;
  initdbWasmModule?: WebAssembly.Module;
  fsBundle?: Blob;
}

/**
 * PGlite reads its WebAssembly from its package's folder. The compiled binary has no such folder and carries the files
 * inside itself.
 */
export async function loadEngineFiles(): Promise<EngineFiles> {
  if (!isCompiled) return {};
  const { paths } = await import('./compiled-files.ts');
  const [pglite, initdb, bundle] = await Promise.all([
    readFile(paths.pgliteWasm).then((bytes) => WebAssembly.compile(bytes)),
    readFile(paths.initdbWasm).then((bytes) => WebAssembly.compile(bytes)),
    readFile(paths.pgliteData),
  ]);
  return { pgliteWasmModule: pglite, initdbWasmModule: initdb, fsBundle: new Blob([bundle]) };
}

/**
 * A new cluster's data directory as `scripts/data-directory.ts` packs it, or null where it was not built. It saves the
 * first start from running initdb: three seconds and a gigabyte of memory.
 */
export async function loadDataDirectory(): Promise<Blob | null> {
  const path = isCompiled
    ? (await import('./compiled-files.ts')).paths.dataDirectory
    : new URL('../../dist/pgdata.tar.gz', import.meta.url);
  try {
    return new Blob([await readFile(path)], { type: 'application/gzip' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
