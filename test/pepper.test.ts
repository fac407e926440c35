import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { webhooks } from '../sdk/node-sdk/src/index.ts';
import { Vault } from '../sdk/vault/src/index.ts';
import { freePort, KeyPassProcess } from './harness/process.ts';
import { startRecorder } from './harness/upstream.ts';

const person = { email: 'ada@example.com', password: 'a long password' };
const keypass = new KeyPassProcess(freePort());
const pepperFile = join(keypass.folder, 'pepper.json');
let recoveryCode: string;
let accessToken: string;
let appId: string;
let webhookSecret: string | null;
const arrived = Promise.withResolvers<{ payload: string; header: string | null }>();
const hook = startRecorder(({ headers, body }) => {
  arrived.resolve({ payload: body, header: headers.get('keypass-signature') });
  return new Response();
});

beforeAll(async () => {
  await keypass.start();
  const registered = await Vault.register({ baseUrl: keypass.url, ...person });
  ({ recoveryCode } = registered);
  await registered.vault.keys.add({ provider: 'openai', secret: `sk-proj-${'o'.repeat(40)}` });
  ({ accessToken } = await registered.vault.connections.create({
    name: 'tool',
    providers: ['openai'],
    budgetCents: 100,
  }));
  const app = { name: 'Notes', allowedOrigins: ['https://notes.example'], webhookUrl: `${hook.origin}/hook` };
  ({ id: appId, webhookSecret } = await registered.vault.apps.create(app));
  expect(await keypass.stop()).toBe(0);
});

afterAll(async () => {
  await keypass.remove();
  await hook.stop();
});

async function tokenStatus(): Promise<number> {
  const answer = await fetch(`${keypass.url}/v1/connection`, { headers: { authorization: `Bearer ${accessToken}` } });
  return answer.status;
}

test('only an empty database makes a pepper file, for its owner alone', () => {
  expect(statSync(pepperFile).mode & 0o777).toBe(0o600);
});

test('a file that others can read is refused', async () => {
  chmodSync(pepperFile, 0o644);
  const { code, output } = await keypass.run('serve');
  expect([code, output]).toEqual([1, expect.stringContaining('chmod 600')]);
  chmodSync(pepperFile, 0o600);
});

test('a missing file is refused, and none is made in its place', async () => {
  renameSync(pepperFile, `${pepperFile}.away`);
  const { code, output } = await keypass.run('serve');
  expect([code, output]).toEqual([1, expect.stringContaining('Restore the file')]);
  expect((await keypass.run('serve')).code).toBe(1);
  renameSync(`${pepperFile}.away`, pepperFile);
});

test('the pepper of another database is refused, and so is one that cannot be random', async () => {
  const text = readFileSync(pepperFile, 'utf8');
  const other = new KeyPassProcess(freePort());
  await other.start();
  await other.stop();
  writeFileSync(pepperFile, readFileSync(join(other.folder, 'pepper.json'), 'utf8'));
  await other.remove();
  expect((await keypass.run('serve')).output).toContain('not the one of this database');

  writeFileSync(pepperFile, text.replaceAll(/[A-Za-z0-9_-]{43}/g, 'A'.repeat(43)));
  const { code, output } = await keypass.run('serve');
  expect([code, output]).toEqual([1, expect.stringMatching(/pepper|random|secret/i)]);
  writeFileSync(pepperFile, text);
});

test('rotation: old seals open until they are moved, and no password or token is needed to move them', async () => {
  expect((await keypass.run('pepper', 'add')).output).toContain('Epoch 2');
  expect((await keypass.run('pepper', 'use', '2')).code).toBe(0);
  expect((await keypass.run('pepper', 'drop', '1')).output).toContain('still seals 3 rows');

  await keypass.start();
  await Vault.unlock({ baseUrl: keypass.url, ...person });
  expect(await tokenStatus()).toBe(200);
  await keypass.stop();

  const { output } = await keypass.run('pepper', 'reseal');
  expect(output).toContain('epoch 1: 0 rows');
  expect(output).toContain('epoch 2 (current): 3 rows');
  expect((await keypass.run('pepper', 'drop', '1')).code).toBe(0);
  expect(readFileSync(pepperFile, 'utf8')).not.toContain('"1"');

  await keypass.start();
  const vault = await Vault.unlock({ baseUrl: keypass.url, ...person });
  expect(await tokenStatus()).toBe(200);
  await vault.apps.testWebhook(appId);
  const event = await webhooks.verify({ ...(await arrived.promise), secret: webhookSecret ?? '' });
  expect(event.type).toBe('ping');
  const again = await Vault.recover({
    baseUrl: keypass.url,
    email: person.email,
    recoveryCode,
    newPassword: 'another password',
  });
  expect(again).toBeDefined();
  await keypass.stop();
});

test('the current epoch and an unknown one cannot be dropped, an unknown step is explained', async () => {
  expect((await keypass.run('pepper', 'drop', '2')).code).toBe(1);
  expect((await keypass.run('pepper', 'drop', '9')).code).toBe(1);
  expect((await keypass.run('pepper', 'shake')).output).toContain('Usage: keypass pepper');
});
