import { type JsonObject, listAt, memberAt, objectAt, textAt } from '../../money/json.ts';
import { usageFromGemini } from '../../money/usage-gemini.ts';
import { stated, type Chat } from './chat.ts';
import { choice, withUsage, type CallFacts, type ChatCompletion, type FinishReason } from './completion.ts';
import { unreadable } from './failures.ts';
import { conversationOf, type TextPart } from './messages.ts';
import { unsupported } from './refusal.ts';

/**
 * A chat as the body of Gemini's generateContent and streamGenerateContent; the model and whether it streams are said by
 * the path. Throws `unsupported_parameter`.
 * https://ai.google.dev/api/generate-content
 */
export function toGoogle(chat: Chat): JsonObject {
  if (chat.user !== undefined) throw unsupported('user', 'Google has no such parameter. Leave it out.');
  const { system, turns } = conversationOf(chat.messages);
  const config = stated({
    maxOutputTokens: chat.maxTokens,
    temperature: chat.temperature,
    topP: chat.topP,
    stopSequences: chat.stop.length === 0 ? undefined : chat.stop,
    candidateCount: chat.choices === 1 ? undefined : chat.choices,
    seed: chat.seed,
    presencePenalty: chat.presencePenalty,
    frequencyPenalty: chat.frequencyPenalty,
  });
  return stated({
    systemInstruction: system.length === 0 ? undefined : { parts: system.map((text) => ({ text })) },
    contents: turns.map(({ role, parts }) => ({ role: role === 'user' ? 'user' : 'model', parts: textsOf(parts) })),
    generationConfig: Object.keys(config).length === 0 ? undefined : config,
  });
}

/** An answer of Gemini's as a chat completion. Throws `provider_error` for what is none. */
export function fromGoogle(answer: JsonObject, facts: CallFacts): ChatCompletion {
  const candidates = listAt(answer, 'candidates');
  const choices = isBlocked(answer)
    ? [choice(0, null, 'content_filter')]
    : candidates.map((candidate, position) =>
        choice(indexOf(candidate, position), textOf(candidate), finishOf(textAt(candidate, 'finishReason'))),
      );
  if (choices.length === 0) throw unreadable();
  return {
    id: textAt(answer, 'responseId') ?? facts.id,
    object: 'chat.completion',
    created: facts.created,
    model: textAt(answer, 'modelVersion') ?? facts.model,
    choices,
    ...withUsage(usageFromGemini(answer)),
  };
}

/** Whether Google refused the prompt: there is a reason and no candidate. */
export function isBlocked(answer: JsonObject): boolean {
  const reason = textAt(objectAt(answer, 'promptFeedback'), 'blockReason');
  return reason !== undefined && listAt(answer, 'candidates').length === 0;
}

/** The answer's text, without the thoughts that may come with it. */
export function textOf(candidate: unknown): string {
  return listAt(objectAt(candidate, 'content'), 'parts')
    .filter((part) => memberAt(part, 'thought') !== true)
    .map((part) => textAt(part, 'text') ?? '')
    .join('');
}

/** The first candidate's index is left out, as every zero is. */
export function indexOf(candidate: unknown, position: number): number {
  const index = memberAt(candidate, 'index');
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : position;
}

/**
 * Gemini's `finishReason` in OpenAI's words. Most of its reasons mean that the answer was held back, for safety,
 * recitation, a forbidden term and so on; the others (`OTHER`, `MALFORMED_RESPONSE` …) mean that it is not whole, which
 * `stop` would deny. Both are told as `content_filter`.
 */
export function finishOf(reason: string | undefined): FinishReason {
  if (reason === 'STOP') return 'stop';
  return reason === 'MAX_TOKENS' || reason === 'CONTINUATION' ? 'length' : 'content_filter';
}

function textsOf(parts: readonly TextPart[]): { text: string }[] {
  return parts.map(({ text }) => ({ text }));
}
