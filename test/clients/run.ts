import { openTestDatabase } from '../harness/databases.ts';
import { BothWays } from './both-ways.ts';
import { tables } from './clients.ts';
import { docsFile, withMatrix, withOrigin } from './docs.ts';
import { matrixOf, tryAll } from './matrix.ts';

/**
 * The matrix of official clients: `bun run clients`. Prints it, and every difference that was found; with `--write` it
 * goes into docs/clients.md. A word besides tries the clients alone that have it in their names: `bun run clients groq`.
 */
const words = process.argv.slice(2);
const wanted = words.find((word) => !word.startsWith('--')) ?? '';
const clients = tables.flatMap((table) => table.clients).filter(({ name }) => name.includes(wanted));

const database = await openTestDatabase('embedded');
const bothWays = await BothWays.start(database);
const cells = await tryAll(bothWays, clients);
await bothWays.stop();
await database.close();

const faulty = cells.filter(({ faults }) => faults.length > 0);
if (wanted === '') print(matrixOf(cells));
for (const { client, feature, faults } of faulty) print(`${client.name}, ${feature}:\n  ${faults.join('\n  ')}\n`);
print(`${cells.length} scenarios of ${clients.length} columns, ${faulty.length} with differences.`);
if (wanted === '' && words.includes('--write')) {
  const text = await Bun.file(docsFile).text();
  await Bun.write(docsFile, await withOrigin(withMatrix(text, cells), clients));
}
process.exitCode = faulty.length === 0 ? 0 : 1;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
