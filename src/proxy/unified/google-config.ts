import type { JsonObject } from '../../money/json.ts';
import { stated, type Chat, type ReasoningEffort } from './chat.ts';
import { mediaResolution } from './google-media.ts';
import type { GeminiTraits } from './google-models.ts';
import { namedConstants } from './google-schema.ts';
import { malformed, unsupported } from './refusal.ts';
import { describedSchema, type ResponseFormat } from './response-format.ts';

/**
 * `generationConfig`, or nothing if there is nothing to say in it. Throws `unsupported_parameter`.
 * https://ai.google.dev/api/generate-content#generationconfig
 */
export function configFor(chat: Chat, traits: GeminiTraits): JsonObject | undefined {
  refuseUnknownToGoogle(chat);
  const config = stated({
    maxOutputTokens: chat.maxTokens,
    temperature: chat.temperature,
    topP: chat.topP,
    stopSequences: chat.stop.length === 0 ? undefined : chat.stop,
    candidateCount: chat.choices === 1 ? undefined : chat.choices,
    seed: chat.seed,
    // Zero is the default, and some models refuse to be told of penalties at all.
    presencePenalty: chat.presencePenalty === 0 ? undefined : chat.presencePenalty,
    frequencyPenalty: chat.frequencyPenalty === 0 ? undefined : chat.frequencyPenalty,
    responseLogprobs: chat.logprobs ? true : undefined,
    logprobs: chat.topLogprobs,
    mediaResolution: mediaResolution(chat.messages),
    thinkingConfig: thinkingOf(chat.reasoningEffort, traits),
    ...responseOf(chat.responseFormat),
  });
  return Object.keys(config).length === 0 ? undefined : config;
}

const mostOfInt32 = 2 ** 31 - 1;

function refuseUnknownToGoogle({ user, logitBias, logprobs, topLogprobs, seed = 0 }: Chat): void {
  if (user !== undefined) {
    throw unsupported('user', 'Google is told of no users. Leave `user` and `safety_identifier` out.');
  }
  if (logitBias !== undefined) throw unsupported('logit_bias', 'Google has no such parameter. Leave it out.');
  if (topLogprobs !== undefined && !logprobs) throw malformed('top_logprobs', 'absent where `logprobs` is not true');
  if (Math.abs(seed) > mostOfInt32) throw malformed('seed', 'a whole number of 32 bits for Google');
}

function responseOf(format: ResponseFormat | undefined): JsonObject {
  if (format === undefined) return {};
  const responseMimeType = 'application/json';
  if (format.type === 'json_object') return { responseMimeType };
  return { responseMimeType, responseJsonSchema: namedConstants(describedSchema(format)) };
}

/** What Google's own OpenAI-shaped endpoint makes of an effort. https://ai.google.dev/gemini-api/docs/openai#thinking */
const budgets: Readonly<Partial<Record<ReasoningEffort, number>>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
};

/** Whoever asks for reasoning gets to read it: as a summary, which costs nothing more. */
function thinkingOf(effort: ReasoningEffort | undefined, traits: GeminiTraits): JsonObject | undefined {
  if (effort === undefined) return undefined;
  if (effort === 'none') return turnedOff(traits);
  const { thinking, xhigh } = traits;
  if (thinking === 'never') throw refused('This model does not reason. Leave it out.');
  if (thinking === 'level' && effort !== 'max' && (effort !== 'xhigh' || xhigh)) {
    return { thinkingLevel: effort, includeThoughts: true };
  }
  const thinkingBudget = thinking === 'budget' ? budgets[effort] : undefined;
  if (thinkingBudget === undefined) throw refused('The most effort of this model is high.');
  return { thinkingBudget, includeThoughts: true };
}

function turnedOff({ thinking, off }: GeminiTraits): JsonObject | undefined {
  if (thinking === 'never') return undefined;
  if (!off) throw refused('This model always reasons. Send low, or leave it out.');
  return { thinkingBudget: 0 };
}

function refused(why: string): Error {
  return unsupported('reasoning_effort', why);
}
