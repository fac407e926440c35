/** Reads the built pages into memory, from a folder or from inside the compiled binary. */
import { readFile } from 'node:fs/promises';
import type { Asset, Assets } from '../web/pages.ts';

interface ManifestEntry {
  file: string;
  type: string;
  hash: string;
  gzip?: string;
  br?: string;
}

/** What dist/web/embedded.ts exports: the manifest and where each of its files lies inside the binary. */
export interface EmbeddedAssets {
  manifest: Record<string, ManifestEntry>;
  files: Record<string, string>;
}

/** The pages of a build folder (dist/web). Throws when the folder holds no build. */
export async function loadAssets(folder: URL): Promise<Assets> {
  const base = new URL(folder.href.endsWith('/') ? folder.href : `${folder.href}/`);
  const manifest: Record<string, ManifestEntry> = JSON.parse(await readFile(new URL('manifest.json', base), 'utf8'));
  return read(manifest, (file) => new URL(file, base));
}

/** The pages that were compiled into the binary. */
export function loadEmbeddedAssets({ manifest, files }: EmbeddedAssets): Promise<Assets> {
  return read(manifest, (file) => {
    const path = files[file];
    if (path === undefined) throw new Error(`the build of the pages lacks ${file}`);
    return path;
  });
}

async function read(manifest: Record<string, ManifestEntry>, locate: (file: string) => string | URL): Promise<Assets> {
  const bytes = async (file: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await readFile(locate(file)));
  const load = async ([path, entry]: [string, ManifestEntry]): Promise<[string, Asset]> => {
    const asset: Asset = { bytes: await bytes(entry.file), type: entry.type, hash: entry.hash };
    if (entry.gzip !== undefined) asset.gzip = await bytes(entry.gzip);
    if (entry.br !== undefined) asset.br = await bytes(entry.br);
    return [path, asset];
  };
  return new Map(await Promise.all(Object.entries(manifest).map(load)));
}
