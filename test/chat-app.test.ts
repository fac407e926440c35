import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Vault } from '../sdk/vault/src/index.ts';
import { isChromiumMissing, launchChromium, openProfile, pressToClose, withChromium } from './harness/browser.ts';
import { eachDatabase } from './harness/databases.ts';
import { email, password, secrets } from './harness/pages.ts';
import { freePort } from './harness/process.ts';
import { startProviders, type Providers } from './harness/providers.ts';
import { startTestServer, type TestServer } from './harness/server.ts';

const example = resolve(import.meta.dir, '../examples/chat');

/** What a person does in their first two minutes, in a real browser: nothing is reached past a page. */
eachDatabase((_kind, open) => {
  describe.skipIf(isChromiumMissing)(withChromium('the chat app'), () => {
    let providers: Providers;
    let keypass: TestServer;
    let app: ChildProcess;
    let browser: Browser;
    let context: BrowserContext;
    let complaints: string[];
    let chat: Page;
    const appPort = freePort();
    const appOrigin = `http://localhost:${appPort}`;

    beforeAll(async () => {
      providers = await startProviders();
      const settings = {
        KEYPASS_OPENAI_BASE_URL: providers.origins.openai,
        KEYPASS_ANTHROPIC_BASE_URL: providers.origins.anthropic,
      };
      keypass = await startTestServer({ database: await open(), settings });
      app = await startChat(keypass.url, appPort);
      browser = await launchChromium();
      ({ context, complaints } = await openProfile(browser));
      chat = await context.newPage();
    });

    afterAll(async () => {
      await browser?.close();
      app?.kill('SIGTERM');
      await keypass?.stop();
      await providers?.stop();
    });

    test('connects: a new account, a pasted key, a budget', async () => {
      await chat.goto(appOrigin);
      const opened = context.waitForEvent('page');
      await chat.getByRole('button', { name: 'Connect your AI keys' }).click();
      const link = await opened;
      await link.getByText('Your browser confirmed this address.').waitFor();
      await link.getByText(appOrigin).first().waitFor();
      await link.getByRole('button', { name: 'Continue' }).click();
      await link.getByRole('button', { name: 'Create an account' }).click();
      await link.getByLabel('E-mail').fill(email);
      await link.getByLabel('Choose a password').fill(password);
      await link.getByRole('button', { name: 'Create vault' }).click();
      await link.getByRole('checkbox').check();
      await link.getByRole('button', { name: 'Continue' }).click();
      await addKey(link, 'OpenAI', secrets.openai);
      await addKey(link, 'Anthropic', secrets.anthropic);
      await link.getByRole('button', { name: 'Continue' }).click();
      await link.getByText('The app suggests $10.00.').waitFor();
      await link.getByRole('button', { name: 'Continue' }).click();
      await pressToClose(link, 'Approve');
      await chat.getByLabel('Your message').waitFor();
    });

    test('chats, and the key reached the provider while the page saw none', async () => {
      const model = await chat.locator('#model option[value^="openai/"]').first().getAttribute('value');
      await chat.getByLabel('Model').selectOption(model);
      await chat.getByLabel('Your message').fill('Hello there');
      await chat.getByRole('button', { name: 'Send' }).click();
      await chat.waitForFunction(() => (document.querySelectorAll('#log > *')[1]?.textContent ?? '').length > 5);
      await chat.getByRole('button', { name: 'Send' }).waitFor();
      const [request] = providers.requests('openai');
      expect(request?.headers.get('authorization')).toBe(`Bearer ${secrets.openai}`);
      const sent = [...(request?.headers ?? []), new TextDecoder().decode(request?.body), request?.query].join('\n');
      expect(sent).not.toMatch(/kp_[a-z]{2,3}_/);
      const seen = await chat.evaluate(() =>
        [document.documentElement.outerHTML, JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join(),
      );
      expect(seen).not.toContain(secrets.openai);
      expect(seen).not.toMatch(/kp_(at|cs|ss)_/);
    });

    test('the person sees the cost and the app, and revokes it', async () => {
      await keypass.settled();
      const vault = await context.newPage();
      await vault.goto(`${keypass.url}/vault`);
      await vault.getByLabel('Password').fill(password);
      await vault.getByRole('button', { name: 'Unlock', exact: true }).click();
      await vault.getByText(appOrigin).first().waitFor();
      const owner = await Vault.unlock({ baseUrl: keypass.url, email, password });
      const [connection] = await owner.connections.list();
      expect(Number(connection?.spent)).toBeGreaterThan(0);
      expect(connection?.origin).toBe(appOrigin);
      await vault.getByRole('button', { name: 'Revoke' }).first().click();
      await vault.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await vault.getByRole('dialog').waitFor({ state: 'detached' });
    });

    test('the next message is refused, and no provider hears of it', async () => {
      const before = providers.requests().length;
      await chat.getByLabel('Your message').fill('Are you there?');
      await chat.getByRole('button', { name: 'Send' }).click();
      await chat.getByRole('alert').waitFor();
      expect(providers.requests()).toHaveLength(before);
      expect(complaints).toEqual([]);
    });
  });
});

async function addKey(link: Page, provider: string, secret: string): Promise<void> {
  await link.getByRole('button', { name: `Add a key: ${provider}` }).click();
  const dialog = link.getByRole('dialog');
  await dialog.getByLabel('API key').fill(secret);
  await dialog.getByRole('button', { name: 'Add key' }).click();
  // The provider stands at an address of the test's own, which is asked about.
  await dialog.getByRole('button', { name: 'Store it for this address' }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** The example as its README starts it, registered by a developer of its own. */
async function startChat(keypassUrl: string, port: number): Promise<ChildProcess> {
  const { vault } = await Vault.register({ baseUrl: keypassUrl, email: 'developer@example.com', password });
  const app = await vault.apps.create({ name: 'Wren', allowedOrigins: [`http://localhost:${port}`] });
  const env = {
    ...process.env,
    PORT: String(port),
    KEYPASS_URL: keypassUrl,
    KEYPASS_CLIENT_ID: app.clientId,
    KEYPASS_CLIENT_SECRET: app.clientSecret,
  };
  const child = spawn(process.execPath, [join(example, 'server.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((ready) => child.stdout.once('data', ready));
  return child;
}
