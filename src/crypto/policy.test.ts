import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { toBase64Url } from './base64url.ts';
import { sha256, utf8, fromUtf8 } from './bytes.ts';
import { checkPolicy, encodePolicy, parsePolicy, policyHash, policyScopes, type Policy } from './policy.ts';
import { PolicyError } from './policy-rules.ts';

fc.configureGlobal({ seed: 1 });

const uuid = '01234567-89ab-4cde-8f01-23456789abcd';
const base: Policy = {
  v: 1,
  revision: 1,
  kind: 'app',
  app: uuid,
  origin: 'https://app.example',
  clientUserIdHash: toBase64Url(new Uint8Array(32)),
  providers: [
    { id: 'anthropic', keyId: uuid, models: null },
    { id: 'openai', keyId: uuid, models: ['gpt-a', 'gpt-b'] },
  ],
  scopes: ['chat', 'embeddings'],
  budgetCents: 500,
  period: 'month',
  perModelCents: { 'gpt-b': 100, 'gpt-a': 50 },
  limits: { rpm: 60, tpm: null, parallel: 4 },
  expiresAt: '2030-01-31T23:59:59Z',
  sandbox: false,
};

/** The path at which a value is refused; undefined if it is a policy. */
function faultOf(value: unknown): string | undefined {
  try {
    checkPolicy(value);
    return undefined;
  } catch (error) {
    if (error instanceof PolicyError) return error.param;
    throw error;
  }
}

const uuids = fc.uuid({ version: 4 });
const models = fc.stringMatching(/^[a-z0-9./:_-]{1,20}$/);
const sortedSet = <T>(item: fc.Arbitrary<T>, key: (value: T) => string, minLength: number) =>
  fc
    .uniqueArray(item, { selector: key, minLength, maxLength: 4 })
    .map((items) => items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)));
const limits = fc.option(fc.integer({ min: 1, max: 1_000_000_000 }));

const policies: fc.Arbitrary<Policy> = fc
  .record({
    revision: fc.integer({ min: 1, max: 0x7fffffff }),
    kind: fc.constantFrom('app', 'personal', 'site'),
    app: uuids,
    origin: fc.constantFrom('https://a.example', 'http://localhost:3000'),
    clientUserIdHash: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase64Url)),
    providers: sortedSet(
      fc.record({
        id: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,10}$/),
        keyId: uuids,
        models: fc.option(sortedSet(models, (name) => name, 1)),
      }),
      ({ id }) => id,
      1,
    ),
    scopes: fc.subarray([...policyScopes]),
    budgetCents: fc.integer({ min: 0, max: 100_000_000 }),
    period: fc.constantFrom('month', 'total'),
    perModelCents: fc.option(fc.dictionary(models, fc.nat(1000), { minKeys: 1, maxKeys: 3, noNullPrototype: true })),
    limits: fc.record({ rpm: limits, tpm: limits, parallel: limits }),
    expiresAt: fc.option(
      fc
        .integer({ min: 0, max: 253_402_300_799 })
        .map((seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')),
    ),
    sandbox: fc.boolean(),
  })
  .map((policy) => ({
    ...policy,
    v: 1,
    app: policy.kind === 'app' ? policy.app : null,
    clientUserIdHash: policy.kind === 'app' ? policy.clientUserIdHash : null,
  }));

