import { ceiling, exactDecimal, formatUsd, type Pico, picoPerUnit } from './amount.ts';
import { isAbsent, type JsonObject, memberAt, objectAt } from './json.ts';
import { chatUsage } from './usage-openai.ts';
import { incurred, noTokens, optionalCount, requiredCount, soundUsage, type Usage } from './usage.ts';

/**
 * Chat completions, and completions of a text, of the providers that took over OpenAI's shape. What they add to it:
 * cached tokens under a name of their own, and, at xAI, reasoning that is only in the total.
 * https://docs.mistral.ai/capabilities/completion/prompt_caching · https://api-docs.deepseek.com/guides/kv_cache
 * · https://docs.x.ai/docs/guides/reasoning · https://docs.together.ai/docs/inference/chat/prompt-caching
 */
export function usageFromCompatibleChat(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  if (usage === undefined) return undefined;
  const sources = optionalCount(memberAt(usage, 'num_sources_used'));
  const counted = chatUsage({ ...usage, ...cachedDetails(usage), ...withReasoning(usage) });
  // Live search, which no request may ask for.
  return counted && soundUsage({ ...counted, raw: usage, ...incurred({ ...noFees, otherTools: sources }) });
}

/**
 * OpenRouter counts as OpenAI does and says what it charges; with the owner's own key at the model's provider it charges
 * its fee alone, and the provider bills the rest. https://openrouter.ai/docs/cookbook/administration/usage-accounting
 */
export function usageFromOpenRouterChat(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  const counted = usage && chatUsage(usage);
  if (usage === undefined || counted === undefined) return undefined;
  const cost = memberAt(usage, 'cost');
  if (isAbsent(cost)) return counted;
  const isOwnKey = memberAt(usage, 'is_byok') === true;
  const upstream = memberAt(objectAt(usage, 'cost_details'), 'upstream_inference_cost');
  return withStated(counted, isOwnKey ? [cost, upstream] : [cost]);
}

/**
 * Perplexity counts reasoning beside the completion, and says what it charges, the fee of the search included.
 * https://docs.perplexity.ai/api-reference/chat-completions-post
 */
export function usageFromPerplexityChat(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  if (usage === undefined) return undefined;
  const reasoning = optionalCount(memberAt(usage, 'reasoning_tokens'));
  const counted = soundUsage({
    ...noTokens,
    uncachedInput: requiredCount(memberAt(usage, 'prompt_tokens')),
    output: requiredCount(memberAt(usage, 'completion_tokens')) + reasoning,
    reasoning,
    // Of deep research, which is billed by what it reads and searches, too.
    ...incurred({ ...noFees, otherTools: optionalCount(memberAt(usage, 'citation_tokens')) }),
    raw: usage,
  });
  const cost = memberAt(objectAt(usage, 'cost'), 'total_cost');
  return counted === undefined || isAbsent(cost) ? counted : withStated(counted, [cost]);
}

/**
 * Cohere's own chat: `tokens` is what the model read and wrote, `billed_units` what is charged. A stream has them in the
 * event `message-end`. https://docs.cohere.com/reference/chat
 */
export function usageFromCohereChat(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage') ?? objectAt(objectAt(body, 'delta'), 'usage');
  const billed = objectAt(usage, 'billed_units');
  return billedUnits(usage, {
    uncachedInput: requiredCount(memberAt(billed, 'input_tokens')),
    output: requiredCount(memberAt(billed, 'output_tokens')),
  });
}

/** https://docs.cohere.com/reference/embed */
export function usageFromCohereEmbed(body: unknown): Usage | undefined {
  const meta = objectAt(body, 'meta');
  const billed = objectAt(meta, 'billed_units');
  const pictures = memberAt(billed, 'image_tokens') ?? memberAt(billed, 'images');
  const texts = memberAt(billed, 'input_tokens');
  // Without any where pictures alone were embedded.
  const uncachedInput = isAbsent(pictures) ? requiredCount(texts) : optionalCount(texts);
  return billedUnits(meta, { uncachedInput, output: optionalCount(memberAt(billed, 'output_tokens')) });
}

const noFees = { webSearch: 0, fileSearch: 0, otherTools: 0 };

function billedUnits(usage: JsonObject | undefined, texts: Pick<Usage, 'uncachedInput' | 'output'>): Usage | undefined {
  const billed = objectAt(usage, 'billed_units');
  if (billed === undefined) return undefined;
  const others = ['search_units', 'classifications', 'images', 'pages'].map((name) => memberAt(billed, name));
  return soundUsage({
    ...noTokens,
    ...texts,
    imageInput: optionalCount(memberAt(billed, 'image_tokens')),
    ...incurred({ ...noFees, otherTools: others.reduce<number>((sum, count) => sum + optionalCount(count), 0) }),
    raw: usage,
  });
}

/** The cached part of the prompt where OpenAI has it, wherever it was said. */
function cachedDetails(usage: JsonObject): JsonObject {
  const details = objectAt(usage, 'prompt_tokens_details') ?? objectAt(usage, 'prompt_token_details') ?? {};
  const cached =
    memberAt(details, 'cached_tokens') ??
    memberAt(usage, 'prompt_cache_hit_tokens') ??
    memberAt(usage, 'num_cached_tokens') ??
    memberAt(usage, 'cached_tokens');
  return { prompt_tokens_details: { ...details, cached_tokens: cached } };
}

/** What the total has beyond its parts is output. Where no total is stated, reasoning may be what it would have had. */
function withReasoning(usage: JsonObject): JsonObject {
  const completion = memberAt(usage, 'completion_tokens');
  const reasoning = memberAt(objectAt(usage, 'completion_tokens_details'), 'reasoning_tokens');
  if (!isAbsent(memberAt(usage, 'total_tokens')) || isAbsent(reasoning)) return {};
  return { completion_tokens: requiredCount(completion) + requiredCount(reasoning) };
}

/** More is an error, or another currency. */
const mostStatedPico = 100_000n * 10n ** 12n;

/** The usage with these amounts as its cost; undefined where one of them is none. */
function withStated(usage: Usage, amounts: readonly unknown[]): Usage | undefined {
  const { fees: _, ...counted } = usage;
  let sum: Pico = 0n;
  for (const amount of amounts) {
    const exact = typeof amount === 'number' ? exactDecimal(amount) : undefined;
    if (exact === undefined) return undefined;
    sum += ceiling(picoPerUnit(exact, 1));
  }
  return sum > mostStatedPico ? undefined : { ...counted, statedUsd: formatUsd(sum) };
}
