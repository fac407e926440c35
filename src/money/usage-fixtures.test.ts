import { describe, expect, test } from 'bun:test';
import { costOf } from './cost.ts';
import { type FixtureAnswer, today, type UsageFixture } from './fixtures/fixture.ts';
import { usageFixtures } from './fixtures/index.ts';
import { memberAt } from './json.ts';
import { PriceBook } from './price-book.ts';
import { callPrices, priceServed } from './price-tiers.ts';
import { createUsageReader, type UsageReading } from './reader.ts';
import type { UsageFormat } from './usage.ts';

const book = new PriceBook();

/** What each of these buckets used, at what price: a line of a receipt, from the arithmetic of a fixture. */
interface Term {
  readonly quantity: string;
  readonly usd: string;
  readonly per: bigint;
}

const units: Record<string, bigint> = { M: 1_000_000n, k: 1_000n, h: 3_600n };

/** `1,200 × $2.50/M + 3 × $10/k`, read by this test alone: none of the product's code computes with it. */
function termsOf(arithmetic: string): Term[] {
  return arithmetic.split(' + ').map((text) => {
    const [, quantity, usd, unit] = /^([\d,]+(?:\.\d+)?)(?: s)? × \$(\d+(?:\.\d+)?)\/([A-Za-z]+)$/.exec(text) ?? [];
    const per = units[unit ?? ''];
    if (quantity === undefined || usd === undefined || per === undefined) throw new Error(`not a term: ${text}`);
    return { quantity: quantity.replaceAll(',', ''), usd, per };
  });
}

/** A plain decimal as a whole number of 10⁻¹². */
function pico(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
}

/** Rounded up, as a receipt's line is. */
function costOfTerm({ quantity, usd, per }: Term): bigint {
  const [dividend, divisor] = [pico(quantity) * pico(usd), per * 10n ** 12n];
  return (dividend + divisor - 1n) / divisor;
}

function read(format: UsageFormat, answer: FixtureAnswer): UsageReading {
  const reader = createUsageReader(format);
  if ('body' in answer) reader.onJson(answer.body);
  else for (const data of answer.events) onEvent(reader, data);
  return reader.result();
}

/** OpenAI's Responses and Anthropic name their events as the data's `type` does. */
function onEvent(reader: ReturnType<typeof createUsageReader>, data: unknown): void {
  const type = memberAt(data, 'type');
  reader.onEvent(typeof type === 'string' ? type : undefined, typeof data === 'string' ? data : JSON.stringify(data));
}

type Call = Pick<UsageFixture, 'provider' | 'format' | 'model' | 'date' | 'request' | 'answer'>;

function receiptOf({ provider, format, model, date, answer, request = {} }: Call) {
  const reading = read(format, answer);
  const prices = callPrices(book, { provider, model, format, body: request }, new Date(`${date}T12:00:00Z`));
  const price = priceServed(format, prices, reading.serviceTier);
  if (reading.usage === undefined) throw new Error('no usage');
  if (price === undefined) throw new Error('no price');
  const { raw: _, ...counts } = reading.usage;
  return { reading, counts, ...costOf(reading.usage, price) };
}

/** The counts that are not zero. */
function used(counts: object): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

const nameOf = ({ format, model, name }: UsageFixture) => `${format}, ${model}: ${name}`;

describe('by hand', () => {
  test.each(usageFixtures.map((fixture) => [nameOf(fixture), fixture] as const))('%s', (_, fixture) => {
    const { arithmetic, cost, buckets, billed } = fixture;
    const terms = termsOf(arithmetic);
    expect(terms.reduce((sum, term) => sum + costOfTerm(term), 0n)).toBe(pico(cost));
    const { reasoning: _reasoning, statedUsd, fees = {}, ...rest } = { ...buckets, ...billed };
    expect(statedUsd ?? cost).toBe(cost);
    const quantities = [...Object.values(rest), ...Object.values(fees)].map(String);
    expect(terms.map(({ quantity }) => quantity).toSorted()).toEqual(quantities.toSorted());
  });
});

