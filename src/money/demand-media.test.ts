import { describe, expect, test } from 'bun:test';
import { mp3, oggOpus, opusPacket, wav } from '../../test/harness/recordings.ts';
import { KeyPassError } from '../errors.ts';
import { call } from './bounds.fixture.ts';
import { boundOf, leastUsefulCost, lowerOutput, type BoundableCall } from './bounds.ts';
import { costOf } from './cost.ts';
import type { JsonObject } from './json.ts';
import { MediaFile, mediaKind } from './media-kind.ts';
import type { Price } from './prices.ts';
import { usageFromTranscription } from './usage-audio.ts';
import { usageFromOpenAiImages } from './usage-images.ts';
import { noTokens, type Usage, type UsageFormat } from './usage.ts';

function file(bytes: Uint8Array<ArrayBuffer>): MediaFile {
  const kind = mediaKind(bytes);
  if (kind === undefined) throw new Error('no kind');
  return new MediaFile(kind, bytes);
}

const png = file(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));

/** A form's bytes as sent are not the JSON that the fixture counts: its files and as much text. */
function form(provider: string, model: string, body: JsonObject, format: UsageFormat): BoundableCall {
  const files = Object.values(body)
    .flat()
    .filter((value) => value instanceof MediaFile);
  const bodyBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 500);
  return { ...call(provider, model, {}, format), body, bodyBytes };
}

const image = (body: JsonObject, model = 'gpt-image-1-mini') =>
  form('openai', model, { prompt: 'x', ...body }, 'openai-images');
const most = (of: BoundableCall) => boundOf(of).media?.most;

function refusalOf(of: BoundableCall): string {
  try {
    boundOf(of);
    return 'none';
  } catch (error) {
    if (!(error instanceof KeyPassError)) throw error;
    return [error.code, error.param].filter((part) => part !== undefined).join(' ');
  }
}

const step = (usd: bigint) => ({ above: -1, usd: String(usd), per: 1, pico: { numerator: usd, denominator: 1n } });

describe('images', () => {
  // https://developers.openai.com/api/docs/guides/image-generation#cost-and-latency
  test.each([
    ['gpt-image-1-mini', { quality: 'low', size: '1024x1024' }, 272],
    ['gpt-image-1-mini', { quality: 'medium', size: '1024x1536' }, 1584],
    ['gpt-image-1-mini', { quality: 'high', size: '1024x1024' }, 4160],
    ['gpt-image-1-mini', {}, 6240],
    ['gpt-image-1-mini', { quality: 'auto', size: 'auto' }, 6240],
    ['gpt-image-1-mini', { quality: 'low', size: '1024x1024', n: 3 }, 816],
    ['gpt-image-1-mini', { quality: 'low', size: '1024x1024', partial_images: 3 }, 572],
    ['gpt-image-1.5', { quality: 'high', size: '1024x1024' }, 4160],
    ['gpt-image-2', { quality: 'high', size: '1024x1024' }, 7024],
    ['gpt-image-2', { quality: 'high', size: '1536x1024' }, 5488],
    ['gpt-image-2', { quality: 'low', size: '1024x1024' }, 196],
    ['gpt-image-2-2026-04-21', { quality: 'medium', size: '1024x1024' }, 1756],
    ['gpt-image-2', {}, 23_719],
  ] as const)('%s %j', (model, body, tokens) => {
    expect(most(image(body, model))?.imageOutput).toBe(tokens);
  });

  test('no size of a model has more tokens than the one that is held where none is named', () => {
    const open = most(image({}, 'gpt-image-2'))?.imageOutput ?? 0;
    for (let width = 16; width <= 3840; width += 224) {
      for (let height = 16; height <= 3840; height += 224) {
        if (width * height > 8_294_400) continue;
        const named = most(image({ quality: 'high', size: `${width}x${height}` }, 'gpt-image-2'))?.imageOutput;
        expect(named).toBeLessThanOrEqual(open);
      }
    }
  });

  test('each image that is sent along counts, and each image that is asked for reads them all', () => {
    const one = most(image({ image: png }));
    expect(one?.imageInput).toBe(10_000);
    expect(most(image({ 'image[]': [png, png], mask: png, n: 2 }))?.imageInput).toBe(60_000);
    expect(most(image({ image: png, n: 2 }))?.uncachedInput).toBe(2 * (one?.uncachedInput ?? 0));
  });

  test('what is stated of an answer costs no more than was held', () => {
    const asked = image({ quality: 'high', size: '1024x1536', image: png });
    const usage = usageFromOpenAiImages({
      usage: {
        input_tokens: 7_000,
        input_tokens_details: { text_tokens: 400, image_tokens: 6_600 },
        output_tokens: 6_240,
      },
    });
    if (usage === undefined) throw new Error('no usage');
    expect(boundOf(asked).cost).toBeGreaterThanOrEqual(costOf(usage, asked.price).cost);
  });

  test('by the piece: at the dearest price that the request leaves open', () => {
    const images = [
      { size: '1024x1024', quality: 'standard', step: step(40n) },
      { size: '1024x1024', quality: 'hd', step: step(80n) },
      { size: '1792x1024', quality: 'hd', step: step(120n) },
    ];
    const price: Price = { ...image({}).price, model: 'dall-e-3', rates: {}, images };
    const cost = (body: JsonObject) => boundOf({ ...image(body, 'gpt-image-1-mini'), price }).cost;
    expect(cost({ size: '1024x1024', quality: 'standard', n: 2 })).toBe(80n);
    expect(cost({ size: '1024x1024' })).toBe(80n);
    expect(cost({})).toBe(120n);
    expect(usageFromOpenAiImages({ data: [{}, {}] })?.images).toEqual({ count: 2, size: null, quality: null });
  });

  test.each([
    [{ complexity: 'high' }, 'unbounded_cost complexity'],
    [{ output_format: 'svg' }, 'unbounded_cost output_format'],
    [{ frame_count: 9 }, 'unbounded_cost frame_count'],
    [{ n: 0 }, 'invalid_request n'],
    [{ n: '2' }, 'invalid_request n'],
    [{ partial_images: 4 }, 'invalid_request partial_images'],
    [{ quality: 'max' }, 'unbounded_cost quality'],
    [{ size: '1x1' }, 'unbounded_cost size'],
    [{ service_tier: 'priority' }, 'price_unknown service_tier'],
  ])('%j is refused', (body, reason) => {
    expect(refusalOf(image(body))).toBe(reason);
  });

  test('nothing is made smaller to fit', () => {
    expect(leastUsefulCost(image({}))).toBeUndefined();
    expect(lowerOutput(image({}), 1n)).toBeUndefined();
  });
});

