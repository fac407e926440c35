import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../money/json.ts';
import { modelLimits } from '../money/limits.ts';
import { PriceBook } from '../money/price-book.ts';
import { callPrices } from '../money/price-tiers.ts';
import type { UsageReading } from '../money/reader.ts';
import { noOutput } from '../money/tokens-output.ts';
import type { UsageFormat } from '../money/usage.ts';
import { usageFromOpenAiChat } from '../money/usage-openai.ts';
import {
  chargeOf,
  contentOf,
  contentWith,
  lowered,
  quote,
  settlementOf,
  type Ending,
  type PricedCall,
} from './pricing.ts';

const at = new Date('2026-11-01T00:00:00Z');
const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4_000 };
const book = new PriceBook();

function callOf(model: string, format: UsageFormat, json: JsonObject): PricedCall {
  const named = { provider: 'openai', model, format };
  const limits = modelLimits('openai', model);
  return { ...named, limits, prices: callPrices(book, { ...named, body: json }, at), content: contentOf(json) };
}

const call = callOf('gpt-4o-mini', 'openai-chat', body);
const quoted = quote(call);
const hold = { callId: 'c', amount: quoted.bound.cost };
const usage = usageFromOpenAiChat({ usage: { prompt_tokens: 10, completion_tokens: 5 } });

const said = (text: string) => ({ texts: () => [text], lostBytes: 0 });
const answer = said('some words of an answer');
const answerTokens = 5;
const whole: UsageReading = { usage, finished: true, output: answer, serviceTier: 'default' };
const ending = (change: Partial<Ending> = {}): Ending => ({
  end: 'complete',
  status: 200,
  reading: whole,
  hasSeen: true,
  isBehind: false,
  ...change,
});

describe('chargeOf', () => {
  test('books what was measured: 10 × $0.15 and 5 × $0.60 for a million', async () => {
    const charge = await chargeOf(hold, quoted, ending());
    expect(charge).toMatchObject({ quality: 'measured', cost: 4_500_000n, flags: [] });
  });

  test('books nothing for what is not billed', async () => {
    const failed = await chargeOf(hold, quoted, ending({ status: 429 }));
    expect(failed).toMatchObject({ quality: 'measured', cost: 0n });
    expect(await chargeOf(hold, null, ending())).toMatchObject({ quality: 'measured', cost: 0n });
  });

  test('estimates what stated no usage, and says so', async () => {
    const reading = { usage: undefined, finished: true, output: answer };
    expect(await chargeOf(hold, quoted, ending({ reading }))).toMatchObject({
      quality: 'estimated',
      // "user" and "Hi", a message's frame and the answer's.
      usage: { uncachedInput: 1 + 1 + 3 + 3, output: answerTokens },
      flags: ['usage_missing', 'input_counted', 'output_counted'],
    });
  });

  test("never estimates below what the provider had stated: Anthropic's first count is not the last", async () => {
    const reading: UsageReading = { usage, finished: false, output: said('word '.repeat(200)) };
    const anthropic = { ...quoted, format: 'anthropic-messages' } as const;
    const charge = await chargeOf(hold, anthropic, ending({ reading, end: 'complete' }));
    expect(charge).toMatchObject({ quality: 'estimated', usage: { uncachedInput: 10, output: 201 } });
  });

  const started: UsageReading = { usage, finished: false, output: answer };
  const reasoning = { ...quoted, bound: { ...quoted.bound, explained: { ...quoted.bound.explained, output: false } } };

  test('books all the output that was held where the answer does not show it, beside what was stated', async () => {
    const anthropic = { ...reasoning, format: 'anthropic-messages' } as const;
    const charge = await chargeOf(hold, anthropic, ending({ reading: started, end: 'left' }));
    expect(charge).toMatchObject({ quality: 'estimated', usage: { uncachedInput: 10, output: 4_000 } });
  });

  test('the same where a call may have reasoned in secret, after one event as after the last', async () => {
    for (const finished of [false, true]) {
      const reading = { usage: undefined, finished, output: answer };
      expect(await chargeOf(hold, reasoning, ending({ reading, end: 'left' }))).toMatchObject({
        quality: 'estimated',
        usage: { uncachedInput: 8, output: 4_000 },
        flags: ['ended_left', 'usage_missing', 'input_counted', 'output_at_most'],
      });
    }
  });

  test('the same where the provider may have written what nobody has read', async () => {
    const reading = { usage: undefined, finished: false, output: answer };
    const left = ending({ reading, end: 'left', isBehind: true });
    expect(await chargeOf(hold, quoted, left)).toMatchObject({
      quality: 'estimated',
      usage: { output: 4_000 },
      flags: ['ended_left', 'usage_missing', 'input_counted', 'output_at_most', 'output_unread'],
    });
    const read = await chargeOf(hold, quoted, { ...left, isBehind: false });
    expect(read).toMatchObject({ usage: { output: answerTokens } });
    // Of an answer that has ended, nothing more is written.
    const finished = await chargeOf(hold, quoted, { ...left, reading: { ...reading, finished: true } });
    expect(finished).toMatchObject({ usage: { output: answerTokens } });
  });

  test('books what was held where more may be billed than an estimate could tell', async () => {
    const { explained } = quoted.bound;
    const open = { ...quoted, bound: { ...quoted.bound, explained: { ...explained, isOpenEnded: true } } };
    const charge = await chargeOf(hold, open, ending({ reading: started, end: 'left' }));
    expect(charge).toMatchObject({ quality: 'unknown', cost: hold.amount, flags: ['ended_left', 'usage_missing'] });
  });

  const receiptOf = async (served: UsageReading) => {
    const charge = await chargeOf(hold, quoted, ending({ reading: served }));
    return settlementOf({ charge, served }, { status: 200, ttfbMs: 1, durationMs: 2 });
  };

  test('keeps of what the provider says only what a receipt can hold', async () => {
    const odd = { ...whole, servedModel: `gpt\u0000-4o\ud800\u202e${'x'.repeat(400)}`, serviceTier: 'de\u0000fault' };
    const raw = { note: 'a\u0000b' };
    const reading = { ...odd, serviceTier: 'default', usage: usage === undefined ? undefined : { ...usage, raw } };
    const receipt = await receiptOf(reading);
    expect(receipt).toMatchObject({ quality: 'measured', cost: 4_500_000n, serviceTier: 'default' });
    expect(receipt.servedModel).toBe(`gpt-4o${'x'.repeat(194)}`);
    expect(receipt.usage?.raw).toBeNull();
    expect(await receiptOf(odd)).toMatchObject({ flags: ['tier_unpriced'], serviceTier: 'default' });
  });

  const blind: [string, Partial<Ending>][] = [
    [
      'nothing of the answer was seen',
      { end: 'broken', hasSeen: false, reading: { usage: undefined, finished: false, output: noOutput } },
    ],
    [
      'the answer was too long to read',
      { hasSeen: false, reading: { usage: undefined, finished: false, output: noOutput } },
    ],
    ['it was served in a tier without a price', { reading: { ...whole, serviceTier: 'priority' } }],
  ];
  test.each(blind)('books what was held where %s', async (_, change) => {
    expect(await chargeOf(hold, quoted, ending(change))).toMatchObject({ quality: 'unknown', cost: hold.amount });
  });

  test('takes the usage of several answers for whole only where it stands behind all of them', async () => {
    const two = { ...quoted, bound: { ...quoted.bound, choices: 2 } };
    const left = ending({ end: 'left', reading: { ...whole, output: said('word '.repeat(200)) } });
    expect(await chargeOf(hold, two, left)).toMatchObject({ quality: 'estimated', usage: { output: 201 } });
    const ended = { ...left, reading: { ...left.reading, ended: true as const } };
    expect(await chargeOf(hold, two, ended)).toMatchObject({ quality: 'measured', usage: { output: 5 } });
    expect(await chargeOf(hold, quoted, left)).toMatchObject({ quality: 'measured', usage: { output: 5 } });
  });

  test('books what was held of a failure that may have a fee and was not read', async () => {
    const reading = { usage: undefined, finished: false, output: noOutput };
    const responses = { ...quoted, format: 'xai-responses' } as const;
    const left = ending({ status: 403, end: 'left', reading });
    expect(await chargeOf(hold, responses, left)).toMatchObject({ quality: 'unknown', cost: hold.amount });
    expect(await chargeOf(hold, quoted, left)).toMatchObject({ quality: 'measured', cost: 0n });
  });

  test('books a cost above the hold in full', async () => {
    expect(await chargeOf({ callId: 'c', amount: 1n }, quoted, ending())).toMatchObject({ cost: 4_500_000n });
  });
});