describe('by the code', () => {
  for (const fixture of usageFixtures) {
    // A price that is right again fails here, so that the mark goes.
    (fixture.differs === undefined ? test : test.failing)(nameOf(fixture), () => {
      const { reading, counts, cost, lines } = receiptOf(fixture);
      expect(used(counts)).toEqual(fixture.buckets);
      expect(cost).toBe(pico(fixture.cost));
      const byHand = termsOf(fixture.arithmetic).map((term) => [term.quantity, pico(term.usd), term.per]);
      const terms = fixture.buckets.statedUsd === undefined ? byHand : [['1', pico(fixture.cost), 1n]];
      expect(lines.map(({ quantity, usd, per }) => [String(quantity), pico(usd), BigInt(per)])).toEqual(terms);
      expect(lines.reduce((sum, line) => sum + pico(line.cost), 0n)).toBe(cost);
      expect(reading.finished).toBe(true);
    });
  }
});

test('no two fixtures have one name', () => {
  const names = usageFixtures.map(nameOf);
  expect(new Set(names).size).toBe(names.length);
});

describe('has no price, so it is not booked as if it had', () => {
  const chat = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  const response = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  const message = { input_tokens: 10, output_tokens: 5 };
  const google = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };

  test.each<[string, UsageFixture['provider'], UsageFormat, string, object]>([
    ["OpenAI's scale tier", 'openai', 'openai-chat', 'gpt-4o', { usage: chat, service_tier: 'scale' }],
    [
      'priority that nobody asked for',
      'openai',
      'openai-responses',
      'gpt-4o',
      { usage: response, service_tier: 'priority' },
    ],
    ['a tier of tomorrow', 'openai', 'openai-chat', 'gpt-4o', { usage: chat, service_tier: 'warp' }],
    ["Groq's performance tier", 'groq', 'groq-chat', 'qwen/qwen3-32b', { usage: chat, service_tier: 'performance' }],
    [
      "Anthropic's batches",
      'anthropic',
      'anthropic-messages',
      'claude-opus-5',
      { usage: { ...message, service_tier: 'batch' } },
    ],
    [
      "Anthropic's fast mode",
      'anthropic',
      'anthropic-messages',
      'claude-opus-5',
      { usage: { ...message, speed: 'fast' } },
    ],
    [
      'inference in the US',
      'anthropic',
      'anthropic-messages',
      'claude-opus-5',
      { usage: { ...message, inference_geo: 'us' } },
    ],
    [
      "Gemini's flex tier",
      'google',
      'gemini',
      'gemini-2.5-flash',
      { usageMetadata: { ...google, serviceTier: 'FLEX' } },
    ],
    [
      'a code interpreter',
      'openai',
      'openai-responses',
      'gpt-5',
      { usage: response, output: [{ type: 'code_interpreter_call', id: 'ci_1', status: 'completed' }] },
    ],
    [
      'a picture made by a tool',
      'openai',
      'openai-responses',
      'gpt-5',
      { usage: response, output: [{ type: 'image_generation_call', id: 'ig_1', status: 'completed' }] },
    ],
    [
      'code that Anthropic ran',
      'anthropic',
      'anthropic-messages',
      'claude-opus-5',
      { usage: { ...message, server_tool_use: { web_search_requests: 0, code_execution_requests: 2 } } },
    ],
    [
      'a compaction',
      'anthropic',
      'anthropic-messages',
      'claude-opus-5',
      { usage: { ...message, iterations: [{ type: 'compaction', ...message }] } },
    ],
    [
      "a compound system's tools",
      'groq',
      'groq-chat',
      'openai/gpt-oss-120b',
      { usage: chat, usage_breakdown: { models: [{ model: 'openai/gpt-oss-120b', usage: chat }] } },
    ],
    [
      'speech where none is listed',
      'openai',
      'openai-chat',
      'gpt-4o',
      { usage: { ...chat, completion_tokens_details: { audio_tokens: 5 } } },
    ],
  ])('%s', (_, provider, format, model, body) => {
    expect(() => receiptOf({ provider, format, model, date: today, answer: { body } })).toThrow(/price/);
  });
});
