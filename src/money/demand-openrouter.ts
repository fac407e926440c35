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
import { isAbsent, isObject, type JsonObject, memberAt, textAt } from './json.ts';

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

/**
 * Routers that choose a model, presets, also after a model's name, models that search or run tools on their own, and those
 * that make pictures, of which the list has the price of their texts alone.
 */
const notOneModel = /^openrouter\/|@|:online|(?<!re)search|sonar|deep-research|multi-agent|compound|image/i;

/** What a chat with a model of OpenRouter's asks for. */
export function openRouterDemand(model: string, body: JsonObject): Demand {
  if (notOneModel.test(model)) throw unboundedCost('model', 'Choose a model of texts that runs no tools of its own.');
  refuseUnknownMembers(body, known);
  refuseRouting(body['provider']);
  if (!isFreeOfCharge(body['plugins'])) throw unboundedCost('plugins');
  if (!listOf(body['modalities']).every((modality) => modality === 'text')) throw unboundedCost('modalities');
  refuseOtherParts(body, partTypes, ['audio', 'images']);
  const demand = chatShapeDemand(body, undefined);
  if (objectsIn(body['messages']).some((message) => !isEmpty(message['images']))) addReference(demand);
  demand.cacheWrites = cacheWritesOf(model, body);
  demand.addedOutput += reasoningBudget(body);
  return demand;
}

function isFreeOfCharge(plugins: unknown): boolean {
  return listOf(plugins).every((plugin) => freePlugins.has(textAt(plugin, 'id') ?? ''));
}

/** One value where a list is expected counts as a list of one. */
function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isAbsent(value) ? [] : [value];
}

/** The least that a model of Anthropic's is given to think with. */
const leastBudget = 1024;

/** It is not documented what becomes of an output limit that is no larger than what there is to think with. */
function reasoningBudget({ reasoning, reasoning_effort: effort, include_reasoning: isShown }: JsonObject): number {
  if (isAbsent(reasoning) && isAbsent(effort) && isShown !== true) return 0;
  const budget = limitMember(reasoning, 'max_tokens', { least: 0, nullIsAbsent: true });
  return Math.max(budget ?? 0, leastBudget);
}

function refuseRouting(preferences: unknown): void {
  if (isAbsent(preferences)) return;
  const isKnown = isObject(preferences) && Object.keys(preferences).every((name) => routing.has(name));
  if (!isKnown) throw unboundedCost('provider');
}

/**
 * Marks stand at the request, its messages' parts and its tools. Anthropic's models write what is marked, at a price that
 * has to be known; others may not heed it, or write unasked. An hour to live has a price of its own.
 */
function cacheWritesOf(model: string, body: JsonObject): Demand['cacheWrites'] {
  const parts = objectsIn(body['messages']).flatMap((message) => [message, ...objectsIn(message['content'])]);
  const marks = [body, ...parts, ...objectsIn(body['tools'])].map((holder) => memberAt(holder, 'cache_control'));
  const lives = marks.filter((mark) => !isAbsent(mark)).map((mark) => memberAt(mark, 'ttl'));
  if (lives.some((ttl) => !isAbsent(ttl) && ttl !== '5m')) return '1h';
  return lives.length > 0 && /^~?anthropic\//i.test(model) ? '5m' : 'none';
}
