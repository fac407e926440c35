import type { Vocabulary } from './tokens.ts';

/** How a model's tokens are estimated: counted with this vocabulary, then times `percent` / 100, rounded up. */
export interface Tokenizer {
  readonly vocabulary: Vocabulary;
  readonly percent: number;
}

/** https://github.com/openai/tiktoken/blob/main/tiktoken/model.py · https://huggingface.co/openai/gpt-oss-120b */
const o200k: Tokenizer = { vocabulary: 'o200k_base', percent: 100 };
const cl100k: Tokenizer = { vocabulary: 'cl100k_base', percent: 100 };
const olderOpenAi = /^(?:gpt-3\.5|gpt-4$|gpt-4-|text-embedding-)/;

/**
 * Anthropic publishes no vocabulary. Its models before Opus 4.7 were measured at up to 30 % more tokens than o200k_base
 * (code; 16 % for prose); later ones take about 30 % more again.
 * https://platform.claude.com/docs/en/build-with-claude/token-counting
 */
const olderClaude = /^claude-(?:3-|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-20\d{6})?$)/;

/** "A token is equivalent to about 4 characters", o200k_base has 4.5 in prose. https://ai.google.dev/gemini-api/docs/tokens */
const gemini: Tokenizer = { vocabulary: 'o200k_base', percent: 125 };

/**
 * Of the rest only this is known: Llama 3 and later have cl100k's vocabulary and more, so that cl100k bounds them; Qwen's
 * starts from it and takes each digit by itself; others are of like size. An older vocabulary is the safer measure.
 * https://ai.meta.com/blog/meta-llama-3/ · https://github.com/QwenLM/Qwen/blob/main/tokenization_note.md
 */
const llama = /(?:^|\/)llama-/;
const unknown: Tokenizer = { vocabulary: 'cl100k_base', percent: 130 };

/** The measure for a model; where nothing is published, one that is rather too large. */
export function tokenizerOf(provider: string, model: string): Tokenizer {
  const name = model.toLowerCase().replace(/^ft:/, '');
  if (provider === 'openai') return olderOpenAi.test(name) ? cl100k : o200k;
  if (provider === 'anthropic') return { vocabulary: 'o200k_base', percent: olderClaude.test(name) ? 130 : 170 };
  if (provider === 'google') return gemini;
  if (name.includes('gpt-oss')) return o200k;
  return llama.test(name) ? cl100k : unknown;
}
