import { refuseOtherModels } from './demand-compatible.ts';
import { addImageUrl, mostOpenAiImageTokens, refuseModelWithTools } from './demand-openai-chat.ts';
import {
  addReference,
  type Demand,
  isEmpty,
  limitMember,
  objectsIn,
  plainDemand,
  refuseUnknownMembers,
  toolOverhead,
  unboundedCost,
} from './demand.ts';
import { isAbsent, type JsonObject, memberAt, objectAt, textAt } from './json.ts';
import { reasoningOf } from './reasoning.ts';

/**
 * Members whose cost is known. Not among them on purpose: `prompt` (a stored one brings tools and a model that are not
 * seen) and `context_management` (passes of its own).
 */
const known = new Set(
  `model input include instructions max_output_tokens max_tool_calls metadata moderation parallel_tool_calls
  previous_response_id conversation prompt_cache_key prompt_cache_options prompt_cache_retention reasoning
  safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p
  truncation user image background`.split(/\s+/),
);

/** Items that are their own text, and those that stand for something else. What is in neither list is refused. */
const textItems = new Set([
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'reasoning',
  'local_shell_call',
  'local_shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'configuration_update',
]);
const referringItems = new Set([
  'item_reference',
  'web_search_call',
  'file_search_call',
  'computer_call',
  'computer_call_output',
  'code_interpreter_call',
  'image_generation_call',
  'compaction',
]);

/** Beyond this no hold would fit any budget. */
const mostToolCalls = 1_000;

const clientTools = new Set(['function', 'custom', 'local_shell', 'apply_patch']);

/** What a request to OpenAI's Responses API asks for. */
export function responsesDemand(model: string, body: JsonObject): Demand {
  refuseModelWithTools('openai-responses', model);
  refuseUnknownMembers(body, known);
  // The answer would be fetched later, past the meter.
  if (!isAbsent(body['background']) && body['background'] !== false) throw unboundedCost('background');
  const demand = plainDemand();
  demand.requestedOutput = limitMember(body, 'max_output_tokens', { least: 1, nullIsAbsent: true });
  demand.reasoning = reasoningOf(memberAt(body['reasoning'], 'effort'));
  if (!isAbsent(body['previous_response_id']) || !isAbsent(body['conversation'])) addReference(demand);
  const tools = [...objectsIn(body['tools'])];
  for (const item of objectsIn(body['input'])) {
    addItem(demand, item);
    if (textAt(item, 'type') === 'additional_tools') tools.push(...addedTools(item));
  }
  addTools(demand, body, tools);
  return demand;
}

/**
 * Tools in the input stay there in what is stored: a later call that continues it would have them without naming them,
 * and so without a limit to their fees.
 */
function addedTools(item: JsonObject): readonly JsonObject[] {
  const tools = objectsIn(item['tools']);
  if (tools.every((tool) => feeOf(tool).length === 0)) return tools;
  throw unboundedCost('input', 'Send tools that search as `tools`, not within the input.');
}

const xaiPartTypes = new Set([
  'input_text',
  'output_text',
  'text',
  'refusal',
  'reasoning_text',
  'summary_text',
  'input_image',
]);

/**
 * xAI took over OpenAI's API. What its own tools cost is on no list here, and one of its models is several at once. A file,
 * by whatever name, is searched by a tool of its own, as often as the model likes. https://docs.x.ai/developers/files
 */
export function xaiResponsesDemand(model: string, body: JsonObject): Demand {
  refuseOtherModels(model);
  const tool = objectsIn(body['tools']).find((each) => textAt(each, 'type') !== 'function');
  if (tool !== undefined) throw unboundedCost('tools', 'Only functions that the app runs itself can be bounded.');
  const items = objectsIn(body['input']);
  const parts = items.flatMap((item) => [...objectsIn(item['content']), ...objectsIn(item['output'])]);
  const hasFile = parts.some((part) => !xaiPartTypes.has(textAt(part, 'type') ?? ''));
  if (hasFile || items.some((item) => !isEmpty(item['attachments']))) {
    throw unboundedCost('input', 'A file is searched at a fee. Send texts and pictures.');
  }
  return responsesDemand(model, body);
}

function addItem(demand: Demand, item: JsonObject): void {
  const type = textAt(item, 'type') ?? 'message';
  if (type === 'additional_tools') return;
  if (referringItems.has(type) || isFilledIn(item)) addReference(demand);
  else if (!textItems.has(type)) throw unboundedCost('input', 'It has an item of a kind that is not known.');
  for (const part of [...objectsIn(item['content']), ...objectsIn(item['output'])]) addPart(demand, part);
}

/** Stored items by their ids: one whose kind is left out, and a reasoning that does not bring its own contents along. */
function isFilledIn(item: JsonObject): boolean {
  if (isAbsent(item['id'])) return false;
  return isAbsent(item['type']) || (item['type'] === 'reasoning' && isAbsent(item['encrypted_content']));
}

function addPart(demand: Demand, part: JsonObject): void {
  const type = textAt(part, 'type') ?? '';
  if (['input_text', 'output_text', 'refusal', 'reasoning_text', 'summary_text', 'text'].includes(type)) return;
  if (type === 'input_image') addImageUrl(demand, textAt(part, 'image_url'), mostOpenAiImageTokens);
  else addReference(demand);
}

/**
 * Searches have a list price for each; `max_tool_calls` limits them all together. Each result is read in a further pass
 * over the prompt, and a refused call may add one more.
 */
function addTools(demand: Demand, body: JsonObject, tools: readonly JsonObject[]): void {
  const fees = tools.flatMap((tool) => feeOf(tool));
  if (tools.length > 0) demand.toolTokens += toolOverhead(tools);
  const format = memberAt(objectAt(body, 'text'), 'format');
  if (!isEmpty(format)) demand.toolTokens += toolOverhead(format);
  if (fees.length === 0) return;
  const calls = limitMember(body, 'max_tool_calls', { least: 1, most: mostToolCalls, nullIsAbsent: true });
  if (calls === undefined) throw unboundedCost('tools', 'Send max_tool_calls to limit the searches.');
  demand.fees = Object.fromEntries(fees.map((name) => [name, calls]));
  demand.passes = calls + 2;
  addReference(demand);
}

function feeOf(tool: JsonObject): ('webSearch' | 'fileSearch')[] {
  const type = textAt(tool, 'type') ?? '';
  if (clientTools.has(type)) return [];
  if (type === 'namespace') return objectsIn(tool['tools']).flatMap((inner) => feeOf(inner));
  // The preview form of web search has other prices than the list states.
  if (type === 'web_search' || type === 'web_search_2025_08_26') return ['webSearch'];
  if (type === 'file_search') return ['fileSearch'];
  throw unboundedCost('tools', 'A tool of the provider has no price that is known.');
}
