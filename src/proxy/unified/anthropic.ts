import { modelLimits } from '../../money/limits.ts';
import { isObject, type JsonObject, listAt, textAt, objectAt } from '../../money/json.ts';
import { usageFromAnthropicMessages } from '../../money/usage-anthropic.ts';
import { stated, type Chat } from './chat.ts';
import { choice, withUsage, type CallFacts, type ChatCompletion, type FinishReason } from './completion.ts';
import { unreadable } from './failures.ts';
import { conversationOf } from './messages.ts';
import { malformed, unsupported } from './refusal.ts';

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
  refuseUnknownToAnthropic(chat);
  const { system, turns } = conversationOf(chat.messages);
  return stated({
    model: chat.model,
    max_tokens: chat.maxTokens ?? longestAnswer(chat.model),
    system: system.length === 0 ? undefined : system.map((text) => ({ type: 'text', text })),
    messages: turns.map(({ role, parts }) => ({ role, content: parts.map(({ text }) => ({ type: 'text', text })) })),
    temperature: chat.temperature,
    top_p: chat.topP,
    stop_sequences: chat.stop.length === 0 ? undefined : chat.stop,
    metadata: chat.user === undefined ? undefined : { user_id: chat.user },
    stream: chat.stream ? true : undefined,
  });
}

/** A message of Anthropic's as a chat completion. Throws `provider_error` for what is no message. */
export function fromAnthropic(answer: JsonObject, facts: CallFacts): ChatCompletion {
  if (!Array.isArray(answer['content'])) throw unreadable();
  const content = listAt(answer, 'content')
    .filter((block) => textAt(block, 'type') === 'text')
    .map((block) => textAt(block, 'text') ?? '')
    .join('');
  const refusal = refusalOf(answer);
  return {
    id: textAt(answer, 'id') ?? facts.id,
    object: 'chat.completion',
    created: facts.created,
    model: textAt(answer, 'model') ?? facts.model,
    choices: [
      choice(0, content === '' && refusal !== null ? null : content, finishOf(textAt(answer, 'stop_reason')), refusal),
    ],
    ...withUsage(usageFromAnthropicMessages(answer)),
  };
}

const finishes: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  pause_turn: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/**
 * Anthropic's `stop_reason` in OpenAI's words. One that is not known here may stand for an answer that is not whole,
 * which `stop` would deny: it is told as `content_filter`.
 */
export function finishOf(reason: string | undefined): FinishReason {
  const known = reason !== undefined && Object.hasOwn(finishes, reason) ? finishes[reason] : undefined;
  return known ?? 'content_filter';
}

/** Why the model refused, where Anthropic explains it; `holder` is a message or the delta of one. */
export function refusalOf(holder: unknown): string | null {
  const details = objectAt(holder, 'stop_details');
  return isObject(details) && details['type'] === 'refusal' ? (textAt(details, 'explanation') ?? null) : null;
}

function refuseUnknownToAnthropic(chat: Chat): void {
  const absent = 'Anthropic has no such parameter. Leave it out.';
  if (chat.choices > 1) throw unsupported('n', 'Anthropic gives one choice. Leave `n` out or send 1.');
  if (chat.seed !== undefined) throw unsupported('seed', absent);
  if ((chat.presencePenalty ?? 0) !== 0) throw unsupported('presence_penalty', absent);
  if ((chat.frequencyPenalty ?? 0) !== 0) throw unsupported('frequency_penalty', absent);
  if (chat.temperature !== undefined && chat.temperature > 1) {
    throw malformed('temperature', 'a number from 0 to 1 for Anthropic');
  }
  if (chat.stop.some((stop) => stop.trim() === '')) {
    throw unsupported('stop', 'Anthropic does not stop at white space alone.');
  }
}

function longestAnswer(model: string): number {
  return Math.min(modelLimits('anthropic', model)?.output ?? defaultMaxTokens, defaultMaxTokens);
}
