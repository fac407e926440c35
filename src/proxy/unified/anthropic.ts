import type { JsonObject } from '../../money/json.ts';
import { modelLimits } from '../../money/limits.ts';
import { promptOf } from './anthropic-messages.ts';
import { traitsOf, type ClaudeTraits } from './anthropic-models.ts';
import { thinkingOf, type Thinking } from './anthropic-thinking.ts';
import { toolsFor } from './anthropic-tools.ts';
import { stated, type Chat } from './chat.ts';
import { malformed, unsupported } from './refusal.ts';
import { describedSchema } from './response-format.ts';

/**
 * The output limit of a chat that names none: Anthropic requires one, OpenAI's shape does not. Long enough for whole
 * answers (it is the most that gpt-4o writes), and not the 64,000 or 128,000 tokens that newer models can write, since
 * the price of all of it is held while the call runs. Where a budget covers less, the proxy lowers it further and says so.
 */
const defaultMaxTokens = 16_384;

/**
 * A chat as the body of Anthropic's Messages API (version 2023-06-01). Throws `unsupported_parameter`.
 * https://platform.claude.com/docs/en/api/messages/create
 */
export function toAnthropic(chat: Chat): JsonObject {
  const traits = traitsOf(chat.model);
  refuseUnknownToAnthropic(chat);
  refuseSampling(chat, traits);
  const maxTokens = chat.maxTokens ?? longestAnswer(chat.model);
  const { system, messages } = promptOf(chat.messages, traits);
  const thinking = thinkingOf(chat, traits, maxTokens);
  return stated({
    model: chat.model,
    max_tokens: maxTokens,
    cache_control: chat.cache,
    system: system.length === 0 ? undefined : system,
    messages,
    ...toolsFor(chat, traits),
    // Many models refuse to be told of both, and newer ones of any: 1 is the default of either.
    temperature: chat.temperature === 1 ? undefined : chat.temperature,
    top_p: chat.topP === 1 ? undefined : chat.topP,
    stop_sequences: chat.stop.length === 0 ? undefined : chat.stop,
    thinking: thinking.thinking,
    output_config: outputConfig(chat, thinking, traits),
    metadata: chat.user === undefined ? undefined : { user_id: chat.user },
    stream: chat.stream ? true : undefined,
  });
}

function outputConfig({ responseFormat }: Chat, { effort }: Thinking, { schemas }: ClaudeTraits): object | undefined {
  if (responseFormat?.type === 'json_object') {
    throw unsupported('response_format', 'Claude has no JSON mode without a schema. Send a json_schema.');
  }
  if (responseFormat === undefined) return effort === undefined ? undefined : { effort };
  if (!schemas) throw unsupported('response_format', 'This model keeps to no schema. Leave it out.');
  return stated({ effort, format: { type: 'json_schema', schema: describedSchema(responseFormat) } });
}

function refuseUnknownToAnthropic(chat: Chat): void {
  const absent = 'Anthropic has no such parameter. Leave it out.';
  if (chat.choices > 1) throw unsupported('n', 'Anthropic gives one choice. Leave `n` out or send 1.');
  if (chat.seed !== undefined) throw unsupported('seed', absent);
  if ((chat.presencePenalty ?? 0) !== 0) throw unsupported('presence_penalty', absent);
  if ((chat.frequencyPenalty ?? 0) !== 0) throw unsupported('frequency_penalty', absent);
  if (chat.logprobs) throw unsupported('logprobs', absent);
  if (chat.topLogprobs !== undefined) throw unsupported('top_logprobs', absent);
  if (chat.logitBias !== undefined) throw unsupported('logit_bias', absent);
  if (chat.stop.some((stop) => stop.trim() === '')) {
    throw unsupported('stop', 'Anthropic does not stop at white space alone.');
  }
}

function refuseSampling({ temperature, topP }: Chat, { sampling }: ClaudeTraits): void {
  if (temperature !== undefined && temperature > 1) {
    throw malformed('temperature', 'a number from 0 to 1 for Anthropic');
  }
  if (sampling) return;
  const removed = 'This model has no such parameter any more. Leave it out, or send 1.';
  if ((temperature ?? 1) !== 1) throw unsupported('temperature', removed);
  if ((topP ?? 1) !== 1) throw unsupported('top_p', removed);
}

function longestAnswer(model: string): number {
  return Math.min(modelLimits('anthropic', model)?.output ?? defaultMaxTokens, defaultMaxTokens);
}
