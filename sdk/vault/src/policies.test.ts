import { describe, expect, test } from 'bun:test';
import { encodePolicy, newUuid } from '../../../src/crypto/index.ts';
import type { KeyRow } from './key-rows.ts';
import { newPolicy, nextPolicy } from './policies.ts';

const row = (provider: string, isDefault: boolean): KeyRow => ({
  id: newUuid(),
  provider,
  isDefault,
  origin: 'https://api.example',
  version: 1,
  item: new Uint8Array(),
  dekVault: new Uint8Array(),
  hash: '',
  connectionCount: 0,
  createdAt: '2030-01-01T00:00:00.000Z',
  lastUsedAt: null,
  refusal: null,
});

const spare = row('openai', false);
const preselected = row('openai', true);
const anthropic = row('anthropic', true);
const keys = [spare, preselected, anthropic];
const personal = { kind: 'personal', app: null, origin: null, clientUserIdHash: null } as const;

describe('newPolicy', () => {
  test('preselects default keys and sorts, so that it is canonical', () => {
    const policy = newPolicy(
      personal,
      { providers: ['openai', 'anthropic'], models: ['b', 'a', 'b'], budgetCents: 500 },
      keys,
    );
    expect(policy).toEqual({
      v: 1,
      revision: 1,
      ...personal,
      providers: [
        { id: 'anthropic', keyId: anthropic.id, models: ['a', 'b'] },
        { id: 'openai', keyId: preselected.id, models: ['a', 'b'] },
      ],
      scopes: ['chat', 'embeddings'],
      budgetCents: 500,
      period: 'month',
      perModelCents: null,
      limits: { rpm: null, tpm: null, parallel: null },
      expiresAt: null,
      sandbox: false,
    });
    expect(encodePolicy(policy).length).toBeGreaterThan(0);
  });

  test('takes models for one provider, another key, and a time to the second', () => {
    const providers = ['anthropic', { id: 'openai', keyId: spare.id, models: null }];
    const allowance = {
      providers,
      models: { anthropic: ['m'] },
      budgetCents: 1,
      expiresAt: new Date('2030-01-31T23:59:59.999Z'),
    };
    const policy = newPolicy(personal, allowance, keys);
    expect(policy.providers).toEqual([
      { id: 'anthropic', keyId: anthropic.id, models: ['m'] },
      { id: 'openai', keyId: spare.id, models: null },
    ]);
    expect(policy.expiresAt).toBe('2030-01-31T23:59:59Z');
  });

  test.each([
    ['a provider without a key', 'key_not_found', { providers: ['groq'] }],
    ['a key of another provider', 'key_not_found', { providers: [{ id: 'openai', keyId: anthropic.id }] }],
    ['one provider twice', 'policy_invalid', { providers: ['openai', 'openai'] }],
    ['no provider', 'policy_invalid', { providers: [] }],
    ['an empty list of models', 'policy_invalid', { models: [] }],
    ['a fraction of a cent', 'policy_invalid', { budgetCents: 0.5 }],
    ['a negative budget', 'policy_invalid', { budgetCents: -1 }],
    ['no time', 'policy_invalid', { expiresAt: 'soon' }],
  ])('refuses %s', (_, code, faulty) => {
    const attempt = () => newPolicy(personal, { providers: ['openai'], budgetCents: 1, ...faulty }, keys);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});

describe('nextPolicy', () => {
  const first = newPolicy(
    personal,
    { providers: [{ id: 'openai', keyId: spare.id, models: ['m'] }], budgetCents: 100, expiresAt: '2031-01-01' },
    keys,
  );

  test('what is not named stays; the revision counts up', () => {
    expect(nextPolicy(first, { budgetCents: 200 }, keys)).toEqual({ ...first, revision: 2, budgetCents: 200 });
  });

  test('a provider named again keeps its key and models; null lifts a limit', () => {
    const next = nextPolicy(first, { providers: ['openai', 'anthropic'], expiresAt: null }, keys);
    expect(next.providers).toEqual([
      { id: 'anthropic', keyId: anthropic.id, models: null },
      { id: 'openai', keyId: spare.id, models: ['m'] },
    ]);
    expect(next.expiresAt).toBeNull();
    expect(nextPolicy(first, { models: null }, keys).providers[0]?.models).toBeNull();
  });

  test('a key that is gone gives way to the default one only when its provider is named', () => {
    const left = [preselected, anthropic];
    expect(nextPolicy(first, { budgetCents: 1 }, left).providers[0]?.keyId).toBe(spare.id);
    expect(nextPolicy(first, { providers: ['openai'] }, left).providers[0]?.keyId).toBe(preselected.id);
  });
});
