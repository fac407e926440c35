import {
  checkPolicy,
  type Policy,
  type PolicyLimits,
  type PolicyProvider,
  type PolicyScope,
  usualScopes,
} from '../../../src/crypto/index.ts';
import { VaultError } from './errors.ts';
import type { KeyRow } from './key-rows.ts';

/** A provider by its id, with its preselected key; or with the key and the models that the owner chose. */
export type ProviderChoice = string | { id: string; keyId?: string; models?: readonly string[] | null };

/** Models by the providers' names: one list for all providers or one for each. Not named: all models. */
export type ModelChoice = readonly string[] | Readonly<Record<string, readonly string[] | null>> | null;

/** What an owner allows. */
export interface Allowance {
  providers: readonly ProviderChoice[];
  models?: ModelChoice;
  /** US cents for each period, a hard limit. */
  budgetCents: number;
  /** Default: a calendar month in UTC. */
  period?: 'month' | 'total';
  /** Default: chat and embeddings; for an app's request, those of the two that it asks for. */
  scopes?: readonly PolicyScope[];
  perModelCents?: Readonly<Record<string, number>> | null;
  limits?: Partial<PolicyLimits>;
  /** null or none: does not expire. Whole seconds. */
  expiresAt?: string | Date | null;
  sandbox?: boolean;
}

/** Whom a policy is for. */
export type Grantee = Pick<Policy, 'kind' | 'app' | 'origin' | 'clientUserIdHash'>;

/** The first policy of a connection. Throws `key_not_found`, `policy_invalid`. */
export function newPolicy(grantee: Grantee, allowance: Allowance, keys: readonly KeyRow[]): Policy {
  const base: Policy = {
    v: 1,
    revision: 0,
    ...grantee,
    providers: [],
    scopes: [...usualScopes],
    budgetCents: 0,
    period: 'month',
    perModelCents: null,
    limits: { rpm: null, tpm: null, parallel: null },
    expiresAt: null,
    sandbox: false,
  };
  return nextPolicy(base, allowance, keys);
}

/** The policy after an edit: what is not named stays. Throws `key_not_found`, `policy_invalid`. */
export function nextPolicy(policy: Policy, changes: Partial<Allowance>, keys: readonly KeyRow[]): Policy {
  const providers = changes.providers?.map((choice) => chosen(choice, policy, keys)) ?? policy.providers;
  const next = {
    ...policy,
    revision: policy.revision + 1,
    providers: sorted(withModels(providers, changes.models), ({ id }) => id),
    scopes: sorted(changes.scopes ?? policy.scopes, (scope) => scope),
    budgetCents: changes.budgetCents ?? policy.budgetCents,
    period: changes.period ?? policy.period,
    perModelCents: changes.perModelCents === undefined ? policy.perModelCents : changes.perModelCents,
    limits: { ...policy.limits, ...changes.limits },
    expiresAt: changes.expiresAt === undefined ? policy.expiresAt : timeOf(changes.expiresAt),
    sandbox: changes.sandbox ?? policy.sandbox,
  };
  try {
    return checkPolicy(next);
  } catch (cause) {
    // The kernel's message names the member and the rule, never a value.
    const reason = cause instanceof Error ? cause.message : 'policy';
    throw new VaultError('policy_invalid', `The policy is not valid: ${reason}.`, { cause });
  }
}

function chosen(choice: ProviderChoice, policy: Policy, keys: readonly KeyRow[]): PolicyProvider {
  const { id, keyId, models }: Exclude<ProviderChoice, string> = typeof choice === 'string' ? { id: choice } : choice;
  const own = keys.filter((key) => key.provider === id);
  const before = policy.providers.find((provider) => provider.id === id);
  const wanted =
    keyId ?? own.find((key) => key.id === before?.keyId)?.id ?? (own.find((key) => key.isDefault) ?? own[0])?.id;
  const key = own.find((candidate) => candidate.id === wanted);
  if (key === undefined) {
    throw new VaultError('key_not_found', `The vault has no such key of ${id}: add one first.`, { param: 'providers' });
  }
  const list = models === undefined ? (before?.models ?? null) : models;
  return { id, keyId: key.id, models: list === null ? null : sorted(new Set(list), (model) => model) };
}

function withModels(providers: readonly PolicyProvider[], models: ModelChoice | undefined): PolicyProvider[] {
  return providers.map((provider) => {
    const choice = modelsFor(models, provider.id);
    if (choice === undefined) return provider;
    return { ...provider, models: choice === null ? null : sorted(new Set(choice), (model) => model) };
  });
}

function modelsFor(models: ModelChoice | undefined, provider: string): readonly string[] | null | undefined {
  if (models === undefined || models === null || isList(models)) return models;
  return Object.hasOwn(models, provider) ? models[provider] : undefined;
}

function isList(models: NonNullable<ModelChoice>): models is readonly string[] {
  return Array.isArray(models);
}

/** By UTF-16 code units, as policies are. */
function sorted<T>(items: Iterable<T>, key: (item: T) => string): T[] {
  return [...items].toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function timeOf(time: string | Date | null): string | null {
  if (time === null) return null;
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) {
    throw new VaultError('policy_invalid', 'expiresAt is not a time.', { param: 'expiresAt' });
  }
  return `${date.toISOString().slice(0, 19)}Z`;
}
