import { ceiling, type Pico } from './amount.ts';
import { costOf, priceUnknown } from './cost.ts';
import { messagesDemand } from './demand-anthropic.ts';
import { cohereChatDemand, cohereEmbedDemand } from './demand-cohere.ts';
import { compatibleChatDemand, completionsDemand } from './demand-compatible.ts';
import { geminiDemand, geminiEmbedDemand } from './demand-gemini.ts';
import { isMediaFormat, mediaDemand, type MediaDemand, type MediaFormat } from './demand-media.ts';
import { chatDemand, embeddingsDemand } from './demand-openai-chat.ts';
import { responsesDemand, xaiResponsesDemand } from './demand-openai-responses.ts';
import { openRouterDemand } from './demand-openrouter.ts';
import { perplexityDemand } from './demand-perplexity.ts';
import { type Demand, plainDemand } from './demand.ts';
import type { Explained } from './estimate.ts';
import type { JsonObject } from './json.ts';
import { type ModelLimits, mostOutput } from './limits.ts';
import { leastCost, withRoutingFee } from './provider-fees.ts';
import { type Price, type Rate, rateOf } from './prices.ts';
import { mayReasonInSecret } from './reasoning.ts';
import { requireListedCache, requireListPrice } from './tier.ts';
import { hasTextPrompt } from './tokens-prompt.ts';
import { type FeeName, type TokenBucket, tokenBuckets, tokensIn, type UsageFormat } from './usage.ts';

/** A call that is about to be made, its body checked to be one JSON object without duplicate members. */
export interface BoundableCall {
  readonly provider: string;
  readonly model: string;
  readonly format: UsageFormat;
  readonly body: JsonObject;
  readonly price: Price;
  readonly limits: ModelLimits | undefined;
  /** UTF-8 bytes of the body as it is sent. */
  readonly bodyBytes: number;
}

/** The most that a call can cost and use. */
export interface Bound {
  readonly cost: Pico;
  readonly inputTokens: number;
  /** Of all choices together. */
  readonly outputTokens: number;
  readonly choices: number;
  /** The output limit of each choice that this bound rests on; 0 where there is no output. */
  readonly maxTokens: number;
  readonly explained: Explained;
  /** Of a call that is not bounded by the tokens of its text: what the bound rests on. */
  readonly media?: MediaDemand | undefined;
}

/** A bound taken apart: what lowering the output changes and what it does not. */
interface Parts {
  readonly demand: Demand;
  readonly inputTokens: number;
  readonly maxTokens: number;
  readonly fixedCost: Pico;
  readonly perOutputToken: Pico;
  /** Of the call as a whole, however little it asks for. */
  readonly leastCost: Pico;
  readonly explained: Explained;
  readonly media?: MediaDemand;
}

/** Start-of-prompt marks, roles and a preamble that a chat template adds: none known is near this. */
const promptOverhead = 512;

/** The part of a request that makes an answer worth having, for each choice. */
const usefulOutput = 1024;

/**
 * An upper bound of what the call can cost: every token of input and output at the dearest price that may apply to it,
 * and every fee as often as the request allows. Throws `invalid_request` for a malformed limit, `unbounded_cost` for
 * what has no limit and `price_unknown` for what has no price, each with the parameter's name.
 */
export function boundOf(call: BoundableCall): Bound {
  const parts = partsOf(call);
  return boundAt(parts, parts.maxTokens);
}

/**
 * The largest output limit for each choice whose bound is within `available`, with that bound; undefined when the
 * prompt alone does not fit, when what is left is no useful part, or when a limit cannot lower the cost.
 */
export function lowerOutput(call: BoundableCall, available: Pico): { maxTokens: number; bound: Bound } | undefined {
  const parts = partsOf(call);
  const { demand } = parts;
  const full = boundAt(parts, parts.maxTokens);
  if (full.cost <= available) return { maxTokens: parts.maxTokens, bound: full };
  const left = available - parts.fixedCost;
  if (left < 0n || available < parts.leastCost || demand.outputFixed || demand.noOutput) return undefined;
  const tokens = left / parts.perOutputToken / BigInt(demand.choices) - BigInt(demand.addedOutput);
  if (tokens < BigInt(usefulTokens(parts))) return undefined;
  const maxTokens = Number(tokens);
  return { maxTokens, bound: boundAt(parts, maxTokens) };
}

