/** The owner's client of KeyPass: see README.md. */
export { shortestPassword } from './account.ts';
export { type App, type AppChanges, Apps, type Delivery, type DeliveryAttempt, type NewApp } from './apps.ts';
export { type Connection, type ConnectionChanges, Connections, type NewConnection } from './connections.ts';
export { detectProvider, detectProviders, normaliseSecret } from './detect.ts';
export {
  KeyRefusedError,
  type KeyRefusal,
  OriginDiffersError,
  RecoveryFailedError,
  type TamperedPart,
  TotpRequiredError,
  VaultError,
  VaultLockedError,
  VaultTamperedError,
  WrongPasswordError,
} from './errors.ts';
export type { ProviderRefusal } from './key-rows.ts';
export { type CheckedBy, type Key, Keys, type NewKey } from './keys.ts';
export { type Approval, type Approved, Link, type LinkRequest } from './link.ts';
export { origins } from './origins.ts';
export type { Allowance, ModelChoice, ProviderChoice } from './policies.ts';
export type { Provider } from './providers.ts';
export type { Fetch, TransportMode, TransportOptions } from './transport.ts';
export type {
  CallFilters,
  CallsQuery,
  ExportQuery,
  Receipt,
  ReceiptLine,
  Total,
  UsageFile,
  UsageQuery,
} from './usage.ts';
export { type Resume, type Session, Vault } from './vault.ts';
export type { KeyVerdict } from '../../../src/providers/verdict.ts';
export type { Policy, PolicyLimits, PolicyProvider, PolicyScope } from '../../../src/crypto/index.ts';
export { requestableScopes, usualScopes } from '../../../src/crypto/index.ts';
