import { afterAll, beforeAll, expect, test } from 'bun:test';
import { openTestDatabase } from '../../../test/harness/databases.ts';
import { openVault, registerApp } from '../../../test/harness/people.ts';
import { insertReceipt, insertReceipts } from '../../../test/harness/receipts.ts';
import { startTestServer, type TestServer } from '../../../test/harness/server.ts';
import type { Database } from '../../../src/database/connect.ts';
import { type Vault, VaultError } from '../src/index.ts';

let database: Database;
let server: TestServer;
let vault: Vault;
let connectionId: string;
let appId: string;

beforeAll(async () => {
  database = await openTestDatabase('embedded');
  server = await startTestServer({ database });
  const opened = await openVault(server);
  ({ vault } = opened);
  await vault.keys.add({ provider: 'openai', secret: 'sk-' + 'x'.repeat(44) });
  ({ id: connectionId } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 }));
  appId = (await registerApp(server, opened.token, { name: 'Wren' })).id;
  await insertReceipt(database, connectionId, '2026-11-01T10:00:00Z', { cost: 5n });
  await insertReceipt(database, connectionId, '2026-11-02T10:00:00Z', { cost: 7n, quality: 'unknown' });
});

afterAll(async () => {
  await server.stop();
  await database.close();
});

const november = { from: new Date('2026-11-01'), to: '2026-12-01' };

test('totals with filters, by two dimensions', async () => {
  const rows = await vault.usage({ ...november, by: 'day', split: 'model', quality: 'unmeasured' });
  expect(rows).toEqual([
    { key: '2026-11-02T00:00:00Z', split: 'gpt-4o-mini', name: null, calls: 1, cost: '0.000000000007', estimated: 1 },
  ]);
  expect(await vault.usage({ ...november, appId })).toEqual([]);
});

test('receipts with filters', async () => {
  const { items } = await vault.calls({ ...november, to: new Date('2026-11-02'), connectionId });
  expect(items).toMatchObject([{ connectionId, appId: null, cost: '0.000000000005' }]);
});

test('a quantity with a fraction, the picture that a price is for, and free calls', async () => {
  const line = {
    bucket: 'seconds',
    quantity: 125.5,
    rate: 'audioSecond',
    usd: '0.111',
    per: 3600,
    cost: '0.003869583334',
  };
  const image = {
    bucket: 'images',
    quantity: 1,
    rate: 'image',
    variant: '1024x1024',
    usd: '0.04',
    per: 1,
    cost: '0.04',
  };
  await insertReceipt(database, connectionId, '2026-10-01T10:00:00Z', { lines: JSON.stringify([line, image]) });
  await insertReceipt(database, connectionId, '2026-10-02T10:00:00Z', { endpoint: 'GET /v1/models', cost: 0n });
  const october = { from: '2026-10-01', to: '2026-11-01' };
  const { items } = await vault.calls({ ...october, free: false });
  expect(items).toMatchObject([
    {
      lines: [
        { quantity: 125.5, variant: null },
        { quantity: 1, variant: '1024x1024' },
      ],
    },
  ]);
  expect((await vault.calls({ ...october, free: true })).items).toMatchObject([{ endpoint: 'GET /v1/models' }]);
  expect((await vault.calls(october)).items).toHaveLength(2);
});

test('files come as streams with their names', async () => {
  const { name, body } = await vault.export({ of: 'calls', format: 'csv', ...november });
  expect(name).toBe('keypass-calls-from-2026-11-01-to-2026-12-01.csv');
  expect((await new Response(body).text()).split('\r\n')).toHaveLength(4);
  const totals = await vault.export({ of: 'totals', format: 'ndjson', by: 'provider', ...november });
  expect(totals.name).toStartWith('keypass-usage-by-provider-');
  expect(JSON.parse(await new Response(totals.body).text())).toMatchObject({ key: 'openai', calls: 2 });
});

test('a refusal is an error with its code', async () => {
  const refused = await vault
    .export({ of: 'totals', format: 'csv', by: 'app', split: 'app' })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(VaultError);
  expect(refused).toMatchObject({ code: 'invalid_request', status: 400, param: 'split' });
  const { vault: other } = await openVault(server);
  await other.logout();
  expect(await other.export({ of: 'calls', format: 'csv' }).catch((error: unknown) => error)).toMatchObject({
    status: 401,
  });
});

test('a reader that stops early ends the file', async () => {
  await insertReceipts(database, connectionId, '2025-01-01T00:00:00Z', { count: 3000, seconds: 1 });
  const { body } = await vault.export({ of: 'calls', format: 'ndjson' });
  for await (const chunk of body) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(server.lines.join()).not.toContain('export_failed');
});

test('the address of a file is for the pages of the server, and has no secret in it', async () => {
  const url = vault.exportUrl({ of: 'totals', format: 'csv', by: 'day', connectionId, from: november.from });
  expect(url).toBe(
    `${server.url}/v1/usage?format=csv&by=day&connectionId=${connectionId}&from=2026-11-01T00%3A00%3A00.000Z`,
  );
});
