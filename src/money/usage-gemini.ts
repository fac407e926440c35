import { type JsonObject, listAt, memberAt, objectAt, textAt } from './json.ts';
import { noTokens, optionalCount, requiredCount, soundUsage, type Usage } from './usage.ts';

/**
 * Gemini's generateContent, whole or one chunk (each chunk repeats the counts: the last is the call's). The prompt
 * includes cached tokens; output is candidates plus thoughts; results of the provider's tools come on top of the prompt.
 * What the stated total has beyond these is counted as output, so that a part the API did not itemise is not lost.
 * https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function usageFromGemini(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usageMetadata');
  if (usage === undefined) return undefined;
  const prompt =
    requiredCount(memberAt(usage, 'promptTokenCount')) + optionalCount(memberAt(usage, 'toolUsePromptTokenCount'));
  const thoughts = optionalCount(memberAt(usage, 'thoughtsTokenCount'));
  const answer = optionalCount(memberAt(usage, 'candidatesTokenCount')) + thoughts;
  const unexplained = Math.max(0, optionalCount(memberAt(usage, 'totalTokenCount')) - prompt - answer);
  const input = inputByModality(usage, prompt);
  const made = byModality(usage, 'candidatesTokensDetails');
  return soundUsage({
    ...noTokens,
    ...input,
    output: answer + unexplained - made.audio - made.image,
    audioOutput: made.audio,
    ...(made.image === 0 ? {} : { imageOutput: made.image }),
    reasoning: thoughts,
    raw: usage,
  });
}

/**
 * embedContent and batchEmbedContents, which name the modalities `promptTokenDetails`: older models state no usage at all.
 * https://ai.google.dev/api/embeddings
 */
export function usageFromGeminiEmbed(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usageMetadata');
  if (usage === undefined) return undefined;
  const input = inputByModality(usage, requiredCount(memberAt(usage, 'promptTokenCount')));
  return soundUsage({ ...noTokens, ...input, raw: usage });
}

function inputByModality(usage: JsonObject, prompt: number) {
  const all = byModality(usage, 'promptTokenDetails' in usage ? 'promptTokenDetails' : 'promptTokensDetails');
  const fromCache = byModality(usage, 'cacheTokensDetails');
  const cached = optionalCount(memberAt(usage, 'cachedContentTokenCount'));
  const audio = Math.max(0, all.audio - fromCache.audio);
  const image = Math.max(0, all.image - fromCache.image);
  const video = Math.max(0, all.video - fromCache.video);
  return {
    uncachedInput: prompt - cached - audio - image - video,
    cacheRead: cached - fromCache.audio,
    audioInput: audio,
    ...(fromCache.audio === 0 ? {} : { audioCacheRead: fromCache.audio }),
    ...(image === 0 ? {} : { imageInput: image }),
    ...(video === 0 ? {} : { videoInput: video }),
  };
}

function byModality(usage: JsonObject, member: string) {
  const counts = { audio: 0, image: 0, video: 0 };
  for (const detail of listAt(usage, member)) {
    const modality = textAt(detail, 'modality')?.toLowerCase();
    if (modality === 'audio' || modality === 'image' || modality === 'video') {
      counts[modality] += optionalCount(memberAt(detail, 'tokenCount'));
    }
  }
  return counts;
}
