import { KeyPassError } from '../errors.ts';
import { isAbsent, type JsonObject, noMembers } from './json.ts';
import type { Tier } from './prices.ts';
import { camelMembers } from './proto.ts';
import type { UsageFormat } from './usage.ts';

interface TierRule {
  readonly member: string;
  /** What a request may ask for so that the list price holds. */
  readonly asked: readonly string[];
  /** What an answer may say it was served as so that the list price holds; null where it may say anything. */
  readonly served: readonly string[] | null;
  /** How requests and answers name the tiers that may have a price of their own. */
  readonly special?: ReadonlyMap<string, Tier>;
}

const openAi: TierRule = {
  member: 'service_tier',
  asked: ['auto', 'default'],
  served: ['auto', 'default'],
  // "You can use either". https://developers.openai.com/api/docs/guides/fast-mode
  special: new Map([
    ['flex', 'flex'],
    ['priority', 'priority'],
    ['fast', 'priority'],
  ]),
};
const none: TierRule = { member: 'service_tier', asked: [], served: ['auto', 'default'] };
/** Of what may be asked for, `auto` is left out: it may be served as priority where an account has that. */
const compatible: TierRule = {
  member: 'service_tier',
  asked: ['default', 'standard'],
  // The last one is Groq's, behind Hugging Face.
  served: ['auto', 'default', 'standard', 'on_demand'],
  special: new Map([
    ['flex', 'flex'],
    ['priority', 'priority'],
  ]),
};
/** The answer's stated cost is that of the tier it was served in. */
const stated: TierRule = { member: 'service_tier', asked: ['default'], served: null };

const rules: Record<UsageFormat, TierRule> = {
  'openai-chat': openAi,
  'openai-responses': openAi,
  'openai-embeddings': none,
  // Flex has the list price and more failures. https://console.groq.com/docs/service-tiers
  'groq-chat': {
    member: 'service_tier',
    asked: ['auto', 'on_demand', 'flex'],
    served: ['auto', 'on_demand', 'flex', 'default'],
  },
  'compatible-chat': compatible,
  'compatible-completions': compatible,
  'xai-responses': compatible,
  'openrouter-chat': stated,
  'perplexity-chat': stated,
  'cohere-chat': none,
  'cohere-embed': none,
  // Priority is capacity paid for in advance: booked at the list price, which is no less than its marginal cost.
  'anthropic-messages': {
    member: 'service_tier',
    asked: ['auto', 'standard_only'],
    served: ['standard', 'priority'],
  },
  // https://ai.google.dev/gemini-api/docs/priority-inference
  gemini: {
    member: 'serviceTier',
    asked: ['unspecified', 'standard'],
    served: ['unspecified', 'standard'],
    special: new Map([
      ['flex', 'flex'],
      ['priority', 'priority'],
    ]),
  },
  'gemini-embed': { member: 'serviceTier', asked: [], served: ['unspecified', 'standard'] },
  'openai-images': none,
  'openai-speech': none,
  'openai-transcription': none,
  'groq-speech': none,
  'groq-transcription': none,
};

/** The tier that a body asks for, where it is one that may have a price of its own; null for the standard one and others. */
export function askedTier(format: UsageFormat, body: JsonObject): Tier | null {
  const { member, special } = rules[format];
  const value = membersOf(format, body)[member];
  return (typeof value === 'string' ? special?.get(value.toLowerCase()) : undefined) ?? null;
}

/** The tier that an answer names: null for the standard one, undefined for one that is not known. */
export function servedTier(format: UsageFormat, named: string): Tier | null | undefined {
  const { served, special } = rules[format];
  const name = named.toLowerCase();
  return served === null || served.includes(name) ? null : special?.get(name);
}

/**
 * Refuses, with `price_unknown` and the member's name, what has no price: flex, priority and other tiers, unless the
 * call's price is of this `tier`; Anthropic's fast mode, and its regional inference at a surcharge.
 */
export function requireListPrice(format: UsageFormat, body: JsonObject, tier?: Tier): void {
  const { member, asked } = rules[format];
  const isPriced = tier !== undefined && askedTier(format, body) === tier;
  if (!isPriced) requireOneOf(membersOf(format, body), member, asked);
  if (format !== 'anthropic-messages') return;
  requireOneOf(body, 'speed', ['standard']);
  requireOneOf(body, 'inference_geo', ['global']);
}

/** Writes that outlive the list's price for them. https://platform.openai.com/docs/guides/prompt-caching */
export function requireListedCache(body: JsonObject): void {
  const options = body['prompt_cache_options'];
  if (isAbsent(options)) return;
  if (typeof options !== 'object') throw notListed('prompt_cache_options');
  if ('ttl' in options && !isAbsent(options.ttl) && options.ttl !== '30m') throw notListed('prompt_cache_options');
}

/**
 * What asks for the standard tier by name, where the body does not. OpenAI serves `auto`, and a request that names no
 * tier, as the project's settings say, which may be a dearer one: sent with this, the list price holds whatever they say.
 */
export function listPriceMembers(format: UsageFormat, body: JsonObject): JsonObject {
  if (rules[format] !== openAi) return noMembers;
  const tier = body[openAi.member];
  const isListed = isAbsent(tier) || (typeof tier === 'string' && openAi.asked.includes(tier.toLowerCase()));
  // Another stays as it was asked for: it has a price of its own, or `requireListPrice` refuses it by name.
  return isListed && tier !== standardTier[openAi.member] ? standardTier : noMembers;
}

const standardTier: JsonObject = { [openAi.member]: 'default' };

function membersOf(format: UsageFormat, body: JsonObject): JsonObject {
  return format === 'gemini' ? camelMembers(body) : body;
}

function requireOneOf(body: JsonObject, member: string, values: readonly string[]): void {
  const value = body[member];
  if (isAbsent(value) || (typeof value === 'string' && values.includes(value.toLowerCase()))) return;
  throw notListed(member);
}

function notListed(param: string): KeyPassError {
  return new KeyPassError('price_unknown', `The price of what ${param} asks for is not known.`, { param });
}
