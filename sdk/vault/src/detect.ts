import { KeyRefusedError, type KeyRefusal } from './errors.ts';

/** How the keys of a provider look. Hints only: an unknown form is never refused. */
interface KeyPattern {
  provider: string;
  pattern: RegExp;
}

// Most telling first. Forms without a prefix come last: they fit many things.
const keyPatterns: readonly KeyPattern[] = [
  { provider: 'anthropic', pattern: /^sk-ant-api03-[\w-]{93}AA$/ },
  { provider: 'openrouter', pattern: /^sk-or-v1-[0-9a-f]{64}$/ },
  { provider: 'openai', pattern: /^sk-(proj|svcacct|service)-[\w-]+T3BlbkFJ[\w-]+$/ },
  { provider: 'openai', pattern: /^sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}$/ },
  { provider: 'google', pattern: /^AQ\.[\w-]{40,}$/ },
  { provider: 'google', pattern: /^AIza[\w-]{35}$/ },
  { provider: 'groq', pattern: /^gsk_[A-Za-z0-9]{52}$/ },
  { provider: 'xai', pattern: /^xai-[\w-]{70,120}$/ },
  { provider: 'together', pattern: /^tgp_v1_[\w-]{43}$/ },
  { provider: 'perplexity', pattern: /^pplx-[A-Za-z0-9]{48}$/ },
  { provider: 'cerebras', pattern: /^csk-[a-z0-9]{48}$/ },
  { provider: 'huggingface', pattern: /^hf_[A-Za-z0-9]{34}$/ },
  { provider: 'deepseek', pattern: /^sk-[a-z0-9]{32}$/ },
  { provider: 'fireworks', pattern: /^fw_[A-Za-z0-9]{20,}$/ },
  { provider: 'mistral', pattern: /^[A-Za-z0-9]{32}$/ },
  { provider: 'cohere', pattern: /^[A-Za-z0-9]{40}$/ },
];

interface Refusal {
  reason: KeyRefusal;
  pattern: RegExp;
  message: string;
}

const refusals: readonly Refusal[] = [
  { reason: 'empty', pattern: /^$/, message: 'No key was given.' },
  {
    reason: 'admin_key',
    pattern: /^(sk-admin-|sk-ant-admin01-)/,
    message:
      'This is an admin key: it manages a whole organisation. Make a normal API key at the provider and store that.',
  },
  {
    reason: 'oauth_token',
    pattern: /^(ya29\.|eyJ)/,
    message: 'This is an OAuth token, which expires within hours, not an API key.',
  },
  {
    reason: 'keypass_token',
    pattern: /^kp_[a-z]+_/,
    message: "This is one of KeyPass's own tokens, not the key of a provider.",
  },
  {
    // What does not fit into one header value can't be a key; a header would be cut or refused far from here.
    reason: 'malformed',
    pattern: /[^\x21-\x7e]/,
    message: 'The key contains spaces, line breaks or characters that no API key has.',
  },
];

/** The likely providers of a pasted key, the most telling form first; empty when no form is known. */
export function detectProviders(secret: string): string[] {
  const trimmed = secret.trim();
  const hits = keyPatterns.filter(({ pattern }) => pattern.test(trimmed)).map(({ provider }) => provider);
  return [...new Set(hits)];
}

/** The likeliest provider of a pasted key, or null. A hint: the owner decides. */
export function detectProvider(secret: string): string | null {
  return detectProviders(secret)[0] ?? null;
}

/** The key without the white space of a paste. Throws {@link KeyRefusedError} for what a vault should not hold. */
export function normaliseSecret(secret: string): string {
  const trimmed = secret.trim();
  const refusal = refusals.find(({ pattern }) => pattern.test(trimmed));
  if (refusal !== undefined) throw new KeyRefusedError(refusal.reason, refusal.message);
  return trimmed;
}
