import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Locator, Page } from 'playwright-core';
import type { KeyPassClient } from '../sdk/node-sdk/src/index.ts';
import { Vault } from '../sdk/vault/src/index.ts';
import { isChromiumMissing, withChromium } from './harness/browser.ts';
import { email, PagesWorld, password, secrets } from './harness/pages.ts';

let world: PagesWorld;
let page: Page;
let dialog: Locator;
let vault: Vault;
let app: KeyPassClient;
let accessToken = '';

/** What Anthropic was asked by the browser itself, and how it answers: by a status, or not at all. */
const asked: { url: string; headers: Record<string, string> }[] = [];
let anthropic: number | 'away' = 200;

/** Whether a key works: asked about by its owner, and shown by the calls that are made with it. */
describe.skipIf(isChromiumMissing)(withChromium('the health of keys'), () => {
  beforeAll(async () => {
    world = await PagesWorld.start();
    page = world.page;
    dialog = page.getByRole('dialog');
    ({ vault } = await Vault.register({ baseUrl: world.origin, email, password }));
    app = await world.registerApp(vault);
    await world.context.route('https://api.anthropic.com/**', async (route) => {
      const request = route.request();
      asked.push({ url: request.url(), headers: await request.allHeaders() });
      if (anthropic === 'away') return route.abort();
      const headers = { 'access-control-allow-origin': '*' };
      const error = { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } };
      return route.fulfill({ status: anthropic, headers, json: anthropic === 200 ? { data: [] } : error });
    });
    await world.visit('/vault');
    await unlock(page);
    await page.getByRole('link', { name: 'Keys' }).click();
  });

  afterAll(() => world?.stop());

  test('the browser asks where the provider lets it, and nobody else sees the key', async () => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    await page.getByRole('button', { name: 'Add key' }).click();
    await dialog.getByLabel('API key').fill(secrets.anthropic);
    await dialog.getByText('Your browser asks Anthropic itself').waitFor();
    expect(asked).toEqual([]);
    await world.camera.take(page, 'key-check');
    await dialog.getByRole('button', { name: 'Check this key' }).click();
    await dialog.getByText('Anthropic takes this key.').waitFor();
    await world.camera.take(page, 'key-check-works');
    expect(asked.map(({ url }) => url)).toEqual(['https://api.anthropic.com/v1/models']);
    expect(asked[0]?.headers['x-api-key']).toBe(secrets.anthropic);
    expect(asked[0]?.headers['cookie']).toBeUndefined();
    expect(asked[0]?.headers['referer']).toBeUndefined();
    anthropic = 401;
    await dialog.getByRole('button', { name: 'Check again' }).click();
    await dialog.getByText('Anthropic does not take this key. It is rejected, or out of credit.').waitFor();
    await world.camera.take(page, 'key-check-rejected');
    expect(sent.filter((text) => text.includes(secrets.anthropic))).toEqual([]);
  });

  test('a browser that gets no answer offers the server, and sends nothing by itself', async () => {
    anthropic = 'away';
    await dialog.getByRole('button', { name: 'Check again' }).click();
    await dialog.getByText('Your browser could not ask Anthropic.').waitFor();
    await dialog.getByText('it sees the key for this one call and keeps nothing').waitFor();
    await world.camera.take(page, 'key-check-unread');
  });

  test('the server asks once the person has agreed, where no browser may', async () => {
    await dialog.getByLabel('API key').fill(secrets.openai);
    await dialog.getByRole('button', { name: 'Check this key' }).click();
    await dialog.getByText(`calls for OpenAI go to ${world.providerOrigin}`).waitFor();
    await world.camera.take(page, 'key-check-agree');
    await dialog.getByRole('button', { name: 'Let the server ask' }).click();
    await dialog.getByText('OpenAI takes this key.').waitFor();
    world.providerStatus = 403;
    await dialog.getByRole('button', { name: 'Check again' }).click();
    await dialog.getByRole('button', { name: 'Let the server ask' }).click();
    await dialog.getByText('OpenAI knows this key').waitFor();
    world.providerStatus = 200;
    await dialog.getByLabel('Provider').selectOption('ollama');
    await dialog.getByText('Ollama takes no key').waitFor();
    expect(await dialog.getByRole('button', { name: 'Check this key' }).count()).toBe(0);
    await page.keyboard.press('Escape');
  });

  test('a key that calls show to be refused is marked, where it is and where it is used', async () => {
    await vault.keys.add({ provider: 'openai', secret: secrets.openai, label: 'work', origin: world.providerOrigin });
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
    const approval = { providers: ['openai'], budgetCents: 1250, origin: world.app.origin };
    const { publicToken } = await vault.link.approve(linkToken, approval);
    ({ accessToken } = await app.exchangePublicToken(publicToken ?? ''));
    world.providerStatus = 401;
    expect((await world.chat(accessToken)).headers.get('x-keypass-error')).toBe('provider_key_rejected');
    await marked();
    await page.reload();
    await unlock(page);
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByText('OpenAI refuses the key that is used here. Rejected, or out of credit.').waitFor();
    await world.camera.take(page, 'connection-key-refused');
    await page.getByRole('link', { name: 'See it under Keys' }).click();
    await page.getByText(/^OpenAI has refused this key since .+\. Rejected, or out of credit\.$/).waitFor();
    await world.camera.take(page, 'key-refused');
  });

  test('the consent window says so, too, before anything is approved', async () => {
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await window.getByText('Your browser confirmed this address.').waitFor();
    await window.getByRole('button', { name: 'Continue' }).click();
    await window.getByLabel('Password').fill(password);
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByText('Choose what it may use').waitFor();
    await window.getByText(/^OpenAI has refused this key since/).waitFor();
    await world.camera.take(window, 'link-3-refused');
    await window.close();
  });

  test('another key is checked before it takes the place of the first', async () => {
    await page.bringToFront();
    await page.getByRole('button', { name: 'Replace it: OpenAI' }).click();
    await dialog.getByLabel('API key').fill(`${secrets.openai}7`);
    await dialog.getByRole('button', { name: 'Check this key' }).click();
    await dialog.getByRole('button', { name: 'Let the server ask' }).click();
    await dialog.getByText('OpenAI does not take this key.').waitFor();
    await world.camera.take(page, 'key-replace-check');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  test('a check of the stored key takes the mark away once it works', async () => {
    await page.bringToFront();
    await page.getByRole('button', { name: 'Check it: OpenAI' }).click();
    await dialog.getByRole('button', { name: 'Let the server ask' }).click();
    await dialog.getByText('OpenAI does not take this key.').waitFor();
    await world.camera.take(page, 'key-check-stored');
    world.providerStatus = 200;
    await dialog.getByRole('button', { name: 'Check again' }).click();
    await dialog.getByRole('button', { name: 'Let the server ask' }).click();
    await dialog.getByText('OpenAI takes this key.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText(/^OpenAI has refused this key since/).waitFor({ state: 'detached' });
    expect((await vault.keys.list()).map(({ refusal }) => refusal)).toEqual([null]);
  });

  test('what a key may not do is told as such', async () => {
    world.providerStatus = 403;
    expect((await world.chat(accessToken)).status).toBe(403);
    await marked();
    await page.reload();
    await unlock(page);
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByText('OpenAI does not let the key that is used here do all that was asked.').waitFor();
    await page.getByRole('link', { name: 'Keys', exact: true }).click();
    await page.getByText(/^OpenAI has not let this key do what was asked since/).waitFor();
    await world.camera.take(page, 'key-restricted');
  });

  test('no screen breaks WCAG 2.2 AA, its width or the content security policy', () => {
    expect(world.camera.findings).toEqual([]);
    // Chromium tells of a request that was cut as it tells of nothing else of the page.
    expect(world.complaints).toEqual([]);
  });
});

async function unlock(where: Page): Promise<void> {
  const address = where.getByLabel('E-mail');
  await where.getByLabel('Password').waitFor();
  if (await address.isEditable()) await address.fill(email);
  await where.getByLabel('Password').fill(password);
  await where.getByRole('button', { name: 'Unlock', exact: true }).click();
  await where.getByRole('navigation').getByRole('link', { name: 'Keys' }).waitFor();
}

/** A refusal is noted beside its answer. */
async function marked(): Promise<void> {
  while ((await vault.keys.list()).every(({ refusal }) => refusal === null)) await Bun.sleep(5);
}
