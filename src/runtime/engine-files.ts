import { readFile } from 'node:fs/promises';
import { isCompiled } from './runtime.ts';

/** What PGlite is given, so that it does not look for it. */
export interface EngineFiles {
  pgliteWasmModule: WebAssembly.Module;
  initdbWasmModule?: WebAssembly.Module;
  fsBundle?: Blob;
}

/**
 * PGlite reads its files from its package's folder. The compiled binary has no such folder and carries them inside
 * itself.
 */
export async function loadEngineFiles(): Promise<EngineFiles> {
  if (!isCompiled) return { pgliteWasmModule: await compileEngine() };
  const { paths } = await import('./compiled-files.ts');
  const [pglite, initdb, bundle] = await Promise.all([
    compileEngine(),
    compile(paths.initdbWasm),
    readFile(paths.pgliteData),
  ]);
  return { pgliteWasmModule: pglite, initdbWasmModule: initdb, fsBundle: new Blob([bundle]) };
}

/** Starts to compile the engine, which takes other threads. If that fails, whoever opens a database is told. */
export function prepareEngine(): void {
  compileEngine().catch(() => {});
}

let engine: Promise<WebAssembly.Module> | undefined;

/** The engine, compiled once for the process. */
function compileEngine(): Promise<WebAssembly.Module> {
  engine ??= findEngine().then(compile);
  return engine;
}

async function findEngine(): Promise<string | URL> {
  if (isCompiled) return (await import('./compiled-files.ts')).paths.pgliteWasm;
  return new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite'));
}

async function compile(place: string | URL): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await readFile(place));
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
