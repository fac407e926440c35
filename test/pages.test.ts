import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { readConfig } from '../src/config.ts';
import { loadPages } from '../src/runtime/assets.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { createPages } from '../src/web/pages.ts';
import { bringChromium, Camera, chromiumPath, launchChromium, openProfile } from './harness/browser.ts';
import { type AppPage, startAppPage } from './harness/app-page.ts';
import { type Recorder, startRecorder } from './harness/upstream.ts';

const email = 'margaret@example.com';
const password = 'quiet river under seven hills';
const newPassword = 'seven hills above a quiet river';
const keys = {
  openai: `sk-${'proj'}-${'a'.repeat(40)}T3BlbkFJ${'b'.repeat(40)}`,
  anthropic: `sk-${'ant'}-api03-${'c'.repeat(93)}AA`,
  admin: `sk-${'admin'}-${'d'.repeat(40)}`,
};

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1200, completion_tokens: 340, total_tokens: 1540 },
};

let server: RunningServer;
let browser: Browser;
let context: BrowserContext;
let complaints: string[];
let page: Page;
let camera: Camera;
let folder: string;
let provider: Recorder;
let appPage: AppPage;
let recoveryCode = '';
const app = { clientId: '', clientSecret: '', accessToken: '' };

const isMissing = chromiumPath === null && process.env['CI'] === undefined;
const name = isMissing ? `pages (${bringChromium})` : 'pages';

