/** A vocabulary of OpenAI's, by its published name. */
export type Vocabulary = 'o200k_base' | 'cl100k_base';

/** What was counted. `isBounded`: a part was not tokenised, and each of its bytes is taken for a token. */
export interface TokenCount {
  readonly tokens: number;
  readonly isBounded: boolean;
}

/**
 * The time to merge one word grows with the square of its length, and a word can be a megabyte of one letter: nothing
 * longer than this is tokenised at once. Prose is cut only where both vocabularies begin a new token anyway.
 */
const longestPiece = 512;

/** Of one call: a quarter of a million tokens of prose. What is beyond is bounded by its bytes. */
const mostCharacters = 2 ** 20;

/** Of all calls that wait to be counted. Whoever comes beyond is bounded by its bytes at once. */
const mostWaiting = 4 * mostCharacters;

/** Work on the one thread that answers everybody is done in slices, with twice as long for the others between. */
const sliceMs = 4;
const restMs = 8;

/** Words of one call whose tokens are remembered until it is counted. */
const mostWords = 2 ** 14;

interface Counter {
  count(text: string): number;
  /** Nothing that people wrote is kept. */
  forget(): void;
}

const counters = new Map<Vocabulary, Promise<Counter>>();
let waiting = 0;
let last: Promise<unknown> = Promise.resolve();
let workedMs = 0;

/**
 * Tokens of these texts, each by itself. The vocabulary is loaded when it is first needed and then kept: about 60 MB for
 * o200k_base, 35 MB for cl100k_base. One call is counted after the other, in slices of a few milliseconds.
 */
export async function countTokens(texts: readonly string[], vocabulary: Vocabulary): Promise<TokenCount> {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  if (characters === 0) return { tokens: 0, isBounded: false };
  const kept = Math.min(characters, mostCharacters);
  if (waiting + kept > mostWaiting) return boundedByBytes(texts);
  waiting += kept;
  const before = last;
  const turn = before
    .then(() => countSliced(texts, vocabulary))
    .catch(() => boundedByBytes(texts))
    .finally(() => (waiting -= kept));
  last = turn;
  return turn;
}

async function countSliced(texts: readonly string[], vocabulary: Vocabulary): Promise<TokenCount> {
  const counter = await counterFor(vocabulary);
  try {
    return await countPieces(texts, counter);
  } finally {
    counter.forget();
  }
}

async function countPieces(texts: readonly string[], counter: Counter): Promise<TokenCount> {
  let left = mostCharacters;
  let tokens = 0;
  let bytes = 0;
  for (const text of texts) {
    const end = Math.min(text.length, left);
    for (let from = 0; from < end;) {
      const to = Math.min(endOfPiece(text, from), end);
      const startedAt = performance.now();
      tokens += counter.count(text.slice(from, to));
      workedMs += performance.now() - startedAt;
      if (workedMs > sliceMs) await rest();
      from = to;
    }
    left -= end;
    bytes += byteLength(text.slice(end));
  }
  return { tokens: tokens + bytes, isBounded: bytes > 0 };
}

/** Before a space that follows something visible, or, where there is none, after as much as is tokenised at once. */
function endOfPiece(text: string, start: number): number {
  const most = start + longestPiece;
  if (most >= text.length) return text.length;
  for (let at = most; at > start + 1; at -= 1) {
    if (text[at] === ' ' && !/\s/.test(text[at - 1] ?? '')) return at;
  }
  const isBetweenSurrogates = /[\ud800-\udbff]/.test(text[most - 1] ?? '');
  return isBetweenSurrogates ? most - 1 : most;
}

async function rest(): Promise<void> {
  workedMs = 0;
  await new Promise((resolve) => setTimeout(resolve, restMs));
}

function boundedByBytes(texts: readonly string[]): TokenCount {
  return { tokens: texts.reduce((sum, text) => sum + byteLength(text), 0), isBounded: true };
}

function byteLength(text: string): number {
  return text === '' ? 0 : new TextEncoder().encode(text).length;
}

function counterFor(vocabulary: Vocabulary): Promise<Counter> {
  const known = counters.get(vocabulary);
  if (known !== undefined) return known;
  const loading = load(vocabulary);
  counters.set(vocabulary, loading);
  return loading;
}

const encodings = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
};

async function load(vocabulary: Vocabulary): Promise<Counter> {
  // It takes a quarter of a second. Whatever is under way, such as the end of the very call, goes out first.
  await rest();
  const encoding = await encodings[vocabulary]();
  encoding.setMergeCacheSize(mostWords);
  // A control token that is spelled out is text like any other.
  const plain = { disallowedSpecial: new Set<string>() };
  return { count: (text) => encoding.countTokens(text, plain), forget: encoding.clearMergeCache };
}
