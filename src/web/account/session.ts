import { signal } from '@preact/signals';
import { codeOf } from '../ui/failure.ts';
import { pageVault, type Vault } from '../vault.ts';

/** Who is at this page: the vault key lives in memory alone, so a reload comes back as `locked`. */
export type Access =
  | { state: 'checking' }
  | { state: 'unreachable'; error: unknown }
  | { state: 'out' }
  | { state: 'locked'; vault: Vault }
  /** Open, but a recovery code has still to be saved. */
  | { state: 'code'; vault: Vault; code: string }
  | { state: 'open'; vault: Vault };

export const access = signal<Access>({ state: 'checking' });

/** Asks whether the cookie holds a session. */
export async function restore(): Promise<void> {
  access.value = { state: 'checking' };
  try {
    access.value = { state: 'locked', vault: await pageVault.resume() };
  } catch (error) {
    const out = ['session_invalid', 'credentials_missing'].includes(codeOf(error));
    access.value = out ? { state: 'out' } : { state: 'unreachable', error };
  }
}

export async function register(account: { email: string; password: string; invite?: string }): Promise<void> {
  const { vault, recoveryCode } = await pageVault.register(account);
  access.value = { state: 'code', vault, code: recoveryCode };
}

export async function signIn(account: { email: string; password: string; totp?: string }): Promise<void> {
  access.value = { state: 'open', vault: await pageVault.unlock(account) };
}

export async function unlock(vault: Vault, password: string): Promise<void> {
  await vault.unlock(password);
  access.value = { state: 'open', vault };
}

export async function recover(account: { email: string; recoveryCode: string; newPassword: string }): Promise<void> {
  const { vault, recoveryCode } = await pageVault.recover(account);
  access.value = { state: 'code', vault, code: recoveryCode };
}

export function lock(vault: Vault): void {
  vault.lock();
  access.value = { state: 'locked', vault };
}

export async function logOut(vault: Vault): Promise<void> {
  vault.lock();
  await vault.logout();
  access.value = { state: 'out' };
}
