import { checkPolicy, encodePolicy, policyHash, PolicyError, type Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import type { GrantInput } from './model.ts';

/** A policy as it is stored: its very bytes, and the hash that its grants are sealed under. */
export interface SealedPolicy {
  readonly policy: Policy;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

/** What a client cannot choose; an edit leaves the rest of these as they are too. */
type Fixed = Pick<Policy, 'kind' | 'app' | 'origin'> & Partial<Pick<Policy, 'period' | 'clientUserIdHash'>>;

/** Checks a policy that a client sent against what it must say here; throws `policy_invalid` naming the member. */
export async function acceptPolicy(value: unknown, fixed: Fixed, revision: number, now: Date): Promise<SealedPolicy> {
  const policy = checked(value);
  expect(policy.revision === revision, 'revision', `must be ${revision}`);
  expect(policy.kind === fixed.kind, 'kind', 'is not that of this connection');
  expect(policy.app === fixed.app, 'app', 'is not the app of this request');
  expect(policy.origin === fixed.origin, 'origin', 'is not the origin of this request');
  const { period = policy.period, clientUserIdHash = policy.clientUserIdHash } = fixed;
  expect(policy.period === period, 'period', 'cannot change: what was spent is counted by it');
  expect(policy.clientUserIdHash === clientUserIdHash, 'clientUserIdHash', 'cannot change');
  expect(policy.expiresAt === null || new Date(policy.expiresAt) > now, 'expiresAt', 'has passed');
  refuseUnsupported(policy);
  const bytes = encodePolicy(policy);
  return { policy, bytes, hash: await policyHash(bytes) };
}

/** What is not enforced must not be promised: these members wait for what enforces them. */
function refuseUnsupported(policy: Policy): void {
  expect(
    policy.perModelCents === null,
    'perModelCents',
    'must be null: budgets by model are not enforced by this version',
  );
  expect(!policy.sandbox, 'sandbox', 'must be false: this version has no sandbox providers');
}

/** One grant for each provider of the policy, for the key that the policy names, in the version that is in force. */
export function refuseMisfit(
  policy: Policy,
  grants: readonly GrantInput[],
  keys: ReadonlyMap<string, { provider: string; version: number }>,
): void {
  const byKey = new Map(grants.map((grant) => [grant.keyId, grant]));
  const fits = grants.length === policy.providers.length && byKey.size === grants.length;
  if (!fits)
    throw new KeyPassError('policy_invalid', 'The grants must be one for each provider of the policy.', {
      param: 'grants',
    });
  for (const { id, keyId } of policy.providers) {
    const key = keys.get(keyId);
    if (key === undefined || key.provider !== id) {
      throw new KeyPassError('key_not_found', 'The vault has no such key of this provider.', {
        param: 'policy.providers',
      });
    }
    if (byKey.get(keyId)?.version !== key.version) {
      throw new KeyPassError('key_changed', 'The key was replaced by another client. Read it again.', {
        param: 'grants',
      });
    }
  }
}

function checked(value: unknown): Policy {
  try {
    return checkPolicy(value);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new KeyPassError('policy_invalid', `The policy does not fit: ${error.message}`, {
      param: `policy.${error.param}`,
    });
  }
}

function expect(holds: boolean, member: string, fault: string): void {
  if (!holds)
    throw new KeyPassError('policy_invalid', `The policy's ${member} ${fault}.`, { param: `policy.${member}` });
}
