import { isAbsent, isObject } from '../../money/json.ts';
import type { ReasoningDetail } from './message.ts';
import { malformed } from './refusal.ts';

/**
 * Reads `reasoning_details` as they were sent out: pieces in their order. Of each, only what was sent is kept; whose
 * piece it is says `format`. Throws `invalid_request`.
 */
export function parseReasoning(value: unknown, place: string): ReasoningDetail[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw malformed(place, 'a list');
  const details = value.flatMap((detail: unknown, index) => parseDetail(detail, index, `${place}.${index}`));
  return details.toSorted((one, other) => one.index - other.index);
}

function parseDetail(detail: unknown, position: number, place: string): ReasoningDetail | [] {
  if (!isObject(detail)) throw malformed(place, 'an object');
  const { type, text, signature, data, format, index, offset } = detail;
  const facts = {
    format: typeof format === 'string' ? format : 'unknown',
    index: isCount(index) ? index : position,
    ...(isCount(offset) ? { offset } : {}),
  };
  // OpenRouter's third type, of models that show their thoughts in summary alone: nothing that could be sent back.
  if (type === 'reasoning.summary') return [];
  if (type === 'reasoning.encrypted') {
    if (typeof data !== 'string') throw malformed(`${place}.data`, 'a text');
    return { type, data, ...facts };
  }
  if (type !== 'reasoning.text') throw malformed(`${place}.type`, 'reasoning.text or reasoning.encrypted');
  const hasSignature = typeof signature === 'string';
  return { type, text: typeof text === 'string' ? text : '', ...(hasSignature ? { signature } : {}), ...facts };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
