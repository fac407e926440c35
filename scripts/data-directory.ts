import { PGlite } from '@electric-sql/pglite';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { initdbArguments } from '../src/runtime/embedded.ts';

const target = new URL('../dist/pgdata.tar.gz', import.meta.url);
const engine = new URL('../node_modules/@electric-sql/pglite/dist/pglite.wasm', import.meta.url);

/**
 * Packs the data directory of a new cluster into `dist/pgdata.tar.gz`, from which the embedded database's first start
 * unpacks it. Does nothing when the file is there and younger than the installed engine.
 */
export async function buildDataDirectory(): Promise<void> {
  const made = statSync(target, { throwIfNoEntry: false });
  if (made !== undefined && made.mtimeMs > statSync(engine).ctimeMs) return;
  const pglite = await PGlite.create({ initDbStartParams: [...initdbArguments] });
  await pglite.exec('checkpoint');
  const tar = await pglite.dumpDataDir('none');
  await pglite.close();
  const packed = gzipSync(new Uint8Array(await tar.arrayBuffer()), { level: 9 });
  mkdirSync(new URL('.', target), { recursive: true });
  // Whole or not at all, also when two do it at once.
  const temporary = `${fileURLToPath(target)}.${process.pid}`;
  writeFileSync(temporary, packed);
  renameSync(temporary, target);
}

if (import.meta.main) await buildDataDirectory();
