import { KeyPassError } from '../errors.ts';
import { isAbsent, type JsonObject } from './json.ts';
import { camelMembers } from './proto.ts';
import type { UsageFormat } from './usage.ts';

interface TierRule {
  readonly member: string;
  /** What a request may ask for so that the list price holds. */
  readonly asked: readonly string[];
  /** What an answer may say it was served as so that the list price holds. */
  readonly served: readonly string[];
}

const openAi: TierRule = { member: 'service_tier', asked: ['auto', 'default'], served: ['auto', 'default'] };
const none: TierRule = { ...openAi, asked: [] };

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
  // Priority is capacity paid for in advance: booked at the list price, which is no less than its marginal cost.
  'anthropic-messages': {
    member: 'service_tier',
    asked: ['auto', 'standard_only'],
    served: ['standard', 'priority'],
  },
  gemini: { member: 'serviceTier', asked: ['unspecified', 'standard'], served: ['unspecified', 'standard'] },
  'gemini-embed': { member: 'serviceTier', asked: [], served: ['unspecified', 'standard'] },
};

/**
 * Refuses, with `price_unknown` and the member's name, what the price list does not price: priority, flex and other
 * tiers, Anthropic's fast mode, and its regional inference at a surcharge.
 */
export function requireListPrice(format: UsageFormat, body: JsonObject): void {
  const { member, asked } = rules[format];
  const members = format === 'gemini' ? camelMembers(body) : body;
  requireOneOf(members, member, asked);
  if (format !== 'anthropic-messages') return;
  requireOneOf(members, 'speed', ['standard']);
  requireOneOf(members, 'inference_geo', ['global']);
}

/** Writes that outlive the list's price for them. https://platform.openai.com/docs/guides/prompt-caching */
export function requireListedCache(body: JsonObject): void {
  const options = body['prompt_cache_options'];
  if (isAbsent(options)) return;
  if (typeof options !== 'object') throw notListed('prompt_cache_options');
  if ('ttl' in options && !isAbsent(options.ttl) && options.ttl !== '30m') throw notListed('prompt_cache_options');
}

/** Whether the list price holds for an answer that names this tier; one that names none was served as asked. */
export function hasListPrice(format: UsageFormat, servedTier: string | undefined): boolean {
  return servedTier === undefined || rules[format].served.includes(servedTier.toLowerCase());
}

/**
 * The body with the standard tier asked for by name. OpenAI serves `auto`, and a request that names no tier, as the
 * project's settings say, which may be a dearer one: sent like this, the list price holds whatever they say.
 */
export function withListPrice(format: UsageFormat, body: JsonObject): JsonObject {
  const { member, asked } = rules[format];
  const tier = body[member];
  const isListed = isAbsent(tier) || (typeof tier === 'string' && asked.includes(tier.toLowerCase()));
  // What is not listed stays as it was asked for: `requireListPrice` refuses it by name.
  return rules[format] === openAi && isListed ? { ...body, [member]: 'default' } : body;
}

function requireOneOf(body: JsonObject, member: string, values: readonly string[]): void {
  const value = body[member];
  if (isAbsent(value) || (typeof value === 'string' && values.includes(value.toLowerCase()))) return;
  throw notListed(member);
}

function notListed(param: string): KeyPassError {
  return new KeyPassError('price_unknown', `The price of what ${param} asks for is not known.`, { param });
}
