export { formatUsd, type Fraction, parseUsd, type Pico, picoFromCents, picoPerUnit } from './amount.ts';
export { type Bound, type BoundableCall, boundOf, lowerOutput } from './bounds.ts';
export { catalogueVersion, type Match } from './catalogue.ts';
export { costOf, type CostLine } from './cost.ts';
export { estimateTokens, estimateUsage } from './estimate.ts';
export { type ModelLimits, modelLimits } from './limits.ts';
export { applyMaxTokens } from './output-limit.ts';
export { findPrice, type Price } from './prices.ts';
export { createUsageReader, type UsageReader, type UsageReading } from './reader.ts';
export { hasListPrice, withListPrice } from './tier.ts';
export { mergeAnthropicUsage, usageFromAnthropicMessages } from './usage-anthropic.ts';
export { usageFromGemini, usageFromGeminiEmbed } from './usage-gemini.ts';
export {
  usageFromGroqChat,
  usageFromOpenAiChat,
  usageFromOpenAiEmbeddings,
  usageFromOpenAiResponses,
} from './usage-openai.ts';
export type { FeeName, Fees, TokenBucket, Usage, UsageFormat } from './usage.ts';
