import { isAbsent, type JsonObject, listAt, memberAt, objectAt, textAt } from './json.ts';
import { incurred, noTokens, optionalCount, requiredCount, soundUsage, type Usage } from './usage.ts';

/**
 * Chat completions, whole or one chunk. `prompt_tokens` includes cached, cache-written and audio tokens;
 * `completion_tokens` includes reasoning, audio and rejected predictions.
 * https://platform.openai.com/docs/api-reference/chat/object
 */
export function usageFromOpenAiChat(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  return usage === undefined ? undefined : chatUsage(usage);
}

/**
 * Groq's chat completions: the last chunk has the numbers under `x_groq.usage`, under `usage`, or under both, and they
 * are the same tokens. A compound system's tools have fees that no price list here knows.
 * https://console.groq.com/docs/api-reference
 */
export function usageFromGroqChat(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage') ?? objectAt(objectAt(body, 'x_groq'), 'usage');
  const counted = usage === undefined ? undefined : chatUsage(usage);
  if (counted === undefined || !ranGroqTools(body)) return counted;
  return { ...counted, fees: { otherTools: 1 } };
}

/**
 * Responses: the answer itself, or a stream event that carries it as `response`. The searches are not in `usage`: the
 * billable ones are in `tool_usage`, and without it the output items are counted.
 * https://platform.openai.com/docs/api-reference/responses/object
 */
export function usageFromOpenAiResponses(body: unknown): Usage | undefined {
  const response = objectAt(body, 'response') ?? body;
  const usage = objectAt(response, 'usage');
  if (usage === undefined) return undefined;
  const details = objectAt(usage, 'input_tokens_details');
  const cached = optionalCount(memberAt(details, 'cached_tokens'));
  const written = optionalCount(memberAt(details, 'cache_write_tokens'));
  const long = longWrites(details);
  return soundUsage({
    ...noTokens,
    uncachedInput: requiredCount(memberAt(usage, 'input_tokens')) - cached - written,
    cacheRead: cached,
    cacheWrite5m: written - long,
    cacheWrite1h: long,
    output: requiredCount(memberAt(usage, 'output_tokens')) + unexplained(usage, 'input_tokens', 'output_tokens'),
    reasoning: optionalCount(memberAt(objectAt(usage, 'output_tokens_details'), 'reasoning_tokens')),
    ...incurred(responseFees(response)),
    raw: usage,
  });
}

/** https://platform.openai.com/docs/api-reference/embeddings */
export function usageFromOpenAiEmbeddings(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  if (usage === undefined) return undefined;
  return soundUsage({ ...noTokens, uncachedInput: requiredCount(memberAt(usage, 'prompt_tokens')), raw: usage });
}

export function chatUsage(usage: JsonObject): Usage | undefined {
  const prompt = objectAt(usage, 'prompt_tokens_details');
  const completion = objectAt(usage, 'completion_tokens_details');
  const cached = optionalCount(memberAt(prompt, 'cached_tokens'));
  const written = optionalCount(memberAt(prompt, 'cache_write_tokens'));
  const long = longWrites(prompt);
  const audio = optionalCount(memberAt(prompt, 'audio_tokens'));
  const spoken = optionalCount(memberAt(completion, 'audio_tokens'));
  return soundUsage({
    uncachedInput: requiredCount(memberAt(usage, 'prompt_tokens')) - cached - written - audio,
    cacheRead: cached,
    cacheWrite5m: written - long,
    cacheWrite1h: long,
    audioInput: audio,
    output:
      requiredCount(memberAt(usage, 'completion_tokens')) -
      spoken +
      unexplained(usage, 'prompt_tokens', 'completion_tokens'),
    audioOutput: spoken,
    reasoning: optionalCount(memberAt(completion, 'reasoning_tokens')),
    raw: usage,
  });
}

/** What the stated total has beyond its two parts is counted as output: a part that is not itemised is not lost. */
function unexplained(usage: JsonObject, input: string, output: string): number {
  const parts = requiredCount(memberAt(usage, input)) + requiredCount(memberAt(usage, output));
  return Math.max(0, optionalCount(memberAt(usage, 'total_tokens')) - parts);
}

function longWrites(details: JsonObject | undefined): number {
  return optionalCount(memberAt(objectAt(details, 'cache_write_tokens_details'), 'ttl_12h_tokens'));
}

/** Opening a page and finding in it are part of the search that led there: only searches are charged. */
function responseFees(response: unknown) {
  const fees = { webSearch: 0, fileSearch: 0, otherTools: 0 };
  for (const item of listAt(response, 'output')) {
    const type = textAt(item, 'type');
    const action = textAt(objectAt(item, 'action'), 'type') ?? 'search';
    if (type === 'web_search_call' && action === 'search') fees.webSearch += 1;
    else if (type === 'file_search_call') fees.fileSearch += 1;
    else if (type === 'code_interpreter_call' || type === 'image_generation_call') fees.otherTools += 1;
  }
  const billable = memberAt(objectAt(objectAt(response, 'tool_usage'), 'web_search'), 'num_requests');
  return isAbsent(billable) ? fees : { ...fees, webSearch: requiredCount(billable) };
}

function ranGroqTools(body: unknown): boolean {
  if (!isAbsent(memberAt(objectAt(body, 'x_groq'), 'usage_breakdown'))) return true;
  if (!isAbsent(memberAt(body, 'usage_breakdown'))) return true;
  return listAt(body, 'choices').some((choice) => listAt(objectAt(choice, 'message'), 'executed_tools').length > 0);
}
