import { modelNames } from '../../money/limits.ts';

/** What a Gemini model takes that others don't. */
export interface GeminiTraits {
  /** How it is told how much to think: a level, a number of tokens, or nothing, since it does not think. */
  readonly thinking: 'level' | 'budget' | 'never';
  /** Whether it can be kept from thinking. */
  readonly off: boolean;
  readonly xhigh: boolean;
  /** It takes back no call of its own without the signature that came with it. */
  readonly signedCalls: boolean;
  /** Google fetches media for it from public addresses. */
  readonly addresses: boolean;
  /** The result of a function may have images and documents. */
  readonly richResults: boolean;
  /** It answers in text alone. */
  readonly textOnly: boolean;
}

/** A model that is not known takes everything as far as KeyPass can tell; what it doesn't, Google refuses. */
const current: GeminiTraits = {
  thinking: 'level',
  off: false,
  xhigh: false,
  signedCalls: true,
  addresses: true,
  richResults: true,
  textOnly: true,
};

const hydrogen = { ...current, xhigh: true } as const;
const pro25 = { ...current, thinking: 'budget', signedCalls: false, richResults: false } as const;
const flash25 = { ...pro25, off: true } as const;
const version2 = { ...flash25, thinking: 'never', addresses: false } as const;

/**
 * By the beginning of the name, the first that fits.
 * https://ai.google.dev/gemini-api/docs/thinking · …/openai#thinking · …/thought-signatures · …/file-input-methods
 * · …/function-calling#multimodal
 */
const families: readonly (readonly [string, GeminiTraits])[] = [
  ['gemini-1', version2],
  ['gemini-2.0', version2],
  ['gemini-2.5-pro', pro25],
  ['gemini-2.5', flash25],
  ['gemini-robotics-er-1.5', flash25],
  ['gemini-4-hydrogen', hydrogen],
  ['gemma-3', version2],
];

const otherThanText = /-(?:image|tts|audio|native-audio|live)(?:-|$)|^(?:nano-banana|gemini-nano-banana|gemini-omni)/;

export function geminiTraits(model: string): GeminiTraits {
  const [name] = modelNames('google', model);
  const traits = families.find(([beginning]) => name.startsWith(beginning))?.[1] ?? current;
  return otherThanText.test(name) ? { ...traits, textOnly: false } : traits;
}
