import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dir, '..');

/** From the bottom up: a file may import from its own part and from parts of a lower number. */
const ranks: Record<string, number> = {
  'src/errors.ts': 0,
  'src/crypto': 0,
  'src/clock.ts': 0,
  'src/version.ts': 0,
  'src/database': 1,
  'src/money': 2,
  'src/providers': 3,
  'src/config.ts': 4,
  'src/http': 5,
  'src/accounts': 6,
  'src/webhooks': 6,
  'src/keys': 7,
  'src/apps': 7,
  'src/connections': 8,
  'src/link': 9,
  'src/usage': 9,
  'src/proxy': 9,
  'src/web': 9,
  'src/app.ts': 10,
  'src/runtime': 11,
  'src/server.ts': 12,
  'src/cli': 13,
  'src/main.ts': 14,
};

interface Import {
  from: string;
  to: string;
}

/** The text of a file without its imports. */
function codeOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll(/^(import|export)\s.*?from\s'.*?';$/gms, '');
}

function partOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return `${top}/${second}`;
}

function sources(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !/(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|import\('([^']+)'\)/g);
  return [...found].map(([, fixed, dynamic]) => ({ from: file, to: target(file, fixed ?? dynamic ?? '') }));
}

/** A relative import as a path from the root; a package or `node:` module by its own name. */
function target(file: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : specifier;
}

const server = sources('src').filter((file) => !isPage(file));
const imports = server.flatMap(importsOf);

/** Of the pages, only what serves them belongs to the server. */
function isPage(file: string): boolean {
  return file.startsWith('src/web/') && file !== 'src/web/pages.ts';
}

describe('imports point one way', () => {
  test('every part of src has its place', () => {
    const unknown = server.map(partOf).filter((part) => ranks[part] === undefined);
    expect([...new Set(unknown)]).toEqual([]);
  });

  test('no import points up', () => {
    const upward = imports.filter(({ from, to }) => {
      const [own, other] = [partOf(from), partOf(to)];
      return to.startsWith('src/') && own !== other && (ranks[other] ?? 99) >= (ranks[own] ?? -1);
    });
    expect(upward).toEqual([]);
  });

  test("a slice uses another's service or model, never its store or routes", () => {
    const slices = ['accounts', 'keys', 'apps', 'link', 'connections', 'usage', 'proxy', 'webhooks'].map(
      (name) => `src/${name}`,
    );
    const hidden = imports.filter(
      ({ from, to }) =>
        slices.includes(partOf(from)) &&
        slices.includes(partOf(to)) &&
        partOf(from) !== partOf(to) &&
        /\/(store|routes)\.ts$/.test(to),
    );
    expect(hidden).toEqual([]);
  });

  test('the kernel and the errors import nothing', () => {
    const outside = imports.filter(
      ({ from, to }) => /^src\/(crypto\/|errors\.ts)/.test(from) && !to.startsWith('src/crypto/'),
    );
    expect(outside).toEqual([]);
  });

  test('what belongs to a runtime is in src/runtime', () => {
    const elsewhere = imports.filter(
      ({ from, to }) => /^(node|bun):|^bun$/.test(to) && !from.startsWith('src/runtime/'),
    );
    expect(elsewhere).toEqual([]);
    const globals = server
      .filter((file) => !file.startsWith('src/runtime/'))
      .filter((file) => /\b(Bun|Deno|process)\.\w/.test(codeOf(file)));
    expect(globals).toEqual([]);
  });

  test('SQL is in stores and in the database layer alone', () => {
    const elsewhere = server.filter(
      (file) =>
        !/(^src\/database\/|\/(\w+-)?store\.ts$)/.test(file) &&
        /\b(select|insert into|update|delete from)\s[^'"`]*\bwhere\b/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(elsewhere).toEqual([]);
  });

  test('clients and pages use the kernel, what an answer says of a key, and types: nothing else of the server', () => {
    const clients = [...sources('sdk'), ...sources('src/web').filter(isPage), ...sources('extension')].flatMap(
      importsOf,
    );
    const reached = clients.filter(({ to }) => /^src\/(?!crypto\/|web\/|providers\/verdict\.ts$)/.test(to));
    expect(reached).toEqual([]);
  });

  test('no circle between folders', () => {
    const edges = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      if (!to.startsWith('src/') || partOf(from) === partOf(to)) continue;
      edges.set(partOf(from), (edges.get(partOf(from)) ?? new Set()).add(partOf(to)));
    }
    const circles = [...edges].filter(([part, others]) => [...others].some((other) => edges.get(other)?.has(part)));
    expect(circles.map(([part]) => part)).toEqual([]);
  });
});
