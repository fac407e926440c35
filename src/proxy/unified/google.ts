import { type JsonObject, textAt } from '../../money/json.ts';
import { usageFromGemini } from '../../money/usage-gemini.ts';
import { stated, type Chat } from './chat.ts';
import { choice, withUsage, type CallFacts, type ChatCompletion, type Choice } from './completion.ts';
import { unreadable } from './failures.ts';
import { candidatesOf, finishOf, isBlocked, signatureDetails, toolCall, type Candidate } from './google-answer.ts';
import { configFor } from './google-config.ts';
import { promptOf } from './google-contents.ts';
import { geminiTraits } from './google-models.ts';
import { toolsFor } from './google-tools.ts';
import { unsupported } from './refusal.ts';

/**
 * A chat as the body of Gemini's generateContent and streamGenerateContent; the model and whether it streams are said by
 * the path. Marks of where to cache say nothing here: Gemini finds by itself what it has cached. Throws
 * `unsupported_parameter`. https://ai.google.dev/api/generate-content
 */
export function toGoogle(chat: Chat): JsonObject {
  const traits = geminiTraits(chat.model);
  if (!traits.textOnly) {
    const why = 'This model answers with media, which a chat completion has no form for. Use passthrough.';
    throw unsupported('model', why);
  }
  return stated({
    ...promptOf(chat.messages, traits),
    ...toolsFor(chat),
    generationConfig: configFor(chat, traits),
  });
}

/** An answer of Gemini's as a chat completion. Throws `provider_error` for what is none. */
export function fromGoogle(answer: JsonObject, facts: CallFacts): ChatCompletion {
  const choices = isBlocked(answer)
    ? [choice(0, { text: null }, 'content_filter')]
    : candidatesOf(answer).map((candidate) => choiceOf(candidate, facts));
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

function choiceOf(candidate: Candidate, facts: CallFacts): Choice {
  const { index, text, thoughts, calls, logprobs, reason, message } = candidate;
  const finish = finishOf(reason, calls.length > 0);
  const answer = {
    text,
    thoughts,
    refusal: finish === 'content_filter' ? (message ?? null) : null,
    reasoning: signatureDetails(candidate),
    toolCalls: calls.map((call, position) => toolCall(call, index, position, facts)),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
  return choice(index, answer, finish);
}
