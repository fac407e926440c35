import { isAbsent, listAt, memberAt, objectAt, textAt } from './json.ts';
import { incurred, noTokens, optionalCount, requiredCount, soundUsage, type Usage } from './usage.ts';

/**
 * Image generations, edits and variations, whole or as the last event of a stream. GPT Image models state tokens; the
 * older ones nothing: then the images in the answer are counted.
 * https://developers.openai.com/api/reference/resources/images
 */
export function usageFromOpenAiImages(body: unknown): Usage | undefined {
  const usage = objectAt(body, 'usage');
  if (usage === undefined) return usageByTheImage(body);
  const given = objectAt(usage, 'input_tokens_details');
  const cached = optionalCount(memberAt(given, 'cached_tokens'));
  const cachedImages = optionalCount(memberAt(objectAt(given, 'cached_tokens_details'), 'image_tokens'));
  const images = optionalCount(memberAt(given, 'image_tokens'));
  const output = requiredCount(memberAt(usage, 'output_tokens'));
  const text = optionalCount(memberAt(objectAt(usage, 'output_tokens_details'), 'text_tokens'));
  return soundUsage({
    ...noTokens,
    uncachedInput: requiredCount(memberAt(usage, 'input_tokens')) - images - (cached - cachedImages),
    cacheRead: cached - cachedImages,
    imageInput: images - cachedImages,
    ...(cachedImages === 0 ? {} : { imageCacheRead: cachedImages }),
    output: text,
    imageOutput: output - text,
    // Another model wrote it, at a price of its own.
    ...incurred({ webSearch: 0, fileSearch: 0, otherTools: isAbsent(memberAt(body, 'svg_usage')) ? 0 : 1 }),
    raw: usage,
  });
}

function usageByTheImage(body: unknown): Usage | undefined {
  const count = listAt(body, 'data').length;
  if (count === 0) return undefined;
  const images = { count, size: textAt(body, 'size') ?? null, quality: textAt(body, 'quality') ?? null };
  return soundUsage({ ...noTokens, images, raw: { images } });
}
