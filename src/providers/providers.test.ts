import { describe, expect, test } from 'bun:test';
import { catalogueOf, guessKey, providerIds, providers, type Provider } from './index.ts';

test('there are fourteen', () => {
  expect(providers).toHaveLength(14);
});

describe('the catalogue', () => {
  test('is found by id', () => {
    expect([...catalogueOf().keys()]).toEqual([...providerIds]);
    expect(catalogueOf().get('groq')?.name).toBe('Groq');
    expect(catalogueOf().get('toString')).toBeUndefined();
  });

  test.each(providers.map((provider) => [provider.id, provider] as const))('%s is sound', (_, provider) => {
    expect(new URL(provider.origin).origin).toBe(provider.origin);
    expect(provider.origin).toStartWith('https://');
    expect(new URL(provider.keyPage ?? '').protocol).toBe('https:');
    for (const pattern of [...provider.keyPatterns, ...provider.adminKeyPatterns])
      expect(() => new RegExp(pattern)).not.toThrow();
    const rows = provider.endpoints.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(rows).size).toBe(rows.length);
    const rowAt = (path: string | undefined) => provider.endpoints.find((endpoint) => endpoint.path === path);
    // Apps read lists of models; what a check says of an account is no business of theirs.
    if (provider.check.path.endsWith('/models')) expect(rowAt(provider.check.path)).toMatchObject({ method: 'GET' });
    else expect(rowAt(provider.check.path)).toBeUndefined();
    expect(rowAt(provider.modelList?.path)).toMatchObject({ method: 'GET', scope: null, metering: 'free' });
    for (const endpoint of provider.endpoints) {
      const { body, upload, metering } = endpoint;
      if (endpoint.method !== 'POST') expect([body, upload]).toEqual([undefined, undefined]);
      if (typeof metering !== 'string') expect(body?.models).not.toBeEmpty();
      // What is not read can be neither priced nor held against a policy of models.
      if (upload !== undefined) expect([body, metering, endpoint.scope]).toEqual([undefined, 'free', 'stateful']);
      if (endpoint.hidesModels === true) expect(metering).toBe('unmetered');
      if (endpoint.path.includes('{') && !endpoint.path.includes('{model}')) expect(endpoint.scope).toBe('stateful');
      // What is billed needs the owner's word.
      if (endpoint.metering !== 'free') expect(endpoint.scope).not.toBeNull();
      const named = [...Object.keys(provider.defaultHeaders), ...provider.requestHeaders, ...provider.ownerHeaders];
      expect(named.every((name) => name === name.toLowerCase())).toBe(true);
      expect(named).not.toContain(provider.keyHeader);
    }
    if (provider.chat.shape === 'openai') expect(rowAt(provider.chat.path)).toMatchObject({ scope: 'chat' });
    if (provider.embeddings?.shape === 'openai') {
      expect(rowAt(provider.embeddings.path)).toMatchObject({ scope: 'embeddings', method: 'POST' });
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
    ['mistral', 'Aa0'.repeat(10) + 'Bb'],
    ['openrouter', join('sk-', 'or-v1-', '0a'.repeat(32))],
    ['xai', join('xa', 'i-', 'g'.repeat(80))],
    ['deepseek', join('sk-', 'h1'.repeat(16))],
    ['together', join('tg', 'p_v1_', 'i'.repeat(43))],
    ['fireworks', join('fw', '_', 'j'.repeat(24))],
    ['cohere', 'kK'.repeat(20)],
    ['perplexity', join('pp', 'lx-', 'l'.repeat(48))],
    ['cerebras', join('cs', 'k-', 'm'.repeat(48))],
    ['huggingface', join('h', 'f_', 'n'.repeat(34))],
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
