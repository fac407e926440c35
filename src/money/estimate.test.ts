import { describe, expect, test } from 'bun:test';
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base';
import { estimateUsage, type Explained, type Seen } from './estimate.ts';
import type { OutputText } from './tokens-output.ts';
import { noTokens } from './usage.ts';

const question = 'Why is the sky blue?';
const answer = 'Because air scatters short waves of light more than long ones.';
const said = (...texts: string[]): OutputText => ({ texts: () => texts, lostBytes: 0 });

const prompt = {
  provider: 'openai',
  model: 'gpt-4o',
  format: 'openai-chat',
  body: { messages: [{ role: 'user', content: question }] },
  mediaTokens: 0,
  toolTokens: 0,
} as const;
const explained: Explained = { prompt, output: true, isOpenEnded: false };
const seen: Seen = { provider: 'openai', model: 'gpt-4o', output: said(answer), stated: undefined, isBehind: false };
const stated = { ...noTokens, uncachedInput: 90, cacheRead: 7, output: 3, raw: {} };
const most = { inputTokens: 4_000, outputTokens: 500 };
const estimate = (change: Partial<Seen> = {}, known: Partial<Explained> = {}) =>
  estimateUsage({ ...seen, ...change }, { ...most, explained: { ...explained, ...known } });

const inputTokens = o200k('user') + o200k(question) + 3 + 3;

describe('what is booked where the usage was not stated', () => {
  test('the prompt and what came of the answer, both counted', async () => {
    expect(await estimate()).toEqual({
      usage: { ...noTokens, uncachedInput: inputTokens, output: o200k(answer), raw: null },
      flags: ['input_counted', 'output_counted'],
    });
  });

  test('for another house more, since its vocabulary is not known', async () => {
    const claude = { provider: 'anthropic', model: 'claude-sonnet-4-5' };
    expect((await estimate(claude))?.usage.output).toBe(Math.ceil(o200k(answer) * 1.3));
  });

  test('never more than was held', async () => {
    const long = await estimate({ output: said(answer.repeat(500)) });
    expect(long?.usage.output).toBe(500);
    const small = await estimateUsage(seen, { inputTokens: 5, outputTokens: 500, explained });
    expect(small?.usage.uncachedInput).toBe(5);
  });

  test('the bytes of what was too long to keep', async () => {
    const output = { texts: () => ['a'], lostBytes: 77 };
    expect(await estimate({ output })).toMatchObject({
      usage: { output: 78 },
      flags: ['input_counted', 'output_counted', 'bounded_by_bytes'],
    });
  });

  test('nothing, if no part of the input is known or more may be billed than tokens', async () => {
    expect(await estimate({}, { prompt: undefined })).toBeUndefined();
    expect(await estimate({}, { isOpenEnded: true })).toBeUndefined();
    expect(await estimate({ stated }, { isOpenEnded: true })).toBeUndefined();
  });

  test('the input as the provider stated it, and never less output than that', async () => {
    expect(await estimate({ stated }, { prompt: undefined })).toMatchObject({
      usage: { uncachedInput: 90, cacheRead: 7, output: o200k(answer) },
      flags: ['output_counted'],
    });
    expect((await estimate({ stated: { ...stated, output: 444 } }))?.usage.output).toBe(444);
  });

  test('all the output that was held, where the answer does not show it or not all of it was read', async () => {
    const flags = ['input_counted', 'output_at_most'];
    expect(await estimate({}, { output: false })).toMatchObject({
      usage: { uncachedInput: inputTokens, output: 500 },
      flags,
    });
    expect(await estimate({ isBehind: true })).toMatchObject({
      usage: { output: 500 },
      flags: [...flags, 'output_unread'],
    });
    expect((await estimate({ stated: { ...stated, output: 777 } }, { output: false }))?.usage.output).toBe(777);
  });

  test('the thoughts that were stated, once the answer after them has begun', async () => {
    const thinking = { ...stated, output: 200, reasoning: 200 };
    expect((await estimate({ stated: thinking }, { output: false }))?.usage.output).toBe(500);
    const answering = { ...stated, output: 220, reasoning: 200 };
    expect(await estimate({ stated: answering }, { output: false })).toMatchObject({
      usage: { output: 220 },
      flags: ['output_counted'],
    });
    expect((await estimate({ stated: answering, isBehind: true }, { output: false }))?.usage.output).toBe(500);
  });
});
