/**
 * The crypto kernel: Web APIs only and no import from outside this folder, so that the server, the pages, the SDKs and
 * the extension run the same code. `blobs.ts` has the table of everything that is ever sealed: begin there.
 */
export { CryptoError } from './errors.ts';
export { concat, equalBytes, fromUtf8, ownBytes, randomBytes, sha256, utf8, zero, type Bytes } from './bytes.ts';
export { fromBase64Url, toBase64Url } from './base64url.ts';
export { isUuid, newUuid, uuidToBytes } from './uuid.ts';
export { deriveKey, hkdf, sealingKey } from './derive.ts';
export { openEnvelope, sealEnvelope } from './envelope.ts';
export { open, seal, unlock, type BlobFields, type Label } from './blobs.ts';
export {
  createToken,
  lookupOf,
  parseToken,
  tokenFromBytes,
  tokenKey,
  tokenKind,
  type TokenKind,
  type TokenUses,
} from './tokens.ts';
export { createRecoveryCode, formatRecoveryCode, parseRecoveryCode } from './recovery.ts';
export { authKeyOf, isKdfId, kdfs, recoveryAuthOf, recoveryWrapOf, wrapKeyOf, type KdfId } from './kdf.ts';
export { canonicalJson, isPlainObject } from './canonical.ts';
export {
  checkPolicy,
  encodePolicy,
  parsePolicy,
  policyHash,
  policyScopes,
  requestableScopes,
  usualScopes,
  type Policy,
  type PolicyLimits,
  type PolicyProvider,
  type PolicyScope,
} from './policy.ts';
export { PolicyError } from './policy-rules.ts';
export {
  addEpoch,
  createPepper,
  dropEpoch,
  formatPepper,
  makeCurrent,
  parsePepper,
  Pepper,
  PepperError,
  type PepperKind,
} from './pepper.ts';
