import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { describeMigratedSchema, schemaFile } from './schema.ts';

test('sql/schema.sql shows what the migrations make; if not, run: bun scripts/schema.ts', async () => {
  expect(readFileSync(schemaFile, 'utf8')).toBe(await describeMigratedSchema());
});
