/** Reads the built pages into memory, from the build's folder or from inside the compiled binary. */
import { readFile } from 'node:fs/promises';
import type { Asset, Assets } from '../web/pages.ts';
import { isCompiled } from './runtime.ts';

interface ManifestEntry {
  file: string;
  type: string;
  hash: string;
  gzip?: string;
  br?: string;
}

type Manifest = Record<string, ManifestEntry>;

const folder = new URL('../../dist/web/', import.meta.url);

/** The pages as `scripts/build-web.ts` left them. Throws an Error that says what to run when there is no build. */
export async function loadPages(): Promise<Assets> {
  if (isCompiled) {
    const { manifest, files } = await import('./compiled-pages.ts');
    return read(manifest, (file) => files[file] ?? file);
  }
  const manifest: Manifest = JSON.parse(await readFile(new URL('manifest.json', folder), 'utf8').catch(notBuilt));
  return read(manifest, (file) => new URL(file, folder));
}

async function read(manifest: Manifest, locate: (file: string) => string | URL): Promise<Assets> {
  const bytes = async (file: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await readFile(locate(file)));
  const load = async ([path, entry]: [string, ManifestEntry]): Promise<[string, Asset]> => {
    const asset: Asset = { bytes: await bytes(entry.file), type: entry.type, hash: entry.hash };
    if (entry.gzip !== undefined) asset.gzip = await bytes(entry.gzip);
    if (entry.br !== undefined) asset.br = await bytes(entry.br);
    return [path, asset];
  };
  return new Map(await Promise.all(Object.entries(manifest).map(load)));
}

function notBuilt(cause: unknown): never {
  throw new Error('The pages are not built. Run: bun scripts/build-web.ts', { cause });
}