describe('policy bytes', () => {
  test('known answer', () => {
    expect(fromUtf8(encodePolicy(base))).toBe(
      `{"app":"${uuid}","budgetCents":500,"clientUserIdHash":"${'A'.repeat(43)}","expiresAt":"2030-01-31T23:59:59Z",` +
        `"kind":"app","limits":{"parallel":4,"rpm":60,"tpm":null},"origin":"https://app.example","perModelCents":` +
        `{"gpt-a":50,"gpt-b":100},"period":"month","providers":[{"id":"anthropic","keyId":"${uuid}","models":null},` +
        `{"id":"openai","keyId":"${uuid}","models":["gpt-a","gpt-b"]}],"revision":1,"sandbox":false,` +
        `"scopes":["chat","embeddings"],"v":1}`,
    );
  });

  test('any policy there and back; the bytes are its only ones', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const bytes = encodePolicy(policy);
        expect(parsePolicy(bytes)).toEqual(policy);
        expect(encodePolicy(parsePolicy(bytes))).toEqual(bytes);
      }),
    );
  });

  test('the hash is SHA-256 of the bytes as they are', async () => {
    const bytes = encodePolicy(base);
    expect(await policyHash(bytes)).toEqual(await sha256(bytes));
  });

  test('every other spelling is refused', () => {
    const text = fromUtf8(encodePolicy(base));
    const spellings = [
      ` ${text}`,
      `${text}\n`,
      `\uFEFF${text}`,
      text.replace(':500', ':5e2'),
      text.replace(':500', ':500.0'),
      text.replace('"v":1', '"v":1,"v":1'),
      text.replace('"budgetCents":500', '"budgetCents":9,"budgetCents":500'),
      text.replace('month', '\\u006donth'),
      text.replace('https://', 'https:\\/\\/'),
      JSON.stringify(base),
      '',
      'null',
      text.slice(0, -1),
    ];
    for (const spelling of spellings) expect(() => parsePolicy(utf8(spelling))).toThrow(PolicyError);
    expect(() => parsePolicy(Uint8Array.of(0xff))).toThrow(PolicyError);
  });

  test('the copy has nothing to do with the value that was checked', () => {
    const scopes: Policy['scopes'] = ['chat'];
    const copy = checkPolicy({ ...base, scopes });
    scopes.push('unmetered');
    expect(copy.scopes).toEqual(['chat']);
  });
});

describe('members', () => {
  test('any one missing is refused by its path', () => {
    for (const name of Object.keys(base)) {
      const rest = Object.fromEntries(Object.entries(base).filter(([other]) => other !== name));
      expect(faultOf(rest)).toBe(name);
    }
    expect(faultOf({ ...base, providers: [{ id: 'openai', keyId: uuid }] })).toBe('providers[0].models');
    expect(faultOf({ ...base, limits: { rpm: 1, tpm: 1 } })).toBe('limits.parallel');
  });

  test('any unknown one is refused by its name, wherever it is', () => {
    const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
    fc.assert(
      fc.property(policies, names, fc.jsonValue(), (policy, name, value) => {
        fc.pre(!['id', 'keyId', 'models', 'rpm', 'tpm', 'parallel', ...Object.keys(base)].includes(name));
        const extra = Object.fromEntries([[name, value]]);
        expect(faultOf({ ...policy, ...extra })).toBe(name);
        expect(faultOf({ ...policy, limits: { ...policy.limits, ...extra } })).toBe(`limits.${name}`);
        const [first, ...others] = policy.providers;
        expect(faultOf({ ...policy, providers: [{ ...first, ...extra }, ...others] })).toBe(`providers[0].${name}`);
      }),
    );
  });

  test('a name that does not look like one is not repeated', () => {
    expect(faultOf({ ...base, 'a secret?': 1 })).toBe('(unnamed)');
    expect(faultOf({ ...base, ['x'.repeat(41)]: 1 })).toBe('(unnamed)');
    expect(faultOf(JSON.parse(`{"__proto__":1,${JSON.stringify(base).slice(1)}`))).toBe('__proto__');
  });

  test('no message holds a value', () => {
    const canary = 'canary value';
    for (const name of Object.keys(base)) {
      expect(() => checkPolicy({ ...base, [name]: canary })).toThrow(PolicyError);
      expect(() => checkPolicy({ ...base, [name]: canary })).not.toThrow(canary);
    }
    expect(() => checkPolicy({ ...base, perModelCents: { [canary]: 1 } })).not.toThrow(canary);
  });
});