test('what an image model writes is output, and the rest of its output is the image', () => {
  const usage = {
    input_tokens: 5,
    output_tokens: 1_100,
    output_tokens_details: { image_tokens: 1_056, text_tokens: 44 },
  };
  expect(usageFromOpenAiImages({ usage })).toMatchObject({ output: 44, imageOutput: 1_056 });
});

test('input that is not taken apart is all the dearer kind', () => {
  const usage = { type: 'tokens', input_tokens: 30, output_tokens: 4 };
  expect(usageFromTranscription({ usage })).toMatchObject({ uncachedInput: 0, audioInput: 30, output: 4 });
});

test('usage that contradicts itself is not believed', () => {
  const details = { text_tokens: 1, image_tokens: 9 };
  const usage = { input_tokens: 5, input_tokens_details: details, output_tokens: 1 };
  expect(usageFromOpenAiImages({ usage })).toBeUndefined();
  expect(usageFromOpenAiImages({ data: [] })).toBeUndefined();
  const drawn = { input_tokens: 5, output_tokens: 1 };
  expect(usageFromOpenAiImages({ usage: drawn, svg_usage: { input_tokens: 9 } })?.fees).toEqual({ otherTools: 1 });
});

describe('cached parts of a prompt with images', () => {
  test('are in buckets of their own', () => {
    const input_tokens_details = {
      text_tokens: 40,
      image_tokens: 60,
      cached_tokens: 30,
      cached_tokens_details: { text_tokens: 10, image_tokens: 20 },
    };
    const usage = usageFromOpenAiImages({ usage: { input_tokens: 100, input_tokens_details, output_tokens: 7 } });
    expect(usage).toMatchObject({
      uncachedInput: 30,
      cacheRead: 10,
      imageInput: 40,
      imageCacheRead: 20,
      imageOutput: 7,
    });
  });
});

const heard = (model: string, bytes: Uint8Array<ArrayBuffer>, more: JsonObject = {}, provider = 'openai') =>
  form(provider, model, { file: file(bytes), ...more }, `${provider === 'groq' ? 'groq' : 'openai'}-transcription`);

