/**
 * Builds the three SDKs into sdk/<name>/dist: ES module, CommonJS, types and the tarball to publish. Inside this
 * repository their `exports` point to the sources, so nothing has to be built before it runs; what is published gets
 * the `exports` of `publishConfig` instead, and that tarball is what publint and arethetypeswrong check.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

interface Package {
  name: string;
  /** Bytes of its gzipped bundle. */
  limit?: number;
  minify?: boolean;
  /** What its declarations are relative to: the vault's reach into src/crypto. */
  declarationRoot: string;
  /** Packages that stay imports; their versions are those of this repository. */
  dependencies: string[];
  /** A second bundle for `<script src>`. */
  script?: { entry: string; file: string };
}

interface Manifest {
  version: string;
  files?: string[];
  dependencies?: Record<string, string>;
  publishConfig?: Record<string, unknown>;
  [field: string]: unknown;
}

const root = join(import.meta.dir, '..');
const packages: Package[] = [
  { name: 'node-sdk', limit: 15 * 1024, declarationRoot: 'sdk/node-sdk/src', dependencies: [] },
  {
    name: 'link-sdk',
    limit: 5 * 1024,
    minify: true,
    declarationRoot: 'sdk/link-sdk/src',
    dependencies: [],
    script: { entry: 'global.ts', file: 'link.js' },
  },
  { name: 'vault', declarationRoot: '.', dependencies: ['hash-wasm'] },
];

async function bundle(pkg: Package, entry: string, format: 'esm' | 'cjs' | 'iife', file: string): Promise<void> {
  const result = await Bun.build({
    entrypoints: [join(root, 'sdk', pkg.name, 'src', entry)],
    // Web standards only: nothing of one runtime may be assumed or filled in.
    target: 'browser',
    format,
    minify: pkg.minify === true,
    external: pkg.dependencies,
  });
  const [output] = result.outputs;
  if (output === undefined || result.outputs.length > 1) throw new Error(`${pkg.name}: expected one bundle`);
  const bytes = new Uint8Array(await output.arrayBuffer());
  await Bun.write(join(root, 'sdk', pkg.name, 'dist', file), bytes);
  const size = gzipSync(bytes, { level: 9 }).length;
  print(`${pkg.name}/dist/${file}: ${bytes.length} bytes, ${size} gzipped`);
  if (pkg.limit !== undefined && size > pkg.limit) throw new Error(`${pkg.name}: more than ${pkg.limit} bytes gzipped`);
}

/** Every declaration twice, because Node's two module kinds want types of their own kind. */
function declare(pkg: Package): void {
  const dist = join(root, 'sdk', pkg.name, 'dist');
  const types = join(dist, 'types');
  const config = join(dist, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, pkg.declarationRoot),
    outDir: types,
    // The SDKs must do without the types of any runtime.
    types: [],
  };
  const files = [join(root, 'sdk', pkg.name, 'src/index.ts')];
  const settings = { extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] };
  writeFileSync(config, JSON.stringify(settings));
  run(root, ['node_modules/typescript/bin/tsc', '-p', config]);
  rmSync(config);
  for (const name of readdirSync(types, { recursive: true }).map(String)) {
    if (!name.endsWith('.d.ts')) continue;
    const path = join(types, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, withExtension(text, '.js'));
    writeFileSync(path.replace(/\.ts$/, '.cts'), withExtension(text, '.cjs'));
  }
}

/** Relative imports of a declaration, which end in `.ts` in the sources, with the extension of the built module. */
function withExtension(declaration: string, extension: string): string {
  return declaration.replaceAll(/((?:from|import) ?\(?)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, `$1$2$3${extension}$2`);
}

/** The manifest of the tarball: `publishConfig` takes the place of what is meant for this repository. */
function publishedManifest(pkg: Package): Manifest {
  const { private: _, publishConfig, ...manifest } = readManifest(join(root, 'sdk', pkg.name));
  const versions = readManifest(root).dependencies ?? {};
  const dependencies: Record<string, string> = {};
  for (const name of pkg.dependencies) {
    const version = versions[name];
    if (version === undefined) throw new Error(`${pkg.name}: ${name} is not a dependency of this repository`);
    dependencies[name] = version;
  }
  return { ...manifest, ...publishConfig, ...(pkg.dependencies.length > 0 && { dependencies }) };
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Packs what was built, from a folder that holds only that. Gives the path of the tarball. */
function pack(pkg: Package): string {
  const folder = join(root, 'sdk', pkg.name);
  const dist = join(folder, 'dist');
  const stage = mkdtempSync(join(folder, '.pack-'));
  try {
    const manifest = publishedManifest(pkg);
    renameSync(dist, join(stage, 'dist'));
    writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    const documents = (manifest.files ?? []).filter((file) => file !== 'dist');
    for (const file of ['README.md', ...documents]) cpSync(join(folder, file), join(stage, file));
    cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'));
    const tarball = `keypass-${pkg.name}-${manifest.version}.tgz`;
    run(stage, ['pm', 'pack', '--quiet', '--filename', join(stage, tarball)]);
    renameSync(join(stage, 'dist'), dist);
    renameSync(join(stage, tarball), join(dist, tarball));
    return join(dist, tarball);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function check(pkg: Package, tarball: string): void {
  run(root, ['node_modules/publint/src/cli.js', '--strict', tarball]);
  run(root, ['node_modules/@arethetypeswrong/cli/dist/index.js', '--no-color', '--no-emoji', tarball]);
  const dist = join(root, 'sdk', pkg.name, 'dist');
  const [esm, cjs] = [exportsOf(join(dist, 'index.js')), exportsOf(join(dist, 'index.cjs'))];
  if (esm === '' || esm !== cjs) throw new Error(`${pkg.name}: the modules export [${esm}] and [${cjs}]`);
}

/** The names that a built module exports; loading it also shows that it can be loaded. */
function exportsOf(path: string): string {
  const module: object = createRequire(import.meta.url)(path);
  return Object.keys(module).toSorted().join();
}

/** Runs a script, or Bun's own command, with this same Bun; its output is shown only if it fails. */
function run(cwd: string, command: string[]): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...command], { cwd });
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed:\n${stdout.toString()}${stderr.toString()}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function build(pkg: Package): Promise<void> {
  const dist = join(root, 'sdk', pkg.name, 'dist');
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await bundle(pkg, 'index.ts', 'esm', 'index.js');
  await bundle(pkg, 'index.ts', 'cjs', 'index.cjs');
  if (pkg.script) await bundle(pkg, pkg.script.entry, 'iife', pkg.script.file);
  declare(pkg);
  const tarball = pack(pkg);
  check(pkg, tarball);
  print(`${pkg.name}: publint and arethetypeswrong find nothing; publish ${tarball.slice(root.length + 1)}`);
}

const only = process.argv.slice(2);
for (const pkg of packages) {
  if (only.length === 0 || only.includes(pkg.name)) await build(pkg);
}
