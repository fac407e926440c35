import type { BothWays, Cell } from './both-ways.ts';
import { tables } from './clients.ts';
import { mayDiffer } from './compare.ts';
import { features, scenarioOf, type Client, type Feature } from './scenario.ts';

/** Every scenario of these clients, one after the other, as they share a KeyPass and its providers. */
export async function tryAll(bothWays: BothWays, clients: readonly Client[]): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const client of clients) {
    for (const feature of featuresOf([client])) cells.push(await bothWays.try(client, feature));
  }
  return cells;
}

/** The rows that at least one of these clients has. */
export function featuresOf(clients: readonly Client[]): Feature[] {
  return features.filter((feature) => clients.some((client) => scenarioOf(client, feature) !== undefined));
}

/** The matrix as Markdown: what is in it says nothing of when it was made. */
export function matrixOf(cells: readonly Cell[]): string {
  return tables.map(({ title, clients }) => `### ${title}\n\n${tableOf(clients, cells)}\n`).join('\n');
}

function tableOf(clients: readonly Client[], cells: readonly Cell[]): string {
  const head = [`| | ${clients.map(({ name }) => name).join(' | ')} |`, `|---|${clients.map(() => ':-:').join('|')}|`];
  const rows = featuresOf(clients).map((feature) => {
    const marks = clients.map((client) => markOf(client, feature, cells));
    return `| ${feature} | ${marks.join(' | ')} |`;
  });
  return [...head, ...rows].join('\n');
}

function markOf(client: Client, feature: Feature, cells: readonly Cell[]): string {
  const scenario = scenarioOf(client, feature);
  if (scenario === undefined) return '–';
  const cell = cells.find((tried) => tried.client === client && tried.feature === feature);
  if (cell === undefined || cell.faults.length > 0) return '**differs**';
  return scenario.refusal?.reason ?? '✓';
}

/** What the comparison leaves out, as Markdown. */
export function allowedDifferences(): string {
  const rows = [
    ['members of results', mayDiffer.members],
    ['headers of answers', mayDiffer.answerHeaders],
    ['headers of requests', mayDiffer.requestHeaders],
    ['members of request bodies, added', mayDiffer.bodyMembers],
  ] as const;
  const lines = rows.map(([what, names]) => `| ${what} | ${names.map((name) => `\`${name}\``).join(' ')} |`);
  return ['| may differ | |', '|---|---|', ...lines].join('\n');
}
