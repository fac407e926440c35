import { equalBytes, hkdf, isKdfId, open, randomBytes, seal, sha256, type Pepper } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import type { PasswordWrap, RecoveryWrap } from './model.ts';
import type { UserRow } from './store.ts';

/** All that the server keeps of a password and a recovery code, sealed under the current epoch. */
export async function sealSecrets(pepper: Pepper, userId: string, password: PasswordWrap, recovery: RecoveryWrap) {
  const epoch = pepper.current;
  const { recoveryId, recoveryAuth, uvkRecovery } = recovery;
  const verifierRecovery = await sealRecoveryVerifier(pepper, userId, recoveryId, epoch, recoveryAuth);
  const { kdfId, salt } = password;
  return {
    epoch,
    kdfId,
    salt,
    ...(await sealPasswordWrap(pepper, userId, epoch, password)),
    recoveryId,
    verifierRecovery,
    uvkRecovery,
  };
}

/** What the server lays around the wraps that a password makes: the outer seals under the pepper (crypto: outermost and alone). */
export async function sealPasswordWrap(pepper: Pepper, user: string, epoch: number, wrap: PasswordWrap) {
  return {
    verifierPassword: await seal(
      'verifier-password',
      await pepper.key(epoch, 'verifier'),
      { user, epoch },
      await sha256(wrap.authKey),
    ),
    uvkPassword: await seal('uvk-password-outer', await pepper.key(epoch, 'uvk'), { user, epoch }, wrap.uvkPassword),
  };
}

async function sealRecoveryVerifier(
  pepper: Pepper,
  user: string,
  recoveryId: string,
  epoch: number,
  recoveryAuth: Uint8Array<ArrayBuffer>,
) {
  const key = await pepper.key(epoch, 'verifier');
  return seal('verifier-recovery', key, { user, recoveryId, epoch }, await sha256(recoveryAuth));
}

export async function openPasswordWrap(pepper: Pepper, row: UserRow) {
  return open(
    'uvk-password-outer',
    await pepper.key(row.epoch, 'uvk'),
    { user: row.id, epoch: row.epoch },
    row.uvkPassword,
  );
}

/** The same account under the current epoch of the pepper: needs neither password nor code. */
export async function resealUser(pepper: Pepper, row: UserRow): Promise<UserRow> {
  const { id: user, recoveryId, epoch: old } = row;
  const epoch = pepper.current;
  const [oldVerifier, verifier] = [await pepper.key(old, 'verifier'), await pepper.key(epoch, 'verifier')];
  const password = await open('verifier-password', oldVerifier, { user, epoch: old }, row.verifierPassword);
  const recovery = await open('verifier-recovery', oldVerifier, { user, recoveryId, epoch: old }, row.verifierRecovery);
  return {
    ...row,
    epoch,
    verifierPassword: await seal('verifier-password', verifier, { user, epoch }, password),
    verifierRecovery: await seal('verifier-recovery', verifier, { user, recoveryId, epoch }, recovery),
    uvkPassword: await seal(
      'uvk-password-outer',
      await pepper.key(epoch, 'uvk'),
      { user, epoch },
      await openPasswordWrap(pepper, row),
    ),
  };
}

/** Whether a login key is the account's; the same work, and the same answer, where there is no account. */
export async function isPasswordRight(
  pepper: Pepper,
  row: UserRow | undefined,
  authKey: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const account = row ?? (await nobody(pepper));
  const key = await pepper.key(account.epoch, 'verifier');
  const verifier = await open(
    'verifier-password',
    key,
    { user: account.id, epoch: account.epoch },
    account.verifierPassword,
  );
  const isRight = equalBytes(verifier, await sha256(authKey));
  return isRight && row !== undefined;
}

export async function isRecoveryRight(
  pepper: Pepper,
  row: UserRow | undefined,
  auth: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const account = row ?? (await nobody(pepper));
  const { id: user, recoveryId, epoch } = account;
  const key = await pepper.key(epoch, 'verifier');
  const verifier = await open('verifier-recovery', key, { user, recoveryId, epoch }, account.verifierRecovery);
  const isRight = equalBytes(verifier, await sha256(auth));
  return isRight && row !== undefined;
}

const nobodies = new WeakMap<Pepper, Promise<Awaited<ReturnType<typeof makeNobody>>>>();

/** An account that nobody can log in to, so that an unknown e-mail costs what a known one does. */
function nobody(pepper: Pepper) {
  const made = nobodies.get(pepper) ?? makeNobody(pepper);
  nobodies.set(pepper, made);
  return made;
}

async function makeNobody(pepper: Pepper) {
  const [id, recoveryId] = [crypto.randomUUID(), crypto.randomUUID()];
  const epoch = pepper.current;
  const key = await pepper.key(epoch, 'verifier');
  return {
    id,
    recoveryId,
    epoch,
    verifierPassword: await seal('verifier-password', key, { user: id, epoch }, randomBytes(32)),
    verifierRecovery: await seal('verifier-recovery', key, { user: id, recoveryId, epoch }, randomBytes(32)),
  };
}

/** A random secret of a few minutes, and what the database keeps of it. */
export async function createTicket() {
  const ticket = randomBytes(32);
  return { ticket, lookup: await ticketLookup(ticket) };
}

export function ticketLookup(ticket: Uint8Array) {
  return hkdf(ticket, 'ticket/lookup');
}

export function loginFailed(): KeyPassError {
  return new KeyPassError('login_failed', 'The e-mail address or the password is wrong.');
}

/** The form by which accounts are found. */
export function normalEmail(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

export function checkKdf(kdfId: number): void {
  if (isKdfId(kdfId)) return;
  throw new KeyPassError('invalid_request', 'This kdfId is not one that KeyPass knows.', { param: 'kdfId' });
}
