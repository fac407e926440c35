import { anthropic } from './anthropic.ts';
import { cerebras } from './cerebras.ts';
import { cohere } from './cohere.ts';
import { deepseek } from './deepseek.ts';
import { fireworks } from './fireworks.ts';
import { google } from './google.ts';
import { groq } from './groq.ts';
import { huggingface } from './huggingface.ts';
import { mistral } from './mistral.ts';
import { openai } from './openai.ts';
import { openrouter } from './openrouter.ts';
import { perplexity } from './perplexity.ts';
import { together } from './together.ts';
import type { Provider } from './types.ts';
import { xai } from './xai.ts';

export { customProviders, limitsOf } from './custom.ts';
export { checkVerdictOf, speaksOfKey, verdictOf, type KeyVerdict } from './verdict.ts';
export type {
  BodyRule,
  BodyRules,
  Endpoint,
  ErrorShape,
  FieldKind,
  FormRules,
  KeyHeader,
  Metering,
  OpenAiChat,
  OpenAiEmbeddings,
  Provider,
  RefusedRule,
  UploadRules,
} from './types.ts';

/** The providers that KeyPass brings along, in the order in which they are shown. */
export const providers: readonly Provider[] = [
  openai,
  anthropic,
  google,
  groq,
  mistral,
  openrouter,
  xai,
  deepseek,
  together,
  fireworks,
  cohere,
  perplexity,
  cerebras,
  huggingface,
];

/** Their ids, in that order. */
export const providerIds: readonly string[] = providers.map(({ id }) => id);

/** What can be called on one server: its providers by id, in the order in which they are shown. */
export type Catalogue = ReadonlyMap<string, Provider>;

/**
 * The providers that KeyPass brings along, each at the origin that an operator has put in its place, and after them the
 * operator's own.
 */
export function catalogueOf(origins: Readonly<Record<string, string>> = {}, own: readonly Provider[] = []): Catalogue {
  const inForce = providers.map((provider) => placed(provider, origins[provider.id] ?? provider.origin));
  return new Map([...inForce, ...own].map((provider) => [provider.id, provider]));
}

/** A provider at another origin than its own is asked about keys there, too, and not by browsers. */
function placed(provider: Provider, origin: string): Provider {
  if (origin === provider.origin) return provider;
  const { check } = provider;
  return { ...provider, origin, check: check.method === 'GET' ? { method: 'GET', path: check.path } : check };
}

/** Where pages may ask about a key by themselves. */
export function askableOrigins(catalogue: Catalogue): string[] {
  return [...catalogue.values()].flatMap(({ check, origin }) =>
    check.method === 'GET' && check.fromBrowser !== undefined ? [origin] : [],
  );
}

/** The calls that cost nothing at their provider, as a receipt names them: `openai GET /v1/models`. */
export function freeCallsOf(catalogue: Catalogue): string[] {
  return [...catalogue.values()].flatMap(({ id, endpoints }) =>
    endpoints.filter(({ metering }) => metering === 'free').map(({ method, path }) => `${id} ${method} ${path}`),
  );
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
