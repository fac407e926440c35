import { KeyPassError } from '../errors.ts';
import { priceUnknown } from './cost.ts';
import type { MediaCall, MediaDemand } from './demand-media.ts';
import { limitMember, refuseUnknownMembers, unboundedCost } from './demand.ts';
import { isAbsent, type JsonObject, textAt } from './json.ts';
import { modelNames } from './limits.ts';
import { filesIn } from './media-kind.ts';
import { noTokens } from './usage.ts';

/**
 * Members whose cost is known. Not among them on purpose: `complexity`, `svg`, `markup` and the frames of a GIF, which
 * are no part of any count that is documented.
 */
const known = new Set(
  `model prompt n size quality background moderation output_compression output_format partial_images response_format
  stream style user safety_identifier input_fidelity image image[] mask`.split(/\s+/),
);

const mostImages = 10;
const mostPartialImages = 3;
/** "Each partial image will incur an additional 100 image output tokens." https://developers.openai.com/api/docs/guides/image-generation */
const partialImageTokens = 100;

/** Instructions around a prompt, and what each image adds to its text: the most that was seen is a third of this. */
const promptOverhead = 512;
const textTokensPerImage = 64;

/**
 * The most tokens of an image that is sent along: 129 for each tile of 512 pixels, of which the shorter side has one, and
 * 6,240 where it is kept with high fidelity. https://developers.openai.com/api/docs/guides/images-vision
 */
const mostInputImageTokens = 10_000;

/** What a request for images asks for: new ones, changed ones or variations. */
export function imagesDemand({ model, body, price, bodyBytes }: MediaCall): MediaDemand {
  refuseUnknownMembers(body, known);
  refuseOtherFormats(body);
  const count = limitMember(body, 'n', { least: 1, most: mostImages, nullIsAbsent: true }) ?? 1;
  const partial = limitMember(body, 'partial_images', { least: 0, most: mostPartialImages, nullIsAbsent: true }) ?? 0;
  refuseStreamOfMany(body, count);
  if (price.images !== undefined && price.images.length > 0) {
    const images = { count, size: textAt(body, 'size') ?? null, quality: textAt(body, 'quality') ?? null };
    return { most: { ...noTokens, images, raw: null } };
  }
  const files = filesIn(body);
  const text = bodyBytes - files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const made = tokensOf(model, body);
  // Several images are billed as so many calls, prompt and all.
  const most = {
    ...noTokens,
    uncachedInput: count * (text + promptOverhead + files.length * textTokensPerImage),
    imageInput: count * files.length * mostInputImageTokens,
    output: count * made.text,
    imageOutput: count * (made.image + partial * partialImageTokens),
    raw: null,
  };
  return { most };
}

/** A vector drawing is written by another model, an animation has frames. */
function refuseOtherFormats(body: JsonObject): void {
  const format = body['output_format'];
  if (!isAbsent(format) && !['png', 'jpeg', 'webp'].some((name) => name === format)) {
    throw unboundedCost('output_format', 'Ask for png, jpeg or webp.');
  }
}

/** Whether the last of several events has the tokens of all is not documented. */
function refuseStreamOfMany(body: JsonObject, count: number): void {
  if (count === 1 || body['stream'] !== true) return;
  throw new KeyPassError('unsupported_parameter', 'A stream has one image: send n of 1, or do not stream.', {
    param: 'n',
  });
}

interface Made {
  readonly image: number;
  readonly text: number;
}

const qualities = ['low', 'medium', 'high'] as const;

/** Tokens of a square and of any other image. https://developers.openai.com/api/docs/guides/image-generation#cost-and-latency */
const fixedSizes = { low: [272, 408], medium: [1056, 1584], high: [4160, 6240] } as const;

/** What the model writes for itself before it draws; how much is not documented, what was seen is a tenth of this. */
const thoughts = 4096;

const models: Readonly<Record<string, (body: JsonObject) => Made>> = {
  'gpt-image-1': (body) => ({ image: fixedSizeTokens(body), text: 0 }),
  'gpt-image-1-mini': (body) => ({ image: fixedSizeTokens(body), text: 0 }),
  'gpt-image-1.5': (body) => ({ image: fixedSizeTokens(body), text: thoughts }),
  'gpt-image-2': (body) => ({ image: anySizeTokens(body), text: 0 }),
};

function tokensOf(model: string, body: JsonObject): Made {
  const found = modelNames('openai', model).find((name) => Object.hasOwn(models, name));
  const made = found === undefined ? undefined : models[found]?.(body);
  if (made === undefined) throw priceUnknown(model, 'an image', 'Its tokens by size and quality are not documented.');
  return made;
}

function qualityOf(body: JsonObject): (typeof qualities)[number] {
  const { quality } = body;
  if (isAbsent(quality) || quality === 'auto') return 'high';
  const stated = qualities.find((name) => name === quality);
  if (stated === undefined) throw unboundedCost('quality', 'Name low, medium or high.');
  return stated;
}

function fixedSizeTokens(body: JsonObject): number {
  const { size } = body;
  if (!isAbsent(size) && !['auto', '1024x1024', '1024x1536', '1536x1024'].some((name) => name === size)) {
    throw unboundedCost('size', 'Name one of the sizes that the model has.');
  }
  return fixedSizes[qualityOf(body)][size === '1024x1024' ? 0 : 1];
}

/** The widest that may be asked for; of all its shapes the square has the most tokens. */
const mostPixels = 8_294_400;
const mostEdge = 3840;

/**
 * The calculator of the guide: tokens along the longer side by the quality, along the shorter one in proportion, and
 * both grow with the area. https://developers.openai.com/api/docs/guides/image-generation#calculating-costs
 */
function anySizeTokens(body: JsonObject): number {
  const { size } = body;
  const perSide = { low: 16, medium: 48, high: 96 }[qualityOf(body)];
  if (isAbsent(size) || size === 'auto') return sizedTokens(perSide, perSide, mostPixels);
  const [, width, height] = /^([1-9]\d{1,3})x([1-9]\d{1,3})$/.exec(typeof size === 'string' ? size : '') ?? [];
  const sides = [Number(width), Number(height)];
  const [shorter, longer] = [Math.min(...sides), Math.max(...sides)];
  if (!(longer <= mostEdge && shorter * longer <= mostPixels)) {
    throw unboundedCost('size', 'Name a size as WIDTHxHEIGHT, within what the model has.');
  }
  return sizedTokens(perSide, Math.ceil((perSide * shorter) / longer), shorter * longer);
}

function sizedTokens(along: number, across: number, pixels: number): number {
  return Math.ceil((along * across * (2_000_000 + pixels)) / 4_000_000);
}
