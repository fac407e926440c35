import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../harness/databases.ts';
import { BothWays, type Cell } from './both-ways.ts';
import { tables } from './clients.ts';
import { docsFile, withMatrix } from './docs.ts';
import { featuresOf } from './matrix.ts';

const clients = tables.flatMap((table) => table.clients);

/** Every cell of the matrix: what an app and what its provider see is the same with KeyPass in between. */
eachDatabase((_kind, open) => {
  let bothWays: BothWays;
  const cells: Cell[] = [];

  beforeAll(async () => {
    bothWays = await BothWays.start(await open());
  });
  afterAll(() => bothWays.stop());

  describe.each(clients)('$name', (client) => {
    test.each(featuresOf([client]))('%s', async (feature) => {
      const cell = await bothWays.try(client, feature);
      cells.push(cell);
      expect(cell.faults).toEqual([]);
    });
  });

  test('docs/clients.md has this very matrix; else run: bun run clients --write', async () => {
    const text = await Bun.file(docsFile).text();
    expect(text).toBe(withMatrix(text, cells));
  });
});
