import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { Vault } from '../sdk/vault/src/index.ts';
import { isChromiumMissing, withChromium } from './harness/browser.ts';
import { email, PagesWorld, password, secrets, unmeteredModel } from './harness/pages.ts';

let world: PagesWorld;
let page: Page;
let vault: Vault;

async function unlock(): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
}

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
    ({ vault } = await Vault.register({ baseUrl: world.origin, email, password }));
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
    await unlock();
    await page.getByText('$0.00192').first().waitFor(); // five times 1,200 × $0.15 and 340 × $0.60 a million
    await page.locator('.receipt').first().waitFor();
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
    await page.locator('.receipt').first().waitFor();
    expect(await page.locator('.receipt').count()).toBe(3);
    expect((await download('Download Receipts as CSV')).text.trim().split('\r\n')).toHaveLength(4);
    await page.getByRole('checkbox', { name: 'not measured' }).check();
    await page.getByText('Everything was measured').waitFor();
    expect((await download('Download Receipts as CSV')).text.trim().split('\r\n')).toHaveLength(1);
    await world.camera.take(page, 'usage-unmeasured');
    await page.getByRole('checkbox', { name: 'not measured' }).uncheck();
    await page.locator('.receipt').first().waitFor();
    await page.getByLabel('Month').selectOption({ index: 1 });
    await page.getByText('Nothing was spent in').waitFor();
    await world.camera.take(page, 'usage-nothing');
  });

  test('says in words what a call was, and why it cost what it did; free calls when they are asked for', async () => {
    const { accessToken } = await vault.connections.create({ name: 'studio', providers: ['openai'], budgetCents: 500 });
    expect((await world.chat(accessToken, { model: unmeteredModel })).status).toBe(200);
    const headers = { authorization: `Bearer ${accessToken}` };
    for (const path of ['/v1/models', '/v1/models/gpt-4o']) {
      const url = `${world.origin}/v1/proxy/passthrough/openai${path}`;
      expect((await fetch(url, { headers })).status).toBe(200);
    }

    await page.reload();
    await unlock();
    await page.getByLabel('Connection').selectOption({ label: 'studio' });
    const chat = page.locator('.receipt').filter({ hasText: 'Chat' });
    await chat.getByText('Estimated').waitFor();
    expect(await page.locator('.receipt').count()).toBe(1);
    await chat.locator('summary').click();
    await chat.getByText('The provider did not say how much was used.').waitFor();
    await chat.getByText('POST /v1/chat/completions').waitFor();
    expect(await chat.getByRole('link', { name: 'How to read a receipt' }).getAttribute('href')).toBe(
      '/docs/usage#receipts',
    );
    expect(await chat.textContent()).not.toContain('usage_missing');
    expect((await download('Download Receipts as CSV')).text.trim().split('\r\n')).toHaveLength(2);
    await page.getByRole('checkbox', { name: 'Free calls too' }).check();
    const list = page.locator('.receipt').filter({ hasText: 'List of models' });
    await list.locator('summary').click();
    const told = list.getByText('Calls of this kind cost nothing.');
    await told.waitFor();
    // A sentence has the width of the card, not that of a column.
    const [sentence, card] = [await told.boundingBox(), await list.boundingBox()];
    expect(sentence?.width ?? 0).toBeGreaterThan((card?.width ?? Infinity) / 2);
    expect(await page.locator('.receipt').count()).toBe(3);
    await page.locator('.receipt').last().locator('summary').click();
    await world.camera.take(page, 'usage-free');
  });

  test('nothing was refused by the browser, and the audit found nothing', () => {
    expect(world.complaints).toEqual([]);
    expect(world.camera.findings).toEqual([]);
  });
});
