import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Locator, Page } from 'playwright-core';
import { Vault } from '../sdk/vault/src/index.ts';
import { loadPages } from '../src/runtime/assets.ts';
import { createPages } from '../src/web/pages.ts';
import { auditPage, isChromiumMissing, withChromium } from './harness/browser.ts';
import { email, PagesWorld, password, secrets } from './harness/pages.ts';
import { startRecorder } from './harness/upstream.ts';

const newPassword = 'seven hills above a quiet river';

let world: PagesWorld;
let page: Page;
let recoveryCode = '';
let dialog: Locator;

/** The owner's and the developer's flows in a real browser; each test goes on where the one before ended. */
describe.skipIf(isChromiumMissing)(withChromium('pages'), () => {
  beforeAll(async () => {
    world = await PagesWorld.start();
    page = world.page;
    dialog = page.getByRole('dialog');
  });

  afterAll(() => world?.stop());

  test('the audit sees a fault that was put there', async () => {
    await page.setContent('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"></main></html>');
    expect((await auditPage(page)).join()).toContain('image-alt');
  });

  test('the front page says what it is', async () => {
    await world.visit('/');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await world.camera.take(page, 'landing');
    await page.getByRole('link', { name: 'Create your vault' }).click();
    await page.getByRole('heading', { name: 'Create your vault' }).waitFor();
    expect(page.url()).toBe(`${world.origin}/vault`);
  });

  test('an account is made, and its recovery code must be saved first', async () => {
    await page.getByLabel('E-mail').fill('margaret');
    await page.getByRole('button', { name: 'Create vault' }).click();
    await page.getByText('This does not look like an e-mail address.').waitFor();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Choose a password').fill(password);
    await world.camera.take(page, 'create');
    await page.getByRole('button', { name: 'Create vault' }).click();
    await page.getByRole('heading', { name: 'Save your recovery code' }).waitFor();
    recoveryCode = (await page.locator('.secret code').textContent()) ?? '';
    expect(recoveryCode.replaceAll('-', '')).toMatch(/^[0-9A-Z]{32}$/);
    await world.camera.take(page, 'recovery-code');
    await page.getByRole('button', { name: 'Continue' }).click({ force: true });
    expect(await page.getByRole('heading', { name: 'Save your recovery code' }).isVisible()).toBe(true);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Nothing is connected').waitFor();
    await world.camera.take(page, 'connections-empty');
  });

  test('a key is recognised, an admin key refused, a foreign address asked about', async () => {
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByText('No keys yet').waitFor();
    await world.camera.take(page, 'keys-empty');
    await page.getByRole('button', { name: 'Add key' }).click();
    await dialog.getByLabel('API key').fill(secrets.admin);
    await dialog.getByText('This is an admin key').waitFor();
    await dialog.getByLabel('API key').fill(secrets.openai);
    await dialog.getByText('Looks like a key of OpenAI.').waitFor();
    await dialog.getByLabel('Name').fill('work');
    await world.camera.take(page, 'key-add');
    await dialog.getByRole('button', { name: 'Add key' }).click();
    await dialog.getByText(world.providerOrigin).waitFor();
    await world.camera.take(page, 'key-origin');
    await dialog.getByRole('button', { name: 'Store it for this address' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Not used by any app').waitFor();
  });

  test('a key is revealed on demand, replaced and removed', async () => {
    const another = `${secrets.openai}9`;
    await chooseAction('Reveal');
    await dialog.getByText(secrets.openai).waitFor();
    await world.camera.take(page, 'key-reveal');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await chooseAction('Replace');
    await dialog.getByLabel('API key').fill(another);
    await dialog.getByRole('button', { name: 'Replace' }).click();
    await dialog.waitFor({ state: 'detached' });
    await chooseAction('Reveal');
    await dialog.getByText(another).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add key' }).click();
    await dialog.getByLabel('API key').fill(secrets.anthropic);
    await dialog.getByRole('button', { name: 'Add key' }).click();
    await page.getByText('…ccAA').waitFor();
    await world.camera.take(page, 'keys');
    await page.getByRole('button', { name: 'Actions for Anthropic' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByText('At the provider it stays valid').waitFor();
    await world.camera.take(page, 'key-remove');
    await dialog.getByRole('button', { name: 'Remove key' }).click();
    await page.getByText('…ccAA').waitFor({ state: 'detached' });
  });

  test('a token of one’s own works and leaves a receipt', async () => {
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByRole('button', { name: 'New token' }).click();
    await dialog.getByLabel('Name').fill('laptop');
    await dialog.getByLabel('Monthly budget').fill('0.02');
    await world.camera.take(page, 'token-new');
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await dialog.getByText('kp_at_').waitFor();
    await world.camera.take(page, 'token-ready');
    const token = (await dialog.locator('code').first().textContent()) ?? '';
    await dialog.getByRole('button', { name: 'Done' }).click();
    for (let call = 0; call < 12; call++) expect((await world.chat(token)).status).toBe(200);
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByText('Measured').first().waitFor();
    await page.getByText('$0.004608').first().waitFor(); // twelve times 1,200 × $0.15 and 340 × $0.60 a million
    await page.locator('.receipt summary').first().click();
    await page.getByText('1,200 × $0.15 / 1,000,000').first().waitFor();
    await world.camera.take(page, 'usage');
  });

  test('a developer registers an app and sees its secret once', async () => {
    await world.visit('/console');
    await page.getByText('No apps yet').waitFor();
    await world.camera.take(page, 'console-empty');
    await page.getByRole('button', { name: 'New app' }).click();
    await dialog.getByLabel('Name').fill('Inkwell');
    await dialog.getByLabel('Allowed origins').fill('inkwell');
    await dialog.getByRole('button', { name: 'Create app' }).click();
    await dialog.getByText('Each line must be an origin').waitFor();
    await world.camera.take(page, 'console-new');
    await dialog.getByLabel('Allowed origins').fill(world.app.origin);
    await dialog.getByRole('button', { name: 'Create app' }).click();
    await page.getByText('Inkwell is registered').waitFor();
    const [clientId = '', clientSecret = ''] = await page.locator('.secret code').allTextContents();
    expect(clientId).toStartWith('kp_cid_');
    expect(clientSecret).toStartWith('kp_cs_');
    await world.camera.take(page, 'console-created');
    await page.reload();
    await page.getByText(clientId).first().waitFor();
    expect(await page.getByText(clientSecret).count()).toBe(0);
    await world.camera.take(page, 'console');
  });

  test('a webhook is set, tried and read about', async () => {
    let status = 200;
    const hook = startRecorder(() => new Response(null, { status }));
    await page.getByText('Webhook', { exact: true }).click();
    await page.getByLabel('Webhook URL').fill('inkwell');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This must be a full https address').waitFor();
    await page.getByLabel('Webhook URL').fill('https://10.0.0.1/hook');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Expected an https URL of a public host').waitFor();
    await page.getByLabel('Webhook URL').fill(`${hook.origin}/hook`);
    await page.getByRole('button', { name: 'Save' }).click();
    const secret = (await page.locator('.secret code').textContent()) ?? '';
    expect(secret).toStartWith('kp_wh_');
    await page.getByText('Nothing was sent yet').waitFor();
    await world.camera.take(page, 'console-webhook');
    await page.getByRole('button', { name: 'Send test event' }).click();
    await page.getByText('Answered 200').waitFor();
    status = 500;
    await page.getByRole('button', { name: 'Deliver again: ping' }).click();
    await page.getByText('Answered 500').waitFor();
    await page.getByText('2 attempts').waitFor();
    await page.getByRole('button', { name: 'Send test event' }).click();
    await page.getByText('Will try again').nth(1).waitFor();
    expect(hook.requests.every(({ headers }) => headers.has('keypass-signature'))).toBe(true);
    await world.camera.take(page, 'console-deliveries');
    await page.getByRole('button', { name: 'New secret' }).click();
    await page.getByText('signed with the old secret too').waitFor();
    expect(await page.locator('.secret code').textContent()).not.toBe(secret);
    await page.getByLabel('Webhook URL').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Removed.').waitFor();
    expect(await page.getByText('Deliveries').count()).toBe(0);
    await hook.stop();
  });

  test('a reload locks; a wrong password says so; what must be cut off needs none', async () => {
    await world.visit('/vault');
    await page.getByLabel('Password').fill('not this one at all');
    await page.getByRole('button', { name: 'Unlock', exact: true }).click();
    await page.getByText('E-mail and password do not match.').waitFor();
    await world.camera.take(page, 'unlock');
    await page.getByRole('button', { name: 'Pause or revoke without unlocking' }).click();
    await page.getByRole('button', { name: /^Pause/ }).click();
    await page.getByText('Paused').waitFor();
    await world.camera.take(page, 'emergency');
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Unlock', exact: true }).click();
    await page.getByRole('button', { name: 'Resume: laptop' }).click();
    await page.getByRole('button', { name: 'Pause: laptop' }).waitFor();
  });

  test('a connection is paused, resumed, edited and revoked', async () => {
    const accessToken = await connectApp();
    await page.reload();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Unlock', exact: true }).click();
    await page.getByText(world.app.origin).waitFor();
    await world.camera.take(page, 'connections');
    await page.getByRole('button', { name: 'Pause: Inkwell' }).click();
    await page.getByText('Paused').waitFor();
    expect((await world.chat(accessToken)).headers.get('x-keypass-error')).toBe('connection_paused');
    await page.getByRole('button', { name: 'Resume: Inkwell' }).click();
    await page.getByRole('button', { name: 'Pause: Inkwell' }).waitFor();
    expect((await world.chat(accessToken)).status).toBe(200);
    await page.getByRole('button', { name: 'Edit: Inkwell' }).click();
    await dialog.getByLabel('Monthly budget').fill('0.01');
    await dialog.getByText('Kinds of calls, and limits').click();
    await dialog.getByLabel('Calls at one time').fill('two');
    await dialog.getByText('Give a whole number').waitFor();
    await dialog.getByLabel('Calls at one time').fill('2');
    await dialog.getByLabel('Images').check();
    await world.camera.take(page, 'connection-edit');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('$0.01 a month · 2 at one time').waitFor();
    await page.getByText('May call: Chat, Embeddings, Images').waitFor();
    const dear = await world.chat(accessToken, { model: 'gpt-4o', max_tokens: 16_000 });
    expect(dear.headers.get('x-keypass-error')).toBe('budget_exceeded');
    await page.getByRole('button', { name: 'Revoke: Inkwell' }).click();
    await dialog.getByText('running answers are cut off').waitFor();
    await world.camera.take(page, 'connection-revoke');
    await dialog.getByRole('button', { name: 'Revoke access' }).click();
    await page.getByRole('button', { name: 'Revoke: Inkwell' }).waitFor({ state: 'detached' });
    expect((await world.chat(accessToken)).status).toBe(401);
  });

  test('the recovery code opens the vault once, with a new password', async () => {
    await page.reload();
    await page.getByRole('button', { name: 'Use the recovery code' }).click();
    await page.getByLabel('Recovery code').fill(recoveryCode);
    await page.getByLabel('Choose a password').fill(newPassword);
    await world.camera.take(page, 'recover');
    await page.getByRole('button', { name: 'Open vault' }).click();
    await page.getByRole('heading', { name: 'Save your recovery code' }).waitFor();
    expect(await page.locator('.secret code').textContent()).not.toBe(recoveryCode);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(newPassword);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
  });

  test('plain http beyond this machine explains the three ways out', async () => {
    const pages = createPages(await loadPages(), { origin: world.origin, askable: [] });
    const plain = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) => pages(request, new URL(request.url).pathname) ?? new Response(null, { status: 404 }),
    });
    try {
      const other = await world.browser.newPage({ viewport: { width: 1280, height: 860 } });
      await other.goto(`http://keypass.test:${plain.port}/vault`);
      await other.getByText('This page needs a secure connection').waitFor();
      await world.camera.take(other, 'insecure');
    } finally {
      await plain.stop(true);
    }
  });

  test('no screen breaks WCAG 2.2 AA, its width or the content security policy', () => {
    expect(world.camera.findings).toEqual([]);
    expect(world.complaints).toEqual([]);
  });
});

async function chooseAction(action: string): Promise<void> {
  await page.getByRole('button', { name: /^Actions for OpenAI/ }).click();
  await page.getByRole('button', { name: action, exact: true }).click();
}

/** An app's connection, approved by the owner's client as a window for the app's origin would. */
async function connectApp(): Promise<string> {
  const vault = await Vault.unlock({ baseUrl: world.origin, email, password });
  const app = await world.registerApp(vault);
  const { linkToken } = await app.createLinkSession({ requestedProviders: ['openai'] });
  const { publicToken } = await vault.link.approve(linkToken, {
    providers: ['openai'],
    budgetCents: 1250,
    origin: world.app.origin,
  });
  const { accessToken } = await app.exchangePublicToken(publicToken ?? '');
  await vault.logout();
  return accessToken;
}
