import { KeyPassError } from '../errors.ts';
import { audioSeconds } from './audio-seconds.ts';
import type { MediaCall, MediaDemand, ToldUsage } from './demand-media.ts';
import { refuseUnknownMembers, unboundedCost } from './demand.ts';
import { isAbsent, type JsonObject, textAt } from './json.ts';
import { MediaFile } from './media-kind.ts';
import { noTokens } from './usage.ts';

/** Members whose cost is known; Groq's `url` brings a recording of any length. */
const known = {
  speech: {
    openai: new Set('model input voice instructions response_format speed stream_format'.split(' ')),
    groq: new Set('model input voice response_format sample_rate speed'.split(' ')),
  },
  transcription: {
    openai: new Set(
      `model file prompt language languages[] keywords[] response_format stream temperature include[]
      timestamp_granularities[] chunking_strategy chunking_strategy[type] chunking_strategy[prefix_padding_ms]
      chunking_strategy[silence_duration_ms] chunking_strategy[threshold]`.split(/\s+/),
    ),
    groq: new Set('model file prompt language response_format temperature timestamp_granularities[]'.split(' ')),
  },
};

/** Role and frame of a prompt: none known is near this. */
const promptOverhead = 512;

/**
 * Tokens of audio for one character of text: half a second's worth, when a voice at its usual speed takes a fifteenth of
 * one, and a quarter of that speed is the slowest. No limit is documented.
 */
const spokenTokensPerCharacter = 12;
const spokenTokensBeside = 2_000;

/** $0.015 a minute at $12 for a million. https://developers.openai.com/api/docs/models/gpt-4o-mini-tts */
const spokenTokensPerMinute = 1_250;

/** Bytes a second: of 24,000 samples of 16 bits, and the least that the codecs are made with here. */
const bytesPerSecond: Readonly<Record<string, number>> = { pcm: 48_000, wav: 48_000, mp3: 8_000 };

/**
 * What a request for speech asks for. By the character it is known before the answer; by the token it is stated only in a
 * stream of events, and told by the answer's length where its format has a fixed rate.
 */
export function speechDemand(provider: 'openai' | 'groq', { body, price, bodyBytes }: MediaCall): MediaDemand {
  refuseUnknownMembers(body, known.speech[provider]);
  const input = textAt(body, 'input');
  if (input === undefined) throw new KeyPassError('invalid_request', '`input` must be a text.', { param: 'input' });
  if (price.rates.character !== undefined) {
    const characters = Array.from(input).length;
    const usage = { ...noTokens, characters, raw: { characters } };
    const told: ToldUsage = { quality: 'measured', isAll: true, usageOf: () => usage };
    return { most: { ...usage, characters: input.length }, told };
  }
  const uncachedInput = bodyBytes + promptOverhead;
  const audioOutput = spokenTokensBeside + input.length * spokenTokensPerCharacter;
  const rate = bytesPerSecond[textAt(body, 'response_format') ?? 'mp3'];
  const usageOf: ToldUsage['usageOf'] = ({ isWhole, bytes }) => {
    if (!isWhole || rate === undefined || bytes === 0) return undefined;
    const spoken = Math.ceil(((bytes / rate) * spokenTokensPerMinute) / 60);
    return { ...noTokens, uncachedInput: bodyBytes, audioOutput: Math.min(spoken, audioOutput), raw: null };
  };
  return {
    most: { ...noTokens, uncachedInput, audioOutput, raw: null },
    told: { quality: 'estimated', isAll: false, usageOf },
  };
}

/** Documented are 10 a second of audio; of text no voice has as many. */
const tokensPerSecond = 25;
/** https://developers.openai.com/api/docs/models/gpt-4o-transcribe */
const leastOutputLimit = 2_000;

/** What a request for a transcription or a translation asks for: a recording as long as its bytes can decode to. */
export function transcriptionDemand(provider: 'openai' | 'groq', { body, price, bodyBytes }: MediaCall): MediaDemand {
  refuseUnknownMembers(body, known.transcription[provider]);
  const { seconds, fileBytes, kind } = recordingIn(body);
  const format = textAt(body, 'response_format') ?? 'json';
  const isText = ['text', 'srt', 'vtt'].includes(format);
  if (kind.extension === 'm4a' && (provider === 'openai' ? isText : format !== 'verbose_json'))
    throw unstated(provider);
  if (price.rates.audioSecond !== undefined) {
    const usage = { ...noTokens, seconds, raw: { seconds } };
    const told: ToldUsage = { quality: 'estimated', isAll: isText, usageOf: () => usage };
    // Rounded as the provider rounds.
    return { most: { ...usage, seconds: Math.ceil(seconds) + 1 }, told };
  }
  // Cut into pieces, each of them is read with the prompt.
  const passes = isAbsent(body['chunking_strategy']) && isAbsent(body['chunking_strategy[type]']) ? 1 : seconds + 1;
  const most = {
    ...noTokens,
    uncachedInput: Math.ceil(passes) * (bodyBytes - fileBytes + promptOverhead),
    audioInput: Math.ceil(seconds * tokensPerSecond) + promptOverhead,
    output: Math.ceil(seconds * tokensPerSecond) + leastOutputLimit,
    raw: null,
  };
  return isText ? { most, told: { quality: 'estimated', isAll: true, usageOf: () => undefined } } : { most };
}

/** Samples of AAC are counted, not decoded: whoever packs many into one must at least meet what the provider states. */
function unstated(provider: 'openai' | 'groq'): KeyPassError {
  const format = provider === 'openai' ? 'json' : 'verbose_json';
  const hint = `For a recording in MP4 ask for ${format}, which states its length; or send another format.`;
  return unboundedCost('response_format', hint);
}

function recordingIn(body: JsonObject): { seconds: number; fileBytes: number; kind: MediaFile['kind'] } {
  const { file } = body;
  if (!(file instanceof MediaFile))
    throw new KeyPassError('invalid_request', 'Send the recording as `file`.', { param: 'file' });
  const seconds = audioSeconds(file);
  if (seconds !== undefined) return { seconds, fileBytes: file.bytes.length, kind: file.kind };
  throw unboundedCost('file', 'Send WAV, MP3, FLAC, Ogg or WebM with Opus, Ogg with Vorbis, or MP4 with AAC.');
}
