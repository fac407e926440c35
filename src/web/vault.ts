/**
 * The owner's client as the pages use it: cookie session of this same origin. Everything else of the pages reaches the
 * server and the vault through what this file exports.
 */
import { Vault } from '../../sdk/vault/src/index.ts';

export * from '../../sdk/vault/src/index.ts';

const here = { baseUrl: location.origin, transport: 'cookie' } as const;

export const pageVault = {
  register: (account: { email: string; password: string; invite?: string }) => Vault.register({ ...here, ...account }),
  unlock: (account: { email: string; password: string; totp?: string }) => Vault.unlock({ ...here, ...account }),
  recover: (account: { email: string; recoveryCode: string; newPassword: string }) =>
    Vault.recover({ ...here, ...account }),
  /** The session that the cookie holds, locked. */
  resume: () => Vault.resume(here),
};
