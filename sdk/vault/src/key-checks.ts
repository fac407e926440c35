import { checkVerdictOf, type KeyVerdict } from '../../../src/providers/verdict.ts';
import { origins } from './origins.ts';
import type { Transport } from './transport.ts';

/** A check that a page of any origin may make: the provider lets browsers read its answers. */
interface DirectCheck {
  path: string;
  keyHeader: 'authorization' | 'x-api-key' | 'x-goog-api-key';
  headers?: Readonly<Record<string, string>>;
}

/** By provider, as known when this client was built: a server can't name a place for a key to be sent to. */
const directChecks: Readonly<Record<string, DirectCheck>> = {
  openai: { path: '/v1/models', keyHeader: 'authorization' },
  anthropic: {
    path: '/v1/models',
    keyHeader: 'x-api-key',
    headers: { 'anthropic-version': '2023-06-01', 'anthropic-dangerous-direct-browser-access': 'true' },
  },
  google: { path: '/v1beta/models', keyHeader: 'x-goog-api-key' },
  groq: { path: '/openai/v1/models', keyHeader: 'authorization' },
  openrouter: { path: '/api/v1/key', keyHeader: 'authorization' },
  deepseek: { path: '/user/balance', keyHeader: 'authorization' },
};

/** Whether a key for this origin can be asked about without the server. */
export function canAskDirectly(provider: string, origin: string): boolean {
  return Object.hasOwn(directChecks, provider) && origins[provider] === origin;
}

/**
 * Asks the provider itself about a key. Nothing else hears of it. `unknown` too where no answer could be read: a browser
 * does not say whether the provider cannot be reached or does not let it ask.
 */
export async function askDirectly(transport: Transport, provider: string, secret: string): Promise<KeyVerdict> {
  const check = directChecks[provider];
  const origin = origins[provider];
  if (check === undefined || origin === undefined) return 'unknown';
  const { path, keyHeader, headers } = check;
  const credential = keyHeader === 'authorization' ? `Bearer ${secret}` : secret;
  try {
    const { status, body } = await transport.outside(origin + path, { ...headers, [keyHeader]: credential });
    return checkVerdictOf({ status, body: parsed(body) });
  } catch {
    return 'unknown';
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
