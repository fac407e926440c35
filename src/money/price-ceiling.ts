import { isObject, type JsonObject, memberAt, noMembers, objectAt } from './json.ts';
import type { CallPrices } from './price-tiers.ts';
import type { Rate } from './prices.ts';
import type { UsageFormat } from './usage.ts';

/**
 * What sets the price that was held as the most that a call may be served for. A router passes a call on to whoever
 * serves the model, at that server's price: OpenRouter chooses nobody above `max_price`, in US dollars for a million
 * tokens, and refuses the call where there is nobody. What the app set lower stays.
 * https://openrouter.ai/docs/guides/routing/provider-selection#maximum-price
 */
export function priceCeilingMembers(format: UsageFormat, body: JsonObject, { highest }: CallPrices): JsonObject {
  if (format !== 'openrouter-chat') return noMembers;
  const { input, output, request } = highest.rates;
  const preferences = isObject(body['provider']) ? body['provider'] : {};
  const asked = objectAt(preferences, 'max_price') ?? {};
  const most = Object.entries({ prompt: dollars(input), completion: dollars(output), request: dollars(request) });
  const lower = most.map(([name, usd]) => [name, Math.min(usd, askedDollars(memberAt(asked, name)))]);
  return { provider: { ...preferences, max_price: { ...asked, ...Object.fromEntries(lower) } } };
}

const million = 1_000_000;

/** For a million tokens, or for one request; of the first step: what a server asks for long contexts follows from it. */
function dollars(rate: Rate | undefined): number {
  const [base] = rate ?? [];
  if (base === undefined) return 0;
  const { numerator, denominator } = base.pico;
  // A list with more than twelve decimals has no plain text.
  const usd = base.usd.includes('/') ? ((Number(numerator) / Number(denominator)) * base.per) / 1e12 : Number(base.usd);
  return base.per === million ? usd : usd / base.per;
}

/** It takes numbers and texts. What is neither sets no limit. */
function askedDollars(value: unknown): number {
  const usd = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof usd === 'number' && usd >= 0 ? usd : Number.POSITIVE_INFINITY;
}
