import { isAbsent, isObject, type JsonObject, noMembers } from './json.ts';
import { spelledName } from './proto.ts';
import type { UsageFormat } from './usage.ts';

/**
 * What sets the output limit to `maxTokens` for each choice, in the member that this API reads and, where there are two
 * spellings, in the one that the app used. Nothing for a format without output.
 */
export function maxTokensMembers(format: UsageFormat, body: JsonObject, maxTokens: number): JsonObject {
  if (format === 'gemini') return geminiLimit(body, maxTokens);
  const member = limitName(format, body);
  return member === undefined ? noMembers : { [member]: maxTokens };
}

/** Where the older name is the one that every such provider knows. */
const tokenLimited: ReadonlySet<UsageFormat> = new Set([
  'compatible-chat',
  'compatible-completions',
  'openrouter-chat',
  'perplexity-chat',
  'cohere-chat',
]);

function limitName(format: UsageFormat, body: JsonObject): string | undefined {
  if (format === 'anthropic-messages') return 'max_tokens';
  if (format === 'openai-responses' || format === 'xai-responses') return 'max_output_tokens';
  if (tokenLimited.has(format)) return isAbsent(body['max_completion_tokens']) ? 'max_tokens' : 'max_completion_tokens';
  if (format !== 'openai-chat' && format !== 'groq-chat') return undefined;
  return isAbsent(body['max_tokens']) ? 'max_completion_tokens' : 'max_tokens';
}

function geminiLimit(body: JsonObject, maxTokens: number): JsonObject {
  const configName = spelledName(body, 'generationConfig');
  const config = isObject(body[configName]) ? body[configName] : {};
  return { [configName]: { ...config, [spelledName(config, 'maxOutputTokens')]: maxTokens } };
}
