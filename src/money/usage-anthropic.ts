import { isAbsent, type JsonObject, listAt, memberAt, objectAt, textAt } from './json.ts';
import { incurred, optionalCount, requiredCount, soundUsage, type Usage } from './usage.ts';

/**
 * Messages, whole. `input_tokens` excludes what was read from and written to the cache.
 * https://platform.claude.com/docs/en/api/messages
 */
export function usageFromAnthropicMessages(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  return usage === undefined ? undefined : usageFromAnthropicUsage(usage);
}

/**
 * The usage object of a stream so far. `message_start` brings the first, each `message_delta` a later one whose counts
 * are cumulative: what it states replaces what stood before, what it leaves out or nulls stays.
 */
export function mergeAnthropicUsage(previous: JsonObject | undefined, event: JsonObject): JsonObject | undefined {
  const next = objectAt(objectAt(event, 'message'), 'usage') ?? objectAt(event, 'usage');
  if (next === undefined) return previous;
  const stated = Object.entries(next).filter(([, value]) => !isAbsent(value));
  return { ...previous, ...Object.fromEntries(stated) };
}

export function usageFromAnthropicUsage(usage: JsonObject): Usage | undefined {
  const writes = cacheWrites(usage);
  const tools = objectAt(usage, 'server_tool_use');
  return soundUsage({
    uncachedInput: requiredCount(memberAt(usage, 'input_tokens')),
    cacheRead: optionalCount(memberAt(usage, 'cache_read_input_tokens')),
    ...writes,
    audioInput: 0,
    output: requiredCount(memberAt(usage, 'output_tokens')),
    audioOutput: 0,
    reasoning: optionalCount(memberAt(objectAt(usage, 'output_tokens_details'), 'thinking_tokens')),
    ...incurred({
      webSearch: optionalCount(memberAt(tools, 'web_search_requests')),
      fileSearch: 0,
      otherTools: otherTools(tools) + otherPasses(usage),
    }),
    raw: usage,
  });
}

/**
 * The split by lifetime is only in `message_start`, the total may still grow. What the split does not explain is counted
 * with the dearer hour if the call writes for an hour at all.
 */
function cacheWrites(usage: JsonObject): { cacheWrite5m: number; cacheWrite1h: number } {
  const split = objectAt(usage, 'cache_creation');
  const short = optionalCount(memberAt(split, 'ephemeral_5m_input_tokens'));
  const long = optionalCount(memberAt(split, 'ephemeral_1h_input_tokens'));
  const total = optionalCount(memberAt(usage, 'cache_creation_input_tokens'));
  // A total below zero stays so, to be found unsound.
  const unexplained = total < 0 ? total : Math.max(0, total - short - long);
  return long > 0
    ? { cacheWrite5m: short, cacheWrite1h: long + unexplained }
    : { cacheWrite5m: short + unexplained, cacheWrite1h: long };
}

/** Fetching a page has no fee; any tool that is not known here may have one. */
function otherTools(tools: JsonObject | undefined): number {
  if (tools === undefined) return 0;
  const free = ['web_search_requests', 'web_fetch_requests'];
  return Object.entries(tools)
    .filter(([name]) => !free.includes(name))
    .reduce((sum, [, count]) => sum + optionalCount(count), 0);
}

/** Passes that are not in the totals (compaction) or that another model made: their price is not this call's. */
function otherPasses(usage: JsonObject): number {
  return listAt(usage, 'iterations').filter((pass) => textAt(pass, 'type') !== 'message').length;
}
