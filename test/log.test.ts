import { afterAll, expect, test } from 'bun:test';
import { Vault } from '../sdk/vault/src/index.ts';
import { version } from '../src/version.ts';
import { freePort, KeyPassProcess } from './harness/process.ts';

const keypass = new KeyPassProcess(freePort(), { KEYPASS_REGISTRATION: 'invite' });

afterAll(() => keypass.remove());

test('standard output is the log, JSON lines alone; the first invitation is for people, beside it', async () => {
  await keypass.start();
  while (!keypass.output.includes('#invite=')) await Bun.sleep(10);
  const [, invite = ''] = /Create the first account: \S+#invite=(kp_in_\w+)$/m.exec(keypass.output) ?? [];
  const { vault } = await Vault.register({
    baseUrl: keypass.url,
    email: 'ada@example.com',
    password: 'a long password',
    invite,
  });
  await vault.logout();
  expect(await keypass.stop()).toBe(0);
  const events = keypass.log.map((line): { level: string; event: string } => JSON.parse(line));
  const started = { level: 'info', event: 'started', version, database: 'embedded' };
  expect(events).toContainEqual(expect.objectContaining(started));
  expect(events).toContainEqual(expect.objectContaining({ event: 'request', status: 200 }));
  expect(events.at(-1)).toMatchObject({ event: 'stopping' });
  expect(keypass.log.join()).not.toContain(invite);
  expect(keypass.output).toContain('KeyPass is at http://localhost:');
  expect(keypass.output).toContain('Stopping: ');
});
