import { KeyPassError } from '../errors.ts';
import {
  addImage,
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
import { isAbsent, isObject, type JsonObject, textAt } from './json.ts';
import { camelMembers } from './proto.ts';

const known = new Set(
  `model contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent serviceTier labels
  store`.split(/\s+/),
);
const knownConfig = new Set(
  `candidateCount maxOutputTokens stopSequences temperature topP topK seed presencePenalty frequencyPenalty logprobs
  responseLogprobs responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseFormat
  responseModalities thinkingConfig speechConfig mediaResolution audioTimestamp enableEnhancedCivicAnswers
  imageConfig`.split(/\s+/),
);
const knownEmbed = new Set(['model', 'content', 'taskType', 'title', 'outputDimensionality']);

/**
 * The most tokens of one image: 258 for each tile of at least 256 pixels in at most 3,072 × 3,072 comes to 24 tiles,
 * 6,192 tokens; Gemini 3's highest resolution is 2,240.
 * https://ai.google.dev/gemini-api/docs/image-understanding
 */
const mostImageTokens = 8_192;

const mostCandidates = 128;
const automaticBudget = -1;

/** What a request to generateContent or streamGenerateContent asks for. */
export function geminiDemand(model: string, body: JsonObject): Demand {
  const request = camelMembers(body);
  refuseUnknownMembers(request, known);
  refuseOtherModel(model, request);
  const config = camelMembers(request['generationConfig']);
  refuseUnknownMembers(config, knownConfig);
  const demand = plainDemand();
  const range = { least: 1, nullIsAbsent: false };
  demand.choices = limitMember(config, 'candidateCount', { ...range, most: mostCandidates }) ?? 1;
  demand.requestedOutput = limitMember(config, 'maxOutputTokens', range);
  addThinking(demand, camelMembers(config['thinkingConfig']));
  if (!isAbsent(request['cachedContent'])) addReference(demand);
  addTools(demand, request, config);
  const modalities = objectText(config['responseModalities']);
  demand.spokenOutput = modalities.includes('audio') || isObject(config['speechConfig']);
  // Whether the limit also cuts images is not documented.
  demand.outputFixed = modalities.includes('image');
  for (const content of [request['systemInstruction'], ...objectsIn(request['contents'])]) addContent(demand, content);
  return demand;
}

/** What embedContent asks for, or batchEmbedContents, whose `requests` are each one of those. */
export function geminiEmbedDemand(model: string, body: JsonObject): Demand {
  const demand = { ...plainDemand(), noOutput: true };
  const { requests, ...own } = camelMembers(body);
  for (const request of [own, ...objectsIn(requests).map(camelMembers)]) {
    refuseUnknownMembers(request, knownEmbed);
    refuseOtherModel(model, request);
    addContent(demand, request['content']);
  }
  // Each of them could fill the context window, and how often that is would have to be counted.
  if (!isEmpty(requests) && demand.wholeContext) {
    throw unboundedCost('requests', 'What is not text or an image can be embedded one at a time, with embedContent.');
  }
  return demand;
}

/** The path names the model; the body may repeat it and must not name another. */
function refuseOtherModel(model: string, request: JsonObject): void {
  const named = request['model'];
  if (isAbsent(named) || (typeof named === 'string' && bare(named) === bare(model))) return;
  throw new KeyPassError('invalid_request', 'The model in the body is not the one in the path.', { param: 'model' });
}

function bare(model: string): string {
  return model.replace(/^models\//, '');
}

function addThinking(demand: Demand, thinking: JsonObject): void {
  const budget = limitMember(thinking, 'thinkingBudget', { least: automaticBudget, nullIsAbsent: false });
  demand.thinkingBudget = Math.max(0, budget ?? 0);
  if (Object.keys(thinking).length > 0) demand.reasoning = budget === 0 ? 'off' : 'asked';
}

/** Search, URL context and code execution have fees or passes with no limit that a request could declare. */
function addTools(demand: Demand, request: JsonObject, config: JsonObject): void {
  const given = request['tools'];
  for (const tool of objectsIn(given)) {
    const server = Object.keys(camelMembers(tool)).find((name) => name !== 'functionDeclarations');
    if (server !== undefined) throw unboundedCost(`tools.${server}`);
  }
  for (const part of [given, config['responseSchema'], config['responseJsonSchema'], config['_responseJsonSchema']]) {
    if (!isEmpty(part)) demand.toolTokens += toolOverhead(part);
  }
}

function addContent(demand: Demand, content: unknown): void {
  for (const part of objectsIn(camelMembers(content)['parts'])) addPart(demand, camelMembers(part));
}

const textParts = new Set(
  `text thought thoughtSignature functionCall executableCode codeExecutionResult partMetadata`.split(' '),
);

/** A part is text, an inline image, or something whose size is not seen; tool results may have media within. */
function addPart(demand: Demand, part: JsonObject): void {
  const inline = camelMembers(part['inlineData']);
  const kind = textAt(inline, 'mimeType') ?? '';
  for (const name of Object.keys(part)) {
    if (textParts.has(name) || name === 'mediaResolution' || name === 'videoMetadata') continue;
    if (name === 'functionResponse' && !hasMedia(part[name])) continue;
    if (name !== 'inlineData') addReference(demand);
    else if (kind.startsWith('image/')) addImage(demand, textAt(inline, 'data') ?? '', mostImageTokens);
    else addRecording(demand, kind);
  }
}

function addRecording(demand: Demand, kind: string): void {
  addReference(demand);
  if (kind.startsWith('audio/') || kind.startsWith('video/')) demand.audio = 'certain';
}

function hasMedia(functionResponse: unknown): boolean {
  return !isEmpty(camelMembers(functionResponse)['parts']);
}

function objectText(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((item) => typeof item === 'string').map((item) => item.toLowerCase());
}
