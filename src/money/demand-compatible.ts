import type { BoundableCall } from './bounds.ts';
import { chatShapeDemand, isTextual } from './demand-openai-chat.ts';
import {
  type Demand,
  isEmpty,
  limitMember,
  objectsIn,
  plainDemand,
  refuseUnknownMembers,
  unboundedCost,
} from './demand.ts';
import { isAbsent, isObject, type JsonObject, textAt } from './json.ts';
import { mayThinkBesideLimit } from './reasoning.ts';

/**
 * Members of chats and completions in OpenAI's shape that choose among tokens or describe the request: whoever has one,
 * it costs nothing but the tokens that the limit holds back. Not among them on purpose: what searches, files and further
 * models are asked for with (`web_search_options`, `search_parameters`, `plugins`, `models`, `safety_model`,
 * `guardrails`), and what answers later, past the meter (`deferred`).
 */
export const samplingMembers = `model max_tokens n stream stream_options temperature top_p top_k top_a min_p typical_p
  frequency_penalty presence_penalty repetition_penalty logit_bias logprobs top_logprobs seed random_seed stop user metadata
  min_tokens service_tier prompt_cache_key safety_identifier`.split(/\s+/);

/** The same of chats alone. */
export const chatMembers =
  `messages functions function_call tools tool_choice parallel_tool_calls response_format prediction
  reasoning reasoning_effort thinking chat_template_kwargs verbosity store`.split(/\s+/);

/** What some have beside them: cutting of long prompts, caches, templates, and what the answer repeats. */
const ownMembers =
  `safe_prompt prompt_mode compliance context_length_exceeded_behavior prompt_truncate_len echo echo_last
  ignore_eos mirostat_lr mirostat_target perf_metrics_in_response prompt_cache_isolation_key prompt_cache_max_len raw_output
  reasoning_history return_token_ids speculation clear_thinking disable_reasoning min_completion_tokens
  reasoning_format`.split(/\s+/);

const knownInChats = new Set([...samplingMembers, ...chatMembers, ...ownMembers]);
const knownInCompletions = new Set([...samplingMembers, ...ownMembers, 'prompt', 'suffix']);

/** The others may not heed it, so that it would hold nothing back. */
const knowNewerLimit = new Set(['xai', 'fireworks', 'cerebras']);

/** Parts of a message whose tokens are all that they cost: documents are read by a service of its own price. */
const partTypes = new Set([
  'text',
  'refusal',
  'thinking',
  'reasoning',
  'reference',
  'image_url',
  'input_audio',
  'video_url',
]);

/**
 * Several agents that work on one prompt are billed each; a deployment of the account's own, named after a `#`, is billed
 * for as long as it runs. https://docs.x.ai/docs/guides/multi-agent · https://docs.fireworks.ai/guides/ondemand-deployments
 */
export function refuseOtherModels(model: string): void {
  if (/multi-agent|#/i.test(model))
    throw unboundedCost('model', 'Choose a model that is one, and billed by its tokens.');
}

const mostChoices = 128;

/** What a chat asks for of a provider that took over OpenAI's shape. No image has a documented maximum there. */
export function compatibleChatDemand({ provider, model, body }: BoundableCall): Demand {
  refuseOtherModels(model);
  if (!isAbsent(body['max_completion_tokens']) && !knowNewerLimit.has(provider)) {
    throw unboundedCost('max_completion_tokens', 'This provider is limited by max_tokens.');
  }
  const { max_completion_tokens: _, ...others } = body;
  refuseUnknownMembers(others, knownInChats);
  refuseOtherParts(body, partTypes);
  const demand = chatShapeDemand(body, undefined);
  demand.outputFixed ||= mayThinkBesideLimit(provider, model, demand.reasoning);
  return demand;
}

/** What completing a text asks for, or filling a gap in one: `n` answers to each of the prompts. */
export function completionsDemand(body: JsonObject): Demand {
  refuseUnknownMembers(body, knownInCompletions);
  const { prompt } = body;
  if (!isAbsent(prompt) && !isTextual(prompt)) throw unboundedCost('prompt', 'Only texts can be bounded.');
  // A list of numbers is one prompt, as tokens.
  const prompts = Array.isArray(prompt) ? prompt.filter((item) => typeof item !== 'number').length : 1;
  const each = limitMember(body, 'n', { least: 1, most: mostChoices, nullIsAbsent: true }) ?? 1;
  return {
    ...plainDemand(),
    choices: each * Math.max(1, prompts),
    requestedOutput: limitMember(body, 'max_tokens', { least: 1, nullIsAbsent: true }),
  };
}

/** Members of messages and their parts that stand for something which is not their own text. */
const otherMembers = /attachment|audio|document|file|image|video|_url$/;

/** As all of them are written. A server that takes names in any case would see one that is not seen here. */
const memberName = /^[a-z\d_]+$/;

/**
 * Refuses, with the member's name, messages with something that is not known to cost its tokens alone: a part of another
 * type, a member of a part that is not what its type says (some servers go by the member), a file that is attached to the
 * message and searched.
 */
export function refuseOtherParts(body: JsonObject, known: ReadonlySet<string>, ofMessages = ['audio']): void {
  const messages = objectsIn(body['messages']);
  const parts = messages.flatMap((message) => objectsIn(message['content']));
  const arePlain = parts.every((part) => {
    const type = textAt(part, 'type') ?? 'text';
    return known.has(type) && hasOnly(part, [type]) && areNames(part[type]);
  });
  if (arePlain && messages.every((message) => hasOnly(message, ofMessages))) return;
  throw unboundedCost('messages', 'It has a part that may be billed by more than its tokens.');
}

function hasOnly(holder: JsonObject, known: readonly string[]): boolean {
  const isPlain = (name: string) => known.includes(name) || !otherMembers.test(name) || isEmpty(holder[name]);
  return areNames(holder) && Object.keys(holder).every(isPlain);
}

function areNames(value: unknown): boolean {
  return !isObject(value) || Object.keys(value).every((name) => memberName.test(name));
}
