import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { KeyPassError } from '../../errors.ts';
import { isObject, listAt, memberAt, objectAt, parseObject } from '../../money/json.ts';
import { fromAnthropic } from './anthropic-answer.ts';
import { AnthropicStream } from './anthropic-stream.ts';
import type { ChunkReader } from './chunks.ts';
import { fromGoogle } from './google.ts';
import { GoogleStream } from './google-stream.ts';
import { fromOpenAi } from './openai.ts';
import { OpenAiStream } from './openai-stream.ts';

const facts = { id: 'chatcmpl-1', created: 1, model: 'm' };
const use = { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } };
const thought = { type: 'thinking', thinking: 'Hm.', signature: 's' };
const usage = { input_tokens: 9, output_tokens: 7, cache_creation: { ephemeral_5m_input_tokens: 1 } };

const claude = {
  id: 'msg_1',
  model: 'c',
  content: [thought, { type: 'text', text: 'Hi' }, use],
  stop_reason: 'refusal',
  stop_details: { type: 'refusal', explanation: 'No.' },
  usage,
};
const claudeEvents = [
  { type: 'message_start', message: { id: 'msg_1', model: 'c', usage } },
  { type: 'content_block_start', content_block: thought },
  { type: 'content_block_delta', delta: { type: 'signature_delta', signature: 's' } },
  { type: 'content_block_stop' },
  { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } },
  { type: 'content_block_start', content_block: use },
  { type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: '{}' } },
  { type: 'content_block_stop' },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage },
];
const parts = [
  { text: 'Hm.', thought: true },
  { text: 'Hi', thoughtSignature: 's' },
  { functionCall: { id: 'c', name: 'f', args: { a: 1 } }, thoughtSignature: 's' },
];
const logprob = { token: 'Hi', logProbability: -1 };
const logprobsResult = { chosenCandidates: [logprob], topCandidates: [{ candidates: [logprob] }] };
const gemini = {
  responseId: 'r',
  modelVersion: 'g',
  candidates: [{ index: 0, content: { parts }, finishReason: 'STOP', finishMessage: 'M', logprobsResult }],
  promptFeedback: { blockReason: 'SAFETY' },
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 7, promptTokensDetails: [{ modality: 'IMAGE' }] },
};
const call = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
const said = { role: 'assistant', content: 'Hi', reasoning: 'Hm.', tool_calls: [call] };
const shaped = {
  id: 'x',
  created: 1,
  model: 'o',
  choices: [{ index: 0, message: said, delta: said, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 },
};

/** JSON with some of its values, of any depth, replaced by others. */
function mutated(sample: unknown): fc.Arbitrary<unknown> {
  const other = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, '', 'x', [], [null], [[]], {}),
    fc.constant(parseObject('{"__proto__":{"type":"text"},"constructor":1}')),
  );
  const changes = fc.array(fc.tuple(fc.nat(200), other), { minLength: 1, maxLength: 3 });
  return changes.map((list) => list.reduce<unknown>((json, [at, value]) => replaced(json, at, value), sample));
}

function replaced(json: unknown, at: number, value: unknown): unknown {
  let count = 0;
  const most = JSON.stringify(json).split(/[:,]/).length;
  const text = JSON.stringify(json, (_, found: unknown) => (count++ === at % most ? value : found));
  return JSON.parse(text);
}

/** What it makes, or nothing where it says with an error of KeyPass's what is wrong. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof KeyPassError) return undefined;
    throw error;
  }
}

const finishes = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];

/** What every client reads without a second look. */
function expectSound(answer: object, holder: 'message' | 'delta', ends: readonly unknown[]): void {
  for (const choice of listAt(answer, 'choices')) {
    const message = objectAt(choice, holder);
    const index = memberAt(choice, 'index');
    expect(Number.isSafeInteger(index) && Number(index) >= 0).toBe(true);
    expect(['string', 'undefined']).toContain(typeof (memberAt(message, 'content') ?? undefined));
    expect(['string', 'undefined']).toContain(typeof memberAt(message, 'reasoning_content'));
    expect(listAt(message, 'tool_calls').every(isObject)).toBe(true);
    expect(ends).toContain(memberAt(choice, 'finish_reason'));
  }
  const counted = memberAt(answer, 'usage') ?? {};
  expect(counted).toBeObject();
  for (const name of ['prompt_tokens', 'completion_tokens', 'total_tokens']) {
    const count = memberAt(counted, name) ?? 0;
    expect(Number.isSafeInteger(count) && Number(count) >= 0).toBe(true);
  }
}

test.each<[string, object, (answer: object) => object]>([
  ['Anthropic', claude, (answer) => fromAnthropic({ ...answer }, facts)],
  ['Google', gemini, (answer) => fromGoogle({ ...answer }, facts)],
  ['a provider of its own shape', shaped, (answer) => fromOpenAi({ ...answer }, facts)],
])('whatever %s answers is a completion, or a failure that says so', (_, sample, whole) => {
  expect(attempt(() => whole(sample))).toBeDefined();
  fc.assert(
    fc.property(mutated(sample), (answer) => {
      const completion = isObject(answer) ? attempt(() => whole(answer)) : undefined;
      if (completion !== undefined) expectSound(completion, 'message', finishes);
    }),
    { numRuns: 2_000 },
  );
});

test.each<[string, readonly object[], () => ChunkReader]>([
  ['Anthropic', claudeEvents, () => new AnthropicStream(facts, true)],
  ['Google', [gemini, gemini], () => new GoogleStream(facts, true)],
  ['a provider of its own shape', [shaped, shaped], () => new OpenAiStream(facts, true)],
])('whatever %s streams are chunks, or a failure that says so', (_, sample, open) => {
  fc.assert(
    fc.property(mutated(sample), (events) => {
      const reader = open();
      const sent: unknown[] = Array.isArray(events) ? events : [];
      const chunks = attempt(() => sent.flatMap((event) => reader.push(JSON.stringify(event)))) ?? [];
      for (const chunk of [...chunks, ...(attempt(() => reader.end()) ?? [])]) {
        expectSound(chunk, 'delta', [...finishes, null]);
      }
    }),
    { numRuns: 2_000 },
  );
});
