import { chatMembers, refuseOtherParts, samplingMembers } from './demand-compatible.ts';
import { chatShapeDemand } from './demand-openai-chat.ts';
import { type Demand, refuseUnknownMembers, unboundedCost } from './demand.ts';
import { isAbsent, isObject, type JsonObject, memberAt } from './json.ts';

/** https://docs.perplexity.ai/api-reference/chat-completions-post; the types are the client's (`@perplexity-ai/perplexity_ai` 0.38). */
const known = new Set([
  ...samplingMembers,
  ...chatMembers,
  ...`country disable_search enable_search_classifier image_domain_filter image_format_filter language_preference
  last_updated_after_filter last_updated_before_filter latitude longitude return_images return_related_questions safe_search search_after_date_filter
  search_before_date_filter search_domain_filter search_language_filter search_mode search_recency_filter stream_mode
  web_search_options`.split(/\s+/),
]);

const partTypes = new Set(['text', 'image_url']);

/** It searches and reads as often as it likes, and each search and each token it reads is billed. */
const research = /deep-research/i;

/** A request that searches step by step has other fees than the list states. */
const fastSearch = 'fast';

/**
 * What a chat asks for that searches the web: its tokens, and one fee for the request, which the price list has at its
 * highest, that of the largest search context. https://docs.perplexity.ai/getting-started/pricing
 */
export function perplexityDemand(model: string, body: JsonObject): Demand {
  if (research.test(model)) throw unboundedCost('model', 'Choose a model that searches once.');
  refuseUnknownMembers(body, known);
  const options = body['web_search_options'];
  if (!isAbsent(options) && !isObject(options)) throw unboundedCost('web_search_options');
  const type = memberAt(options, 'search_type');
  if (!isAbsent(type) && type !== fastSearch) throw unboundedCost('web_search_options.search_type');
  refuseOtherParts(body, partTypes);
  const demand = chatShapeDemand(body, undefined);
  // It is not documented that the limit covers the reasoning.
  demand.outputFixed ||= /reasoning/i.test(model);
  return demand;
}
