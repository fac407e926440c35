import { join } from 'node:path';
import type { Cell } from './both-ways.ts';
import { allowedDifferences, matrixOf } from './matrix.ts';
import type { Client } from './scenario.ts';

const root = join(import.meta.dir, '../..');

export const docsFile = join(root, 'docs/clients.md');

/** The page with what follows from the scenarios, and nothing of when they were run. */
export function withMatrix(text: string, cells: readonly Cell[]): string {
  return withSection(withSection(text, 'matrix', matrixOf(cells)), 'differences', allowedDifferences());
}

/** The page with the date and the versions of what was run. */
export async function withOrigin(text: string, clients: readonly Client[]): Promise<string> {
  const names = [...new Set(clients.flatMap(({ packages }) => packages)), '@copilotkit/aimock'];
  const versions = await Promise.all(names.map(async (name) => `\`${name}\` ${await versionOf(name)}`));
  const date = new Date().toISOString().slice(0, 10);
  return withSection(text, 'origin', `- Date: ${date}\n- Versions: ${versions.join(', ')}, Bun ${Bun.version}`);
}

async function versionOf(name: string): Promise<string> {
  const manifest: { version: string } = await Bun.file(join(root, 'node_modules', name, 'package.json')).json();
  return manifest.version;
}

/** Puts `content` between the marks of this name. */
function withSection(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, rest, surplus] = text.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined || surplus !== undefined) {
    throw new Error(`docs/clients.md has lost its marks of ${name}.`);
  }
  return `${before}${begin}\n${content.trim()}\n${end}${after}`;
}
