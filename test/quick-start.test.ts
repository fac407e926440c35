import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Vault } from '../sdk/vault/src/index.ts';
import { quickStart, type Snippet } from '../src/web/console/quick-start.ts';
import { isChromiumMissing, pressToClose, withChromium } from './harness/browser.ts';
import { email, PagesWorld, password, secrets } from './harness/pages.ts';
import { freePort } from './harness/process.ts';

const sdk = resolve(import.meta.dir, '../sdk/node-sdk');

test('without an app the snippets say what to fill in, and where the page will be', () => {
  const code = codeOf(quickStart({ origin: 'https://keys.example', allowedOrigins: ['https://app.example'] }));
  expect(code('server')).toContain("clientId: 'kp_cid_…'");
  expect(code('server')).toEndWith(".listen(3000, 'localhost');");
  expect(code('run')).toContain("# http://localhost:3000 has to be among the app's allowed origins");
  expect(code('install')).toContain('not on npm');
});

/** A developer copies what the console shows, pastes it into two files, and starts them. */
describe.skipIf(isChromiumMissing)(withChromium('the quick start of the console'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'keypass-quick-start-'));
  const appOrigin = `http://localhost:${freePort()}`;
  let world: PagesWorld;
  let app: ChildProcess;

  beforeAll(async () => {
    world = await PagesWorld.start();
    const { vault } = await Vault.register({ baseUrl: world.origin, email, password });
    await vault.keys.add({ provider: 'openai', secret: secrets.openai, origin: world.providerOrigin });
    const allowedOrigins = ['https://wren.example', appOrigin];
    const { clientId, clientSecret } = await vault.apps.create({ name: 'Wren', allowedOrigins });
    const code = codeOf(quickStart({ origin: world.origin, clientId, clientSecret, allowedOrigins }));
    expect(code('install')).toEndWith(`export KEYPASS_CLIENT_SECRET=${clientSecret}`);
    expect(code('run')).toBe(`node server.mjs   # then open ${appOrigin}`);
    writeFileSync(join(folder, 'server.mjs'), code('server'));
    writeFileSync(join(folder, 'page.html'), code('page'));
    mkdirSync(join(folder, 'node_modules/@keypass'), { recursive: true });
    symlinkSync(sdk, join(folder, 'node_modules/@keypass/node-sdk'));
    const env = { ...process.env, KEYPASS_CLIENT_SECRET: clientSecret };
    app = spawn(process.execPath, ['server.mjs'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
    while (!(await isUp(appOrigin))) await Bun.sleep(20);
  });

  afterAll(async () => {
    app?.kill('SIGTERM');
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('works as it is pasted: from the click to the first answer', async () => {
    const { context } = world;
    const page = await context.newPage();
    await page.goto(appOrigin);
    const opened = context.waitForEvent('page');
    await page.getByRole('button', { name: 'Connect your AI' }).click();
    const link = await opened;
    await link.getByText('Your browser confirmed this address.').waitFor();
    await link.getByRole('button', { name: 'Continue' }).click();
    await link.getByLabel('E-mail').fill(email);
    await link.getByLabel('Password').fill(password);
    await link.getByRole('button', { name: 'Unlock' }).click();
    await link.getByText('Choose what it may use').waitFor();
    await link.getByRole('button', { name: 'Continue' }).click();
    await link.getByText('The app suggests $10.00.').waitFor();
    await link.getByRole('button', { name: 'Continue' }).click();
    await pressToClose(link, 'Approve');
    await page.getByText('Hello.', { exact: true }).waitFor();
    expect(await page.content()).not.toMatch(/kp_(at|cs)_/);
    expect(world.complaints).toEqual([]);
  });

  test('says what went wrong', async () => {
    const page = await world.context.newPage();
    await page.goto(appOrigin);
    const opened = world.context.waitForEvent('page');
    await page.getByRole('button', { name: 'Connect your AI' }).click();
    await pressToClose(await opened, 'Deny');
    await page.getByText('The request was denied.').waitFor();
  });
});

function codeOf(snippets: readonly Snippet[]): (step: Snippet['step']) => string {
  return (step) => snippets.find((snippet) => snippet.step === step)?.code ?? '';
}

function isUp(origin: string): Promise<boolean> {
  return fetch(origin).then(
    (response) => response.ok,
    () => false,
  );
}
