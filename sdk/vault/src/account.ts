/** From a password or a recovery code to an open vault: every message of `/v1/auth` that carries a sealed vault key. */
import {
  createRecoveryCode,
  newUuid,
  open,
  parseRecoveryCode,
  randomBytes,
  recoveryAuthOf,
  recoveryWrapOf,
  seal,
  sealingKey,
  toBase64Url,
  zero,
} from '../../../src/crypto/index.ts';
import { bytes, type Fields, fieldsOf, given, integer, text } from './answer.ts';
import { RecoveryFailedError, VaultError, VaultTamperedError } from './errors.ts';
import { defaultKdfId, type PasswordKeys, passwordKeys, saltLength } from './kdf.ts';
import { Keyring } from './keyring.ts';
import { emptyManifest, sealManifest } from './manifest.ts';
import type { Transport } from './transport.ts';

/** An open vault and whose it is. */
export interface Opened {
  keyring: Keyring;
  email: string;
}

export interface Login {
  email: string;
  password: string;
  /** Six digits of the authenticator, when the account asks for them. */
  totp?: string;
  /** What the list of sessions calls this one. */
  device?: string;
  /** The newest manifest revision that the caller remembers from earlier: an older one is refused. */
  seenRevision?: number;
}

export interface Registration {
  email: string;
  password: string;
  device?: string;
  /** `kp_in_…`, where the server asks for one. */
  invite?: string;
}

/** In characters. All that lies on the server can be opened by whoever guesses the password. */
export const shortestPassword = 10;

/** Makes an account: the server gets sealed blobs and proofs, never the password, the vault key or the code. */
export async function register(transport: Transport, { email, password, invite, device }: Registration) {
  const user = newUuid();
  const keys = await newPasswordKeys(password);
  const vaultKey = randomBytes(32);
  try {
    const key = await sealingKey(vaultKey);
    const recovery = await newRecovery(user, vaultKey);
    const sealed = {
      ...passwordFields(keys),
      uvkPassword: toBase64Url(await sealForPassword(user, keys, vaultKey)),
      ...recovery.fields,
      manifest: toBase64Url(await sealManifest(key, user, 1, emptyManifest)),
      manifestRevision: 1,
    };
    const answer = await transport.fields('POST', '/v1/auth/register', {
      body: { userId: user, email, ...sealed, ...given({ invite, device }), transport: transport.mode },
    });
    if (text(answer, 'userId') !== user) throw new VaultTamperedError('account', 'The server names another user.');
    takeSession(transport, answer);
    const keyring = new Keyring(transport, user, 1);
    await keyring.unlock(key, sealed);
    return { opened: { keyring, email }, recoveryCode: recovery.code };
  } finally {
    zero(vaultKey);
  }
}

/** Logs in and opens the vault. Throws WrongPasswordError, TotpRequiredError. */
export async function login(transport: Transport, request: Login): Promise<Opened> {
  const answer = await transport.fields('POST', '/v1/auth/prelogin', { body: { email: request.email } });
  const keys = await currentKeys(answer, request.password);
  return loginWith(transport, keys, request);
}

/** Opens the vault of a session that exists already. Throws WrongPasswordError. */
export async function unlock(keyring: Keyring, password: string): Promise<void> {
  const keys = await currentKeys(await keyring.transport.fields('GET', '/v1/auth/me'), password);
  await withVaultKey(keyring, keys, async (vaultKey, answer) => keyring.unlock(await sealingKey(vaultKey), answer));
}

/**
 * New password: the vault key is wrapped anew, everything sealed under it stays. Ends the other sessions. Throws
 * WrongPasswordError for the current password, `account_changed` if another client was faster.
 */
export async function changePassword(keyring: Keyring, current: string, next: string): Promise<void> {
  const { transport, user } = keyring;
  const me = await transport.fields('GET', '/v1/auth/me');
  const old = await currentKeys(me, current);
  await withVaultKey(keyring, old, async (vaultKey) => {
    const keys = await newPasswordKeys(next);
    const wrapped = await sealForPassword(user, keys, vaultKey);
    // The old wrap is gone once the server has this one: prove first that it opens.
    zero(await openForPassword(user, keys, wrapped));
    const { authKey: newAuthKey, ...fields } = passwordFields(keys);
    await transport.request('POST', '/v1/auth/password', {
      body: {
        ...fields,
        authKey: toBase64Url(old.authKey),
        newAuthKey,
        passwordRevision: integer(me, 'passwordRevision'),
        uvkPassword: toBase64Url(wrapped),
      },
    });
  });
}