describe('values', () => {
  const provider = { id: 'openai', keyId: uuid, models: null };

  test.each<[string, unknown]>([
    ['v', [0, 2, '1', null]],
    ['revision', [0, -1, 1.5, 2 ** 31, '1', null, -0]],
    ['kind', ['', 'App', null]],
    ['app', [null, '', uuid.toUpperCase(), '00000000-0000-0000-0000-000000000000', 1]],
    [
      'origin',
      [
        '',
        'app.example',
        'https://app.example/',
        'https://app.example:443',
        'https://APP.example',
        'https://user@app.example',
        'https://bücher.example',
        'ftp://app.example',
        'javascript:1',
        'null',
        'https://',
        `https://${'a.'.repeat(150)}example`,
        ['https://app.example'],
      ],
    ],
    ['clientUserIdHash', ['', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}B`, `${'A'.repeat(43)}=`, 1]],
    ['providers', [null, [], {}, [provider, provider], [provider, { ...provider, id: 'groq' }]]],
    ['providers[0].id', [[{ ...provider, id: '' }], [{ ...provider, id: 'OpenAI' }], [{ ...provider, id: 'a/b' }]]],
    ['providers[0].keyId', [[{ ...provider, keyId: 'x' }], [{ ...provider, keyId: null }]]],
    ['providers[0].models', [[{ ...provider, models: [] }], [{ ...provider, models: ['b', 'a'] }]]],
    [
      'providers[0].models[0]',
      [[{ ...provider, models: [''] }], [{ ...provider, models: ['a b'] }], [{ ...provider, models: ['a\u202eb'] }]],
    ],
    ['providers[0]', [[null], [[]], ['openai']]],
    ['scopes', [null, 'chat', ['embeddings', 'chat'], ['chat', 'chat']]],
    ['scopes[0]', [['free'], [null], ['Chat']]],
    ['budgetCents', [-1, 0.5, 100_000_001, '5', null, Number.NaN]],
    ['period', ['day', null]],
    ['perModelCents', [[], {}, { a: 0.5 }, { a: -1 }, { a: null }, { '': 1 }, new Map([['a', 1]])]],
    ['limits', [null, []]],
    ['limits.rpm', [0, -1, 1.5, '1', 1_000_000_001].map((rpm) => ({ rpm, tpm: null, parallel: null }))],
    [
      'expiresAt',
      [
        '',
        '2030-01-31',
        '2030-01-31T23:59:59',
        '2030-01-31T23:59:59.000Z',
        '2030-01-31T23:59:59+00:00',
        '2030-01-31t23:59:59z',
        '2030-02-30T00:00:00Z',
        '2030-13-01T00:00:00Z',
        '2030-01-31T24:00:00Z',
        '2030-01-31T23:59:60Z',
        1,
      ],
    ],
    ['sandbox', ['true', 0, null]],
  ])('%s refuses what it does not take', (path, values) => {
    const member = path.replace(/[[.].*/, '');
    if (!Array.isArray(values)) throw new Error('a list of values');
    for (const value of values) expect(faultOf({ ...base, [member]: value })).toBe(path);
  });

  test('the limits of each range are in it', () => {
    const policy = { ...base, revision: 0x7fffffff, budgetCents: 0, scopes: [], perModelCents: null, expiresAt: null };
    expect(faultOf(policy)).toBeUndefined();
    expect(faultOf({ ...policy, budgetCents: 100_000_000, scopes: [...policyScopes] })).toBeUndefined();
    expect(faultOf({ ...policy, origin: null, clientUserIdHash: null, sandbox: true })).toBeUndefined();
  });

  test('kind, app, origin and user belong together', () => {
    const personal = { ...base, kind: 'personal', app: null, clientUserIdHash: null };
    expect(faultOf(personal)).toBeUndefined();
    expect(faultOf({ ...personal, origin: null })).toBeUndefined();
    expect(faultOf({ ...personal, app: uuid })).toBe('app');
    expect(faultOf({ ...personal, clientUserIdHash: base.clientUserIdHash })).toBe('clientUserIdHash');
    expect(faultOf({ ...personal, kind: 'site' })).toBeUndefined();
    expect(faultOf({ ...personal, kind: 'site', origin: null })).toBe('origin');
  });

  test('any two providers, models or scopes out of order are refused', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const { providers, scopes } = policy;
        const broken: unknown[] = [];
        if (providers.length > 1) broken.push({ ...policy, providers: providers.toReversed() });
        if (scopes.length > 1) broken.push({ ...policy, scopes: scopes.toReversed() });
        broken.push({ ...policy, providers: [...providers, providers.at(-1)] });
        for (const value of broken) expect(faultOf(value)).toMatch(/^(providers|scopes)$/);
      }),
    );
  });

  test('a model named __proto__ is a model like any other', () => {
    const text = fromUtf8(encodePolicy(base)).replace('"gpt-a":50', '"__proto__":50');
    const policy = parsePolicy(utf8(text));
    expect(Object.entries(policy.perModelCents ?? {})).toEqual([
      ['__proto__', 50],
      ['gpt-b', 100],
    ]);
  });
});
