import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import type { KeyPassClient } from '../sdk/node-sdk/src/index.ts';
import { Vault } from '../sdk/vault/src/index.ts';
import { startAppPage } from './harness/app-page.ts';
import { isChromiumMissing, openProfile, pressToClose, withChromium } from './harness/browser.ts';
import { email, PagesWorld, password, secrets } from './harness/pages.ts';

let world: PagesWorld;
let vault: Vault;
let app: KeyPassClient;
let accessToken = '';
/** Of a connection that may chat and make images. */
let limited = '';

/** The consent window, opened by the page of an app on another origin. */
describe.skipIf(isChromiumMissing)(withChromium('the consent window'), () => {
  beforeAll(async () => {
    world = await PagesWorld.start();
    ({ vault } = await Vault.register({ baseUrl: world.origin, email, password }));
    await vault.keys.add({ provider: 'openai', secret: secrets.openai, label: 'work', origin: world.providerOrigin });
    app = await world.registerApp(vault);
  });

  afterAll(() => world?.stop());

  test('seals what the person saw, for the origin that the browser proved', async () => {
    const { linkToken } = await app.createLinkSession({
      requestedProviders: ['anthropic', 'openai'],
      budgetSuggestionCents: 2000,
    });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await window.getByText('Your browser confirmed this address.').waitFor();
    expect(new URL(window.url()).hash).toBe('');
    await world.camera.take(window, 'link-1-who');
    await window.getByRole('button', { name: 'Continue' }).click();
    await window.getByLabel('E-mail').fill(email);
    await window.getByLabel('Password').fill(password);
    await world.camera.take(window, 'link-2-unlock');
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByText('Choose what it may use').waitFor();
    await world.camera.take(window, 'link-3-missing');
    await addKey(window, 'Anthropic', secrets.anthropic);
    await window.getByRole('radio', { name: 'Only these' }).first().check({ force: true });
    await window.getByLabel('Models of Anthropic').last().fill('claude-sonnet-4-5');
    await world.camera.take(window, 'link-3-choose');
    await window.getByRole('button', { name: 'Continue' }).click();
    await window.getByText('The app suggests $20.00.').waitFor();
    await window.getByLabel('Monthly budget', { exact: true }).fill('12.50');
    await window.getByText('Kinds of calls, and limits').click();
    await window.getByLabel('Images').check();
    await window.getByLabel('Requests a minute').fill('30');
    await world.camera.take(window, 'link-4-budget');
    await window.getByRole('button', { name: 'Continue' }).click();
    await window.getByText('$12.50 a month').waitFor();
    await window.getByText('30 requests a minute').waitFor();
    await world.camera.take(window, 'link-5-review');
    await pressToClose(window, 'Approve');
    const { publicToken, origin } = await world.app.message('keypass:success');
    expect(origin).toBe(world.origin);
    const events = (await world.app.heard()).filter(({ type }) => type === 'keypass:event');
    expect(events.map((event) => event['name'])).toEqual(['opened', 'unlocked', 'approved']);
    const exchanged = await app.exchangePublicToken(String(publicToken));
    expect(exchanged.policy).toMatchObject({
      origin: world.app.origin,
      budgetCents: 1250,
      providers: [
        { id: 'anthropic', models: ['claude-sonnet-4-5'] },
        { id: 'openai', models: null },
      ],
      scopes: ['chat', 'embeddings', 'images'],
      limits: { rpm: 30, tpm: null, parallel: null },
    });
    ({ accessToken } = exchanged);
    expect((await world.chat(accessToken)).status).toBe(200);
  });

  test('changes a connection, and the app keeps its token', async () => {
    const { linkToken } = await app.createLinkSession({
      requestedProviders: ['openai'],
      budgetSuggestionCents: 3000,
      accessToken,
    });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await window.getByText('asks to change what it may use').waitFor();
    await goOn(window);
    await window.getByLabel('Password').fill(password);
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByText('Choose what it may use').waitFor();
    await goOn(window);
    await goOn(window);
    await window.getByText('$30.00 a month').waitFor();
    await pressToClose(window, 'Approve');
    expect(await world.app.message('keypass:success')).toMatchObject({ publicToken: null });
    expect((await vault.connections.list()).map(({ policy }) => policy.budgetCents)).toEqual([3000]);
    expect((await world.chat(accessToken)).status).toBe(200);
  });

  test('preselects the kinds of calls that are asked for, unfolded and explained; what is taken away is not sealed', async () => {
    const requestedScopes = ['chat' as const, 'images' as const, 'stateful' as const];
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'], requestedScopes });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await unlockToBudget(window);
    await window.getByText('Inkwell asks for: Chat, Images, Stored files and chats.').waitFor();
    expect(await chosenKinds(window)).toEqual(['Chat', 'Images', 'Stored files and chats']);
    await window.getByText('Stored files and chats are the riskiest kind').waitFor();
    await world.camera.take(window, 'link-4-asked');
    await window.getByLabel('Stored files and chats').uncheck();
    await goOn(window);
    await window.getByText('Chat, Images', { exact: true }).waitFor();
    await pressToClose(window, 'Approve');
    const { publicToken } = await world.app.message('keypass:success');
    const exchanged = await app.exchangePublicToken(String(publicToken));
    expect(exchanged.policy.scopes).toEqual(['chat', 'images']);
    limited = exchanged.accessToken;
  });

  test('preselects what a connection has and what is asked for beside it', async () => {
    const { linkToken } = await app.createLinkSession({
      requestedProviders: ['openai'],
      requestedScopes: ['chat', 'audio'],
      accessToken: limited,
    });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await unlockToBudget(window);
    await window.getByText('Inkwell asks for more: Audio.').waitFor();
    expect(await chosenKinds(window)).toEqual(['Chat', 'Images', 'Audio']);
    await world.camera.take(window, 'link-4-asked-more');
    await window.getByLabel('Images').uncheck();
    await goOn(window);
    await pressToClose(window, 'Approve');
    await world.app.message('keypass:success');
    expect((await app.connection({ accessToken: limited })).scopes).toEqual(['audio', 'chat']);
  });

  test('keeps the kinds of calls folded away where nothing beyond the usual is asked for', async () => {
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await unlockToBudget(window);
    await window.getByText('Inkwell asks for: Chat, Embeddings.').waitFor();
    expect(await window.getByLabel('Images').isVisible()).toBe(false);
    await window.close();
  });

  test('lets an app use a server of the operator’s that takes no key, once the person agrees to its address', async () => {
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['ollama'] });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await goOn(window);
    await window.getByLabel('Password').fill(password);
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByRole('button', { name: 'Add a key: Ollama' }).click();
    const dialog = window.getByRole('dialog');
    await dialog.getByText('Ollama takes no key').waitFor();
    expect(await dialog.getByLabel('API key').count()).toBe(0);
    await world.camera.take(window, 'link-3-no-key');
    await dialog.getByRole('button', { name: 'Add key' }).click();
    await dialog.getByText(`calls go to ${world.providerOrigin}`).waitFor();
    await world.camera.take(window, 'link-3-operator');
    await dialog.getByRole('button', { name: 'Store it for this address' }).click();
    await dialog.waitFor({ state: 'detached' });
    await goOn(window);
    await goOn(window);
    await window.getByText('Ollama', { exact: true }).waitFor();
    await pressToClose(window, 'Approve');
    const { publicToken } = await world.app.message('keypass:success');
    const exchanged = await app.exchangePublicToken(String(publicToken));
    const answer = await world.chat(exchanged.accessToken, { model: 'ollama/llama3.2' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Hello.');
  });

  test('seals nothing for a request that changed after it was shown', async () => {
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
    let asked = 0;
    await world.context.route('**/v1/link/session', async (route) => {
      const response = await route.fetch();
      const body = await response.text();
      asked += 1;
      const changed = body.replace('["chat","embeddings"]', '["chat","embeddings","stateful"]');
      await route.fulfill({ response, body: asked === 1 ? body : changed });
    });
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await goOn(window);
    await window.getByLabel('Password').fill(password);
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByText('Nothing was changed or sent').waitFor();
    expect(await window.getByRole('button', { name: 'Continue' }).count()).toBe(0);
    expect(asked).toBeGreaterThan(1);
    await world.context.unroute('**/v1/link/session');
    await window.close();
  });

  test('takes in somebody new without leaving, and refuses them another account’s connection', async () => {
    const { context, complaints } = await openProfile(world.browser);
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['anthropic'] });
    const window = await world.app.open(context, world.linkUrl(linkToken));
    await goOn(window);
    await window.getByRole('button', { name: 'Create an account' }).click();
    await window.getByLabel('E-mail').fill('ada@example.com');
    await window.getByLabel('Choose a password').fill(password);
    await world.camera.take(window, 'link-2-create');
    await window.getByRole('button', { name: 'Create vault' }).click();
    await window.getByRole('checkbox').check();
    await goOn(window);
    await addKey(window, 'Anthropic', secrets.anthropic);
    await goOn(window);
    await goOn(window);
    await pressToClose(window, 'Approve');
    expect((await world.app.message('keypass:success'))['publicToken']).toStartWith('kp_pt_');

    const update = await app.createLinkSession({ requestedProviders: ['openai'], accessToken });
    const second = await world.app.open(context, world.linkUrl(update.linkToken));
    await goOn(second);
    await second.getByLabel('Password').fill(password);
    await second.getByRole('button', { name: 'Unlock' }).click();
    await second.getByText('This is another account’s connection').waitFor();
    expect(await world.app.message('keypass:exit')).toMatchObject({ error: { code: 'wrong_account' } });
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('proves nothing to a page that is not registered, and tells it nothing', async () => {
    const hostile = startAppPage();
    try {
      const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
      const window = await hostile.open(world.context, world.linkUrl(linkToken));
      await window.getByText('We cannot confirm who is asking').waitFor();
      await world.camera.take(window, 'link-unverified');
      expect(await hostile.heard()).toEqual([]);
      await window.close();
    } finally {
      await hostile.stop();
    }
  });

  test('tells the app of a denial and of a person who left', async () => {
    const denied = await app.createLinkSession({ requestedProviders: ['openai'] });
    const window = await world.app.open(world.context, world.linkUrl(denied.linkToken));
    await pressToClose(window, 'Deny');
    expect(await world.app.message('keypass:exit')).toMatchObject({ error: { code: 'denied' } });
    const left = await app.createLinkSession({ requestedProviders: ['openai'] });
    const second = await world.app.open(world.context, world.linkUrl(left.linkToken));
    await pressToClose(second, 'Close');
    expect(await world.app.message('keypass:exit')).toMatchObject({ error: null });
  });

  test('without an opener goes back to the registered address alone, unverified', async () => {
    const redirectUri = `${world.app.origin}/back`;
    const { page } = world;
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'], redirectUri });
    await world.visit(new URL(world.linkUrl(linkToken)).href.replace(world.origin, ''));
    await page.getByText('This address is not confirmed').waitFor();
    await world.camera.take(page, 'link-redirect');
    await goOn(page);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await goOn(page);
    await goOn(page);
    await page.getByText('Not verified').waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.waitForURL(/#keypass_public_token=kp_pt_/);
    const url = new URL(page.url());
    expect(url.href.startsWith(`${redirectUri}#`)).toBe(true);
    const fields = new URLSearchParams(url.hash.slice(1));
    expect(fields.get('keypass_state')).toBe('abc');
    const { policy } = await app.exchangePublicToken(fields.get('keypass_public_token') ?? '');
    expect(policy).toMatchObject({ origin: null });
  });

  test('says so when a request is used up, unknown or incomplete', async () => {
    const { page } = world;
    const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
    await vault.link.deny(linkToken);
    const window = await world.app.open(world.context, world.linkUrl(linkToken));
    await window.getByText('This request was already answered').waitFor();
    expect(await world.app.message('keypass:exit')).toMatchObject({ error: { code: 'link_session_closed' } });
    await world.visit('/link#token=kp_lt_nothing');
    await page.getByText('This request is not valid').waitFor();
    await world.camera.take(page, 'link-invalid');
    const fresh = await world.context.newPage();
    await fresh.goto(`${world.origin}/link`);
    await fresh.getByText('This link is incomplete').waitFor();
    await fresh.close();
  });

  test('no screen breaks WCAG 2.2 AA, its width or the content security policy', () => {
    expect(world.camera.findings).toEqual([]);
    expect(world.complaints).toEqual([]);
  });
});

async function goOn(window: Page): Promise<void> {
  await window.getByRole('button', { name: 'Continue' }).click();
}

/** From the first screen to the budget, with the account that this browser knows. */
async function unlockToBudget(window: Page): Promise<void> {
  await goOn(window);
  await window.getByLabel('Password').fill(password);
  await window.getByRole('button', { name: 'Unlock' }).click();
  await window.getByText('Choose what it may use').waitFor();
  await goOn(window);
  await window.getByText('Set a budget').waitFor();
}

/** The kinds of calls that are in sight and ticked. */
async function chosenKinds(window: Page): Promise<(string | undefined)[]> {
  const kinds = window.getByRole('group', { name: 'May be used for' }).getByRole('checkbox', { checked: true });
  const labels = await kinds.locator('xpath=ancestor::label').allInnerTexts();
  return labels.map((text) => text.split('\n')[0]);
}

async function addKey(window: Page, provider: string, secret: string): Promise<void> {
  await window.getByRole('button', { name: `Add a key: ${provider}` }).click();
  const dialog = window.getByRole('dialog');
  await dialog.getByLabel('API key').fill(secret);
  await dialog.getByRole('button', { name: 'Add key' }).click();
  await dialog.waitFor({ state: 'detached' });
}
