import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { Vault } from '../sdk/vault/src/index.ts';
import { isChromiumMissing, withChromium } from './harness/browser.ts';
import { email, PagesWorld, password, secrets } from './harness/pages.ts';

let world: PagesWorld;
let page: Page;

/** Follows a link that downloads, and reads the file. */
async function download(name: string): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}

/** What was spent, as its owner looks at it; each test goes on where the one before ended. */
describe.skipIf(isChromiumMissing)(withChromium('the usage page'), () => {
  beforeAll(async () => {
    world = await PagesWorld.start();
    ({ page } = world);
    const { vault } = await Vault.register({ baseUrl: world.origin, email, password });
    await vault.keys.add({ provider: 'openai', secret: secrets.openai, origin: world.providerOrigin });
    for (const [name, calls] of [
      ['laptop', 3],
      ['editor with a rather long name, as some have', 2],
    ] as const) {
      const { accessToken } = await vault.connections.create({ name, providers: ['openai'], budgetCents: 500 });
      for (let call = 0; call < calls; call++) expect((await world.chat(accessToken)).status).toBe(200);
    }
  });

  afterAll(() => world?.stop());

  test('shows the month by app, with its receipts', async () => {
    await world.visit('/vault#/usage');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByText('$0.00192').first().waitFor(); // five times 1,200 × $0.15 and 340 × $0.60 a million
    expect(await page.locator('.receipt').count()).toBe(5);
    await page.locator('.receipt summary').first().click();
    await world.camera.take(page, 'usage-month');
    await page.getByText('Model', { exact: true }).click();
    await page.locator('.totals').getByText('gpt-4o-mini').waitFor();
  });

  test('its files are what it shows', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const totals = await download('Download Totals as CSV');
    expect(totals.name).toStartWith(`keypass-usage-by-model-from-${month}-01-to-`);
    expect(totals.text).toBe('key,split,name,calls,cost,estimated\r\ngpt-4o-mini,,,5,0.00192,0\r\n');
    const receipts = await download('Download Receipts as NDJSON');
    expect(receipts.name).toEndWith('.ndjson');
    expect(receipts.text.trim().split('\n')).toHaveLength(5);
  });

  test('can be narrowed to a connection, to what was not measured, and to another month', async () => {
    await page.getByLabel('Connection').selectOption({ label: 'laptop' });
    await page.getByText('$0.001152').first().waitFor();
    expect(await page.locator('.receipt').count()).toBe(3);
    expect((await download('Download Receipts as CSV')).text.trim().split('\r\n')).toHaveLength(4);
    await page.getByRole('checkbox').check();
    await page.getByText('Everything was measured').waitFor();
    expect((await download('Download Receipts as CSV')).text.trim().split('\r\n')).toHaveLength(1);
    await world.camera.take(page, 'usage-unmeasured');
    await page.getByRole('checkbox').uncheck();
    await page.locator('.receipt').first().waitFor();
    await page.getByLabel('Month').selectOption({ index: 1 });
    await page.getByText('Nothing was spent in').waitFor();
    await world.camera.take(page, 'usage-nothing');
  });

  test('nothing was refused by the browser, and the audit found nothing', () => {
    expect(world.complaints).toEqual([]);
    expect(world.camera.findings).toEqual([]);
  });
});