/** The cost of the least that is of use to the app; undefined when a limit cannot lower the cost. */
export function leastUsefulCost(call: BoundableCall): Pico | undefined {
  const parts = partsOf(call);
  if (parts.demand.outputFixed || parts.demand.noOutput) return undefined;
  return boundAt(parts, usefulTokens(parts)).cost;
}

function usefulTokens({ demand, maxTokens }: Parts): number {
  const asked = Math.min(demand.requestedOutput ?? usefulOutput, usefulOutput);
  return Math.min(Math.max(asked, demand.thinkingBudget + 1), maxTokens);
}

function boundAt(parts: Parts, maxTokens: number): Bound {
  const { demand, inputTokens, explained, media } = parts;
  const outputTokens = demand.noOutput ? 0 : demand.choices * (maxTokens + demand.addedOutput);
  const asked = parts.fixedCost + BigInt(outputTokens) * parts.perOutputToken;
  const cost = asked > parts.leastCost ? asked : parts.leastCost;
  return { cost, inputTokens, outputTokens, choices: demand.choices, maxTokens, explained, media };
}

function partsOf(call: BoundableCall): Parts {
  requireListPrice(call.format, call.body, call.price.source.tier);
  requireListedCache(call.body);
  const { format } = call;
  if (isMediaFormat(format)) return mediaParts(call, mediaDemand(format, call));
  const demand = demands[format](call);
  // It is not documented that a limit cuts the images of a model that makes them.
  demand.outputFixed ||= call.price.rates.imageOutput !== undefined;
  const inputTokens = inputBound(call, demand);
  const input = BigInt(inputTokens) * dearest(call.price, inputTypes(call, demand), inputTokens);
  const output = demand.noOutput ? 0n : dearest(call.price, outputTypes(call.price, demand), inputTokens);
  return {
    demand,
    inputTokens,
    maxTokens: outputBound(call, demand),
    fixedCost: withRoutingFee(format, input + feesBound(call.price, demand)),
    perOutputToken: withRoutingFee(format, output),
    leastCost: leastCost(format),
    explained: explainedBy(call, demand),
  };
}

/** All of it is fixed: no limit of tokens holds any of it back. */
function mediaParts({ price }: BoundableCall, media: MediaDemand): Parts {
  const demand: Demand = { ...plainDemand(), noOutput: true };
  const { cost } = costOf(media.most, price);
  const inputTokens = tokensIn(media.most, tokenBuckets);
  const explained = { prompt: undefined, output: false, isOpenEnded: true };
  return { demand, inputTokens, maxTokens: 0, fixedCost: cost, perOutputToken: 0n, leastCost: 0n, explained, media };
}

const demands: Record<Exclude<UsageFormat, MediaFormat>, (call: BoundableCall) => Demand> = {
  'openai-chat': ({ model, body }) => chatDemand('openai-chat', model, body),
  'groq-chat': ({ model, body }) => chatDemand('groq-chat', model, body),
  'compatible-chat': compatibleChatDemand,
  'compatible-completions': ({ body }) => completionsDemand(body),
  'xai-responses': ({ model, body }) => xaiResponsesDemand(model, body),
  'openrouter-chat': ({ model, body }) => openRouterDemand(model, body),
  'perplexity-chat': ({ model, body }) => perplexityDemand(model, body),
  'cohere-chat': cohereChatDemand,
  'cohere-embed': ({ body }) => cohereEmbedDemand(body),
  'openai-responses': ({ model, body }) => responsesDemand(model, body),
  'openai-embeddings': ({ body }) => embeddingsDemand(body),
  'anthropic-messages': ({ body }) => messagesDemand(body),
  gemini: ({ model, body }) => geminiDemand(model, body),
  'gemini-embed': ({ model, body }) => geminiEmbedDemand(model, body),
};

/**
 * A token has at least one byte, so bytes bound tokens. Only what is not seen takes the context window, once for each
 * pass: of what is seen a window would be a promise of the table's, which a newer one may exceed.
 */
