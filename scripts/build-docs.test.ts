import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readConfig, settingNames } from '../src/config.ts';
import { type ErrorCode, errorCodes } from '../src/errors.ts';
import { statusOf } from '../src/http/status.ts';
import { readPages } from './build-docs.ts';
import { readProxyPage, withMatrix } from './coverage-matrix.ts';

const root = join(import.meta.dir, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const isCode = (name: string): name is ErrorCode => Object.hasOwn(errorCodes, name);
const codes = Object.keys(errorCodes).filter(isCode);

/** The sections of a file below its `###` headings, by their names without backticks. */
function sectionsOf(markdown: string): Map<string, string> {
  const [, ...sections] = markdown.split(/^###? /m);
  return new Map(sections.map((section) => [(section.split('\n')[0] ?? '').replaceAll('`', ''), section]));
}

/** Codes that an SDK makes itself, as its sources name them. */
function sdkCodes(): string[] {
  const files = readdirSync(join(root, 'sdk'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^[\w-]+\/src\/(?!.*\.test\.ts$).*\.ts$/.test(file),
  );
  const found = files.flatMap((file) => [
    ...read(`sdk/${file}`).matchAll(
      /(?:code: |new VaultError\(\s*|new \w+Error\(\s*|super\()'([a-z]+_[a-z_]+|timeout|denied|unreachable)'/g,
    ),
  ]);
  return [...new Set(found.map(([, code = '']) => code))];
}

describe('docs/errors.md', () => {
  const sections = sectionsOf(read('docs/errors.md'));

  test.each(codes)('%s', (code) => {
    const section = sections.get(code) ?? '';
    expect(section).toContain(`**${statusOf(code)}** · \`${errorCodes[code]}\``);
    expect(section).toContain('**What to do:** ');
  });

  test('the codes of the SDKs are there as well, and no others', () => {
    const own = sdkCodes();
    expect(own.length).toBeGreaterThan(20);
    const documented = [...sections.keys()].filter((name) => /^[a-z_]+$/.test(name));
    expect(documented).toEqual(expect.arrayContaining(own));
    expect(documented.filter((name) => !codes.some((code) => code === name) && !own.includes(name))).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  const documented = [...sectionsOf(read('docs/configuration.md')).keys()].filter((name) => /^[A-Z_]+$/.test(name));

  test('has every setting, and no other', () => {
    expect(documented.toSorted()).toEqual(settingNames.toSorted());
  });

  test.each(documented)('%s is one that the program takes', (name) => {
    let message = '';
    try {
      readConfig({ [name]: '\u0000' });
    } catch (error) {
      message = String(error);
    }
    expect(message).not.toContain('no such setting');
  });
});

test('the coverage matrix is that of the providers; else run: bun scripts/coverage-matrix.ts', async () => {
  expect(await readProxyPage()).toBe(await withMatrix());
});

describe('the pages', () => {
  const pages = readPages();

  test('their links lead somewhere', () => {
    expect(pages.length).toBeGreaterThan(12);
  });

  test('every file of docs/ is one of them', () => {
    const files = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md') && file !== 'README.md');
    expect(pages.map(({ name }) => `${name}.md`)).toEqual(expect.arrayContaining(files));
  });

  test('hold no script and no style of their own, which their policy would refuse', () => {
    for (const { name, body } of pages) expect(body, name).not.toMatch(/<script|<style| style=| on\w+=/i);
  });

  test('every code has the anchor that errors point to', () => {
    const body = pages.find(({ name }) => name === 'errors')?.body ?? '';
    for (const code of codes) expect(body).toContain(`id="${code}"`);
  });
});

describe('what is said of the checkout is true', () => {
  const sources = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md', ...markdownIn('docs')];

  test.each(sources)('%s', (file) => {
    const text = read(file);
    for (const [, href = ''] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^(https?:|mailto:|\/)/.test(href)) continue;
      expect(existsSync(join(root, dirname(file), href)), href).toBe(true);
    }
    const { scripts }: { scripts: object } = JSON.parse(read('package.json'));
    for (const [, script = ''] of text.matchAll(/bun(?:@[\d.]+)? run ([a-z:]+)/g)) {
      expect(Object.keys(scripts)).toContain(script);
    }
    for (const [path] of text.matchAll(/(?<![\w/-])(?:src|scripts|sql|sdk)\/[\w/-]+(?:\.\w+)+/g)) {
      expect(existsSync(join(root, path)), path).toBe(true);
    }
  });
});

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file));
}