test('what is lowered is held at the bound of the very body that is sent', () => {
  const available = hold.amount - 1n;
  const less = lowered(call, available);
  expect(less?.quote.bound.cost).toBeLessThanOrEqual(available);
  expect(less?.content.body).toEqual({ ...body, max_tokens: less?.maxTokens });
  expect(new TextDecoder().decode(less?.content.bytes)).toBe(JSON.stringify(less?.content.body));
  expect(lowered(call, 1n)).toBeUndefined();
});

test('a body without a limit is lowered too, although the limit makes it longer', () => {
  const { max_tokens: _, ...open } = body;
  const unlimited = { ...call, content: contentOf(open) };
  const available = quote(unlimited).bound.cost - 1n;
  const less = lowered(unlimited, available);
  expect(less?.content.body).toEqual({ ...open, max_completion_tokens: less?.maxTokens });
  expect(less?.quote.bound.cost).toBeLessThanOrEqual(available);
  const model = 'text-embedding-3-small';
  const input = callOf(model, 'openai-embeddings', { model, input: 'text' });
  expect(lowered(input, 0n)).toBeUndefined();
});

describe('contentWith', () => {
  test('writes what is added into the very bytes', () => {
    const json = '\n{ "seed": 9007199254740993, "temperature": 1.0, "model": "a{b" }';
    expect(sent(json, { service_tier: 'default', store: false })).toBe(
      '\n{"service_tier":"default","store":false, "seed": 9007199254740993, "temperature": 1.0, "model": "a{b" }',
    );
    expect(sent(json, {})).toBe(json);
    expect(sent(json, { temperature: 1 })).toBe(json);
  });

  test('writes anew what is replaced', () => {
    expect(sent('{ "max_tokens": 9, "n": 1 }', { max_tokens: 5 })).toBe('{"max_tokens":5,"n":1}');
    expect(sent('{ "store": null }', { store: false })).toBe('{"store":false}');
    expect(sent('{}', { store: false })).toBe('{"store":false}');
  });
});

function sent(json: string, change: JsonObject): string {
  const content = { ...contentOf(JSON.parse(json)), bytes: new TextEncoder().encode(json) };
  return new TextDecoder().decode(contentWith(content, change).bytes);
}