/** Every flow in a real browser against the real server; each test goes on where the one before ended. */
describe.skipIf(isMissing)(name, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keypass-pages-data-'));
    provider = startRecorder(() => Response.json(completion));
    const port = freePort();
    const config = readConfig({
      PORT: String(port),
      KEYPASS_ORIGIN: `http://localhost:${port}`,
      KEYPASS_DATA: folder,
      KEYPASS_OPENAI_BASE_URL: provider.origin,
      KEYPASS_SHUTDOWN_GRACE_SECONDS: '1',
    });
    server = await startServer(config, { writeLine: () => undefined });
    appPage = startAppPage();
    browser = await launchChromium({ hosts: ['keypass.test'] });
    ({ context, complaints } = await openProfile(browser));
    camera = await Camera.create();
    page = await context.newPage();
  });

  afterAll(async () => {
    await browser?.close();
    await appPage?.stop();
    await server?.stop();
    await provider?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('the front page says what it is', async () => {
    await page.goto(origin());
    await page.getByRole('heading', { level: 1 }).waitFor();
    await camera.take(page, 'landing');
    await page.getByRole('link', { name: 'Create your vault' }).click();
    await page.getByRole('heading', { name: 'Create your vault' }).waitFor();
    expect(page.url()).toBe(`${origin()}/vault`);
  });

  test('an account is made, and its recovery code must be saved first', async () => {
    await page.getByLabel('E-mail').fill('margaret');
    await page.getByRole('button', { name: 'Create vault' }).click();
    await page.getByText('This does not look like an e-mail address.').waitFor();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Choose a password').fill(password);
    await camera.take(page, 'create');
    await page.getByRole('button', { name: 'Create vault' }).click();
    await page.getByRole('heading', { name: 'Save your recovery code' }).waitFor();
    recoveryCode = (await page.locator('.secret code').textContent()) ?? '';
    expect(recoveryCode.replaceAll('-', '')).toMatch(/^[0-9A-Z]{32}$/);
    await camera.take(page, 'recovery-code');
    await page.getByRole('button', { name: 'Continue' }).click({ force: true });
    expect(await page.getByRole('heading', { name: 'Save your recovery code' }).isVisible()).toBe(true);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
    await page.getByText('Nothing is connected').waitFor();
    await camera.take(page, 'connections-empty');
  });

  test('a key is recognised, an admin key refused, a foreign address asked about', async () => {
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByText('No keys yet').waitFor();
    await camera.take(page, 'keys-empty');
    await page.getByRole('button', { name: 'Add key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('API key').fill(keys.admin);
    await dialog.getByText('This is an admin key').waitFor();
    await dialog.getByLabel('API key').fill(keys.openai);
    await dialog.getByText('Looks like a key of OpenAI.').waitFor();
    await dialog.getByLabel('Name').fill('work');
    await camera.take(page, 'key-add');
    await dialog.getByRole('button', { name: 'Add key' }).click();
    await dialog.getByText(provider.origin).waitFor();
    await camera.take(page, 'key-origin');
    await dialog.getByRole('button', { name: 'Store it for this address' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Not used by any app').waitFor();
  });

  test('a key is revealed on demand and replaced', async () => {
    await chooseAction('Reveal');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(keys.openai).waitFor();
    await camera.take(page, 'key-reveal');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await chooseAction('Replace');
    await dialog.getByLabel('API key').fill(`${keys.openai}9`);
    await dialog.getByRole('button', { name: 'Replace' }).click();
    await dialog.waitFor({ state: 'detached' });
    await chooseAction('Reveal');
    await dialog.getByText(`${keys.openai}9`).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('a token of one’s own works and leaves a receipt', async () => {
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('laptop');
    await dialog.getByLabel('Monthly budget').fill('5');
    await camera.take(page, 'token-new');
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await dialog.getByText('kp_at_').waitFor();
    await camera.take(page, 'token-ready');
    const token = (await dialog.locator('code').first().textContent()) ?? '';
    await dialog.getByRole('button', { name: 'Done' }).click();
    expect((await chat(token)).status).toBe(200);
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByText('Measured').waitFor();
    await page.locator('.receipt summary').first().click();
    await camera.take(page, 'usage');
  });

  test('a developer registers an app and sees its secret once', async () => {
    await page.goto(`${origin()}/console`);
    await page.getByText('No apps yet').waitFor();
    await camera.take(page, 'console-empty');
    await page.getByRole('button', { name: 'New app' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Inkwell');
    await dialog.getByLabel('Allowed origins').fill('inkwell');
    await dialog.getByRole('button', { name: 'Create app' }).click();
    await dialog.getByText('Each line must be an origin').waitFor();
    await camera.take(page, 'console-new');
    await dialog.getByLabel('Allowed origins').fill(appPage.origin);
    await dialog.getByLabel('Redirect addresses').fill(`${appPage.origin}/back`);
    await dialog.getByRole('button', { name: 'Create app' }).click();
    await page.getByText('Inkwell is registered').waitFor();
    const values = await page.locator('.secret code').allTextContents();
    [app.clientId = '', app.clientSecret = ''] = values;
    expect(app.clientId).toStartWith('kp_cid_');
    expect(app.clientSecret).toStartWith('kp_cs_');
    await camera.take(page, 'console-created');
    await page.reload();
    await page.getByText(app.clientId).first().waitFor();
    expect(await page.getByText(app.clientSecret).count()).toBe(0);
  });

  test('a link is approved by the person, for the proven origin, with what they saw', async () => {
    const linkToken = await createLink({ requestedProviders: ['anthropic', 'openai'], budgetSuggestionCents: 2000 });
    const opened = await appPage.open(context, linkUrl(linkToken));
    await opened.getByText('Your browser confirmed this address.').waitFor();
    expect(new URL(opened.url()).hash).toBe('');
    await camera.take(opened, 'link-1-who');
    await opened.getByRole('button', { name: 'Continue' }).click();
    await opened.getByLabel('Password').fill(password);
    await camera.take(opened, 'link-2-unlock');
    await opened.getByRole('button', { name: 'Unlock' }).click();
    await opened.getByText('Choose what it may use').waitFor();
    await camera.take(opened, 'link-3-choose-missing');
    await opened.getByRole('button', { name: 'Add a key: Anthropic' }).click();
    await opened.getByLabel('API key').fill(keys.anthropic);
    await opened.getByRole('dialog').getByRole('button', { name: 'Add key' }).click();
    await opened.getByRole('dialog').waitFor({ state: 'detached' });
    await opened.getByRole('radio', { name: 'Only these' }).first().check({ force: true });
    await opened.getByLabel('Models of Anthropic').last().fill('claude-sonnet-4-5');
    await camera.take(opened, 'link-3-choose');
    await opened.getByRole('button', { name: 'Continue' }).click();
    await opened.getByText('The app suggests $20.00.').waitFor();
    await opened.getByLabel('Monthly budget', { exact: true }).fill('12.50');
    await camera.take(opened, 'link-4-budget');
    await opened.getByRole('button', { name: 'Continue' }).click();
    await opened.getByText('$12.50 a month').waitFor();
    await camera.take(opened, 'link-5-review');
    const closed = opened.waitForEvent('close');
    await opened.getByRole('button', { name: 'Approve' }).click();
    await closed;
    const { publicToken, connectionId, origin: from } = await appPage.message('keypass:success');
    expect(from).toBe(origin());
    const { accessToken, policy } = await exchange(publicToken);
    expect(policy).toMatchObject({
      origin: appPage.origin,
      budgetCents: 1250,
      providers: [
        { id: 'anthropic', models: ['claude-sonnet-4-5'] },
        { id: 'openai', models: null },
      ],
      scopes: ['chat', 'embeddings'],
    });
    expect(connectionId).toBeString();
    expect(
      (await appPage.heard()).filter(({ type }) => type === 'keypass:event').map((event) => event['name']),
    ).toEqual(['opened', 'unlocked', 'approved']);
    expect((await chat(accessToken)).status).toBe(200);
    app.accessToken = accessToken;
  });

  test('a connection is paused, resumed, edited and revoked', async () => {
    await page.bringToFront();
    await page.goto(`${origin()}/vault`);
    await page.getByLabel('Password').fill('not this one at all');
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByText('E-mail and password do not match.').waitFor();
    await camera.take(page, 'unlock');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByText(appPage.origin).waitFor();
    await camera.take(page, 'connections');
    await page.getByRole('button', { name: 'Pause: Inkwell' }).click();
    await page.getByText('Paused').waitFor();
    expect((await chat(app.accessToken)).headers.get('x-keypass-error')).toBe('connection_paused');
    await page.getByRole('button', { name: 'Resume: Inkwell' }).click();
    await page.getByRole('button', { name: 'Pause: Inkwell' }).waitFor();
    expect((await chat(app.accessToken)).status).toBe(200);
    await page.getByRole('button', { name: 'Edit: Inkwell' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Monthly budget').fill('0.01');
    await camera.take(page, 'connection-edit');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('$0.01 a month').waitFor();
    const dear = await chat(app.accessToken, { model: 'gpt-4o', max_tokens: 16_000 });
    expect(dear.headers.get('x-keypass-error')).toBe('budget_exceeded');
    await page.getByRole('button', { name: 'Revoke: Inkwell' }).click();
    await dialog.getByText('running answers are cut off').waitFor();
    await camera.take(page, 'connection-revoke');
    await dialog.getByRole('button', { name: 'Revoke access' }).click();
    await page.getByRole('button', { name: 'Revoke: Inkwell' }).waitFor({ state: 'detached' });
    expect((await chat(app.accessToken)).status).toBe(401);
  });

  test('a page that is not registered proves nothing, and hears nothing', async () => {
    const hostile = startAppPage();
    try {
      const linkToken = await createLink({ requestedProviders: ['openai'] });
      const opened = await hostile.open(context, linkUrl(linkToken));
      await opened.getByText('We cannot confirm who is asking').waitFor();
      await camera.take(opened, 'link-unverified');
      expect(await hostile.heard()).toEqual([]);
      await opened.close();
    } finally {
      await hostile.stop();
    }
  });

  test('denying reaches the app', async () => {
    const opened = await appPage.open(context, linkUrl(await createLink({ requestedProviders: ['openai'] })));
    const closed = opened.waitForEvent('close');
    await opened.getByRole('button', { name: 'Deny' }).click();
    await closed;
    expect(await appPage.message('keypass:exit')).toMatchObject({ error: { code: 'denied' } });
  });

  test('a link without an opener goes back to the registered address alone', async () => {
    const redirectUri = `${appPage.origin}/back`;
    const linkToken = await createLink({ requestedProviders: ['openai'], redirectUri });
    await page.bringToFront();
    await page.goto(`${origin()}/link#token=${linkToken}&state=abc`);
    await page.getByText('This address is not confirmed').waitFor();
    await camera.take(page, 'link-redirect');
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.waitForURL(`${redirectUri}#keypass_error=denied&keypass_state=abc`);
  });

  test('a request that is used up or unknown says so', async () => {
    await page.goto(`${origin()}/link#token=kp_lt_nothing`);
    await page.getByText('This request is not valid').waitFor();
    await camera.take(page, 'link-invalid');
  });

  test('the recovery code opens the vault once, with a new password', async () => {
    await page.bringToFront();
    await page.goto(`${origin()}/vault`);
    await page.getByRole('button', { name: 'Use the recovery code' }).click();
    await page.getByLabel('Recovery code').fill(recoveryCode);
    await page.getByLabel('Choose a password').fill(newPassword);
    await camera.take(page, 'recover');
    await page.getByRole('button', { name: 'Open vault' }).click();
    await page.getByRole('heading', { name: 'Save your recovery code' }).waitFor();
    expect(await page.locator('.secret code').textContent()).not.toBe(recoveryCode);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(newPassword);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
  });

  test('plain http beyond this machine explains the three ways out', async () => {
    const pages = createPages(await loadPages(), { origin: origin() });
    const plain = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) => pages(request, new URL(request.url).pathname) ?? new Response(null, { status: 404 }),
    });
    try {
      const other = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      await other.goto(`http://keypass.test:${plain.port}/vault`);
      await other.getByText('This page needs a secure connection').waitFor();
      await camera.take(other, 'insecure');
    } finally {
      await plain.stop(true);
    }
  });

  test('no screen breaks WCAG 2.2 AA, its width or the content security policy', () => {
    expect(camera.findings).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

function origin(): string {
  return `http://localhost:${server.port}`;
}

function linkUrl(linkToken: string): string {
  return `${origin()}/link#token=${linkToken}&state=s`;
}

async function chooseAction(action: string): Promise<void> {
  await page.getByRole('button', { name: /^Actions for OpenAI/ }).click();
  await page.getByRole('button', { name: action, exact: true }).click();
}

function chat(accessToken: string, changes: { model?: string; max_tokens?: number } = {}): Promise<Response> {
  return fetch(`${origin()}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      max_tokens: 500,
      messages: [{ role: 'user', content: 'Hello!' }],
      ...changes,
    }),
  });
}

async function asApp(path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${origin()}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${app.clientId}:${app.clientSecret}`)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { data?: Record<string, unknown>; error?: { code: string } };
  if (answer.data === undefined) throw new Error(`${path}: ${answer.error?.code}`);
  return answer.data;
}

async function createLink(request: Record<string, unknown>): Promise<string> {
  return String((await asApp('/v1/link/sessions', request))['linkToken']);
}

async function exchange(publicToken: unknown): Promise<{ accessToken: string; policy: unknown }> {
  const answer = await asApp('/v1/link/exchange', { publicToken });
  return { accessToken: String(answer['accessToken']), policy: answer['policy'] };
}

function freePort(): number {
  const probe = Bun.serve({ port: 0, hostname: 'localhost', fetch: () => new Response() });
  const { port } = probe;
  void probe.stop(true);
  if (port === undefined) throw new Error('no free port');
  return port;
}
