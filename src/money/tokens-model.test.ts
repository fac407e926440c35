import { expect, test } from 'bun:test';
import { tokenizerOf } from './tokens-model.ts';

test.each([
  ['openai', 'gpt-4o-mini', 'o200k_base', 100],
  ['openai', 'gpt-4.1', 'o200k_base', 100],
  ['openai', 'gpt-5.1-2025-11-13', 'o200k_base', 100],
  ['openai', 'o3', 'o200k_base', 100],
  ['openai', 'gpt-4', 'cl100k_base', 100],
  ['openai', 'gpt-4-turbo-2024-04-09', 'cl100k_base', 100],
  ['openai', 'ft:gpt-3.5-turbo-0125:acme::id', 'cl100k_base', 100],
  ['openai', 'text-embedding-3-small', 'cl100k_base', 100],
  ['anthropic', 'claude-sonnet-4-5-20250929', 'o200k_base', 130],
  ['anthropic', 'claude-sonnet-4-20250514', 'o200k_base', 130],
  ['anthropic', 'claude-3-5-haiku-latest', 'o200k_base', 130],
  ['anthropic', 'claude-opus-4-6', 'o200k_base', 130],
  ['anthropic', 'claude-opus-4-7', 'o200k_base', 170],
  ['anthropic', 'claude-sonnet-5', 'o200k_base', 170],
  ['google', 'gemini-2.5-pro', 'o200k_base', 125],
  ['groq', 'openai/gpt-oss-120b', 'o200k_base', 100],
  ['groq', 'llama-3.3-70b-versatile', 'cl100k_base', 100],
  ['groq', 'meta-llama/llama-4-scout-17b-16e-instruct', 'cl100k_base', 100],
  ['groq', 'qwen/qwen3-32b', 'cl100k_base', 130],
  ['elsewhere', 'gpt-4o', 'cl100k_base', 130],
] as const)('%s %s: %s at %p %', (provider, model, vocabulary, percent) => {
  expect(tokenizerOf(provider, model)).toEqual({ vocabulary, percent });
});
