import { isObject, type JsonObject, memberAt, objectAt, textAt } from '../money/json.ts';

/**
 * `{ error: { message } }` for most, `{ error: "…" }` for Hugging Face; Mistral and Cohere have `message` at the top,
 * Mistral at times with a list of details in it, or `detail` in its place, as its framework writes them.
 */
export function failureIn(holder: unknown): JsonObject | undefined {
  const error = memberAt(holder, 'error');
  if (typeof error === 'string') return { message: error };
  return objectAt(holder, 'error') ?? (isObject(holder) ? holder : undefined);
}

export function messageIn(failure: unknown): string | undefined {
  return textAt(failure, 'message') ?? textAt(failure, 'detail') ?? textAt(detailIn(failure), 'msg');
}

/** The first fault of a validation: `{ loc: ["body", "n"], msg }`. */
export function detailIn(failure: unknown): unknown {
  const message = memberAt(failure, 'message');
  return [message, memberAt(message, 'detail'), memberAt(failure, 'detail')].find(Array.isArray)?.[0];
}

/** OpenAI and Groq name a `code` or else a `type`, Anthropic a `type`, Google a `status` beside its numeric `code`. */
export function codeOf(failure: unknown): string | undefined {
  const code = textAt(failure, 'code') ?? textAt(failure, 'status') ?? textAt(failure, 'type');
  return code !== undefined && /^[\w.-]{1,64}$/.test(code) && safeText(code) === code ? code : undefined;
}

const longestText = 500;

/** Whatever is built like a key, whole or masked, whichever provider or proxy wrote it there. */
const likeKey =
  /\b(?:sk|gsk|csk|pk|rk|xai|kp|pplx|tgp|fw|hf)[-_][^\s"'`,;]{6,}|\bAIza[^\s"'`,;]{6,}|\bAQ\.[^\s"'`,;]{6,}|\b[a-z0-9]{32,}\b|[\w-]*\*{3,}[\w-]*/gi;

/** What a provider wrote, as far as it may be passed on: not at any length, and without what may be a key. */
export function safeText(text: string | undefined): string {
  if (text === undefined || text.trim() === '') return 'it gave no reason.';
  return text
    .slice(0, 4 * longestText)
    .replace(likeKey, '[removed]')
    .slice(0, longestText);
}
