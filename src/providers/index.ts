import { anthropic } from './anthropic.ts';
import { google } from './google.ts';
import { groq } from './groq.ts';
import { openai } from './openai.ts';
import type { Provider } from './types.ts';

export type {
  BodyRule,
  BodyRules,
  Endpoint,
  ErrorShape,
  FieldKind,
  FormRules,
  KeyHeader,
  Metering,
  Provider,
} from './types.ts';

/** The catalogue, in the order in which it is shown. */
export const providers = [openai, anthropic, google, groq] as const satisfies readonly Provider[];

export const providerIds = ['openai', 'anthropic', 'google', 'groq'] as const;

export type ProviderId = (typeof providerIds)[number];

/** The calls that cost nothing at their provider, as a receipt names them: `openai GET /v1/models`. */
export const freeCalls: readonly string[] = providers.flatMap(({ id, endpoints }) =>
  endpoints.filter(({ metering }) => metering === 'free').map(({ method, path }) => `${id} ${method} ${path}`),
);

/** The provider of an id (`openai`), or nothing. */
export function findProvider(id: string): Provider | undefined {
  return providers.find((provider) => provider.id === id);
}

/** What a pasted text looks like: hints only, since patterns change and some providers have none. */
export type KeyGuess =
  | { readonly kind: 'key' | 'admin-key'; readonly provider: Provider }
  | { readonly kind: 'keypass-token' | 'oauth-token' };

/** Guesses whose key a text is. An administrator's key and a token that is no key are told apart by name. */
export function guessKey(text: string): KeyGuess | undefined {
  if (text.startsWith('kp_')) return { kind: 'keypass-token' };
  if (/^(ya29\.|eyJ)/.test(text)) return { kind: 'oauth-token' };
  const admin = providers.find((provider) => begins(provider.adminKeyPatterns, text));
  if (admin !== undefined) return { kind: 'admin-key', provider: admin };
  const owner = providers.find((provider) => isWhole(provider.keyPatterns, text));
  return owner === undefined ? undefined : { kind: 'key', provider: owner };
}

function begins(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => new RegExp(`^(?:${pattern})`).test(text));
}

function isWhole(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => new RegExp(`^(?:${pattern})$`).test(text));
}