describe('recordings', () => {
  test('by the second: as long as they can decode to', () => {
    expect(boundOf(heard('whisper-1', wav(60))).cost).toBe(6_100_000_000n);
    expect(boundOf(heard('whisper-1', oggOpus(Array.from({ length: 500 }, () => opusPacket())))).cost).toBe(
      1_100_000_000n,
    );
    // Ten seconds at least.
    const short = heard('whisper-large-v3-turbo', mp3(1), {}, 'groq');
    expect(boundOf(short).cost).toBe(costOf({ ...noTokens, seconds: 10, raw: null }, short.price).cost);
  });

  test.each([
    [wav(60), { uncachedInput: 40, audioInput: 600, output: 300 }],
    [wav(1), { uncachedInput: 40, audioInput: 20, output: 2_000 }],
  ])('by the token: more than any voice has', (bytes, used) => {
    const usage: Usage = { ...noTokens, ...used, raw: null };
    for (const more of [{}, { chunking_strategy: 'auto' }, { response_format: 'text' }]) {
      const asked = heard('gpt-4o-transcribe', bytes, more);
      expect(boundOf(asked).cost).toBeGreaterThan(costOf(usage, asked.price).cost);
    }
  });

  test('cut into pieces, the prompt is read with each', () => {
    const whole = most(heard('gpt-4o-transcribe', wav(60)))?.uncachedInput ?? 0;
    expect(most(heard('gpt-4o-transcribe', wav(60), { chunking_strategy: 'auto' }))?.uncachedInput).toBe(61 * whole);
  });

  test.each([
    [{ 'known_speaker_references[]': ['data:audio/wav;base64,A'] }, 'unbounded_cost known_speaker_references[]'],
    [{ file: 'text' }, 'invalid_request file'],
    [{ file: png }, 'unbounded_cost file'],
  ])('%j is refused', (more, reason) => {
    expect(refusalOf(heard('whisper-1', wav(1), more))).toBe(reason);
  });
});

const said = (model: string, body: JsonObject) => call('openai', model, { voice: 'ash', ...body }, 'openai-speech');
const told = (body: JsonObject) => boundOf(said('gpt-4o-mini-tts', { input: 'a', ...body })).media?.told;

describe('speech', () => {
  test('by the character: no fewer are held than are counted', () => {
    const input = 'Grüße 🙂';
    const asked = said('tts-1', { input });
    expect(boundOf(asked).cost).toBe(8n * 15_000_000n);
    expect(boundOf(asked).media?.told?.usageOf({ isWhole: false, bytes: 0 })?.characters).toBe(7);
  });

  test('by the token: more than a slow voice takes', () => {
    const input = 'word '.repeat(800);
    // At a quarter of the usual fifteen characters a second, and 1,250 tokens a minute.
    const slow = Math.ceil(((input.length / 15) * 4 * 1_250) / 60);
    const asked = said('gpt-4o-mini-tts', { input, speed: 0.25 });
    expect(most(asked)?.audioOutput).toBeGreaterThan(slow);
  });

  test('the length of an answer tells only where it came whole, in a format of one rate', () => {
    const minute = { isWhole: true, bytes: 60 * 48_000 };
    expect(told({ response_format: 'pcm' })?.usageOf(minute)?.audioOutput).toBe(1_250);
    expect(told({ response_format: 'pcm' })?.usageOf({ ...minute, isWhole: false })).toBeUndefined();
    expect(told({ response_format: 'flac' })?.usageOf(minute)).toBeUndefined();
    // Never more than was held.
    expect(told({})?.usageOf({ isWhole: true, bytes: 10 ** 9 })?.audioOutput).toBe(2_012);
  });
});

const part = (data: string) => [
  { role: 'user', content: [{ type: 'input_audio', input_audio: { data, format: 'wav' } }] },
];

const asked = (data: string) => call('openai', 'gpt-audio', { messages: part(data), max_tokens: 10 });

test('a chat with a recording is held by its length, and by the whole context where that is not told', () => {
  const bytes = wav(20);
  const bound = boundOf(asked(bytes.toBase64()));
  expect(bound.inputTokens).toBeGreaterThan(20 * 10);
  expect(bound.inputTokens).toBeLessThan(2_000);
  expect(boundOf(asked('AAAA')).inputTokens).toBe(128_000);
  expect(boundOf(asked('no base64!')).inputTokens).toBe(128_000);
  // All of it at the price of audio, $32 for a million.
  expect(bound.cost).toBeGreaterThanOrEqual(BigInt(bound.inputTokens) * 32_000_000n);
});
