import { describe, expect, test } from 'bun:test';
import type { UsageReading } from '../money/reader.ts';
import { usageFromOpenAiChat } from '../money/usage-openai.ts';
import { bookingOf, contentOf, lowered, quote, type Ending } from './pricing.ts';

const at = new Date('2026-11-01T00:00:00Z');
const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4_000 };
const call = { provider: 'openai', model: 'gpt-4o-mini', format: 'openai-chat', content: contentOf(body) } as const;
const quoted = quote(call, at);
const hold = { callId: 'c', amount: quoted.bound.cost };
const usage = usageFromOpenAiChat({ usage: { prompt_tokens: 10, completion_tokens: 5 } });

const whole: UsageReading = { usage, finished: true, outputBytes: 20, serviceTier: 'default' };
const ending = (change: Partial<Ending> = {}): Ending => ({
  end: 'complete',
  status: 200,
  reading: whole,
  hasSeen: true,
  ...change,
});

describe('bookingOf', () => {
  test('books what was measured: 10 × $0.15 and 5 × $0.60 for a million', () => {
    expect(bookingOf(hold, quoted, ending())).toMatchObject({ quality: 'measured', cost: 4_500_000n, flags: [] });
  });

  test('books nothing for what is not billed', () => {
    expect(bookingOf(hold, quoted, ending({ status: 429 }))).toMatchObject({ quality: 'measured', cost: 0n });
    expect(bookingOf(hold, null, ending())).toMatchObject({ quality: 'measured', cost: 0n });
  });

  test('estimates what stated no usage, and says so', () => {
    const reading = { usage: undefined, finished: true, outputBytes: 20 };
    expect(bookingOf(hold, quoted, ending({ reading }))).toMatchObject({ quality: 'estimated', usage: { output: 10 } });
  });

  test("never estimates below what the provider had stated: Anthropic's first count is not the last", () => {
    const reading: UsageReading = { usage, finished: false, outputBytes: 400 };
    const anthropic = { ...quoted, format: 'anthropic-messages' } as const;
    const booking = bookingOf(hold, anthropic, ending({ reading, end: 'complete' }));
    expect(booking).toMatchObject({ quality: 'estimated', usage: { uncachedInput: 10, output: 200 } });
  });

  const blind: [string, Partial<Ending>][] = [
    [
      'nothing of the answer was seen',
      { end: 'broken', hasSeen: false, reading: { usage: undefined, finished: false, outputBytes: 0 } },
    ],
    [
      'the answer was too long to read',
      { hasSeen: false, reading: { usage: undefined, finished: false, outputBytes: 0 } },
    ],
    ['it was served in a tier without a price', { reading: { ...whole, serviceTier: 'priority' } }],
  ];
  test.each(blind)('books what was held where %s', (_, change) => {
    expect(bookingOf(hold, quoted, ending(change))).toMatchObject({ quality: 'unknown', cost: hold.amount });
  });

  test('books a cost above the hold in full and flags it', () => {
    const booking = bookingOf({ callId: 'c', amount: 1n }, quoted, ending());
    expect(booking).toMatchObject({ cost: 4_500_000n, flags: ['overrun'] });
  });
});

test('what is lowered is held at the bound of the very body that is sent', () => {
  const available = hold.amount - 1n;
  const less = lowered(call, available, at);
  expect(less?.quote.bound.cost).toBeLessThanOrEqual(available);
  expect(less?.content.body).toEqual({ ...body, max_tokens: less?.maxTokens });
  expect(new TextDecoder().decode(less?.content.bytes)).toBe(JSON.stringify(less?.content.body));
  expect(lowered(call, 1n, at)).toBeUndefined();
});

test('a body without a limit is lowered too, although the limit makes it longer', () => {
  const { max_tokens: _, ...open } = body;
  const unlimited = { ...call, content: contentOf(open) };
  const available = quote(unlimited, at).bound.cost - 1n;
  const less = lowered(unlimited, available, at);
  expect(less?.content.body).toEqual({ ...open, max_completion_tokens: less?.maxTokens });
  expect(less?.quote.bound.cost).toBeLessThanOrEqual(available);
  const embedding = { ...call, model: 'text-embedding-3-small', format: 'openai-embeddings' } as const;
  const input = { ...embedding, content: contentOf({ model: embedding.model, input: 'text' }) };
  expect(lowered(input, 0n, at)).toBeUndefined();
});
