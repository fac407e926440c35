/**
 * What the owner allowed an app, a site or a tool. Its canonical bytes are what is stored and hashed: a grant opens only
 * under the hash of exactly these bytes, so no policy can be put in another's place, and a policy is parsed only after
 * its grant has opened.
 */
import { fromBase64Url } from './base64url.ts';
import { equalBytes, fromUtf8, sha256, utf8, type Bytes } from './bytes.ts';
import { canonicalJson } from './canonical.ts';
import { CryptoError } from './errors.ts';
import { integer, maybe, members, objectOf, oneOf, PolicyError, sortedArray, text } from './policy-rules.ts';
import { isUuid } from './uuid.ts';

/** What may be called, sorted. `stateful`: what the provider stores; `unmetered`: calls without a known cost. */
export const policyScopes = ['audio', 'chat', 'embeddings', 'images', 'stateful', 'unmetered'] as const;

export type PolicyScope = (typeof policyScopes)[number];

/** What an app may ask for, the ordinary first. `unmetered` is for the owner alone to bring up. */
export const requestableScopes = [
  'chat',
  'embeddings',
  'images',
  'audio',
  'stateful',
] as const satisfies readonly PolicyScope[];

/** What a connection may call where nobody says otherwise, sorted. */
export const usualScopes = ['chat', 'embeddings'] as const satisfies readonly PolicyScope[];

export interface Policy {
  v: 1;
  /** Counts up from 1 with every edit; at most 2³¹ − 1. */
  revision: number;
  kind: 'app' | 'personal' | 'site';
  /** The app's UUID for the kind `app`, else null. */
  app: string | null;
  /** The web origin that the Link window proved, or a site's; null if there is none. Always set for the kind `site`. */
  origin: string | null;
  /** base64url of SHA-256 of the app's own id of its user, or null; only for the kind `app`. */
  clientUserIdHash: string | null;
  /** At least one, sorted by id, one key for each. */
  providers: PolicyProvider[];
  /** Sorted; empty allows no call that has a scope. */
  scopes: PolicyScope[];
  /** US cents for each period: 0 to 100,000,000. */
  budgetCents: number;
  /** A calendar month in UTC, or the connection's whole life. */
  period: 'month' | 'total';
  /** US cents for each period by model, beside the whole budget; null if no model has its own. */
  perModelCents: Record<string, number> | null;
  limits: PolicyLimits;
  /** RFC 3339 in UTC with whole seconds, `2030-01-31T23:59:59Z`; null if it does not expire. */
  expiresAt: string | null;
  /** Whether calls go to a test answer instead of a provider. */
  sandbox: boolean;
}

export interface PolicyProvider {
  /** The provider's id in the catalogue: lower-case letters, digits, hyphens; at most 64. */
  id: string;
  /** The UUID of the owner's key. */
  keyId: string;
  /** Models by the provider's names, sorted, at least one; null for all of the provider's models. */
  models: string[] | null;
}

/** Integers from 1 to 1,000,000,000; null for no limit. */
export interface PolicyLimits {
  /** Requests per minute. */
  rpm: number | null;
  /** Tokens per minute. */
  tpm: number | null;
  /** Calls at one time. */
  parallel: number | null;
}

/** The canonical bytes of a policy; throws PolicyError if it is not one. */
export function encodePolicy(policy: Policy): Bytes {
  return utf8(canonicalJson(checkPolicy(policy)));
}

/** The policy of its canonical bytes; throws PolicyError for any other spelling, so bytes and policy are one to one. */
export function parsePolicy(bytes: Uint8Array): Policy {
  const policy = checkPolicy(parseJson(bytes));
  if (!equalBytes(encodePolicy(policy), bytes)) throw new PolicyError('', 'not the canonical bytes of a policy');
  return policy;
}

/** What a grant is bound to: SHA-256 of the policy's bytes as they are stored. */
export function policyHash(bytes: Uint8Array): Promise<Bytes> {
  return sha256(bytes);
}

/**
 * A copy of the value, proved to be a policy: all members present, no other, integers only, arrays sorted by UTF-16 code
 * units and without repeats. Throws PolicyError at the first fault.
 */
export function checkPolicy(value: unknown): Policy {
  const policy = objectOf('', value, {
    v: oneOf([1]),
    revision: integer(1, 0x7fffffff),
    kind: oneOf(['app', 'personal', 'site']),
    app: maybe(text(isUuid, 'a UUID')),
    origin: maybe(text(isWebOrigin, 'a web origin')),
    clientUserIdHash: maybe(text(isHash, 'base64url of 32 bytes')),
    providers: sortedArray(checkProvider, ({ id }) => id, 1),
    scopes: sortedArray(oneOf(policyScopes), (scope) => scope, 0),
    budgetCents: cents,
    period: oneOf(['month', 'total']),
    perModelCents: maybe(checkPerModelCents),
    limits: checkLimits,
    expiresAt: maybe(text(isUtcSecond, 'a time such as 2030-01-31T23:59:59Z')),
    sandbox: oneOf([true, false]),
  });
  if ((policy.kind === 'app') !== (policy.app !== null)) throw new PolicyError('app', 'set for the kind app only');
  if (policy.kind === 'site' && policy.origin === null) throw new PolicyError('origin', 'set for the kind site');
  if (policy.kind !== 'app' && policy.clientUserIdHash !== null) {
    throw new PolicyError('clientUserIdHash', 'set for the kind app only');
  }
  return policy;
}

const cents = integer(0, 100_000_000);
const limit = maybe(integer(1, 1_000_000_000));
const model = text(isModel, 'the name of a model');

function checkProvider(path: string, value: unknown): PolicyProvider {
  return objectOf(path, value, {
    id: text((id) => /^[a-z0-9][a-z0-9-]{0,63}$/.test(id), 'the id of a provider'),
    keyId: text(isUuid, 'a UUID'),
    models: maybe(sortedArray(model, (name) => name, 1)),
  });
}

function checkLimits(path: string, value: unknown): PolicyLimits {
  return objectOf(path, value, { rpm: limit, tpm: limit, parallel: limit });
}

function checkPerModelCents(path: string, value: unknown): Record<string, number> {
  // Neither a model's name nor its amount is repeated in an error: the path ends here.
  const entries = members(path, value).map(([name, amount]) => [model(path, name), cents(path, amount)] as const);
  if (entries.length === 0) throw new PolicyError(path, 'null or at least one model');
  return Object.fromEntries(entries);
}

/** 1 to 200 characters, none of them white space or a control. */
function isModel(name: string): boolean {
  return /^[^\s\p{C}]{1,200}$/u.test(name);
}

function isWebOrigin(origin: string): boolean {
  if (!/^https?:\/\//.test(origin) || origin.length > 300 || !URL.canParse(origin)) return false;
  return new URL(origin).origin === origin;
}

function isHash(hash: string): boolean {
  try {
    return fromBase64Url(hash).length === 32;
  } catch {
    return false;
  }
}

function isUtcSecond(time: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)) return false;
  const date = new Date(time);
  // A day that does not exist (30 February) becomes another one, or none.
  return !Number.isNaN(date.getTime()) && date.toISOString() === time.replace('Z', '.000Z');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof CryptoError) throw new PolicyError('', 'not JSON in UTF-8');
    throw error;
  }
}
