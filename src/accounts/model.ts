import { t } from 'elysia';
import { Blob, bytes, ManifestBlob, ManifestRevision, integer, object, Timestamp, Uuid } from '../http/schema.ts';

const Email = t.String({
  minLength: 3,
  maxLength: 254,
  pattern: '^[^\\s@]+@[^\\s@]+$',
  description: 'an e-mail address',
});
const KdfId = integer({ minimum: 1, maximum: 255, description: 'Argon2id parameters, by their compiled-in number' });
const Salt = bytes(16, 16);
const AuthKey = bytes(32, 32);
const Transport = t.Union([t.Literal('bearer'), t.Literal('cookie')], {
  description: '`cookie` keeps the token out of the body; for pages of KeyPass alone',
});

const passwordWrap = { kdfId: KdfId, salt: Salt, authKey: AuthKey, uvkPassword: Blob };
const recoveryWrap = { recoveryAuth: AuthKey, uvkRecovery: Blob };
const manifest = { manifest: ManifestBlob, manifestRevision: t.Optional(ManifestRevision) };
const device = { transport: t.Optional(Transport), device: t.Optional(t.String({ maxLength: 100 })) };

export const Prelogin = object({ email: Email });
export const Registration = object({
  userId: Uuid,
  email: Email,
  ...passwordWrap,
  recoveryId: Uuid,
  ...recoveryWrap,
  ...manifest,
  invite: t.Optional(t.String({ maxLength: 100 })),
  ...device,
});
export const Login = object({
  email: Email,
  authKey: AuthKey,
  totp: t.Optional(t.String({ maxLength: 10 })),
  ...device,
});
export const Unlock = object({ authKey: AuthKey });
export const PasswordChange = object({
  authKey: AuthKey,
  passwordRevision: integer({ minimum: 1 }),
  kdfId: KdfId,
  salt: Salt,
  newAuthKey: AuthKey,
  uvkPassword: Blob,
});
export const Recovery = object({ email: Email, recoveryAuth: AuthKey });
export const RecoveryCompletion = object({
  ticket: bytes(32, 32),
  ...passwordWrap,
  newRecoveryId: Uuid,
  ...recoveryWrap,
});

const Session = object({ id: Uuid, token: t.Optional(t.String()), expiresAt: Timestamp });
const Kdf = object({ kdfId: KdfId, salt: Salt });
const OpenVault = {
  kdfId: KdfId,
  salt: Salt,
  uvkPassword: Blob,
  manifest: ManifestBlob,
  manifestRevision: ManifestRevision,
};

export const PreloginAnswer = Kdf;
export const SessionAnswer = object({
  id: Uuid,
  device: t.Union([t.String(), t.Null()]),
  current: t.Boolean(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
});
export const RegistrationAnswer = object({ userId: Uuid, session: Session });
export const LoginAnswer = object({ userId: Uuid, session: Session, passwordRevision: integer(), ...OpenVault });
export const UnlockAnswer = object(OpenVault);
export const RecoveryAnswer = object({ userId: Uuid, recoveryId: Uuid, uvkRecovery: Blob, ticket: t.String() });
export const Me = object({
  userId: Uuid,
  email: t.String(),
  kdfId: KdfId,
  salt: Salt,
  passwordRevision: integer(),
  manifest: ManifestBlob,
  manifestRevision: ManifestRevision,
  createdAt: Timestamp,
});

export type TransportName = 'bearer' | 'cookie';

/** A manifest to be written: sealed by the owner, under the revision that follows the last. */
export interface ManifestWrite {
  readonly manifest: Uint8Array;
  readonly manifestRevision?: number | undefined;
}

/** A manifest that a deletion may bring along. */
export interface OptionalManifestWrite {
  readonly manifest?: Uint8Array | undefined;
  readonly manifestRevision?: number | undefined;
}

/** The wraps that a password makes. */
export interface PasswordWrap {
  readonly kdfId: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly authKey: Uint8Array<ArrayBuffer>;
  readonly uvkPassword: Uint8Array<ArrayBuffer>;
}

/** The wrap that a recovery code makes. */
export interface RecoveryWrap {
  readonly recoveryId: string;
  readonly recoveryAuth: Uint8Array<ArrayBuffer>;
  readonly uvkRecovery: Uint8Array<ArrayBuffer>;
}

export interface RegistrationInput extends PasswordWrap, RecoveryWrap, ManifestWrite {
  readonly userId: string;
  readonly email: string;
  readonly invite?: string | undefined;
  readonly transport?: TransportName | undefined;
  readonly device?: string | undefined;
}

export interface RecoveryCompletionInput extends PasswordWrap {
  readonly ticket: Uint8Array<ArrayBuffer>;
  readonly newRecoveryId: string;
  readonly recoveryAuth: Uint8Array<ArrayBuffer>;
  readonly uvkRecovery: Uint8Array<ArrayBuffer>;
}

export interface PasswordChangeInput {
  /** The login key of the password that is replaced. */
  readonly authKey: Uint8Array<ArrayBuffer>;
  readonly passwordRevision: number;
  readonly kdfId: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly newAuthKey: Uint8Array<ArrayBuffer>;
  readonly uvkPassword: Uint8Array<ArrayBuffer>;
}
