import toml from './price-supplement.toml' with { type: 'text' };
import { parsePriceFile, type PriceFile } from './price-file.ts';

const text: string = toml;

const providers = ['openai', 'anthropic', 'google', 'groq', 'mistral', 'xai', 'deepseek', 'together', 'perplexity'];

/** What the catalogue lacks or has wrong, each with its source: price-supplement.toml, in the form of a price file. */
export const supplement: PriceFile = parsePriceFile(text, providers);
