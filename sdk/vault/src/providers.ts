import { listOf, text, textOrNull, textsOrNull } from './answer.ts';
import { OriginDiffersError, VaultError } from './errors.ts';
import { canAskDirectly } from './key-checks.ts';
import { origins } from './origins.ts';
import type { Transport } from './transport.ts';

/** A provider as the server knows it. */
export interface Provider {
  id: string;
  name: string;
  /** Where the server sends this provider's calls. */
  origin: string;
  /** Regular expressions of its keys: hints only. */
  keyPatterns: string[];
  /** Where its owner makes keys; null if the provider has no such page. */
  keyPage: string | null;
  /** False: it takes no key. What is stored for it stands for the owner's leave, and is never sent. */
  needsKey: boolean;
  /** What this client was built with; null for a provider that only this server has. */
  expectedOrigin: string | null;
  /** Whether it lets browsers ask about a key, so that no server sees the key for that. */
  asksDirectly: boolean;
}

export async function listProviders(transport: Transport): Promise<Provider[]> {
  const providers = listOf(await transport.request('GET', '/v1/providers'), 'providers');
  return providers.map((fields) => {
    const id = text(fields, 'id');
    const origin = text(fields, 'origin');
    return {
      id,
      name: text(fields, 'name'),
      origin,
      keyPatterns: textsOrNull(fields, 'keyPatterns') ?? [],
      keyPage: textOrNull(fields, 'keyPage'),
      needsKey: fields['needsKey'] !== false,
      expectedOrigin: Object.hasOwn(origins, id) ? (origins[id] ?? null) : null,
      asksDirectly: canAskDirectly(id, origin),
    };
  });
}

/**
 * A provider, whose origin is to be sealed into a key: the server's, which must be `expected` where the caller names one. A page names what it
 * has shown. Throws OriginDiffersError if the server's is another, `provider_unknown` if it has no such provider.
 */
export async function providerFor(transport: Transport, provider: string, expected?: string): Promise<Provider> {
  const known = (await listProviders(transport)).find(({ id }) => id === provider);
  if (known === undefined) {
    throw new VaultError('provider_unknown', 'This server has no such provider.', { param: 'provider' });
  }
  if (expected !== undefined && known.origin !== expected) {
    throw new OriginDiffersError(provider, known.origin, known.expectedOrigin);
  }
  return known;
}
