import { isObject, type JsonObject, listAt, memberAt, objectAt, textAt } from '../../money/json.ts';
import { usageFromAnthropicMessages } from '../../money/usage-anthropic.ts';
import { claudeFormat } from './anthropic-blocks.ts';
import {
  choice,
  withUsage,
  type AnswerToolCall,
  type CallFacts,
  type ChatCompletion,
  type FinishReason,
} from './completion.ts';
import { unreadable } from './failures.ts';
import type { ReasoningDetail } from './message.ts';

/** A message of Anthropic's as a chat completion. Throws `provider_error` for what is no message. */
export function fromAnthropic(answer: JsonObject, facts: CallFacts): ChatCompletion {
  if (!Array.isArray(answer['content'])) throw unreadable();
  let text = '';
  const reasoning: ReasoningDetail[] = [];
  const toolCalls: AnswerToolCall[] = [];
  for (const block of listAt(answer, 'content')) {
    if (textAt(block, 'type') === 'text') text += textAt(block, 'text') ?? '';
    const thought = thoughtOf(block, reasoning.length, text.length);
    if (thought !== undefined) reasoning.push(thought);
    const call = callOf(block);
    if (call !== undefined) toolCalls.push(call);
  }
  const said = { text, refusal: refusalOf(answer), thoughts: textOf(reasoning), reasoning, toolCalls };
  return {
    id: textAt(answer, 'id') ?? facts.id,
    object: 'chat.completion',
    created: facts.created,
    model: textAt(answer, 'model') ?? facts.model,
    choices: [choice(0, said, finishOf(textAt(answer, 'stop_reason')))],
    ...withUsage(usageFromAnthropicMessages(answer)),
  };
}

/** A block of thinking, to be sent back as it is; `index` counts them, `offset` is how much text has come before. */
export function thoughtOf(block: unknown, index: number, offset: number): ReasoningDetail | undefined {
  const facts = { format: claudeFormat, index, ...(offset === 0 ? {} : { offset }) };
  const type = textAt(block, 'type');
  if (type === 'redacted_thinking') return { type: 'reasoning.encrypted', data: textAt(block, 'data') ?? '', ...facts };
  if (type !== 'thinking') return undefined;
  const text = textAt(block, 'thinking') ?? '';
  return { type: 'reasoning.text', text, signature: textAt(block, 'signature') ?? '', ...facts };
}

const finishes: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  pause_turn: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/**
 * Anthropic's `stop_reason` in OpenAI's words. One that is not known here may stand for an answer that is not whole,
 * which `stop` would deny: it is told as `content_filter`.
 */
export function finishOf(reason: string | undefined): FinishReason {
  const known = reason !== undefined && Object.hasOwn(finishes, reason) ? finishes[reason] : undefined;
  return known ?? 'content_filter';
}

/** Why the model refused, where Anthropic explains it; `holder` is a message or the delta of one. */
export function refusalOf(holder: unknown): string | null {
  const details = objectAt(holder, 'stop_details');
  return isObject(details) && details['type'] === 'refusal' ? (textAt(details, 'explanation') ?? null) : null;
}

function callOf(block: unknown): AnswerToolCall | undefined {
  if (textAt(block, 'type') !== 'tool_use') return undefined;
  const [id, name] = [textAt(block, 'id'), textAt(block, 'name')];
  if (id === undefined || name === undefined) throw unreadable();
  const input = JSON.stringify(memberAt(block, 'input') ?? {});
  return { id, type: 'function', function: { name, arguments: input } };
}

function textOf(reasoning: readonly ReasoningDetail[]): string {
  return reasoning.map((detail) => (detail.type === 'reasoning.text' ? detail.text : '')).join('');
}
