import { type JsonObject, memberAt, objectAt, textAt } from './json.ts';
import { noTokens, optionalCount, requiredCount, soundUsage, type Usage } from './usage.ts';

/**
 * Transcriptions and translations, whole or as the last event of a stream: `usage` counts tokens or seconds by its
 * `type`. The verbose form of models that state none has the recording's `duration`.
 * https://developers.openai.com/api/reference/resources/audio · https://console.groq.com/docs/speech-to-text
 */
export function usageFromTranscription(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  if (usage === undefined) {
    const duration = memberAt(body, 'duration');
    return typeof duration === 'number' ? usageOfSeconds(duration, { duration }) : undefined;
  }
  if (textAt(usage, 'type') === 'duration') return usageOfSeconds(requiredCount(memberAt(usage, 'seconds')), usage);
  const input = requiredCount(memberAt(usage, 'input_tokens'));
  const details = objectAt(usage, 'input_token_details');
  // Where the input is not taken apart, it is all counted as the dearer kind.
  const audio = details === undefined ? input : optionalCount(memberAt(details, 'audio_tokens'));
  return soundUsage({
    ...noTokens,
    uncachedInput: input - audio,
    audioInput: audio,
    output: requiredCount(memberAt(usage, 'output_tokens')),
    raw: usage,
  });
}

/** Speech states its usage only in the last event of its stream. All of its output is audio. */
export function usageFromSpeech(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  if (usage === undefined) return undefined;
  const uncachedInput = requiredCount(memberAt(usage, 'input_tokens'));
  return soundUsage({
    ...noTokens,
    uncachedInput,
    audioOutput: requiredCount(memberAt(usage, 'output_tokens')),
    raw: usage,
  });
}

function usageOfSeconds(seconds: number, raw: JsonObject): Usage | undefined {
  return soundUsage({ ...noTokens, seconds, raw });
}
