import { KeyPassError } from '../errors.ts';
import { audioSeconds } from './audio-seconds.ts';
import {
  addImage,
  addReference,
  type Demand,
  isEmpty,
  limitMember,
  objectsIn,
  plainDemand,
  type Range,
  refuseUnknownMembers,
  toolOverhead,
  unboundedCost,
} from './demand.ts';
import { isAbsent, isObject, type JsonObject, listAt, memberAt, objectAt, textAt } from './json.ts';
import { reasoningOf } from './reasoning.ts';
import { mediaKind } from './media-kind.ts';

/** Members whose cost is known: in the prompt's bytes, in the output's limit, or none. */
const commonMembers = `model messages audio frequency_penalty function_call functions logit_bias logprobs
  max_completion_tokens max_tokens metadata modalities n parallel_tool_calls prediction presence_penalty
  prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed
  service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity`;
const openAiMembers = `${commonMembers} moderation`;
const groqMembers = `${commonMembers} citation_options disable_tool_validation documents include_reasoning
  reasoning_format`;

const known = {
  'openai-chat': new Set(openAiMembers.split(/\s+/)),
  'groq-chat': new Set(groqMembers.split(/\s+/)),
};

/**
 * The most tokens of one image over OpenAI's documented schemes: 48,169 (gpt-4o-mini: 2,833 + 8 tiles × 5,667), and
 * 10,000 patches × 2.46. Groq documents none that holds for all its models.
 * https://platform.openai.com/docs/guides/images-vision
 */
const mostImageTokens = { 'openai-chat': 50_000, 'groq-chat': undefined } as const;
export const mostOpenAiImageTokens = mostImageTokens['openai-chat'];

const choices: Range = { least: 1, most: 128, nullIsAbsent: true };

/** What a chat completion of OpenAI or Groq asks for. */
export function chatDemand(format: 'openai-chat' | 'groq-chat', model: string, body: JsonObject): Demand {
  refuseModelWithTools(format, model);
  refuseUnknownMembers(body, known[format]);
  return chatShapeDemand(body, mostImageTokens[format]);
}

/** What a chat in OpenAI's shape asks for, with members that are all known. `mostImage`: the most tokens of one image. */
export function chatShapeDemand(body: JsonObject, mostImage: number | undefined): Demand {
  const demand = plainDemand();
  demand.choices = limitMember(body, 'n', choices) ?? 1;
  demand.requestedOutput = outputLimit(body);
  demand.spokenOutput = listAt(body, 'modalities').includes('audio') || isObject(memberAt(body, 'audio'));
  demand.reasoning = reasoningOf(body['reasoning_effort']);
  addPrediction(demand, body);
  addTools(demand, body);
  for (const message of objectsIn(body['messages'])) addMessage(demand, message, mostImage);
  return demand;
}

/** OpenAI's, Mistral's and Fireworks' own: none of them changes what is embedded. */
const embeddingMembers = new Set(
  'model input encoding_format dimensions user metadata output_dimension output_dtype normalize'.split(' '),
);

/** What an embeddings request asks for: its inputs, all of them text. */
export function embeddingsDemand(body: JsonObject): Demand {
  refuseUnknownMembers(body, embeddingMembers);
  if (!isAbsent(body['input']) && !isTextual(body['input'])) throw unboundedCost('input', 'Only texts can be bounded.');
  return { ...plainDemand(), noOutput: true };
}

/** A text, as it is or as tokens, or a list of texts. */
export function isTextual(input: unknown): boolean {
  if (typeof input === 'string' || isTokens(input)) return true;
  return Array.isArray(input) && input.every((item) => typeof item === 'string' || isTokens(item));
}

function isTokens(value: unknown): boolean {
  return Array.isArray(value) && value.every((token) => typeof token === 'number');
}

/** A model whose name says that it searches or runs tools on its own, at a fee for each use and with no limit to set. */
export function refuseModelWithTools(format: string, model: string): void {
  const tools = format === 'groq-chat' ? /compound/i : /search|deep-research/i;
  if (tools.test(model)) throw unboundedCost('model', 'Choose a model that runs no tools of its own.');
}

const outputRange: Range = { least: 1, nullIsAbsent: true };

function outputLimit(body: JsonObject): number | undefined {
  const current = limitMember(body, 'max_completion_tokens', outputRange);
  const older = limitMember(body, 'max_tokens', outputRange);
  if (current !== undefined && older !== undefined) {
    throw new KeyPassError('invalid_request', 'Send either max_completion_tokens or max_tokens, not both.', {
      param: 'max_tokens',
    });
  }
  return current ?? older;
}

/** Rejected prediction tokens are billed as output; OpenAI does not say that the limit covers them. */
function addPrediction(demand: Demand, body: JsonObject): void {
  const prediction = memberAt(body, 'prediction');
  if (isAbsent(prediction)) return;
  demand.addedOutput = toolOverhead(prediction);
  demand.outputFixed = demand.requestedOutput === undefined;
}

const definitionMembers = ['tools', 'functions', 'response_format', 'documents'];

function addTools(demand: Demand, body: JsonObject): void {
  for (const tool of objectsIn(body['tools'])) {
    const type = textAt(tool, 'type');
    if (type === 'function' || type === 'custom') continue;
    throw unboundedCost('tools', 'Only functions that the app runs itself can be bounded.');
  }
  for (const member of definitionMembers) {
    if (!isEmpty(body[member])) demand.toolTokens += toolOverhead(body[member]);
  }
}

function addMessage(demand: Demand, message: JsonObject, mostImage: number | undefined): void {
  // An earlier spoken answer, by its id.
  if (isObject(message['audio'])) addAudio(demand);
  for (const part of objectsIn(message['content'])) {
    const type = textAt(part, 'type');
    if (type === 'text' || type === 'refusal') continue;
    if (type === 'image_url') addImageUrl(demand, textAt(objectAt(part, 'image_url'), 'url'), mostImage);
    else if (type === 'input_audio') addAudio(demand, textAt(objectAt(part, 'input_audio'), 'data'));
    else addReference(demand);
  }
}

/** More than a second of audio has: ten are documented. https://developers.openai.com/api/docs/guides/realtime-costs */
const audioTokensPerSecond = 25;

/** Inline, a recording is as long as its frames; what is not, or can't be told, may fill the context. */
function addAudio(demand: Demand, base64?: string): void {
  demand.audio = 'certain';
  const seconds = base64 === undefined ? undefined : inlineSeconds(base64);
  if (base64 === undefined || seconds === undefined) {
    demand.wholeContext = true;
    return;
  }
  demand.mediaBytes += base64.length;
  demand.mediaTokens += Math.ceil(seconds * audioTokensPerSecond) + audioTokensPerSecond;
}

function inlineSeconds(base64: string): number | undefined {
  try {
    const bytes = Uint8Array.fromBase64(base64);
    const kind = mediaKind(bytes);
    return kind === undefined ? undefined : audioSeconds({ kind, bytes });
  } catch {
    // What is no base64 is for the provider to refuse.
    return undefined;
  }
}

/** A data URL of an image is inline; any other URL is fetched by the provider. */
export function addImageUrl(demand: Demand, url: string | undefined, mostTokens: number | undefined): void {
  if (url?.startsWith('data:image/') === true) addImage(demand, url, mostTokens);
  else addReference(demand);
}
