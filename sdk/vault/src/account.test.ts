import { beforeEach, describe, expect, test } from 'bun:test';
import { MemoryServer } from '../test/memory-server.ts';
import { RecoveryFailedError, Vault, VaultLockedError, WrongPasswordError } from './index.ts';

const baseUrl = 'https://keys.example';
const email = 'ada@example.com';
const password = 'correct horse battery staple';
const secret = `sk-${'x'.repeat(40)}WXYZ`;

let server: MemoryServer;
let vault: Vault;
let recoveryCode: string;

beforeEach(async () => {
  server = new MemoryServer();
  ({ vault, recoveryCode } = await Vault.register({ baseUrl, email, password, fetch: server.fetch }));
});

const again = () => Vault.unlock({ baseUrl, email, password, fetch: server.fetch });
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('account', () => {
  test('neither the password, the vault key nor the recovery code is ever sent', async () => {
    await again();
    const everything = JSON.stringify(server.sent);
    expect(everything).not.toContain(password);
    expect(everything).not.toContain(recoveryCode);
    expect(everything).not.toContain(recoveryCode.replaceAll('-', ''));
  });

  test('a password that is too short is refused before anything is sent', async () => {
    const sent = server.sent.length;
    const short = { baseUrl, email: 'bob@example.com', password: 'nine char', fetch: server.fetch };
    expect(await failure(Vault.register(short))).toMatchObject({ code: 'password_too_short', param: 'password' });
    expect(server.sent).toHaveLength(sent);
    expect(await failure(vault.changePassword(password, 'nine char'))).toMatchObject({ code: 'password_too_short' });
  });

  test('a wrong password is said so', async () => {
    const error = await failure(Vault.unlock({ baseUrl, email, password: 'wrong', fetch: server.fetch }));
    expect(error).toBeInstanceOf(WrongPasswordError);
    expect(error).toMatchObject({ code: 'login_failed', status: 401, requestId: 'r' });
  });

  test('lock forgets the vault key, unlock brings it back, connections can still be watched', async () => {
    await vault.keys.add({ provider: 'openai', secret });
    const { id } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 });
    vault.lock();
    expect(vault.unlocked).toBe(false);
    expect(await failure(vault.keys.list())).toBeInstanceOf(VaultLockedError);
    expect(await failure(vault.keys.add({ provider: 'openai', secret }))).toBeInstanceOf(VaultLockedError);
    expect(await failure(vault.connections.update(id, { budgetCents: 1 }))).toBeInstanceOf(VaultLockedError);
    expect(await vault.connections.list()).toMatchObject([{ id, name: null, verified: false }]);
    await vault.connections.update(id, { paused: true, capCents: 5 });
    expect(await vault.connections.get(id)).toMatchObject({ status: 'paused', capCents: 5 });
    await vault.unlock(password);
    expect(await vault.connections.list()).toMatchObject([{ id, name: 'tool', verified: true }]);
  });

  test('a session resumes locked and opens with the password', async () => {
    const resumed = await Vault.resume({ baseUrl, sessionToken: 'session-token', fetch: server.fetch });
    expect(resumed).toMatchObject({ email, unlocked: false, userId: vault.userId });
    expect(await failure(resumed.unlock('wrong'))).toBeInstanceOf(WrongPasswordError);
    await resumed.unlock(password);
    expect(await resumed.keys.list()).toEqual([]);
  });

  test('the password changes, everything sealed stays', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const salt = server.user['salt'];
    expect(await failure(vault.changePassword('wrong', 'next'))).toBeInstanceOf(WrongPasswordError);
    await vault.changePassword(password, 'next password');
    expect(server.user['salt']).not.toBe(salt);
    expect(await failure(again())).toBeInstanceOf(WrongPasswordError);
    const opened = await Vault.unlock({ baseUrl, email, password: 'next password', fetch: server.fetch });
    expect(await opened.keys.reveal(id)).toBe(secret);
  });

  test('the recovery code gives a new password and a new code, once', async () => {
    const { id } = await vault.keys.add({ provider: 'openai', secret });
    const request = { baseUrl, email, newPassword: 'found again', fetch: server.fetch };
    expect(await failure(Vault.recover({ ...request, recoveryCode: 'no code' }))).toBeInstanceOf(RecoveryFailedError);
    const recovered = await Vault.recover({ ...request, recoveryCode: recoveryCode.toLowerCase() });
    expect(await recovered.vault.keys.reveal(id)).toBe(secret);
    expect(recovered.recoveryCode).not.toBe(recoveryCode);
    expect(await failure(Vault.recover({ ...request, recoveryCode }))).toBeInstanceOf(RecoveryFailedError);
    const twice = await Vault.recover({ ...request, recoveryCode: recovered.recoveryCode });
    expect(await twice.vault.keys.reveal(id)).toBe(secret);
  });

  test('nothing secret shows in inspect or JSON', () => {
    const shown = [vault, vault.keys, vault.link, vault.connections, vault.apps];
    const text = shown.map((part) => Bun.inspect(part, { depth: 9 }) + JSON.stringify(part)).join('\n');
    expect(text).not.toContain('session-token');
    expect(text).not.toContain('CryptoKey');
  });
});
