import { isObject, type JsonObject, listAt, memberAt, objectAt, textAt } from '../../money/json.ts';
import type { AnswerToolCall, CallFacts, FinishReason, TokenLogprob, TopLogprob } from './completion.ts';
import { unreadable } from './failures.ts';
import type { ReasoningEncrypted } from './message.ts';

/** What a candidate says, whole or in one event of a stream. */
export interface Candidate {
  readonly index: number;
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly Call[];
  /** The signatures of its texts; `offset` is where in this text. */
  readonly signatures: readonly { readonly data: string; readonly offset: number }[];
  readonly logprobs: readonly TokenLogprob[] | undefined;
  readonly reason: string | undefined;
  /** Google's explanation of the reason. */
  readonly message: string | undefined;
}

interface Call {
  readonly id: string | undefined;
  readonly name: string;
  /** JSON as a text. */
  readonly args: string;
  readonly signature: string | undefined;
}

/** OpenRouter's name for signatures of Gemini's. */
export const signatureFormat = 'google-gemini-v1';

/** The candidates of an answer or an event. Throws `provider_error` for what a chat completion has no form for. */
export function candidatesOf(answer: JsonObject): Candidate[] {
  return listAt(answer, 'candidates').map(readCandidate);
}

/** Whether Google refused the prompt: there is a reason and no candidate. */
export function isBlocked(answer: JsonObject): boolean {
  const reason = textAt(objectAt(answer, 'promptFeedback'), 'blockReason');
  return reason !== undefined && listAt(answer, 'candidates').length === 0;
}

/**
 * Gemini's `finishReason` in OpenAI's words. Most of its reasons mean that the answer was held back, for safety,
 * recitation, a forbidden term and so on; the others (`OTHER`, `MALFORMED_FUNCTION_CALL` …) mean that it is not whole,
 * which `stop` would deny. Both are told as `content_filter`. Gemini stops at calls as it stops at anything;
 * `FUNCTION_CALL` is what some servers that speak its API say there.
 */
export function finishOf(reason: string | undefined, hasCalls: boolean): FinishReason {
  if (hasCalls && (reason === 'STOP' || reason === 'FUNCTION_CALL')) return 'tool_calls';
  if (reason === 'STOP') return 'stop';
  return reason === 'MAX_TOKENS' || reason === 'CONTINUATION' ? 'length' : 'content_filter';
}

/** A call in OpenAI's shape. Older models give it no id: then it gets one that no other answer has. */
export function toolCall(call: Call, choice: number, position: number, { id: answerId }: CallFacts): AnswerToolCall {
  const ownId = `call_${answerId.replaceAll(/[^a-z0-9]/gi, '').slice(-24)}_${choice}_${position}`;
  const { id = ownId, name, args, signature } = call;
  const extra = signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } };
  return { id, type: 'function', function: { name, arguments: args }, ...extra };
}

/** The signatures of texts, to be sent back; `before` is how much text came before. */
export function signatureDetails({ signatures }: Candidate, first = 0, before = 0): ReasoningEncrypted[] {
  return signatures.map(({ data, offset }, position) => ({
    type: 'reasoning.encrypted',
    data,
    format: signatureFormat,
    index: first + position,
    ...(before + offset === 0 ? {} : { offset: before + offset }),
  }));
}

function readCandidate(candidate: unknown, position: number): Candidate {
  const parts = listAt(objectAt(candidate, 'content'), 'parts');
  const signatures: { data: string; offset: number }[] = [];
  const calls: Call[] = [];
  let text = '';
  let thoughts = '';
  for (const part of parts) {
    refuseUntellable(part);
    const said = textAt(part, 'text') ?? '';
    const signature = textAt(part, 'thoughtSignature');
    const call = objectAt(part, 'functionCall');
    if (call !== undefined) calls.push(readCall(call, signature));
    else if (signature !== undefined) signatures.push({ data: signature, offset: text.length });
    if (memberAt(part, 'thought') === true) thoughts += said;
    else text += said;
  }
  return {
    index: indexOf(candidate, position),
    text,
    thoughts,
    calls,
    signatures,
    logprobs: logprobsOf(objectAt(candidate, 'logprobsResult')),
    reason: textAt(candidate, 'finishReason'),
    message: textAt(candidate, 'finishMessage'),
  };
}

/** The first candidate's index is left out, as every zero is. */
function indexOf(candidate: unknown, position: number): number {
  const index = memberAt(candidate, 'index');
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : position;
}

/** A picture left out would make an answer that is not the model's. */
function refuseUntellable(part: unknown): void {
  if (objectAt(part, 'inlineData') === undefined && objectAt(part, 'fileData') === undefined) return;
  throw unreadable(
    'The model answered with media, which a chat completion has no form for. Use passthrough for this model.',
  );
}

function readCall(call: JsonObject, signature: string | undefined): Call {
  const args = memberAt(call, 'args');
  const name = textAt(call, 'name');
  if (name === undefined) throw unreadable();
  return {
    // An empty id is no id.
    id: textAt(call, 'id') || undefined,
    name,
    args: JSON.stringify(isObject(args) ? args : {}),
    signature,
  };
}

/** https://ai.google.dev/api/generate-content#LogprobsResult */
function logprobsOf(result: JsonObject | undefined): TokenLogprob[] | undefined {
  if (result === undefined) return undefined;
  const top = listAt(result, 'topCandidates');
  return listAt(result, 'chosenCandidates').map((chosen, position) => ({
    ...logprob(chosen),
    top_logprobs: listAt(top[position], 'candidates').map(logprob),
  }));
}

/** Google leaves a zero out, and tells no bytes. */
function logprob(candidate: unknown): TopLogprob {
  const value = memberAt(candidate, 'logProbability');
  return { token: textAt(candidate, 'token') ?? '', logprob: typeof value === 'number' ? value : 0, bytes: null };
}
