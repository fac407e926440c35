/**
 * Bundles the pages into dist/web: hashed, minified, pre-compressed, with a manifest for the server and a module that
 * imports every file for the single binary. It runs before every start, so it first asks whether an input changed.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { buildDocs, docsInputs } from './build-docs.ts';

/** One file of dist/web/manifest.json; `file`, `gzip` and `br` are names inside dist/web, `hash` is its ETag. */
interface ManifestEntry {
  file: string;
  type: string;
  hash: string;
  gzip?: string;
  br?: string;
}

const root = join(import.meta.dir, '..');
const output = join(root, 'dist/web');
const inputs = [
  'src/web',
  'src/crypto',
  'sdk/vault/src',
  'sdk/link-sdk/src',
  ...docsInputs,
  'scripts/build-web.ts',
  'bun.lock',
];
const pages = ['landing', 'vault', 'link', 'console'] as const;
const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Names, sizes and modification times of everything that goes in: read in a few milliseconds. */
function fingerprint(): string {
  const hash = createHash('sha256').update(Bun.version);
  for (const input of inputs) {
    const path = join(root, input);
    const names = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }).map(String).toSorted() : [''];
    for (const name of names) {
      const { size, mtimeMs } = statSync(join(path, name));
      hash.update(`${input}/${name}:${size}:${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

function isCurrent(inputsHash: string): boolean {
  try {
    return readFileSync(join(output, 'inputs'), 'utf8') === inputsHash;
  } catch {
    return false;
  }
}

async function bundle(entrypoints: string[]): Promise<Map<string, Uint8Array>> {
  const result = await Bun.build({
    entrypoints: entrypoints.map((entry) => join(root, 'src/web', entry)),
    target: 'browser',
    format: 'esm',
    splitting: true,
    minify: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    naming: { entry: '[name]-[hash].[ext]', chunk: 'shared-[hash].[ext]', asset: '[name]-[hash].[ext]' },
  });
  const files = new Map<string, Uint8Array>();
  for (const artifact of result.outputs) {
    files.set(artifact.path.replace(/^\.?\//, ''), new Uint8Array(await artifact.arrayBuffer()));
  }
  return files;
}

/** What other pages load by `<script src>`: one classic script. */
async function bundleLinkSdk(): Promise<Uint8Array> {
  const entry = join(root, 'sdk/link-sdk/src/global.ts');
  const { outputs } = await Bun.build({ entrypoints: [entry], target: 'browser', format: 'iife', minify: true });
  const [script] = outputs;
  if (script === undefined) throw new Error('expected a bundle of the Link SDK');
  return new Uint8Array(await script.arrayBuffer());
}

function only(names: Iterable<string>, pattern: RegExp): string {
  const [found, second] = [...names].filter((name) => pattern.test(name));
  if (found === undefined || second !== undefined) throw new Error(`expected one bundle that matches ${pattern}`);
  return found;
}

/** The bundles that a bundle needs at once, so that the browser fetches them together and not one after the other. */
function importsOf(name: string, scripts: Map<string, Uint8Array>, found = new Set<string>()): string[] {
  const code = new TextDecoder().decode(scripts.get(name));
  for (const [, imported = ''] of code.matchAll(/(?:from|import)\s*"\.\/(shared-\w+\.js)"/g)) {
    if (found.has(imported)) continue;
    found.add(imported);
    importsOf(imported, scripts, found);
  }
  return [...found];
}

/** The whole page is drawn by its script; without one the page says what it needs. */
function shell(page: string, script: string, shared: string[], style: string, icon: string): string {
  const titles: Record<string, string> = { landing: 'KeyPass', vault: 'Vault', link: 'Connect', console: 'Console' };
  const title = page === 'landing' ? 'KeyPass' : `${titles[page]} · KeyPass`;
  const preloads = shared.map((name) => `<link rel="modulepreload" href="/assets/${name}">\n`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="One vault for your AI keys. Apps get a budget, never a key.">
<title>${title}</title>
<link rel="icon" type="image/svg+xml" href="/assets/${icon}">
<link rel="stylesheet" href="/assets/${style}">
${preloads}<script type="module" src="/assets/${script}"></script>
</head>
<body class="page-${page}">
<div id="root"></div>
<noscript><p class="noscript">KeyPass encrypts in your browser, so this page needs JavaScript.</p></noscript>
</body>
</html>
`;
}

function write(folder: string, path: string, bytes: Uint8Array): ManifestEntry {
  const file = path.slice(path.lastIndexOf('/') + 1);
  const type = types[file.slice(file.lastIndexOf('.') + 1)];
  if (type === undefined) throw new Error(`no content type for ${file}`);
  writeFileSync(join(folder, file), bytes);
  const entry: ManifestEntry = {
    file,
    type,
    hash: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
  };
  const gzip = gzipSync(bytes, { level: 9 });
  // The last tenth of a large file's size would cost most of the build's time.
  const quality = bytes.length > 1_000_000 ? 9 : constants.BROTLI_MAX_QUALITY;
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_QUALITY]: quality };
  const br = brotliCompressSync(bytes, { params });
  if (gzip.length < bytes.length) writeFileSync(join(folder, (entry.gzip = `${file}.gz`)), gzip);
  if (br.length < gzip.length) writeFileSync(join(folder, (entry.br = `${file}.br`)), br);
  return entry;
}

/** A module for the compiled binary: Bun embeds what is imported as a file and gives its path inside the binary. */
function embeddedModule(manifest: Record<string, ManifestEntry>): string {
  const files = Object.values(manifest).flatMap(({ file, gzip, br }) =>
    [file, gzip, br].filter((name) => name !== undefined),
  );
  const imports = files.map((file, index) => `import f${index} from './${file}' with { type: 'file' };`);
  const paths = files.map((file, index) => `  ${JSON.stringify(file)}: f${index},`);
  return [
    ...imports,
    `export const manifest = ${JSON.stringify(manifest, null, 2)};`,
    `export const files = {\n${paths.join('\n')}\n};`,
    '',
  ].join('\n');
}

async function build(inputsHash: string): Promise<void> {
  const scripts = await bundle(pages.map((page) => `${page}/${page}.tsx`));
  const styles = await bundle(['ui/styles.css']);
  const icon = readFileSync(join(root, 'src/web/ui/icon.svg'));
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  const style = only(styles.keys(), /\.css$/);

  const folder = `${output}.${process.pid}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const manifest: Record<string, ManifestEntry> = {};
  const add = (path: string, bytes: Uint8Array): void => {
    manifest[path] = write(folder, path, bytes);
  };
  for (const [name, bytes] of [...scripts, ...styles, [iconName, icon] as const]) add(`assets/${name}`, bytes);
  for (const page of pages) {
    const script = only(scripts.keys(), new RegExp(`^${page}-.*\\.js$`));
    add(`${page}.html`, new TextEncoder().encode(shell(page, script, importsOf(script, scripts), style, iconName)));
  }
  add('sdk/link.js', await bundleLinkSdk());
  for (const [path, bytes] of await buildDocs(iconName)) add(path, bytes);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest, null, 2));
  writeFileSync(join(folder, 'embedded.js'), embeddedModule(manifest));
  writeFileSync(join(folder, 'inputs'), inputsHash);
  rmSync(output, { recursive: true, force: true });
  renameSync(folder, output);
}

const inputsHash = fingerprint();
if (!isCurrent(inputsHash)) await build(inputsHash);
