import { chatMembers, refuseOtherParts, samplingMembers } from './demand-compatible.ts';
import { chatShapeDemand } from './demand-openai-chat.ts';
import {
  addReference,
  type Demand,
  isEmpty,
  limitMember,
  objectsIn,
  refuseUnknownMembers,
  unboundedCost,
} from './demand.ts';
import { isAbsent, isObject, type JsonObject, listAt, memberAt, objectAt, textAt } from './json.ts';

/**
 * Not among them on purpose: `preset` (a stored one brings models and tools that are not seen), `web_search_options`,
 * `image_config`, `stop_server_tools_when`. `models` and `route` can name only the call's own model.
 * https://openrouter.ai/docs/api/api-reference/chat/send-chat-completion-request; the types are the client's
 * (`@openrouter/sdk` 1.3).
 */
const known = new Set([
  ...samplingMembers,
  ...chatMembers,
  ...`max_completion_tokens models route provider plugins transforms usage cache_control prompt_cache_options session_id trace
  modalities include_reasoning structured_outputs debug`.split(/\s+/),
]);

/** How a provider may be chosen; what it may cost is bounded by `max_price`. */
const routing = new Set(
  `allow_fallbacks data_collection enforce_distillable_text ignore max_price only order preferred_max_latency
  preferred_min_throughput quantizations require_parameters sort zdr`.split(/\s+/),
);

/** They repair JSON and shorten prompts, without a fee. */
const freePlugins = new Set(['response-healing', 'context-compression']);

/** A PDF may be read by a service of its own price. */
const partTypes = new Set(['text', 'refusal', 'image_url', 'input_audio', 'video_url', 'input_video']);

/** Routers that choose a model, presets, and models that search or run tools on their own. */
const notOneModel = /^openrouter\/|^@|:online|search|sonar|deep-research|multi-agent|compound/i;

/** What a chat with a model of OpenRouter's asks for. */
export function openRouterDemand(model: string, body: JsonObject): Demand {
  if (notOneModel.test(model)) throw unboundedCost('model', 'Choose a model that runs no tools of its own.');
  refuseUnknownMembers(body, known);
  refuseRouting(body['provider']);
  if (!objectsIn(body['plugins']).every((plugin) => freePlugins.has(textAt(plugin, 'id') ?? ''))) {
    throw unboundedCost('plugins');
  }
  if (listAt(body, 'modalities').some((modality) => modality !== 'text')) throw unboundedCost('modalities');
  refuseOtherParts(body, partTypes);
  const demand = chatShapeDemand(body, undefined);
  if (objectsIn(body['messages']).some((message) => !isEmpty(message['images']))) addReference(demand);
  if (asksForLongCache(body)) demand.cacheWrites = '1h';
  demand.addedOutput += reasoningBudget(body['reasoning']);
  return demand;
}

/** The least that a model of Anthropic's is given to think with. */
const leastBudget = 1024;

/** It is not documented what becomes of an output limit that is no larger than what there is to think with. */
function reasoningBudget(reasoning: unknown): number {
  if (isAbsent(reasoning)) return 0;
  const budget = limitMember(reasoning, 'max_tokens', { least: 0, nullIsAbsent: true });
  return Math.max(budget ?? 0, leastBudget);
}

function refuseRouting(preferences: unknown): void {
  if (isAbsent(preferences)) return;
  const isKnown = isObject(preferences) && Object.keys(preferences).every((name) => routing.has(name));
  if (!isKnown) throw unboundedCost('provider');
}

/** Marks with an hour to live stand at the request, its messages' parts and its tools. */
function asksForLongCache(body: JsonObject): boolean {
  const parts = objectsIn(body['messages']).flatMap((message) => [message, ...objectsIn(message['content'])]);
  const marked = [body, ...parts, ...objectsIn(body['tools'])];
  return marked.some((holder) => {
    const ttl = memberAt(objectAt(holder, 'cache_control'), 'ttl');
    return !isAbsent(ttl) && ttl !== '5m';
  });
}