/** A new password by the recovery code, which is used up: a new one is made. Ends all sessions and removes TOTP. */
export async function recover(
  transport: Transport,
  { email, recoveryCode, newPassword }: { email: string; recoveryCode: string; newPassword: string },
) {
  const code = codeBytes(recoveryCode);
  try {
    const recoveryAuth = toBase64Url(await recoveryAuthOf(code));
    const answer = await transport.fields('POST', '/v1/auth/recover', { body: { email, recoveryAuth } });
    const user = text(answer, 'userId');
    const fields = { user, recoveryId: text(answer, 'recoveryId') };
    const wrap = await recoveryWrapOf(code);
    const vaultKey = await open('uvk-recovery', wrap, fields, bytes(answer, 'uvkRecovery')).catch(accountTampered);
    try {
      const keys = await newPasswordKeys(newPassword);
      const recovery = await newRecovery(user, vaultKey);
      const { recoveryId: newRecoveryId, ...recoveryFields } = recovery.fields;
      await transport.request('POST', '/v1/auth/recover/complete', {
        body: {
          ticket: text(answer, 'ticket'),
          ...passwordFields(keys),
          uvkPassword: toBase64Url(await sealForPassword(user, keys, vaultKey)),
          newRecoveryId,
          ...recoveryFields,
        },
      });
      return { opened: await loginWith(transport, keys, { email }), recoveryCode: recovery.code };
    } finally {
      zero(vaultKey);
    }
  } finally {
    zero(code);
  }
}

async function loginWith(
  transport: Transport,
  keys: PasswordKeys,
  { email, totp, device, seenRevision }: Omit<Login, 'password'>,
): Promise<Opened> {
  const answer = await transport.fields('POST', '/v1/auth/login', {
    body: {
      email,
      authKey: toBase64Url(keys.authKey),
      ...given({ totp, device }),
      transport: transport.mode,
    },
  });
  const keyring = new Keyring(transport, text(answer, 'userId'), seenRevision ?? 1);
  const vaultKey = await openForPassword(keyring.user, keys, bytes(answer, 'uvkPassword'));
  try {
    await keyring.unlock(await sealingKey(vaultKey), answer);
  } finally {
    zero(vaultKey);
  }
  takeSession(transport, answer);
  return { keyring, email };
}

/** The vault key's bytes for as long as `use` runs: only what wraps them anew needs them, so nothing else keeps them. */
async function withVaultKey(
  keyring: Keyring,
  keys: PasswordKeys,
  use: (vaultKey: Uint8Array, answer: Fields) => Promise<void>,
): Promise<void> {
  const body = { authKey: toBase64Url(keys.authKey) };
  const answer = await keyring.transport.fields('POST', '/v1/auth/unlock', { body });
  const vaultKey = await openForPassword(keyring.user, keys, bytes(answer, 'uvkPassword'));
  try {
    await use(vaultKey, answer);
  } finally {
    zero(vaultKey);
  }
}

/** The keys of a password under the account's salt, which prelogin and `me` tell. */
function currentKeys(answer: Fields, password: string): Promise<PasswordKeys> {
  return passwordKeys(password, bytes(answer, 'salt'), integer(answer, 'kdfId'));
}

async function newPasswordKeys(password: string): Promise<PasswordKeys> {
  if (password.length < shortestPassword) {
    throw new VaultError('password_too_short', `Use at least ${shortestPassword} characters.`, { param: 'password' });
  }
  return passwordKeys(password, randomBytes(saltLength), defaultKdfId);
}

function passwordFields({ kdfId, salt, authKey }: PasswordKeys) {
  return { kdfId, salt: toBase64Url(salt), authKey: toBase64Url(authKey) };
}

function sealForPassword(user: string, { kdfId, salt, wrapKey }: PasswordKeys, vaultKey: Uint8Array) {
  return seal('uvk-password', wrapKey, { user, kdfId, salt }, vaultKey);
}

function openForPassword(user: string, { kdfId, salt, wrapKey }: PasswordKeys, wrapped: Uint8Array) {
  return open('uvk-password', wrapKey, { user, kdfId, salt }, wrapped).catch(accountTampered);
}

async function newRecovery(user: string, vaultKey: Uint8Array) {
  const code = createRecoveryCode();
  const secret = parseRecoveryCode(code);
  const recoveryId = newUuid();
  try {
    const wrapped = await seal('uvk-recovery', await recoveryWrapOf(secret), { user, recoveryId }, vaultKey);
    const recoveryAuth = toBase64Url(await recoveryAuthOf(secret));
    return { code, fields: { recoveryId, recoveryAuth, uvkRecovery: toBase64Url(wrapped) } };
  } finally {
    zero(secret);
  }
}

function codeBytes(code: string): Uint8Array {
  try {
    return parseRecoveryCode(code);
  } catch {
    throw new RecoveryFailedError('recovery_failed', 'This is not a recovery code: it has 32 letters and digits.');
  }
}

function takeSession(transport: Transport, answer: Fields): void {
  const session = fieldsOf(answer['session'], 'session');
  transport.useSession(transport.mode === 'bearer' ? text(session, 'token') : null);
}

function accountTampered(cause: unknown): never {
  throw new VaultTamperedError('account', 'The wrapped vault key does not open: the server changed it.', [], cause);
}
