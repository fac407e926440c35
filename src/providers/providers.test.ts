import { describe, expect, test } from 'bun:test';
import { findProvider, guessKey, providerIds, providers, type Provider } from './index.ts';

describe('the catalogue', () => {
  test('is found by id', () => {
    expect(providers.map(({ id }) => id)).toEqual([...providerIds]);
    expect(findProvider('groq')?.name).toBe('Groq');
    expect(findProvider('toString')).toBeUndefined();
  });

  test.each(providers.map((provider) => [provider.id, provider] as const))('%s is sound', (_, provider) => {
    expect(new URL(provider.origin).origin).toBe(provider.origin);
    expect(provider.origin).toStartWith('https://');
    expect(new URL(provider.keyPage).protocol).toBe('https:');
    for (const pattern of [...provider.keyPatterns, ...provider.adminKeyPatterns])
      expect(() => new RegExp(pattern)).not.toThrow();
    const rows = provider.endpoints.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows).toContain(`${provider.check.method} ${provider.check.path}`);
    for (const endpoint of provider.endpoints) {
      expect(endpoint.body === undefined).toBe(endpoint.method === 'GET');
      // What is billed needs the owner's word.
      if (endpoint.metering !== 'free') expect(endpoint.scope).not.toBeNull();
      const named = [...Object.keys(provider.defaultHeaders), ...provider.requestHeaders, ...provider.ownerHeaders];
      expect(named.every((name) => name === name.toLowerCase())).toBe(true);
      expect(named).not.toContain(provider.keyHeader);
    }
    for (const name of Object.keys(provider.listedValues)) expect(provider.requestHeaders).toContain(name);
    for (const name of provider.requestHeaders.filter((header) => header.endsWith('-beta')))
      expect(Object.keys(provider.listedValues)).toContain(name);
  });
});

test('the values of headers that unlock betas are documented', async () => {
  const page = await Bun.file(`${import.meta.dir}/../../docs/proxy.md`).text();
  const listed = providers.flatMap(({ listedValues }: Provider) => Object.entries(listedValues));
  expect(listed.length).toBeGreaterThan(0);
  for (const [name, values] of listed) {
    const [, documented = ''] = page.split(`\n- \`${name}\`:`);
    const [item = ''] = documented.split(/\n(?! )/);
    expect(Array.from(item.matchAll(/`([^`\s]+)`/g), ([, value]) => value)).toEqual([...values]);
  }
});

/** Put together here, so that no scanner takes a sample for a key. */
const join = (...parts: string[]) => parts.join('');

describe('a pasted text', () => {
  const mark = join('T3Blbk', 'FJ');
  const samples: [string, string][] = [
    ['openai', join('sk-', 'proj-', 'a'.repeat(40), mark, 'b'.repeat(40))],
    ['openai', join('sk-', 'A'.repeat(20), mark, 'B'.repeat(20))],
    ['anthropic', join('sk-', 'ant-', 'api03-', 'c'.repeat(93), 'AA')],
    ['google', join('AI', 'za', 'd'.repeat(35))],
    ['google', join('A', 'Q.', 'e'.repeat(44))],
    ['groq', join('gs', 'k_', 'f'.repeat(52))],
  ];

  test.each(samples)('looks like a key of %s', (id, text) => {
    expect(guessKey(text)).toMatchObject({ kind: 'key', provider: { id } });
    expect(guessKey(`${text} `)).toBeUndefined();
  });

  test('may be what is no key for an app', () => {
    const tail = 'x'.repeat(30);
    expect(guessKey(join('sk-', 'admin-', tail))).toMatchObject({ kind: 'admin-key', provider: { id: 'openai' } });
    expect(guessKey(join('sk-', 'ant-admin01-', tail))).toMatchObject({
      kind: 'admin-key',
      provider: { id: 'anthropic' },
    });
    expect(guessKey('kp_at_x')).toEqual({ kind: 'keypass-token' });
    expect(guessKey('ya29.x')).toEqual({ kind: 'oauth-token' });
    expect(guessKey('something')).toBeUndefined();
  });
});