function inputBound({ bodyBytes, limits, model }: BoundableCall, demand: Demand): number {
  const seen = bodyBytes - demand.mediaBytes + demand.mediaTokens + demand.toolTokens + promptOverhead;
  if (!demand.wholeContext && demand.passes === 1) return seen;
  const context = limits?.context;
  if (context === undefined) throw priceUnknown(model, 'input that is not in the request', 'Send it inline.');
  return Math.max(seen, context) * demand.passes;
}

/** The app's own limit holds although the table may know of a lower one, which may have been raised since. */
function outputBound({ provider, limits, model }: BoundableCall, demand: Demand): number {
  if (demand.noOutput) return 0;
  const asked = demand.outputFixed ? undefined : demand.requestedOutput;
  const most = asked ?? (limits && mostOutput(provider, model, limits));
  if (most === undefined) throw priceUnknown(model, 'output without a limit', 'Send an output limit.');
  return most;
}

function explainedBy({ provider, model, format, body }: BoundableCall, demand: Demand): Explained {
  const { mediaTokens, toolTokens } = demand;
  const isSeen = !demand.wholeContext && demand.cacheWrites === 'none';
  const isShown = demand.addedOutput === 0 && !mayReasonInSecret(provider, model, demand.reasoning);
  const hasFees = Object.keys(demand.fees).length > 0;
  return {
    prompt: isSeen && hasTextPrompt(format) ? { provider, model, format, body, mediaTokens, toolTokens } : undefined,
    output: demand.noOutput || isShown,
    isOpenEnded: demand.passes > 1 || hasFees || demand.spokenOutput || demand.outputFixed,
  };
}

/** What a token of the prompt may be billed as; what it surely can be must have a price. */
function inputTypes({ provider, price }: BoundableCall, demand: Demand): TokenBucket[] {
  const types: TokenBucket[] = ['uncachedInput'];
  if (demand.cacheWrites !== 'none') types.push('cacheWrite5m');
  if (demand.cacheWrites === '1h') types.push('cacheWrite1h');
  if (demand.audio === 'certain') types.push('audioInput');
  const mayBe = (type: TokenBucket) => {
    if (rateOf(price, type) !== undefined) types.push(type);
  };
  mayBe('cacheRead');
  // Anthropic writes to its cache when told to, others unasked: where that costs extra, the list says so.
  if (provider !== 'anthropic') mayBe('cacheWrite5m');
  if (demand.pictures) for (const type of pictureTypes) mayBe(type);
  if (demand.audio !== 'none') for (const type of audioTypes) mayBe(type);
  return types;
}

const pictureTypes = ['imageInput', 'imageCacheRead', 'videoInput'] as const;
const audioTypes = ['audioInput', 'audioCacheRead'] as const;

function outputTypes(price: Price, demand: Demand): TokenBucket[] {
  const types: TokenBucket[] = demand.spokenOutput ? ['output', 'audioOutput'] : ['output'];
  if (rateOf(price, 'imageOutput') !== undefined) types.push('imageOutput');
  return types;
}

/** The dearest of these prices for one token, at any step that a call of at most this much input can reach. */
function dearest(price: Price, types: readonly TokenBucket[], inputTokens: number): Pico {
  let most = 0n;
  for (const type of types) {
    const rate = rateOf(price, type);
    if (rate === undefined) throw priceUnknown(price.model, type);
    const unit = dearestStep(rate, inputTokens);
    if (unit > most) most = unit;
  }
  return most;
}

function dearestStep(rate: Rate, inputTokens: number): Pico {
  let most = 0n;
  for (const step of rate) {
    const unit = step.above < inputTokens ? ceiling(step.pico) : 0n;
    if (unit > most) most = unit;
  }
  return most;
}

const feeNames: readonly FeeName[] = ['webSearch', 'fileSearch', 'otherTools'];

function feesBound({ model, rates }: Price, demand: Demand): Pico {
  let sum = rates.request === undefined ? 0n : dearestStep(rates.request, Number.MAX_SAFE_INTEGER);
  for (const name of feeNames) {
    const count = demand.fees[name] ?? 0;
    if (count === 0) continue;
    const rate = rates[name];
    if (rate === undefined) throw priceUnknown(model, name);
    sum += BigInt(count) * dearestStep(rate, Number.MAX_SAFE_INTEGER);
  }
  return sum;
}
